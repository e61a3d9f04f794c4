/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* sigsuspend, sigwait, sigwaitinfo, sigtimedwait. */
#include "guest.h"

static volatile int seen;
static void note(int signo) { seen = signo; printf("handler %d\n", signo); }

int main(void)
{
	sigset_t mask = set_of(SIGUSR1, SIGUSR2), old, empty = set_of(0, 0), now;
	sigprocmask(SIG_BLOCK, &mask, &old);
	handle(SIGUSR1, note, 0);
	raise(SIGUSR1);
	SHOW(sigsuspend(&empty));
	printf("seen %d\n", seen);
	sigprocmask(SIG_BLOCK, 0, &now);
	IS(sigismember(&now, SIGUSR1) && sigismember(&now, SIGUSR2));

	pid_t parent = getpid(), pid = fork();
	if (!pid) { nap(30); kill(parent, SIGUSR1); _exit(0); }
	SHOW(sigsuspend(&empty));
	reap(pid);

	int signo = 0;
	raise(SIGUSR2);
	RC(sigwait(&mask, &signo));
	printf("sigwait %d\n", signo);
	siginfo_t info;
	pid = fork();
	if (!pid) { nap(30); kill(parent, SIGUSR2); _exit(0); }
	SHOW(sigwaitinfo(&mask, &info));
	IS(info.si_signo == SIGUSR2 && info.si_code == SI_USER && info.si_pid == pid);
	reap(pid);
	struct timespec zero = { 0, 0 }, bad = { 0, 1000000000 }, some = { 0, 20000000 };
	SHOW(sigtimedwait(&mask, &info, &zero));
	SHOW(sigtimedwait(&mask, &info, &some));
	SHOW(sigtimedwait(&mask, &info, &bad));
	return 0;
}
