/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* symbolic and hard links */
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	char buf[64];
	struct stat st, other;

	close(open("f", O_CREAT | O_WRONLY, 0644));
	SAY(symlink("f", "l"));
	SAY(symlink("f", "l"));
	SAY(symlink("missing", "dangling"));
	SAY(symlink("loop2", "loop1"));
	SAY(symlink("loop1", "loop2"));
	ssize_t size = readlink("l", buf, sizeof buf);
	printf("%.*s\n", (int)size, buf);
	SAY(readlink("dangling", buf, 3));
	SAY(readlink("f", buf, sizeof buf));
	lstat("l", &st);
	HOLDS(S_ISLNK(st.st_mode) && st.st_size == 1);
	stat("l", &st);
	HOLDS(S_ISREG(st.st_mode));
	SAY(stat("dangling", &st));
	SAY(open("loop1", O_RDONLY));
	SAY(open("dangling", O_RDONLY));
	int fd;
	TRY(fd = open("dangling", O_CREAT | O_WRONLY, 0644));
	close(fd);
	SAY(access("missing", F_OK));
	SAY(link("f", "g"));
	SAY(link("f", "g"));
	stat("f", &st);
	stat("g", &other);
	HOLDS(st.st_nlink == 2 && st.st_ino == other.st_ino && st.st_dev == other.st_dev);
	SAY(unlink("f"));
	stat("g", &st);
	HOLDS(st.st_nlink == 1);
	SAY(stat("l", &st));
	mkdir("d", 0755);
	symlink("../g", "d/up");
	SAY(stat("d/up", &st));
	SAY(rename("l", "l2"));
	lstat("l2", &st);
	HOLDS(S_ISLNK(st.st_mode));
	return 0;
}
