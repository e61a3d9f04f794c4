/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* A loop that makes no call: a handler runs in it, siglongjmp leaves it, SIGKILL ends it. */
#include "guest.h"

static volatile unsigned long spin;
static volatile int stop;
static sigjmp_buf out;

static void halt(int signo) { stop = 1; }
static void jump(int signo) { siglongjmp(out, 1); }

int main(void)
{
	struct itimerval t = { { 0, 0 }, { 0, 50000 } };
	handle(SIGALRM, halt, 0);
	setitimer(ITIMER_REAL, &t, 0);
	while (!stop) spin++;
	puts("handler ran");
	handle(SIGALRM, jump, 0);
	if (!sigsetjmp(out, 1)) {
		setitimer(ITIMER_REAL, &t, 0);
		for (;;) spin++;
	}
	puts("jumped out");
	sigset_t mask;
	sigprocmask(SIG_BLOCK, 0, &mask);
	IS(!sigismember(&mask, SIGALRM));
	pid_t pid = fork();
	if (!pid) for (;;) spin++;
	nap(30);
	kill(pid, SIGKILL);
	reap(pid);
	pid = fork();
	if (!pid) for (;;) spin++;
	nap(30);
	kill(pid, SIGTERM);
	reap(pid);
	pid = fork();
	if (!pid) for (;;) spin++;
	nap(30);
	kill(pid, SIGSTOP);
	int status;
	waitpid(pid, &status, WUNTRACED);
	puts(status_text(status));
	kill(pid, SIGKILL);
	reap(pid);
	return 0;
}
