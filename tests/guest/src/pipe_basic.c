/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Pipes: order, end of file, several readers and writers, big transfers with back-pressure. */
#include <sys/ioctl.h>
#include "guest.h"

int main(void)
{
	int fds[2], n;
	char buffer[100000];
	MUST(pipe(fds));
	SHOW(write(fds[1], "abc", 3));
	SHOW(write(fds[1], "def", 3));
	SHOW(ioctl(fds[0], FIONREAD, &n));
	printf("waiting %d\n", n);
	SHOW(read(fds[0], buffer, 2));
	SHOW(read(fds[0], buffer, sizeof buffer));
	printf("%.4s\n", buffer);
	SHOW(write(fds[1], "", 0));
	SHOW(read(fds[1], buffer, 1));
	SHOW(write(fds[0], "x", 1));
	SHOW(lseek(fds[0], 0, SEEK_CUR));
	SHOW(pread(fds[0], buffer, 1, 0));
	struct stat st;
	fstat(fds[0], &st);
	IS(S_ISFIFO(st.st_mode));
	pid_t pid = fork();
	if (!pid) {
		close(fds[0]);
		memset(buffer, 'z', sizeof buffer);
		for (int i = 0; i < 30; i++) if (write(fds[1], buffer, sizeof buffer) != sizeof buffer) _exit(1);
		_exit(0);
	}
	close(fds[1]);
	long total = 0, wrong = 0;
	ssize_t got;
	while ((got = read(fds[0], buffer, 7777)) > 0) {
		for (int i = 0; i < got; i++) wrong += buffer[i] != 'z';
		total += got;
	}
	printf("total %ld wrong %ld\n", total, wrong);
	reap(pid);
	SHOW(read(fds[0], buffer, 1));

	/* end of file only when the last writer is gone */
	MUST(pipe(fds));
	int extra = dup(fds[1]);
	close(fds[1]);
	pid = fork();
	if (!pid) { close(fds[0]); nap(30); write(extra, "last", 4); _exit(0); }
	close(extra);
	SHOW(read(fds[0], buffer, 10));
	SHOW(read(fds[0], buffer, 10));
	reap(pid);
	SHOW(pipe2(fds, 0x7));
	SHOW(pipe((int *)-8));
	return 0;
}
