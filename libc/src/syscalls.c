/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* One wrapper per system call: makes the call, runs signal handlers that are due, and makes the
 * call again when the kernel asked for it. The linker keeps only the wrappers a program uses. */

#include <errno.h>
#include "syscall.h"
#include "skerry.h"

weak void __skerry_vfork_return(long);

#define FINISH(expression) \
	for (;;) { \
		long r = (expression); \
		if (__skerry_signal_flag && __skerry_run_signals() && r == -ERESTARTSYS) return -EINTR; \
		if (r != -ERESTARTSYS) return r; \
	}

#define CALL0(name) \
	IMPORT("linux", #name) long __import_##name(void); \
	long __skerry_sys_##name(void) { FINISH(__import_##name()) }
#define CALL1(name) \
	IMPORT("linux", #name) long __import_##name(long); \
	long __skerry_sys_##name(long a) { FINISH(__import_##name(a)) }
#define CALL2(name) \
	IMPORT("linux", #name) long __import_##name(long, long); \
	long __skerry_sys_##name(long a, long b) { FINISH(__import_##name(a, b)) }
#define CALL3(name) \
	IMPORT("linux", #name) long __import_##name(long, long, long); \
	long __skerry_sys_##name(long a, long b, long c) { FINISH(__import_##name(a, b, c)) }
#define CALL4(name) \
	IMPORT("linux", #name) long __import_##name(long, long, long, long); \
	long __skerry_sys_##name(long a, long b, long c, long d) { FINISH(__import_##name(a, b, c, d)) }
#define CALL5(name) \
	IMPORT("linux", #name) long __import_##name(long, long, long, long, long); \
	long __skerry_sys_##name(long a, long b, long c, long d, long e) \
	{ FINISH(__import_##name(a, b, c, d, e)) }
#define CALL6(name) \
	IMPORT("linux", #name) long __import_##name(long, long, long, long, long, long); \
	long __skerry_sys_##name(long a, long b, long c, long d, long e, long f) \
	{ FINISH(__import_##name(a, b, c, d, e, f)) }

SKERRY_CALLS

/* In a vfork child these calls return the child's pid to the thread, which is the parent again. */
#define LAST(expression) \
	long r = (expression); \
	if (r > 0 && __skerry_vfork_return) __skerry_vfork_return(r); \
	if (__skerry_signal_flag) __skerry_run_signals(); \
	return r

IMPORT("linux", "execve") long __import_execve(long, long, long);
long __skerry_sys_execve(long a, long b, long c)
{
	LAST(__import_execve(a, b, c));
}

IMPORT("linux", "execveat") long __import_execveat(long, long, long, long, long);
long __skerry_sys_execveat(long a, long b, long c, long d, long e)
{
	LAST(__import_execveat(a, b, c, d, e));
}

IMPORT("linux", "exit") long __import_exit(long);
long __skerry_sys_exit(long a)
{
	LAST(__import_exit(a));
}

IMPORT("linux", "exit_group") long __import_exit_group(long);
long __skerry_sys_exit_group(long a)
{
	if (__skerry_file_hooks) __skerry_file_hooks->sync(0, -1);
	LAST(__import_exit_group(a));
}
