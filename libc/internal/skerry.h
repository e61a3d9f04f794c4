/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* What the files of this overlay share: imports, the per-thread signal flag, hooks between them.
 * Hooks are weak, so that a program links (and imports) only what it uses. */
#ifndef SKERRY_H
#define SKERRY_H

#include <features.h>
#include <setjmp.h>
#include <stdint.h>
#include <stddef.h>

#define IMPORT(module, name) __attribute__((__import_module__(module), __import_name__(name)))
#define EXPORT(name) __attribute__((__export_name__(name), __visibility__("default")))

#define ERESTARTSYS 512

/* The kernel writes 1 here when this thread should fetch a signal. */
extern hidden _Thread_local volatile int __skerry_signal_flag;

/* 1 while this thread is inside a system call that is a cancellation point. */
extern hidden _Thread_local volatile int __skerry_cancellable;

/* Runs the handlers that are due. Returns 1 if the interrupted call was cancelled. */
hidden int __skerry_run_signals(void);

/* Handlers under way that the engine started in the middle of code, innermost first. Asyncify has not
 * prepared the frames they interrupted, so fork is refused there. */
struct interruption {
	struct interruption *outer;
};
extern hidden _Thread_local struct interruption *__skerry_interruptions;

/* Sends the thread its cancellation signal once more; linked with pthread_cancel. */
hidden void __skerry_cancel_again(void);

/* Goes back to the point of vfork, in the parent, with the child's pid. */
_Noreturn hidden void __skerry_vfork_return(long pid);

hidden void __skerry_mm_lock(void);
hidden void __skerry_mm_unlock(void);

/* What to do about shared writable file mappings; set by src/mapfile.c when there is one. */
struct file_hooks {
	void (*unmap)(uintptr_t, size_t);
	void (*sync)(uintptr_t, size_t);
	void (*move)(uintptr_t, uintptr_t, size_t);
};
extern hidden const struct file_hooks *__skerry_file_hooks;

#endif
