/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* streams: buffered reading and writing, positions, temporary text */
#include "check.h"

int main(void)
{
	char line[64];
	FILE *f = fopen("text", "w+");

	for (int i = 0; i < 1000; i++)
		fprintf(f, "line %d\n", i);
	printf("%ld\n", ftell(f));
	rewind(f);
	int lines = 0;
	while (fgets(line, sizeof line, f))
		lines++;
	printf("%d %d\n", lines, feof(f) != 0);
	fseek(f, -9, SEEK_END);
	fgets(line, sizeof line, f);
	printf("%s", line);
	fseek(f, 0, SEEK_SET);
	fputs("LINE", f);
	fflush(f);
	rewind(f);
	int c = fgetc(f);
	ungetc('x', f);
	int back = fgetc(f), next = fgetc(f);
	printf("%c %c %c\n", c, back, next);
	SAY(fclose(f));
	f = fopen("text", "a");
	fputs("end\n", f);
	fclose(f);
	f = fopen("text", "r");
	fseek(f, -4, SEEK_END);
	fgets(line, sizeof line, f);
	printf("%s", line);
	HOLDS(fputs("no", f) < 0 || fflush(f) != 0);
	fclose(f);
	HOLDS(fopen("missing", "r") == NULL);
	printf("%s\n", errno_name(errno));
	SAY(remove("text"));
	SAY(remove("text"));
	return 0;
}
