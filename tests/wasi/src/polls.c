/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* poll(2) and select(2) */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	struct timespec before, after;
	int fd = open("f", O_RDWR | O_CREAT, 0644);
	struct pollfd fds[3] = { { fd, POLLIN | POLLOUT }, { 1, POLLOUT }, { -1, POLLIN } };

	write(fd, "x", 1);
	SAY(poll(fds, 2, 1000));
	HOLDS(fds[0].revents & POLLIN);
	HOLDS(fds[0].revents & POLLOUT);
	HOLDS(fds[1].revents & POLLOUT);
	clock_gettime(CLOCK_MONOTONIC, &before);
	SAY(poll(NULL, 0, 20));
	clock_gettime(CLOCK_MONOTONIC, &after);
	HOLDS((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec >= 20000000);
	fd_set readable;
	FD_ZERO(&readable);
	FD_SET(fd, &readable);
	struct timeval tv = { 1, 0 };
	SAY(select(fd + 1, &readable, NULL, NULL, &tv));
	HOLDS(FD_ISSET(fd, &readable));
	return 0;
}
