/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* argv and the environment */
#include "check.h"

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		printf("%d [%s]\n", i, argv[i]);
	HOLDS(argv[argc] == NULL);
	HOLDS(getenv("NO_SUCH_VARIABLE") == NULL);
	setenv("MINE", "value", 1);
	printf("%s\n", getenv("MINE"));
	unsetenv("MINE");
	HOLDS(getenv("MINE") == NULL);
	return argc;
}
