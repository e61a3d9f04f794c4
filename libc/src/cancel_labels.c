/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* The labels between which musl's cancel handler takes a thread to be in a cancellable system call.
 * They mark no code here, see signals.c. Only pthread_cancel.c needs this file. */

#include "pthread_impl.h"
#include "skerry.h"

__asm__(
	".section .rodata.skerry_cancel,\"\",@\n"
	".globl __cp_begin\n" ".hidden __cp_begin\n" "__cp_begin: .int8 0\n" ".size __cp_begin, 1\n"
	".globl __cp_end\n" ".hidden __cp_end\n" "__cp_end: .int8 0\n" ".size __cp_end, 1\n"
	".globl __cp_cancel\n" ".hidden __cp_cancel\n" "__cp_cancel: .int8 0\n" ".size __cp_cancel, 1\n"
);

/* The signal came between the check for cancellation and the call: let it interrupt the call. */
void __skerry_cancel_again(void)
{
	__syscall(SYS_tkill, __pthread_self()->tid, SIGCANCEL);
}
