/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* chdir(3), which wasi-libc does by itself */
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	char before[512], after[512];
	struct stat st;

	mkdir("a", 0755);
	mkdir("a/b", 0755);
	close(open("a/b/f", O_CREAT | O_WRONLY, 0644));
	getcwd(before, sizeof before);
	SAY(chdir("a"));
	SAY(stat("b/f", &st));
	SAY(chdir("b"));
	SAY(stat("f", &st));
	getcwd(after, sizeof after);
	HOLDS(strcmp(after + strlen(after) - 4, "/a/b") == 0);
	SAY(stat("../../a", &st));
	SAY(chdir("f"));
	SAY(chdir("none"));
	SAY(chdir("/dev"));
	SAY(stat("null", &st));
	return 0;
}
