/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* rename(2) */
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void make(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
	write(fd, text, strlen(text));
	close(fd);
}

static void show(const char *name)
{
	char buf[16];
	int fd = open(name, O_RDONLY);
	ssize_t size = read(fd, buf, sizeof buf);
	printf("%s: %.*s\n", name, size > 0 ? (int)size : 0, buf);
	close(fd);
}

int main(void)
{
	make("a", "A");
	make("b", "B");
	mkdir("d", 0755);
	mkdir("e", 0755);
	SAY(rename("a", "b"));
	show("b");
	SAY(rename("a", "b"));
	SAY(rename("b", "d/c"));
	show("d/c");
	SAY(rename("e", "d/c"));
	SAY(rename("d/c", "e"));
	SAY(rename("e", "d"));
	SAY(rename("d", "d/x"));
	SAY(rename("d/c", "c"));
	SAY(rename("e", "d"));
	SAY(rename("d", "f/g"));
	show("c");
	return 0;
}
