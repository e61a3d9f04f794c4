/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* exec from a thread: the others end, the pid stays. */
#include "guest.h"

static char pid_text[16];

static void *sleep_long(void *arg) { for (;;) pause(); }

static void *execs(void *arg)
{
	execl("/proc/self/exe", "x", pid_text, (char *)0);
	return (void *)(long)errno;
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		printf("same pid %d\n", atoi(argv[1]) == getpid());
		return 14;
	}
	pthread_t t;
	pid_t pid = fork();
	if (!pid) {
		snprintf(pid_text, sizeof pid_text, "%d", (int)getpid());
		pthread_create(&t, 0, sleep_long, 0);
		pthread_create(&t, 0, execs, 0);
		for (;;) pause();
	}
	reap(pid);
	pid = fork();
	if (!pid) {
		snprintf(pid_text, sizeof pid_text, "%d", (int)getpid());
		pthread_create(&t, 0, sleep_long, 0);
		execs(0);
		_exit(1);
	}
	reap(pid);
	return 0;
}
