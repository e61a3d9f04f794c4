/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* The functions behind the macros of setjmp.h, for callers through a pointer or without the header.
 * A real setjmp function cannot exist; its address is only good for link tests. */

#include <setjmp.h>
#include <signal.h>

#undef setjmp
#undef longjmp
#undef siglongjmp

_Noreturn hidden void __wasm_longjmp(void *, int);

jmp_buf *__skerry_save_mask(jmp_buf *buffer, int save)
{
	if (((*buffer)->__fl = save != 0)) sigprocmask(SIG_SETMASK, 0, (sigset_t *)(*buffer)->__ss);
	return buffer;
}

_Noreturn void siglongjmp(sigjmp_buf buffer, int value)
{
	if (buffer->__fl) sigprocmask(SIG_SETMASK, (sigset_t *)buffer->__ss, 0);
	__wasm_longjmp(buffer, value);
}

_Noreturn void __skerry_longjmp(jmp_buf buffer, int value) __asm__("longjmp");
_Noreturn void __skerry_longjmp(jmp_buf buffer, int value)
{
	__wasm_longjmp(buffer, value);
}
_Noreturn void __skerry_longjmp_bsd(jmp_buf buffer, int value) __asm__("_longjmp");
_Noreturn void __skerry_longjmp_bsd(jmp_buf buffer, int value)
{
	__wasm_longjmp(buffer, value);
}

#define NO_FUNCTION(name) \
	int __no_##name(jmp_buf b, int save) __asm__(#name); \
	int __no_##name(jmp_buf b, int save) { __builtin_trap(); }
NO_FUNCTION(sigsetjmp)
NO_FUNCTION(_setjmp)
NO_FUNCTION(__sigsetjmp)
NO_FUNCTION(__skerry_sigsetjmp)
NO_FUNCTION(__skerry__setjmp)
