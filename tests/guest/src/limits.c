/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Limits that are enforced: file size, processor time, processes; priorities. */
#include "guest.h"

static volatile int seen;
static void note(int signo) { seen = signo; }

int main(void)
{
	be_nobody();
	struct rlimit r = { 10, 100 };
	pid_t pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_FSIZE, &r);
		int fd = open("f", O_WRONLY | O_CREAT, 0600);
		SHOW(write(fd, "0123456", 7));
		SHOW(write(fd, "0123456", 7));
		handle(SIGXFSZ, note, 0);
		SHOW(write(fd, "x", 1));
		printf("signal %d\n", seen == SIGXFSZ);
		SHOW(ftruncate(fd, 11));
		signal(SIGXFSZ, SIG_DFL);
		write(fd, "x", 1);
		_exit(0);
	}
	reap(pid);
	pid = fork();
	if (!pid) {
		struct rlimit cpu = { 1, 2 };
		setrlimit(RLIMIT_CPU, &cpu);
		handle(SIGXCPU, note, 0);
		while (!seen) getppid();
		printf("signal %d\n", seen == SIGXCPU);
		_exit(0);
	}
	reap(pid);
	SHOW(getrlimit(99, &r));
	SHOW(setrlimit(RLIMIT_NOFILE, (void *)-8));
	r.rlim_cur = 5; r.rlim_max = 3;
	SHOW(setrlimit(RLIMIT_CORE, &r));
	int base = getpriority(PRIO_PROCESS, 0); /* who runs the tests may be nice already */
	IS(base >= 0 && base < 15);
	IS(nice(3) == base + 3);
	IS(getpriority(PRIO_PROCESS, 0) == base + 3);
	SHOW(setpriority(PRIO_PROCESS, 0, base));
	SHOW(setpriority(PRIO_PROCESS, 0, 100));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(getpriority(PRIO_PROCESS, 0x7ffffff0));
	SHOW(sched_get_priority_max(SCHED_FIFO));
	SHOW(sched_get_priority_min(SCHED_OTHER));
	SHOW(sched_yield());
	struct rusage u;
	SHOW(getrusage(RUSAGE_SELF, &u));
	SHOW(getrusage(RUSAGE_CHILDREN, &u));
	IS(u.ru_utime.tv_sec + u.ru_stime.tv_sec >= 1 || u.ru_utime.tv_usec + u.ru_stime.tv_usec > 800000);
	SHOW(getrusage(99, &u));
	return 0;
}
