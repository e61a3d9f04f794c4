/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* stat(2): types, sizes, times */
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	struct stat st, other;
	struct timespec times[2] = { { 1000, 5 }, { 2000, 123456789 } };
	int fd = open("f", O_RDWR | O_CREAT, 0644);

	write(fd, "12345", 5);
	SAY(fstat(fd, &st));
	HOLDS(S_ISREG(st.st_mode));
	HOLDS(st.st_size == 5 && st.st_nlink == 1);
	HOLDS(llabs((long long)st.st_mtime - (long long)time(NULL)) < 100);
	SAY(futimens(fd, times));
	stat("f", &st);
	printf("%lld.%09ld %lld.%09ld\n", (long long)st.st_atim.tv_sec, (long)st.st_atim.tv_nsec,
	       (long long)st.st_mtim.tv_sec, (long)st.st_mtim.tv_nsec);
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_nsec = UTIME_NOW;
	SAY(utimensat(AT_FDCWD, "f", times, 0));
	stat("f", &other);
	HOLDS(other.st_atim.tv_sec == 1000 && other.st_mtim.tv_sec > 1000000);
	SAY(utimensat(AT_FDCWD, "none", NULL, 0));
	mkdir("d", 0755);
	stat("d", &st);
	HOLDS(S_ISDIR(st.st_mode));
	fstat(0, &st);
	HOLDS(S_ISCHR(st.st_mode));
	SAY(fstat(99, &st));
	SAY(stat("none", &st));
	SAY(stat("f/none", &st));
	SAY(access("f", R_OK | W_OK));
	SAY(access("none", F_OK));
	return 0;
}
