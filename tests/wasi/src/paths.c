/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* relative and absolute paths, dots and slashes */
#include "check.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char absolute[512], name[5000];
	struct stat st;

	mkdir("p", 0755);
	mkdir("p/q", 0755);
	close(open("p/q/f", O_CREAT | O_WRONLY, 0644));
	SAY(stat("p/q/f", &st));
	SAY(stat("./p//q/./f", &st));
	SAY(stat("p/q/../q/f", &st));
	SAY(stat("p/../p/q", &st));
	SAY(stat("p/q/f/", &st));
	SAY(stat("p/q/", &st));
	SAY(stat("p/q/f/..", &st));
	SAY(stat("none/../p", &st));
	SAY(stat("..", &st));
	SAY(stat(".", &st));
	HOLDS(S_ISDIR(st.st_mode));
	snprintf(absolute, sizeof absolute, "%s/p/q/f", argv[1]);
	HOLDS(stat(absolute, &st) == 0);
	snprintf(absolute, sizeof absolute, "%s/made", argv[1]);
	HOLDS(open(absolute, O_CREAT | O_WRONLY, 0644) >= 0);
	SAY(stat("made", &st));
	HOLDS(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
	HOLDS(access("/tmp/../dev/null", R_OK) == 0);
	SAY(stat("/no/such/file", &st));
	memset(name, 'n', sizeof name);
	name[300] = 0;
	SAY(stat(name, &st));
	name[300] = 'n';
	name[4999] = 0;
	SAY(stat(name, &st));
	return 0;
}
