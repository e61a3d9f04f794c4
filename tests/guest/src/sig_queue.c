/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Real-time signals queue in order with their values; ordinary ones merge. */
#include "guest.h"

static void show_info(int signo, siginfo_t *si, void *context)
{
	printf("rt+%d code %d value %d\n", signo - SIGRTMIN, si->si_code, si->si_value.sival_int);
}

int main(void)
{
	struct sigaction sa = { .sa_flags = SA_SIGINFO };
	sa.sa_sigaction = show_info;
	sigset_t mask;
	sigemptyset(&mask);
	for (int i = 0; i < 3; i++) {
		sigaddset(&mask, SIGRTMIN + i);
		sigaction(SIGRTMIN + i, &sa, 0);
	}
	sigfillset(&sa.sa_mask);
	for (int i = 0; i < 3; i++) sigaction(SIGRTMIN + i, &sa, 0);
	sigprocmask(SIG_BLOCK, &mask, 0);
	for (int round = 0; round < 2; round++)
		for (int i = 2; i >= 0; i--)
			SHOW(sigqueue(getpid(), SIGRTMIN + i, (union sigval){ .sival_int = 10 * round + i }));
	siginfo_t info;
	IS(sigwaitinfo(&mask, &info) == SIGRTMIN && info.si_value.sival_int == 0);
	sigprocmask(SIG_UNBLOCK, &mask, 0);
	SHOW(sigqueue(getpid(), 0, (union sigval){ 0 }));
	SHOW(sigqueue(getpid(), 65, (union sigval){ 0 }));
	SHOW(sigqueue(0x7ffffff0, SIGUSR1, (union sigval){ 0 }));
	return 0;
}
