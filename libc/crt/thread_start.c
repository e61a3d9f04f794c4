/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Where the engine enters a new thread, with the stack pointer already set. Only in programs whose
 * memory is shared: the linker makes __wasm_init_tls for those alone. */

#include "pthread_impl.h"
#include "skerry.h"
#include "thread_entry.h"

IMPORT("skerry", "thread") void __import_thread(volatile int *);
void __wasm_init_tls(void *);

/* Out of line: the address of a thread-local variable must not be computed before the block is set. */
static __attribute__((__noinline__)) void run(struct thread_entry *entry)
{
	__skerry_tp = (uintptr_t)entry->self;
	__import_thread(&__skerry_signal_flag);
	__syscall(SYS_exit, entry->function(entry->argument));
}

EXPORT("__skerry_thread_start") void __skerry_thread_start(struct thread_entry *entry)
{
	__wasm_init_tls((void *)entry->self->dtv[1]);
	run(entry);
}
