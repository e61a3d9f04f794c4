/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Named pipes. */
#include "guest.h"

int main(void)
{
	char buffer[100];
	SHOW(mkfifo("fifo", 0600));
	SHOW(mkfifo("fifo", 0600));
	struct stat st;
	stat("fifo", &st);
	IS(S_ISFIFO(st.st_mode) && (st.st_mode & 0777) == 0600);
	SHOW(open("fifo", O_WRONLY | O_NONBLOCK));
	int r = open("fifo", O_RDONLY | O_NONBLOCK);
	IS(r >= 0);
	SHOW(read(r, buffer, 10));
	int w = open("fifo", O_WRONLY | O_NONBLOCK);
	IS(w >= 0);
	SHOW(read(r, buffer, 10));
	SHOW(write(w, "hello", 5));
	SHOW(read(r, buffer, 10));
	close(w);
	SHOW(read(r, buffer, 10));
	close(r);
	pid_t pid = fork();
	if (!pid) {
		int fd = open("fifo", O_WRONLY);
		write(fd, "from the child", 14);
		_exit(0);
	}
	nap(20);
	r = open("fifo", O_RDONLY);
	SHOW(read(r, buffer, sizeof buffer));
	SHOW(read(r, buffer, sizeof buffer));
	reap(pid);
	close(r);
	pid = fork();
	if (!pid) {
		int fd = open("fifo", O_RDONLY);
		printf("got %d\n", (int)read(fd, buffer, sizeof buffer));
		_exit(0);
	}
	nap(20);
	w = open("fifo", O_WRONLY);
	write(w, "abc", 3);
	close(w);
	reap(pid);
	int both = open("fifo", O_RDWR);
	SHOW(write(both, "x", 1));
	SHOW(read(both, buffer, 10));
	SHOW(unlink("fifo"));
	SHOW(write(both, "y", 1));
	return 0;
}
