/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* needs: sh */
/* popen, pclose and system. */
#include "guest.h"

int main(void)
{
	char line[100];
	FILE *pipe = popen("echo one; echo two; exit 3", "r");
	while (fgets(line, sizeof line, pipe)) printf("read %s", line);
	puts(status_text(pclose(pipe)));
	fflush(stdout);
	pipe = popen("while read a; do echo \"got $a\"; done", "w");
	fprintf(pipe, "x\ny\n");
	puts(status_text(pclose(pipe)));
	puts(status_text(system("exit 7")));
	puts(status_text(system("kill -TERM $$")));
	puts(status_text(system("no-such-command-here 2>/dev/null")));
	IS(system(0) != 0);
	fflush(stdout);
	system("echo visible");
	signal(SIGCHLD, SIG_DFL);
	SHOW(wait(0));
	return 0;
}
