/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* writes until somebody stops it; with an argument it only counts, and says nothing for ever */
#include <stdio.h>

int main(int argc, char **argv)
{
	volatile unsigned count = 0;

	while (argc > 1)
		count++;
	for (;;)
		if (printf("line %u\n", count++) < 0)
			return 9;
}
