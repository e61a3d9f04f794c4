/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Handlers that the engine runs in the middle of other code, in a program that uses longjmp. An
 * exception cannot pass the engine's frame: a handler that jumps out is left at once, and the jump is
 * made at the thread's next system call. */

#include <setjmp.h>
#include "skerry.h"

static _Thread_local jmp_buf *escape;
static _Thread_local jmp_buf *postponed;
static _Thread_local int postponed_value;

void __skerry_deliver_guarded(void)
{
	jmp_buf here;
	escape = &here;
	if (!setjmp(here)) __skerry_run_signals();
	escape = 0;
}

/* Higher addresses are further out: is the target's frame beyond the interruption? */
void *__skerry_divert_jump(void *buffer, uintptr_t frame, int value)
{
	if (!escape || frame < (uintptr_t)escape) return buffer;
	postponed = buffer;
	postponed_value = value;
	__skerry_signal_flag = 1;
	return escape;
}

void __skerry_postponed_jump(void)
{
	jmp_buf *buffer = postponed;
	if (!buffer || escape) return;
	postponed = 0;
	longjmp(*buffer, postponed_value);
}
