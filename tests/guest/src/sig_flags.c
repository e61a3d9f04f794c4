/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* SA_NODEFER, SA_RESETHAND, SA_RESTART against EINTR. */
#include "guest.h"

static volatile int depth, most;

static void again(int signo)
{
	if (++depth > most) most = depth;
	if (depth < 3) raise(signo);
	depth--;
}

static void nothing(int signo) {}

static void later(int signo, int ms)
{
	struct itimerval t = { .it_value = { ms / 1000, ms % 1000 * 1000 } };
	setitimer(ITIMER_REAL, &t, 0);
}

int main(void)
{
	handle(SIGUSR1, again, SA_NODEFER);
	raise(SIGUSR1);
	printf("deepest %d\n", most);

	handle(SIGUSR2, nothing, SA_RESETHAND);
	raise(SIGUSR2);
	struct sigaction sa;
	sigaction(SIGUSR2, 0, &sa);
	IS(sa.sa_handler == SIG_DFL);
	pid_t pid = fork();
	if (!pid) { handle(SIGUSR2, nothing, SA_RESETHAND); raise(SIGUSR2); raise(SIGUSR2); _exit(0); }
	reap(pid);

	int fds[2];
	char c;
	MUST(pipe(fds));
	handle(SIGALRM, nothing, 0);
	later(SIGALRM, 30);
	SHOW(read(fds[0], &c, 1));
	handle(SIGALRM, nothing, SA_RESTART);
	pid = fork();
	if (!pid) { nap(80); write(fds[1], "x", 1); _exit(0); }
	later(SIGALRM, 30);
	SHOW(read(fds[0], &c, 1));
	reap(pid);
	pid = fork();
	if (!pid) { nap(80); _exit(5); }
	later(SIGALRM, 30);
	int status;
	IS(waitpid(pid, &status, 0) == pid);
	struct pollfd p = { fds[0], POLLIN };
	later(SIGALRM, 30);
	SHOW(poll(&p, 1, 1000)); /* never restarted */
	struct timespec second = { 1, 0 }, left = { 0, 0 };
	later(SIGALRM, 30);
	SHOW(nanosleep(&second, &left));
	IS(left.tv_sec == 0 && left.tv_nsec > 500000000);
	later(SIGALRM, 30);
	SHOW(pause());
	return 0;
}
