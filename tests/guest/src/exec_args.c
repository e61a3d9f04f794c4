/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* argv, environment and what survives an exec. */
#include "guest.h"

extern char **environ;

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "again")) {
		printf("argc %d\n", argc);
		for (int i = 0; i < argc; i++) if (i != 2) printf("argv[%d] = [%s]\n", i, argv[i]);
		for (int i = 0; environ[i]; i++) printf("env [%s]\n", environ[i]);
		sigset_t mask, pending;
		sigprocmask(SIG_BLOCK, 0, &mask);
		sigpending(&pending);
		printf("blocked %d pending %d\n", sigismember(&mask, SIGUSR1), sigismember(&pending, SIGUSR1));
		struct sigaction a, b;
		sigaction(SIGHUP, 0, &a);
		sigaction(SIGUSR2, 0, &b);
		IS(a.sa_handler == SIG_IGN);
		IS(b.sa_handler == SIG_DFL);
		IS(alarm(0) > 0);
		printf("umask %03o\n", umask(0));
		printf("pid %d\n", getpid() == atoi(argv[2]));
		return 0;
	}
	char pid[16];
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	sigset_t mask = set_of(SIGUSR1, 0);
	sigprocmask(SIG_BLOCK, &mask, 0);
	raise(SIGUSR1);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR2, (void (*)(int))abort);
	umask(033);
	char *args[] = { "name with space", "again", pid, "", "a b", "\xc3\xa9", 0 };
	char *env[] = { "A=1", "EMPTY=", "NOEQUALS", 0 };
	printf("exec\n");
	execve("/proc/self/exe", args, env);
	printf("failed %s\n", ename(errno));
	return 1;
}
