/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* fcntl(2): append and non-blocking mode */
#include "check.h"
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
	char buf[16];
	int fd = open("f", O_RDWR | O_CREAT | O_APPEND, 0644);

	HOLDS((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
	HOLDS(fcntl(fd, F_GETFL) & O_APPEND);
	write(fd, "one", 3);
	lseek(fd, 0, SEEK_SET);
	write(fd, "two", 3);
	SAY(pread(fd, buf, sizeof buf, 0));
	SAY(fcntl(fd, F_SETFL, 0));
	HOLDS(!(fcntl(fd, F_GETFL) & O_APPEND));
	lseek(fd, 0, SEEK_SET);
	write(fd, "ONE", 3);
	pread(fd, buf, 6, 0);
	printf("%.6s\n", buf);
	SAY(fcntl(fd, F_SETFL, O_NONBLOCK));
	HOLDS(fcntl(fd, F_GETFL) & O_NONBLOCK);
	SAY(fcntl(99, F_GETFL));
	close(fd);
	fd = open("f", O_RDONLY);
	HOLDS((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY);
	fd = open("f", O_WRONLY);
	HOLDS((fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY);
	return 0;
}
