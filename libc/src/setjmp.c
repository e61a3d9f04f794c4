/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* The runtime of LLVM's setjmp lowering for wasm exceptions. A function that calls setjmp records
 * its invocation and a label; longjmp throws; the function compares and goes to the label. */

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include "skerry.h"

/* Lives in a jmp_buf; `thrown` is what the exception carries, laid out as LLVM's code reads it. */
struct jump {
	void *invocation;
	uint32_t label;
	struct { void *buffer; int value; } thrown;
};

__asm__(".globl __c_longjmp\n" ".tagtype __c_longjmp i32\n" "__c_longjmp:\n");

void __wasm_setjmp(struct jump *buffer, uint32_t label, void *invocation)
{
	buffer->invocation = invocation;
	buffer->label = label;
}

uint32_t __wasm_setjmp_test(struct jump *buffer, void *invocation)
{
	return buffer->invocation == invocation ? buffer->label : 0;
}

_Noreturn void __wasm_longjmp(struct jump *buffer, int value)
{
	/* The invocation is the address of a variable in the target's frame; what lies below it ends. */
	while (__skerry_interruptions && (void *)__skerry_interruptions < buffer->invocation)
		__skerry_interruptions = __skerry_interruptions->outer;
	buffer->thrown.buffer = buffer;
	buffer->thrown.value = value ? value : 1;
	__builtin_wasm_throw(1, &buffer->thrown);
}
