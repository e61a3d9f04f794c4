/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* SIGCHLD ignored and SA_NOCLDWAIT: children leave no zombies. */
#include "guest.h"

static volatile int seen;
static void count(int signo) { seen++; }

int main(void)
{
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 3; i++)
		if (!fork()) _exit(i);
	SHOW(wait(0));
	handle(SIGCHLD, count, SA_NOCLDWAIT | SA_RESTART);
	if (!fork()) _exit(1);
	SHOW(wait(0));
	IS(seen == 1);
	signal(SIGCHLD, SIG_DFL);
	pid_t pid = fork();
	if (!pid) _exit(4);
	reap(pid);
	return 0;
}
