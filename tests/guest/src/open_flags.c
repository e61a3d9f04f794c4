/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* open with its flags and errors. */
#include "guest.h"

int main(void)
{
	char c;
	SHOW(open("none", O_RDONLY));
	SHOW(close(open("new", O_WRONLY | O_CREAT, 0640)));
	SHOW(open("new", O_WRONLY | O_CREAT | O_EXCL, 0600));
	struct stat st;
	umask(022);
	close(open("masked", O_CREAT | O_WRONLY, 0666));
	stat("masked", &st);
	printf("mode %o\n", st.st_mode);
	put_file("f", "0123456789");
	int fd = open("f", O_RDWR | O_APPEND);
	SHOW(write(fd, "ab", 2));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(pread(fd, &c, 1, 0));
	close(fd);
	close(open("f", O_WRONLY | O_TRUNC));
	cat_file("f");
	mkdir("dir", 0755);
	SHOW(open("dir", O_WRONLY));
	SHOW(open("dir", O_RDONLY | O_CREAT, 0600));
	fd = open("dir", O_RDONLY | O_DIRECTORY);
	IS(fd >= 0);
	SHOW(read(fd, &c, 1));
	SHOW(close(openat(fd, "below", O_CREAT | O_WRONLY, 0600)));
	SHOW(openat(fd, "missing", O_RDONLY));
	SHOW(openat(99, "f", O_RDONLY));
	SHOW(close(openat(99, "/dev/null", O_RDONLY)));
	SHOW(open("f", O_RDONLY | O_DIRECTORY));
	SHOW(openat(open("f", O_RDONLY), "x", O_RDONLY));
	SHOW(open("f/", O_RDONLY));
	SHOW(open("f/x", O_RDONLY));
	SHOW(open("none/", O_CREAT | O_WRONLY, 0600));
	symlink("f", "link");
	symlink("loop", "loop");
	symlink("target", "dangling");
	SHOW(open("link", O_RDONLY | O_NOFOLLOW));
	SHOW(open("loop", O_RDONLY));
	SHOW(open("dangling", O_RDONLY));
	SHOW(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0600));
	SHOW(close(open("dangling", O_CREAT | O_WRONLY, 0600)));
	SHOW(access("target", F_OK));
	int path = open("link", O_PATH | O_NOFOLLOW);
	IS(path >= 0);
	fstat(path, &st);
	IS(S_ISLNK(st.st_mode));
	SHOW(read(path, &c, 1));
	SHOW(open("", O_RDONLY));
	SHOW(open((char *)-8, O_RDONLY));
	char name[300];
	memset(name, 'a', 299); name[299] = 0;
	SHOW(open(name, O_CREAT | O_WRONLY, 0600));
	name[255] = 0;
	SHOW(close(open(name, O_CREAT | O_WRONLY, 0600)));
	char *deep = malloc(5000);
	memset(deep, 0, 5000);
	for (int i = 0; i < 2400; i++) strcat(deep, "./");
	SHOW(open(deep, O_RDONLY));
	fd = open("f", O_RDWR | O_SYNC | O_CLOEXEC);
	IS(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	return 0;
}
