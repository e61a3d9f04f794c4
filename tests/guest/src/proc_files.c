/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* What programs read under /proc/self. */
#include <dirent.h>
#include "guest.h"

static int contains(const char *path, const char *text)
{
	char buffer[65536] = { 0 };
	int fd = open(path, O_RDONLY), n = 0, got;
	if (fd < 0) { printf("%s: %s\n", path, ename(errno)); return 0; }
	while ((got = read(fd, buffer + n, sizeof buffer - 1 - n)) > 0) n += got;
	close(fd);
	return memmem(buffer, n, text, strlen(text)) != 0;
}

int main(int argc, char **argv)
{
	char path[PATH_MAX], target[PATH_MAX];
	IS(contains("/proc/self/status", "Name:"));
	IS(contains("/proc/self/status", "State:\tR"));
	IS(contains("/proc/self/cmdline", "proc_files"));
	snprintf(path, sizeof path, "/proc/%d/stat", getpid());
	IS(contains(path, "("));
	int fd = open("file", O_RDWR | O_CREAT, 0600);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(path, target, sizeof target);
	IS(n > 5 && !memcmp(target + n - 5, "/file", 5));
	write(fd, "through proc", 12);
	int again = open(path, O_RDONLY);
	SHOW(read(again, target, 100));
	n = readlink("/proc/self/cwd", target, sizeof target - 1);
	target[n] = 0;
	IS(getcwd(path, sizeof path) && !strcmp(path, target));
	n = readlink("/proc/self/exe", target, sizeof target);
	IS(n > 0 && memmem(target, n, "proc_files", 10));
	DIR *d = opendir("/proc/self/fd");
	int seen = 0;
	for (struct dirent *e; (e = readdir(d));) seen += atoi(e->d_name) == fd;
	printf("seen %d\n", seen);
	int self = 0;
	snprintf(path, sizeof path, "%d", getpid());
	d = opendir("/proc");
	for (struct dirent *e; (e = readdir(d));) self += !strcmp(e->d_name, path);
	printf("self %d\n", self);
	IS(contains("/proc/meminfo", "MemTotal:"));
	IS(contains("/proc/mounts", " / "));
	IS(contains("/proc/uptime", "."));
	IS(contains("/proc/version", "Linux"));
	IS(contains("/proc/self/environ", "="));
	SHOW(open("/proc/self/none", O_RDONLY));
	SHOW(open("/proc/0", O_RDONLY));
	return 0;
}
