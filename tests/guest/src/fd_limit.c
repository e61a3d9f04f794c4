/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* RLIMIT_NOFILE and the lowest free number. */
#include "guest.h"

int main(void)
{
	for (int i = 3; i < 64; i++) close(i);
	struct rlimit limit = { 16, 32 };
	SHOW(setrlimit(RLIMIT_NOFILE, &limit));
	int fd, last = -1;
	while ((fd = open("/dev/null", O_RDONLY)) >= 0) last = fd;
	printf("last %d then %s\n", last, ename(errno));
	SHOW(dup(0));
	int fds[2];
	SHOW(pipe(fds));
	close(5);
	SHOW(pipe(fds));
	SHOW(open("/dev/null", O_RDONLY));
	close(9);
	close(7);
	SHOW(dup(0));
	SHOW(dup(0));
	SHOW(dup2(0, 16));
	SHOW(fcntl(0, F_DUPFD, 16));
	limit.rlim_cur = 20;
	SHOW(setrlimit(RLIMIT_NOFILE, &limit));
	SHOW(dup(0));
	limit.rlim_cur = 33;
	SHOW(setrlimit(RLIMIT_NOFILE, &limit));
	SHOW(getrlimit(RLIMIT_NOFILE, &limit));
	printf("%d %d\n", (int)limit.rlim_cur, (int)limit.rlim_max);
	SHOW(sysconf(_SC_OPEN_MAX));
	return 0;
}
