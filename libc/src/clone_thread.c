/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* The clone of pthread_create (compiled with __clone renamed to this): a new thread, for which the
 * engine makes an instance on the same memory and calls __skerry_thread_start (crt/thread_start.c). */

#include <stdarg.h>
#include "pthread_impl.h"
#include "skerry.h"
#include "thread_entry.h"

IMPORT("linux", "clone") long __import_clone(long, void *, void *, void *, void *);

int __skerry_clone_thread(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
	va_list rest;
	va_start(rest, argument);
	void *ptid = va_arg(rest, void *), *tls = va_arg(rest, void *), *ctid = va_arg(rest, void *);
	va_end(rest);
	struct thread_entry *entry = (void *)(((uintptr_t)stack & -16) - sizeof *entry);
	entry->function = function;
	entry->argument = argument;
	entry->self = tls;
	return __import_clone(flags, entry, ptid, tls, ctid);
}

/* The stack of a detached thread that has ended, or is about to. The thread list is locked until the
 * kernel has seen that thread's end, so when the next one comes here the previous one is gone. */
static void *leftover;
static size_t leftover_size;

_Noreturn void __unmapself(void *base, size_t size)
{
	void *previous = leftover;
	size_t previous_size = leftover_size;
	leftover = base;
	leftover_size = size;
	if (previous) __syscall(SYS_munmap, previous, previous_size);
	for (;;) __syscall(SYS_exit, 0);
}
