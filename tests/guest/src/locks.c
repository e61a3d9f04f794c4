/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* fcntl locks between processes, flock between descriptions. */
#include <sys/file.h>
#include "guest.h"

static int lock(int fd, int type, int start, int len, int command)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };
	return fcntl(fd, command, &l);
}

static void in_child(void (*body)(int), int fd)
{
	pid_t pid = fork();
	if (!pid) { body(fd); _exit(0); }
	reap(pid);
}

static void probe(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0 };
	SHOW(fcntl(fd, F_GETLK, &l));
	printf("type %d start %d len %d parent %d\n", l.l_type, (int)l.l_start, (int)l.l_len, l.l_pid == getppid());
	SHOW(lock(fd, F_WRLCK, 10, 5, F_SETLK));
	SHOW(lock(fd, F_RDLCK, 12, 1, F_SETLK));
	SHOW(lock(fd, F_WRLCK, 15, 5, F_SETLK));
}

static void read_side(int fd)
{
	SHOW(lock(fd, F_RDLCK, 0, 0, F_SETLK));
	SHOW(lock(fd, F_WRLCK, 0, 0, F_SETLK));
}

static void after_close(int fd) { SHOW(lock(fd, F_WRLCK, 0, 0, F_SETLK)); }

static void flocks(int fd)
{
	int other = open("f", O_RDWR);
	SHOW(flock(other, LOCK_SH | LOCK_NB));
	SHOW(flock(fd, LOCK_EX | LOCK_NB)); /* the inherited description holds it */
}

int main(void)
{
	put_file("f", "some data in a file");
	int fd = open("f", O_RDWR), again = open("f", O_RDWR);
	SHOW(lock(fd, F_WRLCK, 10, 5, F_SETLK));
	in_child(probe, fd);
	SHOW(lock(fd, F_UNLCK, 0, 0, F_SETLK));
	SHOW(lock(fd, F_RDLCK, 0, 0, F_SETLK));
	in_child(read_side, fd);
	close(again); /* POSIX: any close drops the process' locks */
	in_child(after_close, fd);
	SHOW(lock(fd, F_WRLCK, 0, 0, F_SETLK));
	pid_t pid = fork();
	if (!pid) {
		SHOW(lock(fd, F_WRLCK, 0, 0, F_SETLKW));
		_exit(0);
	}
	nap(40);
	puts("unlock");
	lock(fd, F_UNLCK, 0, 0, F_SETLK);
	reap(pid);
	SHOW(flock(fd, LOCK_EX));
	in_child(flocks, fd);
	SHOW(flock(fd, LOCK_UN));
	SHOW(flock(fd, 77));
	int ro = open("f", O_RDONLY);
	SHOW(lock(ro, F_WRLCK, 0, 0, F_SETLK));
	SHOW(lock(fd, 9, 0, 0, F_SETLK));
	return 0;
}
