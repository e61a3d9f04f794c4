/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* vfork: the child runs first, shares memory, and execs or exits. */
#include "guest.h"

static volatile int step;

int main(int argc, char **argv)
{
	if (argc > 1) { printf("image %s\n", argv[1]); return 8; }
	pid_t pid = vfork();
	if (!pid) { step = 1; _exit(11); }
	printf("step %d\n", step);
	reap(pid);
	pid = vfork();
	if (!pid) { execl("/proc/self/exe", argv[0], "one", (char *)0); _exit(127); }
	reap(pid);
	pid = vfork();
	if (!pid) { execl("/no/such/program", "x", (char *)0); step = errno; _exit(126); }
	reap(pid);
	printf("errno %s\n", ename(step));
	for (int i = 0; i < 5; i++) {
		pid = vfork();
		if (!pid) _exit(i);
		int status;
		waitpid(pid, &status, 0);
		step += WEXITSTATUS(status);
	}
	printf("sum %d\n", step - ENOENT);
	return 0;
}
