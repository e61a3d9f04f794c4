/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Watching a directory and a file. */
#include <sys/inotify.h>
#include "guest.h"

static int fd;

static void events(void)
{
	char buffer[4096] __attribute__((aligned(8)));
	struct pollfd p = { fd, POLLIN };
	if (poll(&p, 1, 0) <= 0) { puts("nothing"); return; }
	ssize_t n = read(fd, buffer, sizeof buffer);
	for (char *at = buffer; at < buffer + n;) {
		struct inotify_event *e = (void *)at;
		printf("mask %x name %s\n", e->mask, e->len ? e->name : "-");
		at += sizeof *e + e->len;
	}
}

int main(void)
{
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	IS(fd >= 0);
	mkdir("d", 0755);
	int w = inotify_add_watch(fd, "d", IN_CREATE | IN_DELETE | IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE);
	SHOW(w);
	events();
	put_file("d/f", "text");
	events();
	rename("d/f", "d/g");
	events();
	mkdir("d/sub", 0700);
	events();
	unlink("d/g");
	rmdir("d/sub");
	events();
	SHOW(inotify_rm_watch(fd, w));
	events();
	SHOW(inotify_rm_watch(fd, w));
	SHOW(inotify_add_watch(fd, "none", IN_CREATE));
	SHOW(inotify_add_watch(fd, "d", 0));
	char small[4];
	put_file("file", "x");
	inotify_add_watch(fd, "file", IN_ATTRIB | IN_DELETE_SELF);
	chmod("file", 0600);
	SHOW(read(fd, small, sizeof small));
	events();
	unlink("file");
	events();
	return 0;
}
