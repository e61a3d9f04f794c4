/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* What a shell does: a pipeline in a process group of its own, with redirections. */
#include "guest.h"

static pid_t stage(pid_t group, int in, int out, int (*body)(void), int other)
{
	pid_t pid = fork();
	if (pid) { setpgid(pid, group ? group : pid); return pid; }
	setpgid(0, group);
	alarm(20);
	if (in >= 0) { dup2(in, 0); close(in); }
	if (out >= 0) { dup2(out, 1); close(out); }
	if (other >= 0) close(other);
	exit(body());
}

static int produce(void) { for (int i = 0; i < 5000; i++) printf("line %d\n", i); return 0; }
static int upper(void) { int c; while ((c = getchar()) != EOF) putchar(c >= 'a' && c <= 'z' ? c - 32 : c); return 1; }
static int count(void) { int c, n = 0; while ((c = getchar()) != EOF) n += c == '\n'; printf("lines %d\n", n); return 2; }
static int head(void) { char line[100]; fgets(line, sizeof line, stdin); printf("%s", line); return 3; }
static int forever(void) { for (;;) if (write(1, "y\n", 2) < 0) return 9; }

static void run(int (*first)(void), int (*second)(void), int (*third)(void))
{
	int a[2], b[2], status;
	MUST(pipe(a));
	pid_t group = stage(0, -1, a[1], first, a[0]);
	close(a[1]);
	MUST(pipe(b)); /* only now: the first stage must not hold its ends */
	pid_t two = stage(group, a[0], b[1], second, b[0]);
	close(a[0]);
	close(b[1]);
	pid_t three = stage(group, b[0], -1, third, -1);
	close(b[0]);
	waitpid(three, &status, 0);
	puts(status_text(status));
	waitpid(two, &status, 0);
	puts(status_text(status));
	waitpid(group, &status, 0);
	puts(status_text(status));
	SHOW(waitpid(-group, &status, 0));
}

int main(void)
{
	setvbuf(stdin, 0, _IOFBF, 4096);
	run(produce, upper, count);
	run(forever, upper, head);
	return 0;
}
