/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* musl's __clone, as posix_spawn uses it: the child borrows the parent's memory until it execs or
 * exits. It runs `function` as a nested call, so no host frame lies between and no stack is switched. */

#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include "pthread_impl.h"
#include "syscall.h"
#include "skerry.h"

jmp_buf *__skerry_vfork_point(void);
hidden long __skerry_vfork_result(int);

int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
	const int borrowing = CLONE_VM | CLONE_VFORK;
	if ((flags & (borrowing | CLONE_THREAD)) != borrowing) return -ENOSYS;
	long pid = __skerry_vfork_result(setjmp(*__skerry_vfork_point()));
	if (!pid) __syscall(SYS_exit, function(argument));
	return pid;
}
