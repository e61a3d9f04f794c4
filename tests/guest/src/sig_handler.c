/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Handlers: siginfo, masks while they run, pending signals, order. */
#include "guest.h"

static int depth, done;

static void info(int signo, siginfo_t *si, void *context)
{
	printf("signo %d code %d own %d\n", signo, si->si_code, si->si_pid == getpid());
}

static void nested(int signo)
{
	sigset_t pending;
	depth++;
	printf("enter %d depth %d\n", signo, depth);
	if (signo == SIGUSR1 && depth == 1 && !done) {
		done = 1;
		raise(SIGUSR1);
		sigpending(&pending);
		printf("own pending %d\n", sigismember(&pending, SIGUSR1));
		raise(SIGUSR2);
		sigpending(&pending);
		printf("masked pending %d\n", sigismember(&pending, SIGUSR2));
		raise(SIGHUP);
	}
	printf("leave %d\n", signo);
	depth--;
}

int main(void)
{
	struct sigaction sa = { .sa_flags = SA_SIGINFO };
	sa.sa_sigaction = info;
	sigaction(SIGUSR1, &sa, 0);
	kill(getpid(), SIGUSR1);
	raise(SIGUSR1);

	struct sigaction nest = { .sa_handler = nested }, old;
	sigaddset(&nest.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &nest, &old);
	IS(old.sa_sigaction == info);
	IS(old.sa_flags & SA_SIGINFO);
	sigemptyset(&nest.sa_mask);
	sigaction(SIGUSR2, &nest, 0);
	sigaction(SIGHUP, &nest, 0);
	raise(SIGUSR1);
	puts("--");

	sigset_t both = set_of(SIGUSR2, SIGHUP), before;
	sigprocmask(SIG_BLOCK, &both, &before);
	IS(!sigismember(&before, SIGUSR2));
	raise(SIGUSR2);
	raise(SIGUSR2);
	puts("unblock"); /* one at a time: the order of several is nobody's promise */
	sigset_t one = set_of(SIGUSR2, 0);
	sigprocmask(SIG_UNBLOCK, &one, 0);
	raise(SIGHUP);
	puts("unblock");
	sigprocmask(SIG_SETMASK, &before, 0);
	struct sigaction bad = { .sa_handler = nested };
	SHOW(sigaction(SIGKILL, &bad, 0));
	SHOW(sigaction(SIGSTOP, &bad, 0));
	SHOW(sigaction(65, &bad, 0));
	SHOW(sigprocmask(77, &both, 0));
	SHOW(kill(getpid(), 65));
	SHOW(kill(getpid(), 0));
	SHOW(kill(0x7ffffff0, 0));
	return 0;
}
