/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Every way a child can change state, as wait sees it. */
#include "guest.h"

int main(void)
{
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();
		if (!pid) _exit(i * 100);
		reap(pid);
	}
	int fatal[] = { SIGTERM, SIGKILL, SIGHUP, SIGINT, SIGUSR1, SIGPIPE, SIGALRM };
	for (int i = 0; i < 7; i++) {
		pid_t pid = fork();
		if (!pid) { signal(fatal[i], SIG_DFL); kill(getpid(), fatal[i]); _exit(1); }
		reap(pid);
	}
	int gate[2];
	MUST(pipe(gate));
	pid_t pid = fork();
	if (!pid) { char c; raise(SIGSTOP); read(gate[0], &c, 1); _exit(7); }
	int status;
	IS(waitpid(pid, &status, WUNTRACED) == pid);
	puts(status_text(status));
	SHOW(waitpid(pid, &status, WUNTRACED | WNOHANG));
	kill(pid, SIGCONT);
	int got = waitpid(pid, &status, WCONTINUED);
	IS(got == pid);
	puts(status_text(status));
	write(gate[1], "x", 1);
	reap(pid);
	SHOW(waitpid(-1, &status, 0));
	SHOW(waitpid(pid, &status, 0));
	return 42;
}
