/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Every errno of a failed exec, and that the caller goes on. */
#include "guest.h"

static void try(const char *path)
{
	errno = 0;
	execl(path, path, (char *)0);
	printf("%.20s: %s\n", path, ename(errno));
}

int main(void)
{
	be_nobody();
	char name[300];
	memset(name, 'n', sizeof name);
	name[299] = 0;
	try("");
	try("missing");
	try("missing/below");
	put_file("plain", "data");
	try("./plain");
	try("plain/below");
	MUST(chmod("plain", 0755));
	try("./plain");
	mkdir("dir", 0755);
	try("./dir");
	symlink("loop", "loop");
	try("./loop");
	symlink("nowhere", "dangling");
	try("./dangling");
	try(name);
	mkdir("locked", 0755);
	put_file("locked/program", "#!/bin/true\n");
	chmod("locked/program", 0755);
	chmod("locked", 0);
	try("locked/program");
	chmod("locked", 0755);
	char *big = malloc(200000), *args[200] = {0};
	memset(big, 'x', 199999);
	big[199999] = 0;
	for (int i = 0; i < 199; i++) args[i] = big;
	errno = 0;
	execv("/proc/self/exe", args);
	printf("too long: %s\n", ename(errno));
	SHOW(execv("/proc/self/exe", (char **)-8));
	return 3;
}
