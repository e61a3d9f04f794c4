/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* a filter: letters to upper case, line by line; says how many on stderr */
#include <ctype.h>
#include <stdio.h>

int main(void)
{
	char line[4096];
	int lines = 0;

	while (fgets(line, sizeof line, stdin)) {
		for (char *c = line; *c; c++)
			*c = toupper((unsigned char)*c);
		fputs(line, stdout);
		lines++;
	}
	fprintf(stderr, "%d\n", lines);
	return lines > 255 ? 255 : lines;
}
