/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Stopping and continuing: what waits, what runs, what kills. */
#include "guest.h"

static int words[2];
static void say(int signo) { char c = signo == SIGCONT ? 'C' : 'U'; write(words[1], &c, 1); }

static void expect(pid_t pid, int flags)
{
	int status;
	pid_t got = waitpid(pid, &status, flags);
	puts(got == pid ? status_text(status) : got ? ename(errno) : "nothing");
}

static void next(void)
{
	char c = '?';
	read(words[0], &c, 1);
	printf("heard %c\n", c);
}

int main(void)
{
	MUST(pipe(words));
	pid_t pid = fork();
	if (!pid) {
		handle(SIGCONT, say, 0);
		handle(SIGUSR1, say, 0);
		write(words[1], "R", 1);
		for (;;) pause();
	}
	next();
	kill(pid, SIGSTOP);
	expect(pid, WUNTRACED);
	kill(pid, SIGUSR1);
	struct pollfd p = { words[0], POLLIN };
	SHOW(poll(&p, 1, 40));
	kill(pid, SIGCONT);
	expect(pid, WCONTINUED);
	char two[2];
	read(words[0], two, 1);
	read(words[0], two + 1, 1);
	IS((two[0] == 'C' && two[1] == 'U') || (two[0] == 'U' && two[1] == 'C'));
	kill(pid, SIGSTOP);
	expect(pid, WUNTRACED);
	kill(pid, SIGTERM);
	expect(pid, WNOHANG);
	kill(pid, SIGCONT);
	expect(pid, 0);

	/* an orphaned group ignores the terminal's stop signals; SIGSTOP works always */
	pid = fork();
	if (!pid) {
		setsid();
		write(words[1], "S", 1);
		raise(SIGTSTP);
		raise(SIGTTIN);
		_exit(9);
	}
	next();
	expect(pid, WUNTRACED);
	pid = fork();
	if (!pid) { for (;;) pause(); }
	kill(pid, SIGSTOP);
	expect(pid, WUNTRACED);
	kill(pid, SIGKILL);
	expect(pid, 0);
	return 0;
}
