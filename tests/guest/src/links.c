/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Hard and symbolic links, unlink of open files, readlink. */
#include "guest.h"

int main(void)
{
	struct stat st;
	char buffer[100];
	put_file("f", "content");
	SHOW(link("f", "g"));
	SHOW(link("f", "g"));
	stat("f", &st);
	printf("links %d\n", (int)st.st_nlink);
	int fd = open("f", O_RDWR);
	SHOW(unlink("f"));
	cat_file("g");
	fstat(fd, &st);
	printf("links %d\n", (int)st.st_nlink);
	SHOW(unlink("g"));
	fstat(fd, &st);
	printf("links %d\n", (int)st.st_nlink);
	SHOW(pread(fd, buffer, 100, 0));
	SHOW(pwrite(fd, "more", 4, 7));
	mkdir("d", 0755);
	SHOW(link("d", "e"));
	SHOW(unlink("d"));
	SHOW(rmdir("d"));
	SHOW(unlink("none"));
	SHOW(link("none", "x"));
	SHOW(symlink("some/where", "s"));
	SHOW(symlink("other", "s"));
	SHOW(symlink("", "empty"));
	SHOW(readlink("s", buffer, 100));
	SHOW(readlink("s", buffer, 4));
	SHOW(readlink("none", buffer, 4));
	put_file("plain", "");
	SHOW(readlink("plain", buffer, 4));
	SHOW(link("s", "s2"));
	lstat("s2", &st);
	IS(S_ISLNK(st.st_mode) && st.st_size == 10);
	SHOW(linkat(AT_FDCWD, "s", AT_FDCWD, "s3", AT_SYMLINK_FOLLOW));
	mkdir("real", 0755);
	symlink("real", "dir");
	put_file("dir/inside", "through a link");
	cat_file("real/inside");
	SHOW(rmdir("dir"));
	SHOW(unlink("dir/"));
	SHOW(unlink("dir"));
	symlink("../plain", "real/up");
	cat_file("real/up");
	char target[64] = "c0";
	put_file("c0", "end of the chain");
	for (int i = 1; i <= 41; i++) {
		char name[16];
		snprintf(name, sizeof name, "c%d", i);
		symlink(target, name);
		strcpy(target, name);
	}
	SHOW(access("c40", F_OK));
	SHOW(access("c41", F_OK));
	return 0;
}
