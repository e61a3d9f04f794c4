/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* allocation, advice, syncing */
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	struct stat st;
	int fd = open("f", O_RDWR | O_CREAT, 0644);

	SAY(posix_fallocate(fd, 0, 1000));
	fstat(fd, &st);
	HOLDS(st.st_size == 1000);
	HOLDS(posix_fallocate(fd, 0, 0) == EINVAL);
	HOLDS(posix_fallocate(99, 0, 10) == EBADF);
	SAY(posix_fadvise(fd, 0, 100, POSIX_FADV_SEQUENTIAL));
	SAY(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	HOLDS(posix_fadvise(fd, 0, 0, 77) == EINVAL);
	SAY(fsync(fd));
	SAY(fdatasync(fd));
	SAY(fsync(99));
	return 0;
}
