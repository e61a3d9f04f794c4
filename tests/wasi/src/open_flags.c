/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* open(2): creation, exclusion, truncation, appending, directories, links */
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	char buf[16] = "";
	int fd;

	SAY(open("f", O_RDONLY));
	TRY(fd = open("f", O_RDWR | O_CREAT, 0644));
	SAY(write(fd, "hello", 5));
	SAY(close(fd));
	SAY(close(fd));
	SAY(open("f", O_RDWR | O_CREAT | O_EXCL, 0644));
	TRY(fd = open("f", O_WRONLY | O_APPEND));
	SAY(write(fd, " world", 6));
	SAY(read(fd, buf, 1));
	close(fd);
	TRY(fd = open("f", O_RDONLY));
	SAY(read(fd, buf, sizeof buf));
	printf("%.11s\n", buf);
	SAY(write(fd, "x", 1));
	close(fd);
	TRY(fd = open("f", O_RDWR | O_TRUNC));
	SAY(read(fd, buf, sizeof buf));
	close(fd);
	SAY(mkdir("d", 0755));
	SAY(open("d", O_RDWR));
	SAY(open("f", O_RDONLY | O_DIRECTORY));
	SAY(open("f/x", O_RDONLY));
	SAY(open("d/x/y", O_WRONLY | O_CREAT, 0644));
	TRY(fd = open("d", O_RDONLY | O_DIRECTORY));
	SAY(read(fd, buf, 1));
	close(fd);
	SAY(symlink("f", "l"));
	SAY(open("l", O_RDONLY | O_NOFOLLOW));
	TRY(fd = open("l", O_RDONLY));
	close(fd);
	return 0;
}
