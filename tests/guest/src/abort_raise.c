/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* abort, raise, exit codes and death by default actions. */
#include "guest.h"

static void returns(int signo) { puts("handler"); }

int main(void)
{
	pid_t pid = fork();
	if (!pid) abort();
	reap(pid);
	pid = fork();
	if (!pid) { handle(SIGABRT, returns, 0); abort(); }
	reap(pid);
	pid = fork();
	if (!pid) { signal(SIGABRT, SIG_IGN); abort(); }
	reap(pid);
	int harmless[] = { SIGCHLD, SIGURG, SIGWINCH, SIGCONT };
	for (int i = 0; i < 4; i++) SHOW(raise(harmless[i]));
	pid = fork();
	if (!pid) { sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, 0); raise(SIGKILL); _exit(0); }
	reap(pid);
	pid = fork();
	if (!pid) exit(-1);
	reap(pid);
	pid = fork();
	if (!pid) exit(256 + 7);
	reap(pid);
	pid = fork();
	if (!pid) return 77;
	reap(pid);
	raise(SIGTERM);
	return 0;
}
