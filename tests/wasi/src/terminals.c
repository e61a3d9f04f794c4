/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* what is a terminal: nothing here */
#include "check.h"
#include <fcntl.h>
#include <unistd.h>

int main(void)
{
	int file = open("f", O_RDWR | O_CREAT, 0644), null = open("/dev/null", O_RDWR);

	SAY(isatty(0));
	SAY(isatty(1));
	SAY(isatty(file));
	SAY(isatty(null));
	HOLDS(isatty(99) == 0 && errno == EBADF);
	return 0;
}
