/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* proc_raise: nothing, something ignored, the end */
#include "raw.h"

int main(void)
{
	OK(__imported_wasi_snapshot_preview1_proc_raise(0));
	OK(__imported_wasi_snapshot_preview1_proc_raise(16)); /* SIGCHLD */
	IS(__imported_wasi_snapshot_preview1_proc_raise(99), __WASI_ERRNO_INVAL);
	verdict();
	fflush(stdout);
	__imported_wasi_snapshot_preview1_proc_raise(15); /* SIGTERM */
	printf("still here\n");
	return 0;
}
