/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* What an ordinary user may not do. */
#include "guest.h"

int main(void)
{
	be_nobody();
	IS(geteuid() != 0);
	umask(0);
	put_file("f", "text");
	SHOW(chmod("f", 0));
	SHOW(open("f", O_RDONLY));
	SHOW(access("f", F_OK));
	SHOW(access("f", R_OK));
	SHOW(chmod("f", 0400));
	SHOW(access("f", R_OK));
	SHOW(access("f", W_OK));
	SHOW(open("f", O_WRONLY));
	SHOW(truncate("f", 0));
	cat_file("f");
	mkdir("d", 0700);
	put_file("d/x", "x");
	chmod("d", 0600);
	SHOW(open("d/x", O_RDONLY));
	SHOW(open("d/none", O_RDONLY));
	chmod("d", 0100);
	SHOW(close(open("d/x", O_RDONLY)));
	SHOW(open("d", O_RDONLY));
	SHOW(open("d/new", O_CREAT | O_WRONLY, 0600));
	SHOW(unlink("d/x"));
	chmod("d", 0500);
	SHOW(rename("d/x", "d/y"));
	SHOW(mkdir("d/sub", 0700));
	chmod("d", 0700);
	SHOW(unlink("d/x"));
	SHOW(chown("f", 0, 0));
	SHOW(chown("f", -1, -1));
	SHOW(chown("f", geteuid(), getegid()));
	SHOW(setuid(0));
	SHOW(seteuid(0));
	SHOW(setgid(0));
	SHOW(chmod("/", 0777));
	SHOW(mkdir("/forbidden", 0755));
	SHOW(chroot("."));
	SHOW(kill(1, SIGTERM));
	SHOW(setpriority(PRIO_PROCESS, 0, -5));
	struct rlimit r = { 10, 20 };
	SHOW(setrlimit(RLIMIT_FSIZE, &r));
	r.rlim_max = 30;
	SHOW(setrlimit(RLIMIT_FSIZE, &r));
	SHOW(chmod("f", 04755));
	struct stat st;
	stat("f", &st);
	printf("mode %o\n", st.st_mode & 07777);
	return 0;
}
