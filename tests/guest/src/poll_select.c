/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* poll, ppoll, select and pselect. */
#include "guest.h"

static void nothing(int signo) {}

int main(void)
{
	int a[2], b[2];
	char c;
	MUST(pipe(a));
	MUST(pipe(b));
	struct pollfd p[4] = { { a[0], POLLIN }, { b[1], POLLOUT }, { -1, POLLIN }, { 77, POLLIN } };
	SHOW(poll(p, 4, -1));
	for (int i = 0; i < 4; i++) printf("%d:%x ", i, p[i].revents);
	puts("");
	long long start = now_ms();
	SHOW(poll(p, 1, 40));
	IS(now_ms() - start >= 39);
	SHOW(poll(0, 0, 10));
	pid_t pid = fork();
	if (!pid) { nap(30); write(a[1], "x", 1); _exit(0); }
	SHOW(poll(p, 1, 5000));
	reap(pid);
	fd_set r, w, e;
	FD_ZERO(&r); FD_ZERO(&w); FD_ZERO(&e);
	FD_SET(a[0], &r); FD_SET(b[0], &r); FD_SET(b[1], &w); FD_SET(a[0], &e);
	struct timeval tv = { 1, 0 };
	SHOW(select(20, &r, &w, &e, &tv));
	printf("%d %d %d %d\n", !!FD_ISSET(a[0], &r), !!FD_ISSET(b[0], &r), !!FD_ISSET(b[1], &w), !!FD_ISSET(a[0], &e));
	read(a[0], &c, 1);
	tv.tv_sec = 0; tv.tv_usec = 20000;
	FD_ZERO(&r); FD_SET(a[0], &r);
	SHOW(select(20, &r, 0, 0, &tv));
	IS(!FD_ISSET(a[0], &r));
	FD_ZERO(&r); FD_SET(19, &r);
	close(19);
	SHOW(select(20, &r, 0, 0, &tv));
	SHOW(select(-1, 0, 0, 0, &tv));
	struct timeval bad = { -1, 0 };
	SHOW(select(0, 0, 0, 0, &bad));
	close(a[1]);
	SHOW(poll(p, 1, 0));
	printf("%x\n", p[0].revents);
	/* ppoll opens the mask while it waits */
	sigset_t block = set_of(SIGUSR1, 0), none = set_of(0, 0);
	sigprocmask(SIG_BLOCK, &block, 0);
	handle(SIGUSR1, nothing, SA_RESTART);
	raise(SIGUSR1);
	struct timespec five = { 5, 0 };
	SHOW(ppoll(0, 0, &five, &none));
	raise(SIGUSR1);
	SHOW(pselect(0, 0, 0, 0, &five, &none));
	SHOW(poll((void *)-8, 1, 0));
	int file = open("/dev/null", O_RDWR);
	p[0].fd = file; p[0].events = POLLIN | POLLOUT;
	SHOW(poll(p, 1, 0));
	printf("%x\n", p[0].revents);
	return 0;
}
