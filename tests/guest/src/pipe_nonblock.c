/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Non-blocking pipes and the atomicity of PIPE_BUF. */
#include "guest.h"

int main(void)
{
	int fds[2];
	static char big[100000];
	MUST(pipe2(fds, O_NONBLOCK));
	SHOW(read(fds[0], big, 1));
	SHOW(fcntl(fds[0], F_GETPIPE_SZ));
	SHOW(write(fds[1], big, sizeof big));
	SHOW(write(fds[1], big, 1));
	struct pollfd p[2] = { { fds[0], POLLIN }, { fds[1], POLLOUT } };
	SHOW(poll(p, 2, 0));
	printf("revents %d %d\n", p[0].revents, p[1].revents);
	SHOW(read(fds[0], big, 4096));
	SHOW(poll(p, 2, 0));
	SHOW(write(fds[1], big, 4097)); /* more than PIPE_BUF: as much as fits */
	SHOW(read(fds[0], big, 100));
	SHOW(write(fds[1], big, 4096)); /* PIPE_BUF: all or nothing */
	while (read(fds[0], big, sizeof big) > 0) {}
	SHOW(write(fds[1], big, 4096));
	close(fds[1]);
	SHOW(poll(p, 1, 0));
	printf("revents %d\n", p[0].revents);
	SHOW(read(fds[0], big, sizeof big));
	SHOW(poll(p, 1, 0));
	printf("revents %d\n", p[0].revents);
	SHOW(read(fds[0], big, sizeof big));
	MUST(pipe(fds));
	close(fds[0]);
	p[1].fd = fds[1];
	SHOW(poll(p + 1, 1, 0));
	printf("revents %d\n", p[1].revents);

	/* two writers of PIPE_BUF blocks never interleave */
	MUST(pipe(fds));
	for (int w = 0; w < 2; w++)
		if (!fork()) {
			char block[4096];
			memset(block, 'a' + w, sizeof block);
			for (int i = 0; i < 50; i++) write(fds[1], block, sizeof block);
			_exit(0);
		}
	close(fds[1]);
	int mixed = 0, blocks = 0;
	char block[4096];
	for (;;) {
		size_t have = 0;
		ssize_t n;
		while (have < sizeof block && (n = read(fds[0], block + have, sizeof block - have)) > 0) have += n;
		if (!have) break;
		blocks++;
		for (size_t i = 1; i < have; i++) mixed += block[i] != block[0];
	}
	printf("blocks %d mixed %d\n", blocks, mixed);
	return 0;
}
