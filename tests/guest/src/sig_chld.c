/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* SIGCHLD with siginfo for every kind of change; SA_NOCLDSTOP. */
#include "guest.h"

static pid_t child;
static volatile int count;

static void on_child(int signo, siginfo_t *si, void *context)
{
	count++;
	printf("code %d status %d right pid %d\n", si->si_code, si->si_status, si->si_pid == child);
}

int main(void)
{
	struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_RESTART };
	sa.sa_sigaction = on_child;
	sigaction(SIGCHLD, &sa, 0);
	sigset_t block = set_of(SIGCHLD, 0), open = set_of(0, 0);
	sigprocmask(SIG_BLOCK, &block, 0);

	child = fork();
	if (!child) _exit(33);
	sigsuspend(&open);
	reap(child);
	child = fork();
	if (!child) { pause(); _exit(0); }
	kill(child, SIGTERM);
	sigsuspend(&open);
	reap(child);
	child = fork();
	if (!child) { for (;;) pause(); }
	kill(child, SIGSTOP);
	sigsuspend(&open);
	kill(child, SIGCONT);
	sigsuspend(&open);
	kill(child, SIGKILL);
	sigsuspend(&open);
	reap(child);
	printf("count %d\n", count);

	sa.sa_flags |= SA_NOCLDSTOP;
	sigaction(SIGCHLD, &sa, 0);
	child = fork();
	if (!child) { for (;;) pause(); }
	int status;
	kill(child, SIGSTOP);
	waitpid(child, &status, WUNTRACED);
	sigset_t pending;
	sigpending(&pending);
	IS(!sigismember(&pending, SIGCHLD));
	kill(child, SIGKILL);
	sigsuspend(&open);
	reap(child);
	return 0;
}
