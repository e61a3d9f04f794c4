/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* the end of standard input, and bad descriptors */
#include "check.h"
#include <unistd.h>

int main(void)
{
	char buf[8];

	SAY(read(0, buf, sizeof buf));
	HOLDS(getchar() == EOF && feof(stdin));
	SAY(read(99, buf, 1));
	SAY(write(99, buf, 1));
	SAY(read(-1, buf, 1));
	SAY(write(1, "", 0));
	fprintf(stderr, "not compared\n");
	return 3;
}
