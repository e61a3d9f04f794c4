/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* statvfs, special files, realpath, access in corners. */
#include <sys/statvfs.h>
#include "guest.h"

int main(void)
{
	struct statvfs v;
	SHOW(statvfs(".", &v));
	IS(v.f_bsize > 0 && v.f_namemax == 255);
	SHOW(statvfs("none", &v));
	SHOW(fstatvfs(open(".", O_RDONLY), &v));
	struct stat st;
	const char *devices[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty" };
	for (int i = 0; i < 6; i++) {
		int r = stat(devices[i], &st);
		printf("%s %d char %d\n", devices[i], r, S_ISCHR(st.st_mode));
	}
	SHOW(mknod("plain", S_IFREG | 0600, 0));
	SHOW(mknod("pipe", S_IFIFO | 0600, 0));
	SHOW(mknod("bad", S_IFDIR | 0700, 0));
	stat("plain", &st);
	IS(S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_size == 0);
	put_file("sized", "12345");
	stat("sized", &st);
	printf("size %d blocks %d\n", (int)st.st_size, (int)(st.st_blocks > 0));
	IS(st.st_uid == getuid() && st.st_blksize > 0);
	mkdir("a", 0755); mkdir("a/b", 0755);
	symlink("../a/./b", "a/link");
	char path[PATH_MAX], here[PATH_MAX];
	getcwd(here, sizeof here);
	IS(realpath("a/../a/link", path) && !strncmp(path, here, strlen(here)) && !strcmp(path + strlen(here), "/a/b"));
	IS(realpath("a/none", path) == 0 && errno == ENOENT);
	SHOW(access("a/b/..", F_OK));
	SHOW(access("", F_OK));
	SHOW(faccessat(AT_FDCWD, "a", X_OK, AT_EACCESS));
	SHOW(access("sized", 99));
	SHOW(pathconf(".", _PC_NAME_MAX));
	SHOW(pathconf(".", _PC_PIPE_BUF));
	SHOW(fsync(open("sized", O_RDWR)));
	SHOW(fdatasync(99));
	sync();
	SHOW(sync_file_range(open("sized", O_RDWR), 0, 0, 0));
	SHOW(posix_fadvise(open("sized", O_RDWR), 0, 0, POSIX_FADV_SEQUENTIAL));
	return 0;
}
