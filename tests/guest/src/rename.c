/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* The rules of rename. */
#include <sys/syscall.h>
#include "guest.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif

static int rename2(const char *a, const char *b, int flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags);
}

int main(void)
{
	struct stat a, b;
	put_file("one", "1");
	put_file("two", "2");
	stat("one", &a);
	SHOW(rename("one", "uno"));
	stat("uno", &b);
	IS(a.st_ino == b.st_ino);
	SHOW(access("one", F_OK));
	SHOW(rename("uno", "two"));
	cat_file("two");
	SHOW(rename("two", "two"));
	link("two", "same");
	SHOW(rename("two", "same"));
	SHOW(access("two", F_OK));
	mkdir("dir", 0755); mkdir("empty", 0755); mkdir("full", 0755);
	put_file("full/x", "x");
	SHOW(rename("two", "dir"));
	SHOW(rename("dir", "two"));
	SHOW(rename("dir", "full"));
	SHOW(rename("full", "empty"));
	cat_file("empty/x");
	SHOW(rename("empty", "empty/below"));
	SHOW(rename("empty/x", "empty/y"));
	SHOW(rename("none", "x"));
	SHOW(rename("two", "none/x"));
	SHOW(rename("two", "two/x"));
	SHOW(rename("", "x"));
	SHOW(rename("dir/.", "x"));
	SHOW(rename("dir", ".."));
	symlink("two", "link");
	SHOW(rename("link", "moved"));
	lstat("moved", &a);
	IS(S_ISLNK(a.st_mode));
	mkdir("sub", 0755);
	SHOW(rename("dir", "sub/dir"));
	stat("sub", &a);
	printf("links %d\n", (int)a.st_nlink >= 1);
	SHOW(rename("two/", "x"));
	SHOW(rename("sub/", "renamed/"));
	SHOW(rename2("two", "moved", RENAME_NOREPLACE));
	SHOW(rename2("two", "fresh", RENAME_NOREPLACE));
	put_file("left", "L"); put_file("right", "R");
	SHOW(rename2("left", "right", RENAME_EXCHANGE));
	cat_file("left"); cat_file("right");
	SHOW(rename2("left", "none", RENAME_EXCHANGE));
	SHOW(rename2("left", "right", 3));
	SHOW(rename2("left", "right", 64));
	int fd = open("left", O_RDONLY);
	rename("right", "left");
	char c;
	IS(read(fd, &c, 1) == 1 && c == 'R'); /* the open file lives on */
	return 0;
}
