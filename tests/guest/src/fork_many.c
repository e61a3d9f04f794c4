/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Many children at once, a chain of them, and memory that is really copied. */
#include "guest.h"

static char big[1 << 20];

static int chain(int depth)
{
	if (depth == 0) return 1;
	int status;
	pid_t pid = fork();
	if (!pid) _exit(chain(depth - 1));
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status) + 1;
}

int main(void)
{
	int sum = 0, status;
	for (int i = 0; i < 20; i++)
		if (!fork()) _exit(i);
	while (wait(&status) > 0) sum += WEXITSTATUS(status);
	printf("sum %d\n", sum);
	printf("chain %d\n", chain(8));
	memset(big, 'p', sizeof big);
	pid_t pid = fork();
	if (!pid) {
		int same = 1;
		for (size_t i = 0; i < sizeof big; i++) same &= big[i] == 'p';
		IS(same);
		memset(big, 'c', sizeof big);
		_exit(0);
	}
	reap(pid);
	IS(big[0] == 'p' && big[sizeof big - 1] == 'p');
	char *heap = strdup("heap");
	pid = fork();
	if (!pid) { heap[0] = 'H'; printf("child %s\n", heap); fflush(stdout); _exit(0); }
	reap(pid);
	printf("parent %s\n", heap);
	return 0;
}
