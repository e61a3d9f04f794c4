/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* setjmp, longjmp, sigsetjmp and the signal mask. */
#include "guest.h"

static jmp_buf env;
static sigjmp_buf senv;

static void deep(int n) { if (n) deep(n - 1); else longjmp(env, 5); }
static void from_handler(int signo) { siglongjmp(senv, 2); }

int main(void)
{
	volatile int rounds = 0;
	int r = setjmp(env);
	printf("setjmp %d\n", r);
	if (r == 0) deep(10);
	if (rounds++ < 2) longjmp(env, 0);
	puts("--");
	handle(SIGUSR1, from_handler, 0);
	sigset_t mask;
	for (int save = 1; save >= 0; save--) {
		r = sigsetjmp(senv, save);
		if (r == 0) raise(SIGUSR1);
		sigprocmask(SIG_BLOCK, 0, &mask);
		printf("save %d returned %d blocked %d\n", save, r, sigismember(&mask, SIGUSR1));
		mask = set_of(SIGUSR1, 0);
		sigprocmask(SIG_UNBLOCK, &mask, 0);
	}
	/* out of a handler that interrupted a wait */
	handle(SIGALRM, from_handler, SA_RESTART);
	int fds[2];
	char c;
	MUST(pipe(fds));
	if (!sigsetjmp(senv, 1)) {
		struct itimerval t = { { 0, 0 }, { 0, 30000 } };
		setitimer(ITIMER_REAL, &t, 0);
		read(fds[0], &c, 1);
		puts("not reached");
	}
	puts("out of read");
	/* many jumps, so that nothing leaks */
	volatile int n = 0;
	setjmp(env);
	if (n++ < 20000) longjmp(env, 1);
	printf("n %d\n", n);
	return 0;
}
