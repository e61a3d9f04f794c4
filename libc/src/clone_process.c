/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* The clone of clone(2) (musl's linux/clone.c is compiled with __clone renamed to this). With shared
 * memory it is as in clone.c, else a fork whose child calls the function, on the stack it forked with. */

#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include "pthread_impl.h"
#include "syscall.h"

int __skerry_clone_process(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
	if (flags & CLONE_VM) return __clone(function, stack, flags, argument);
	if (flags & ~(CLONE_VFORK | 0xff)) return -EINVAL;
	long pid = __syscall(SYS_fork);
	if (!pid) __syscall(SYS_exit_group, function(argument));
	return pid;
}
