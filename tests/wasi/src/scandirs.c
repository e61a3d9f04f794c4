/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* scandir, and files that are removed while open */
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int main(void)
{
	struct dirent **found;
	char buf[8];
	int fd;

	mkdir("s", 0755);
	mkdir("s/dir", 0755);
	close(open("s/beta", O_CREAT | O_WRONLY, 0644));
	close(open("s/alpha", O_CREAT | O_WRONLY, 0644));
	symlink("alpha", "s/link");
	int count = scandir("s", &found, visible, by_name);
	for (int i = 0; i < count; i++)
		printf("%s %s\n", found[i]->d_name,
		       found[i]->d_type == DT_DIR ? "directory" : found[i]->d_type == DT_REG ? "file" :
		       found[i]->d_type == DT_LNK ? "link" : "other");
	fd = open("s/alpha", O_RDWR);
	SAY(unlink("s/alpha"));
	SAY(write(fd, "alive", 5));
	SAY(pread(fd, buf, 8, 0));
	SAY(access("s/alpha", F_OK));
	return 0;
}
