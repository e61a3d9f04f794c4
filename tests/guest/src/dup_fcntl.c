/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Descriptors: numbers, flags, shared offsets, errors. */
#include "guest.h"

int main(void)
{
	put_file("f", "0123456789");
	for (int i = 3; i < 30; i++) close(i);
	int a = open("f", O_RDWR), b = dup(a);
	printf("a %d b %d\n", a, b);
	char c;
	read(a, &c, 1);
	SHOW(lseek(b, 0, SEEK_CUR));
	close(a);
	SHOW(read(b, &c, 1));
	SHOW(dup2(b, 20));
	SHOW(dup2(b, b));
	SHOW(dup2(99, 5));
	SHOW(dup2(b, -1));
	SHOW(dup2(b, 1 << 20));
	SHOW(dup3(b, b, 0));
	SHOW(dup3(b, 21, O_CLOEXEC));
	SHOW(fcntl(21, F_GETFD));
	SHOW(fcntl(20, F_GETFD));
	SHOW(fcntl(b, F_DUPFD, 10));
	SHOW(fcntl(b, F_DUPFD, -1));
	IS((fcntl(b, F_GETFL) & O_ACCMODE) == O_RDWR);
	SHOW(fcntl(b, F_SETFL, O_APPEND | O_NONBLOCK));
	IS((fcntl(20, F_GETFL) & (O_APPEND | O_NONBLOCK)) == (O_APPEND | O_NONBLOCK));
	SHOW(write(20, "end", 3));
	SHOW(lseek(b, 0, SEEK_CUR));
	SHOW(fcntl(99, F_GETFD));
	SHOW(fcntl(b, 9999));
	SHOW(close(99));
	SHOW(close(-1));
	SHOW(read(99, &c, 1));
	SHOW(write(b, (void *)-8, 10));
	int ro = open("f", O_RDONLY);
	SHOW(write(ro, "x", 1));
	int wo = open("f", O_WRONLY);
	SHOW(read(wo, &c, 1));
	SHOW(read(ro, (void *)-8, 10));
	SHOW(lseek(ro, -1, SEEK_SET));
	SHOW(lseek(ro, 0, 99));
	SHOW(lseek(ro, -3, SEEK_END));
	SHOW(lseek(ro, 100, SEEK_CUR));
	SHOW(read(ro, &c, 1));
	cat_file("f");
	return 0;
}
