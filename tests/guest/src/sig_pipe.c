/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Writing where nobody reads. */
#include "guest.h"

static void on_pipe(int signo) { puts("SIGPIPE"); }

int main(void)
{
	int fds[2];
	MUST(pipe(fds));
	close(fds[0]);
	pid_t pid = fork();
	if (!pid) { write(fds[1], "x", 1); _exit(0); }
	reap(pid);
	signal(SIGPIPE, SIG_IGN);
	SHOW(write(fds[1], "x", 1));
	signal(SIGPIPE, on_pipe);
	SHOW(write(fds[1], "x", 1));
	int sv[2];
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	close(sv[0]);
	SHOW(send(sv[1], "x", 1, MSG_NOSIGNAL));
	SHOW(send(sv[1], "x", 1, 0));
	SHOW(write(sv[1], "x", 1));
	return 0;
}
