/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* utimensat and when times change. */
#include "guest.h"

static struct timespec m, c;
static void look(const char *name)
{
	struct stat st;
	stat(name, &st);
	m = st.st_mtim;
	c = st.st_ctim;
}

static int later(struct timespec a, struct timespec b)
{
	return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

int main(void)
{
	struct stat st;
	put_file("f", "x");
	struct timespec times[2] = { { 1000000000, 111 }, { 1234567890, 987654321 } };
	SHOW(utimensat(AT_FDCWD, "f", times, 0));
	stat("f", &st);
	printf("%lld.%09ld %lld.%09ld\n", (long long)st.st_atim.tv_sec, st.st_atim.tv_nsec, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_sec = 5000000000LL;
	times[1].tv_nsec = 0;
	SHOW(utimensat(AT_FDCWD, "f", times, 0));
	stat("f", &st);
	printf("%lld %lld\n", (long long)st.st_atim.tv_sec, (long long)st.st_mtim.tv_sec);
	times[1].tv_nsec = UTIME_NOW;
	SHOW(utimensat(AT_FDCWD, "f", times, 0));
	stat("f", &st);
	IS(st.st_mtim.tv_sec > 1600000000 && st.st_mtim.tv_sec < 4000000000LL);
	SHOW(utimensat(AT_FDCWD, "f", 0, 0));
	times[0].tv_nsec = 1000000000;
	SHOW(utimensat(AT_FDCWD, "f", times, 0));
	SHOW(utimensat(AT_FDCWD, "none", 0, 0));
	int fd = open("f", O_RDWR);
	struct timespec old[2] = { { 1, 0 }, { 2, 0 } };
	SHOW(futimens(fd, old));
	look("f");
	printf("mtime %lld\n", (long long)m.tv_sec);
	struct timespec before = c;
	nap(20);
	write(fd, "y", 1);
	look("f");
	IS(m.tv_sec > 2 && later(c, before));
	before = m;
	struct timespec cbefore = c;
	nap(20);
	chmod("f", 0600);
	look("f");
	IS(!later(m, before) && later(c, cbefore));
	mkdir("d", 0755);
	look("d");
	before = m;
	nap(20);
	put_file("d/x", "");
	look("d");
	IS(later(m, before));
	before = m;
	nap(20);
	put_file("d/x", "again");
	look("d");
	IS(!later(m, before));
	symlink("f", "l");
	SHOW(utimensat(AT_FDCWD, "l", old, AT_SYMLINK_NOFOLLOW));
	lstat("l", &st);
	printf("link mtime %lld\n", (long long)st.st_mtim.tv_sec);
	return 0;
}
