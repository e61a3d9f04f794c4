/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Signals read from a descriptor. */
#include <sys/signalfd.h>
#include "guest.h"

int main(void)
{
	sigset_t mask = set_of(SIGUSR1, SIGUSR2);
	sigprocmask(SIG_BLOCK, &mask, 0);
	int fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	IS(fd >= 0);
	struct signalfd_siginfo info[4];
	SHOW(read(fd, info, sizeof info));
	SHOW(read(fd, info, 8));
	struct pollfd p = { fd, POLLIN };
	SHOW(poll(&p, 1, 0));
	raise(SIGUSR2);
	sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 5 });
	SHOW(poll(&p, 1, 0));
	IS(p.revents == POLLIN);
	IS(read(fd, info, sizeof info) == 2 * sizeof info[0]);
	unsigned numbers = info[0].ssi_signo + info[1].ssi_signo;
	IS(numbers == SIGUSR1 + SIGUSR2);
	int queued = info[0].ssi_signo == SIGUSR1 ? 0 : 1;
	printf("code %d value %d own %d\n", info[queued].ssi_code, info[queued].ssi_int, info[queued].ssi_pid == (unsigned)getpid());
	fcntl(fd, F_SETFL, 0);
	pid_t parent = getpid(), pid = fork();
	if (!pid) { nap(30); kill(parent, SIGUSR1); _exit(0); }
	IS(read(fd, info, sizeof info[0]) == sizeof info[0]);
	IS(info[0].ssi_pid == (unsigned)pid);
	reap(pid);
	mask = set_of(SIGUSR2, 0);
	IS(signalfd(fd, &mask, 0) == fd);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	raise(SIGUSR1);
	SHOW(read(fd, info, sizeof info));
	SHOW(signalfd(0, &mask, 0));
	return 0;
}
