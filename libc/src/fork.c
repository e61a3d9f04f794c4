/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* fork: asyncify unwinds the stack into `state`, the engine copies the memory into a new instance,
 * and both rewind. A program that does not call fork does not link this file. */

#include <errno.h>
#include "syscall.h"
#include "skerry.h"

static struct {
	char *current, *end;
	char saved[65528];
} state;

IMPORT("linux", "fork") long __import_fork(void *);

long __skerry_sys_fork(long unused)
{
	if (__skerry_interruptions) return -EAGAIN;
	__skerry_mm_lock();
	state.current = state.saved;
	state.end = state.saved + sizeof state.saved;
	long r = __import_fork(&state);
	__skerry_mm_unlock();
	if (__skerry_signal_flag) __skerry_run_signals();
	return r;
}
