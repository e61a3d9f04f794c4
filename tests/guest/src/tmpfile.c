/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* O_TMPFILE, tmpfile, mkstemp, memfd_create. */
#include "guest.h"

int main(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);
	IS(fd >= 0);
	SHOW(write(fd, "nameless", 8));
	struct stat st;
	fstat(fd, &st);
	printf("links %d\n", (int)st.st_nlink);
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	cat_file("named");
	int exclusive = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	snprintf(path, sizeof path, "/proc/self/fd/%d", exclusive);
	SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "named2", AT_SYMLINK_FOLLOW));
	SHOW(open(".", O_TMPFILE | O_RDONLY, 0600));
	char name[] = "tmpXXXXXX";
	int t = mkstemp(name);
	IS(t >= 0 && strlen(name) == 9 && strcmp(name, "tmpXXXXXX"));
	fstat(t, &st);
	printf("mode %o\n", st.st_mode & 0777);
	char dir[] = "dirXXXXXX";
	IS(mkdtemp(dir) == dir);
	FILE *f = tmpfile();
	IS(f != 0);
	fputs("text", f);
	rewind(f);
	IS(fgetc(f) == 't');
	int m = memfd_create("memory", MFD_CLOEXEC);
	IS(m >= 0);
	SHOW(write(m, "abc", 3));
	SHOW(lseek(m, 0, SEEK_SET));
	char c;
	SHOW(read(m, &c, 1));
	fstat(m, &st);
	printf("size %d\n", (int)st.st_size);
	return 0;
}
