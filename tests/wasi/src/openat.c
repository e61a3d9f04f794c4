/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* calls relative to an open directory */
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	char buf[16];
	struct stat st;
	int dir, fd;

	mkdir("d", 0755);
	TRY(dir = open("d", O_RDONLY | O_DIRECTORY));
	TRY(fd = openat(dir, "f", O_CREAT | O_RDWR, 0644));
	write(fd, "abc", 3);
	SAY(fstatat(dir, "f", &st, 0));
	printf("%d\n", (int)st.st_size);
	SAY(mkdirat(dir, "sub", 0755));
	SAY(symlinkat("f", dir, "l"));
	SAY(readlinkat(dir, "l", buf, sizeof buf));
	SAY(linkat(dir, "f", dir, "g", 0));
	SAY(renameat(dir, "g", dir, "sub/h"));
	SAY(fstatat(dir, "sub/h", &st, 0));
	SAY(faccessat(dir, "l", R_OK, 0));
	SAY(unlinkat(dir, "sub", 0));
	SAY(unlinkat(dir, "sub", AT_REMOVEDIR));
	SAY(unlinkat(dir, "sub/h", 0));
	SAY(unlinkat(dir, "sub", AT_REMOVEDIR));
	SAY(openat(fd, "x", O_RDONLY));
	SAY(openat(99, "x", O_RDONLY));
	DIR *listing = fdopendir(dir);
	int count = 0;
	while (readdir(listing))
		count++;
	printf("%d\n", count);
	return 0;
}
