/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* mkdir, rmdir, readdir with seeking, getcwd, chdir of removed places. */
#include <dirent.h>
#include "guest.h"

static int by_name(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }

static void list(const char *path)
{
	char *names[300];
	int n = 0;
	DIR *d = opendir(path);
	if (!d) { printf("%s: %s\n", path, ename(errno)); return; }
	for (struct dirent *e; (e = readdir(d));) names[n++] = strdup(e->d_name);
	closedir(d);
	qsort(names, n, sizeof *names, by_name);
	printf("%s:", path);
	for (int i = 0; i < n; i++) if (n < 20 || i % 50 == 0) printf(" %s", names[i]);
	printf(" (%d)\n", n);
}

int main(void)
{
	SHOW(mkdir("a", 0755));
	SHOW(mkdir("a", 0755));
	SHOW(mkdir("a/b/c", 0755));
	SHOW(mkdir("a/b", 0700));
	SHOW(mkdir("slash/", 0700));
	SHOW(rmdir("a"));
	put_file("a/file", "");
	SHOW(rmdir("a/file"));
	SHOW(rmdir("a/."));
	SHOW(rmdir("a/b/.."));
	SHOW(rmdir("none"));
	struct stat st;
	stat("a/b", &st);
	printf("mode %o\n", st.st_mode);
	list("a");
	list("none");
	list("a/file");
	mkdir("many", 0755);
	for (int i = 0; i < 200; i++) {
		char name[32];
		snprintf(name, sizeof name, "many/file%03d", i);
		put_file(name, "");
	}
	list("many");
	DIR *d = opendir("many");
	for (int i = 0; i < 10; i++) readdir(d);
	long where = telldir(d);
	char *at = strdup(readdir(d)->d_name);
	for (int i = 0; i < 10; i++) readdir(d);
	seekdir(d, where);
	IS(!strcmp(readdir(d)->d_name, at));
	rewinddir(d);
	int n = 0, types = 1;
	for (struct dirent *e; (e = readdir(d));) { n++; types &= e->d_type == (e->d_name[0] == '.' ? DT_DIR : DT_REG) || e->d_type == DT_UNKNOWN; }
	printf("again %d types %d\n", n, types);
	/* removing while reading */
	rewinddir(d);
	n = 0;
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.') {
			char name[300];
			snprintf(name, sizeof name, "many/%s", e->d_name);
			n += unlink(name) == 0;
		}
	printf("removed %d\n", n);
	closedir(d);
	SHOW(rmdir("many"));
	char where_[PATH_MAX];
	SHOW(chdir("a/b"));
	IS(getcwd(where_, sizeof where_) != 0);
	IS(!strcmp(where_ + strlen(where_) - 4, "/a/b"));
	SHOW((long)getcwd(where_, 2) ? 1 : -1);
	SHOW(chdir("file"));
	SHOW(chdir("../file"));
	SHOW(rmdir("../b"));
	SHOW((long)getcwd(where_, sizeof where_) ? 1 : -1);
	SHOW(open("x", O_CREAT | O_WRONLY, 0600));
	SHOW(mkdir("y", 0700));
	SHOW(chdir(".."));
	list(".");
	int fd = open(".", O_RDONLY);
	SHOW(chdir("/"));
	SHOW(fchdir(fd));
	SHOW(access("file", F_OK));
	SHOW(fchdir(open("file", O_RDONLY)));
	return 0;
}
