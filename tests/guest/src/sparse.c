/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Holes, truncation, pwrite past the end, fallocate. */
#include "guest.h"

int main(void)
{
	char buffer[100];
	struct stat st;
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0644);
	SHOW(pwrite(fd, "end", 3, 100000));
	fstat(fd, &st);
	printf("size %d\n", (int)st.st_size);
	IS(st.st_blocks * 512 < 100000);
	memset(buffer, 'x', 100);
	SHOW(pread(fd, buffer, 100, 50000));
	int zeros = 1;
	for (int i = 0; i < 100; i++) zeros &= buffer[i] == 0;
	IS(zeros);
	SHOW(ftruncate(fd, 5));
	SHOW(ftruncate(fd, 10));
	pwrite(fd, "ab", 2, 0);
	SHOW(pread(fd, buffer, 100, 0));
	IS(!memcmp(buffer, "ab\0\0\0\0\0\0\0\0", 10));
	SHOW(ftruncate(fd, -1));
	SHOW(truncate("none", 1));
	SHOW(truncate("f", 3));
	SHOW(truncate(".", 3));
	int ro = open("f", O_RDONLY);
	SHOW(ftruncate(ro, 1));
	SHOW(pread(fd, buffer, 10, -1));
	SHOW(lseek(fd, 0, SEEK_END));
	SHOW(posix_fallocate(fd, 0, 8192));
	fstat(fd, &st);
	printf("size %d\n", (int)st.st_size);
	SHOW(posix_fallocate(fd, 0, 0));
	SHOW(lseek(fd, 1LL << 40, SEEK_SET) == 1LL << 40);
	SHOW(write(fd, "far", 3));
	fstat(fd, &st);
	IS(st.st_size == (1LL << 40) + 3);
	SHOW(ftruncate(fd, 0));
	SHOW(pread(fd, buffer, 10, 0));
	int p[2];
	pipe(p);
	SHOW(ftruncate(p[1], 0));
	return 0;
}
