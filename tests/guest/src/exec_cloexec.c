/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Descriptors across exec. */
#include "guest.h"

int main(int argc, char **argv)
{
	if (argc > 1) {
		for (int fd = 10; fd < 16; fd++) printf("%d %s\n", fd, fcntl(fd, F_GETFD) < 0 ? ename(errno) : "open");
		char c;
		printf("read %d", (int)read(10, &c, 1));
		printf(" %c\n", c);
		return 0;
	}
	put_file("data", "abc");
	int fd = open("data", O_RDONLY), closed = open("data", O_RDONLY | O_CLOEXEC);
	char c;
	read(fd, &c, 1);
	dup2(fd, 10);
	dup3(fd, 11, O_CLOEXEC);
	dup2(closed, 12); /* dup clears the flag */
	SHOW(fcntl(fd, F_DUPFD, 13));
	SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 13));
	dup2(fd, 15);
	SHOW(fcntl(15, F_SETFD, FD_CLOEXEC));
	IS(fcntl(closed, F_GETFD) == FD_CLOEXEC);
	execl("/proc/self/exe", "x", "child", (char *)0);
	return 1;
}
