/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* proc_raise: nothing, something ignored, the end */
#include "raw.h"

__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_raise"))) int raise_signal(int number);

int main(void)
{
	OK(raise_signal(0));
	OK(raise_signal(16)); /* SIGCHLD */
	IS(raise_signal(99), __WASI_ERRNO_INVAL);
	verdict();
	fflush(stdout);
	raise_signal(15); /* SIGTERM */
	printf("still here\n");
	return 0;
}
