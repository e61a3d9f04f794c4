/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* posix_spawn with file actions and attributes. */
#include <spawn.h>
#include "guest.h"

extern char **environ;

int main(int argc, char **argv)
{
	if (argc > 1) {
		sigset_t mask;
		sigprocmask(SIG_BLOCK, 0, &mask);
		struct sigaction sa;
		sigaction(SIGHUP, 0, &sa);
		printf("%s blocked %d hup %s group %d\n", argv[1], sigismember(&mask, SIGUSR1),
			sa.sa_handler == SIG_IGN ? "ignored" : "default", getpgrp() == getpid());
		printf("env %s\n", getenv("SPAWN"));
		return 21;
	}
	pid_t pid;
	setenv("SPAWN", "yes", 1);
	char *args[] = { "x", "child", 0 };
	int rc = posix_spawn(&pid, "/proc/self/exe", 0, 0, args, environ);
	reap(pid);
	RC(rc);

	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	posix_spawn_file_actions_addclose(&actions, 0);
	posix_spawnattr_t attr;
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	sigset_t mask = set_of(SIGUSR1, 0), defaults = set_of(SIGHUP, 0);
	posix_spawnattr_setsigmask(&attr, &mask);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setpgroup(&attr, 0);
	signal(SIGHUP, SIG_IGN);
	args[1] = "redirected";
	RC(posix_spawn(&pid, "/proc/self/exe", &actions, &attr, args, environ));
	reap(pid);
	cat_file("out");
	RC(posix_spawn(&pid, "/no/such/program", 0, 0, args, environ));
	RC(posix_spawnp(&pid, "no-such-program-anywhere", 0, 0, args, environ));
	posix_spawn_file_actions_t bad;
	posix_spawn_file_actions_init(&bad);
	posix_spawn_file_actions_addopen(&bad, 5, "missing/file", O_RDONLY, 0);
	RC(posix_spawn(&pid, "/proc/self/exe", &bad, 0, args, environ));
	SHOW(wait(0));
	return 0;
}
