/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* exit flushes a copied buffer twice, _exit does not; atexit handlers run in both processes. */
#include "guest.h"

static void bye(void) { printf("bye\n"); }

int main(void)
{
	setvbuf(stdout, 0, _IOFBF, 4096);
	atexit(bye);
	printf("once\n");
	fflush(stdout);
	printf("twice\n");
	pid_t pid = fork();
	if (!pid) exit(3);
	int status;
	waitpid(pid, &status, 0);
	fflush(stdout);
	printf("%s\n", status_text(status));
	fflush(stdout);
	pid = fork();
	if (!pid) { printf("lost\n"); _exit(4); }
	waitpid(pid, &status, 0);
	printf("%s\n", status_text(status));
	return 5;
}
