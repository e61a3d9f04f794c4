/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* a listing stays whole while its entries are removed */
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	char name[64];
	int seen = 0;
	struct dirent *entry;

	mkdir("m", 0755);
	for (int i = 0; i < 700; i++) {
		snprintf(name, sizeof name, "m/a-name-of-some-length-%04d", i);
		close(open(name, O_CREAT | O_WRONLY, 0644));
	}
	DIR *dir = opendir("m");
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.') {
			snprintf(name, sizeof name, "m/%s", entry->d_name);
			if (unlink(name) == 0)
				seen++;
		}
	closedir(dir);
	printf("%d\n", seen);
	SAY(rmdir("m"));
	return 0;
}
