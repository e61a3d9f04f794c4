/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* What a child shares with its parent and what it copies. */
#include "guest.h"

static int counter = 1;
static void on_usr1(int signo) { counter += 10; }

int main(void)
{
	put_file("data", "0123456789");
	int fd = open("data", O_RDONLY);
	sigset_t mask = set_of(SIGUSR2, 0), pending;
	sigprocmask(SIG_BLOCK, &mask, 0);
	raise(SIGUSR2);
	handle(SIGUSR1, on_usr1, 0);
	umask(027);
	mkdir("sub", 0755);
	MUST(chdir("sub"));
	alarm(100);
	setenv("GUEST", "parent", 1);
	int shared[2];
	MUST(pipe(shared));
	pid_t pid = fork();
	if (!pid) {
		char c;
		counter++;
		IS(read(fd, &c, 1) == 1 && c == '0');
		sigpending(&pending);
		IS(sigismember(&pending, SIGUSR2) == 1);
		sigprocmask(SIG_BLOCK, 0, &mask);
		IS(sigismember(&mask, SIGUSR2) == 1);
		raise(SIGUSR1);
		printf("counter %d\n", counter);
		printf("umask %03o\n", umask(0));
		IS(alarm(0) == 0);
		char where[PATH_MAX];
		IS(strcmp(strrchr(getcwd(where, sizeof where), '/'), "/sub") == 0);
		printf("env %s\n", getenv("GUEST"));
		setenv("GUEST", "child", 1);
		IS(getpgrp() == getpgid(getppid()));
		IS(getsid(0) == getsid(getppid()));
		write(shared[1], "x", 1);
		_exit(0);
	}
	reap(pid);
	char c;
	IS(read(fd, &c, 1) == 1 && c == '1');
	IS(read(shared[0], &c, 1) == 1 && c == 'x');
	printf("counter %d env %s\n", counter, getenv("GUEST"));
	IS(alarm(20) > 90);
	return 0;
}
