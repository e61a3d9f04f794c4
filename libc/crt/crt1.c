/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Program start. The engine writes the initial stack of a Linux program where we ask for it.
 * Built several times: SKERRY_MAIN3 for a three-argument main, SKERRY_THREADS for shared memory. */

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include "syscall.h"
#include "skerry.h"

#define LARGE 65536

IMPORT("skerry", "start_size") long __import_start_size(void);
IMPORT("skerry", "start") void __import_start(void *, volatile int *);

int __libc_start_main(int (*)(int, char **, char **), int, char **, void (*)(), void (*)(), void (*)());
void __wasm_call_ctors(void);

#ifdef SKERRY_MAIN3
weak int __skerry_main(int, char **, char **) __asm__("main");

static int call_main(int argc, char **argv, char **envp)
{
	return __skerry_main(argc, argv, envp);
}
#else
weak int __main_argc_argv(int, char **);
weak int __skerry_main(int, char **) __asm__("main");

/* clang names a two-argument main so; for other forms it makes a `main` that takes two. */
static int call_main(int argc, char **argv, char **envp)
{
	if (__main_argc_argv) return __main_argc_argv(argc, argv);
	return __skerry_main(argc, argv);
}
#endif

/* musl calls this before main: the linker's list of constructors. */
void _init(void)
{
	__wasm_call_ctors();
}

#ifdef SKERRY_THREADS
extern char __stack_low, __stack_high;
#define STACK_MAX 0x100000

/* musl learns the size of thread-local storage and of thread stacks from program headers, as from
 * an ELF file. The image stays empty: __wasm_init_tls fills each thread's block. */
static Elf32_Phdr headers[2] = {
	{ .p_type = PT_TLS },
	{ .p_type = PT_GNU_STACK },
};

static void describe_program(long *stack)
{
	long *p = stack + 1 + stack[0] + 1;
	size_t size = &__stack_high - &__stack_low;
	while (*p++);
	while (*p) p += 2;
	headers[0].p_memsz = __builtin_wasm_tls_size();
	headers[0].p_align = __builtin_wasm_tls_align();
	headers[1].p_memsz = size < STACK_MAX ? size : STACK_MAX;
	long more[] = { AT_PHDR, (long)headers, AT_PHNUM, 2, AT_PHENT, sizeof *headers, AT_NULL, 0 };
	__builtin_memcpy(p, more, sizeof more);
}
#define EXTRA 64
#else
#define describe_program(stack) (void)0
#define EXTRA 0
#endif

EXPORT("_start") void _start(void)
{
	size_t size = __import_start_size() + EXTRA;
	long *stack = size < LARGE
		? __builtin_alloca_with_align(size, 128)
		: (long *)__skerry_map(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
	__import_start(stack, &__skerry_signal_flag);
	describe_program(stack);
	__libc_start_main(call_main, stack[0], (char **)(stack + 1), 0, 0, 0);
}

/* The engine sets these bytes when a thread that makes no system calls should run its handlers, and
 * has put tests of them into the code: where one is set, that code calls __skerry_deliver. */
unsigned char __skerry_poll[256];

weak void __skerry_cancel_again(void);

EXPORT("__skerry_deliver") void __skerry_deliver(void)
{
	struct interruption here = { __skerry_interruptions };
	__skerry_interruptions = &here;
	if (__skerry_run_signals() && __skerry_cancel_again) __skerry_cancel_again();
	__skerry_interruptions = here.outer;
}
