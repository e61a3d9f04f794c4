/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* the way out: handlers, flushing, the status */
#include "check.h"

static void last(void)
{
	printf("last\n");
}

static void first(void)
{
	printf("first\n");
}

int main(void)
{
	atexit(last);
	atexit(first);
	printf("not flushed");
	exit(42);
}
