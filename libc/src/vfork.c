/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* vfork in the caller's own frame: unistd.h makes it a setjmp, this file the rest. The child runs on
 * until execve or _exit; then the same import returns in the parent, and we jump back. */

#include <errno.h>
#include <unistd.h>
#include "syscall.h"
#include "skerry.h"

#define DEPTH 4

/* One buffer per vfork under way; one more to fail in. */
static _Thread_local jmp_buf points[DEPTH + 1];
static _Thread_local int depth;

IMPORT("linux", "vfork") long __import_vfork(void);

jmp_buf *__skerry_vfork_point(void)
{
	jmp_buf *point = &points[depth < DEPTH ? depth : DEPTH];
	depth++;
	return point;
}

/* `jumped` is what setjmp returned: 0, or the child's pid. */
hidden long __skerry_vfork_result(int jumped)
{
	if (jumped) return jumped;
	long r = depth > DEPTH ? -EAGAIN : __import_vfork();
	if (r) depth--;
	return r;
}

int __skerry_vfork_begin(int jumped)
{
	return __syscall_ret(__skerry_vfork_result(jumped));
}

_Noreturn void __skerry_vfork_return(long pid)
{
	depth--;
	longjmp(points[depth], pid);
}
