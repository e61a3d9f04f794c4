/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* directories: making, listing, seeking, removing */
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(DIR *dir)
{
	char *names[64];
	int count = 0;
	struct dirent *entry;

	while ((entry = readdir(dir)))
		names[count++] = strdup(entry->d_name);
	qsort(names, count, sizeof *names, by_name);
	for (int i = 0; i < count; i++)
		printf("%s ", names[i]);
	printf("\n");
}

int main(void)
{
	SAY(mkdir("d", 0755));
	SAY(mkdir("d", 0755));
	SAY(mkdir("d/e", 0700));
	SAY(mkdir("x/y", 0700));
	for (int i = 0; i < 5; i++) {
		char name[16];
		snprintf(name, sizeof name, "d/f%d", i);
		close(open(name, O_CREAT | O_WRONLY, 0644));
	}
	DIR *dir = opendir("d");
	list(dir);
	rewinddir(dir);
	readdir(dir);
	readdir(dir);
	long where = telldir(dir);
	struct dirent *entry = readdir(dir);
	char third[256];
	strcpy(third, entry->d_name);
	while (readdir(dir))
		;
	seekdir(dir, where);
	HOLDS(strcmp(readdir(dir)->d_name, third) == 0);
	SAY(closedir(dir));
	HOLDS(opendir("none") == NULL);
	HOLDS(opendir("d/f1") == NULL);
	SAY(rmdir("d"));
	SAY(rmdir("d/f0"));
	SAY(unlink("d/e"));
	SAY(rmdir("d/e"));
	for (int i = 0; i < 5; i++) {
		char name[16];
		snprintf(name, sizeof name, "d/f%d", i);
		unlink(name);
	}
	SAY(rmdir("d/"));
	SAY(rmdir("d"));
	return 0;
}
