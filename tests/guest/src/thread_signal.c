/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Signals and threads: masks, pthread_kill, who takes one sent to the process; fork in a thread. */
#include "guest.h"

static __thread int number;
static volatile int taken_by, count;
static pthread_barrier_t barrier;
static void take(int signo) { taken_by = number; count++; }

static void *target(void *arg)
{
	number = (int)(long)arg;
	sigset_t wanted = set_of(SIGUSR2, 0);
	int signo;
	pthread_barrier_wait(&barrier);
	sigwait(&wanted, &signo);
	return (void *)(long)signo;
}

static void *forker(void *arg)
{
	pid_t pid = fork();
	if (!pid) { number = 3; _exit(pthread_kill(pthread_self(), 0) ? 1 : 12); }
	int status;
	waitpid(pid, &status, 0);
	return (void *)(long)WEXITSTATUS(status);
}

static void *waits_child(void *arg)
{
	int status;
	return (void *)(long)(waitpid((pid_t)(long)arg, &status, 0) > 0 ? WEXITSTATUS(status) : -1);
}

int main(void)
{
	pthread_t t;
	void *r;
	sigset_t block = set_of(SIGUSR1, SIGUSR2), none = set_of(0, 0);
	handle(SIGUSR1, take, 0);
	number = 1;
	sigset_t usr2 = set_of(SIGUSR2, 0);
	pthread_sigmask(SIG_BLOCK, &usr2, 0);
	pthread_barrier_init(&barrier, 0, 2);
	pthread_create(&t, 0, target, (void *)2); /* it inherits the mask */
	pthread_barrier_wait(&barrier);
	RC(pthread_kill(t, SIGUSR1));
	for (int i = 0; i < 500 && !count; i++) nap(2);
	printf("taken by %d\n", taken_by);
	pthread_sigmask(SIG_BLOCK, &block, 0);
	kill(getpid(), SIGUSR1);
	for (int i = 0; i < 500 && count < 2; i++) nap(2);
	printf("taken by %d\n", taken_by);
	RC(pthread_kill(t, SIGUSR2));
	pthread_join(t, &r);
	printf("sigwait %ld\n", (long)r);
	RC(pthread_kill(pthread_self(), 0));
	RC(pthread_kill(pthread_self(), 65));
	pthread_create(&t, 0, forker, 0);
	pthread_join(t, &r);
	printf("fork in a thread: %ld\n", (long)r);
	pid_t pid = fork();
	if (!pid) { nap(20); _exit(6); }
	pthread_create(&t, 0, waits_child, (void *)(long)pid);
	pthread_join(t, &r);
	printf("waited by a thread: %ld\n", (long)r);
	kill(getpid(), SIGUSR1);
	SHOW(sigsuspend(&none));
	printf("count %d\n", count);
	return 0;
}
