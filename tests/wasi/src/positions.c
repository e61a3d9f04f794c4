/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* lseek, pread, pwrite, ftruncate, holes, vectors */
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

int main(void)
{
	char a[4], b[8], buf[32];
	struct stat st;
	struct iovec out[3] = { { "one", 3 }, { "", 0 }, { "two!", 4 } };
	struct iovec in[2] = { { a, 4 }, { b, 8 } };
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0644);

	SAY(writev(fd, out, 3));
	SAY(lseek(fd, 0, SEEK_CUR));
	SAY(lseek(fd, -2, SEEK_END));
	SAY(lseek(fd, -100, SEEK_CUR));
	SAY(lseek(fd, 0, 17));
	SAY(lseek(fd, 0, SEEK_SET));
	SAY(readv(fd, in, 2));
	printf("%.4s %.3s\n", a, b);
	SAY(pwrite(fd, "XY", 2, 20));
	SAY(pread(fd, buf, sizeof buf, 0));
	HOLDS(buf[7] == 0 && buf[19] == 0 && buf[20] == 'X');
	SAY(pread(fd, buf, 4, 22));
	SAY(pread(fd, buf, 4, 1000));
	SAY(pread(fd, buf, 4, -1));
	SAY(lseek(fd, 0, SEEK_CUR));
	SAY(ftruncate(fd, 3));
	fstat(fd, &st);
	printf("%lld\n", (long long)st.st_size);
	SAY(ftruncate(fd, 100));
	SAY(lseek(fd, 0, SEEK_END));
	SAY(ftruncate(fd, -1));
	close(fd);
	fd = open("f", O_RDONLY);
	SAY(ftruncate(fd, 0));
	SAY(lseek(99, 0, SEEK_SET));
	return 0;
}
