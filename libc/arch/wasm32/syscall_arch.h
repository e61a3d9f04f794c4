/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* System calls: a constant number becomes a call of one wrapper (src/syscalls.c), which has one
 * named import; the memory calls are answered by src/mman.c. A 64-bit argument is two words. */

#define __SYSCALL_LL_E(x) (long)(unsigned long)(x), (long)(unsigned long)((unsigned long long)(x) >> 32)
#define __SYSCALL_LL_O(x) __SYSCALL_LL_E(x)

#define SKERRY_INLINE static inline __attribute__((__always_inline__))

#include "syscall_imports.h"

hidden long __skerry_brk(long);
hidden long __skerry_map(long, long, long, long);
hidden long __skerry_map_file(long, long, long, long, long, long);
hidden long __skerry_munmap(long, long);
hidden long __skerry_mremap(long, long, long, long, long);
hidden long __skerry_mprotect(long, long, long);
hidden long __skerry_madvise(long, long, long);
hidden long __skerry_msync(long, long, long);
hidden long __skerry_mincore(long, long, long);

#ifdef SKERRY_ID_CALLS
/* For the one file of musl that picks among these calls at run time. */
SKERRY_INLINE long __skerry_dispatch(long n, long a, long b, long c, long d, long e, long f)
{
	switch (n) {
	case SYS_setuid: return __skerry_sys_setuid(a);
	case SYS_setgid: return __skerry_sys_setgid(a);
	case SYS_setreuid: return __skerry_sys_setreuid(a, b);
	case SYS_setregid: return __skerry_sys_setregid(a, b);
	case SYS_setresuid: return __skerry_sys_setresuid(a, b, c);
	case SYS_setresgid: return __skerry_sys_setresgid(a, b, c);
	case SYS_kill: return __skerry_sys_kill(a, b);
	case SYS_getpid: return __skerry_sys_getpid();
	case SYS_rt_sigprocmask: return __skerry_sys_rt_sigprocmask(a, b, c, d);
	case SYS_futex_time64: return __skerry_sys_futex_time64(a, b, c, d, e, f);
	default: return -38; /* ENOSYS */
	}
}
#else
SKERRY_INLINE long __skerry_dispatch(long n, long a, long b, long c, long d, long e, long f)
{
	switch (n) {
	case SYS_mmap2:
		return d & 0x20 ? __skerry_map(a, b, c, d) : __skerry_map_file(a, b, c, d, e, f);
	case SYS_munmap: return __skerry_munmap(a, b);
	case SYS_mremap: return __skerry_mremap(a, b, c, d, e);
	case SYS_mprotect: return __skerry_mprotect(a, b, c);
	case SYS_madvise: return __skerry_madvise(a, b, c);
	case SYS_msync: return __skerry_msync(a, b, c);
	case SYS_mincore: return __skerry_mincore(a, b, c);
	case SYS_brk: return __skerry_brk(a);
	case SYS_mlock: case SYS_mlock2: case SYS_munlock: case SYS_mlockall: case SYS_munlockall:
		return 0;
	default: return __skerry_named(n, a, b, c, d, e, f);
	}
}
#endif

SKERRY_INLINE long __syscall0(long n)
{
	return __skerry_dispatch(n, 0, 0, 0, 0, 0, 0);
}

SKERRY_INLINE long __syscall1(long n, long a)
{
	return __skerry_dispatch(n, a, 0, 0, 0, 0, 0);
}

SKERRY_INLINE long __syscall2(long n, long a, long b)
{
	return __skerry_dispatch(n, a, b, 0, 0, 0, 0);
}

SKERRY_INLINE long __syscall3(long n, long a, long b, long c)
{
	return __skerry_dispatch(n, a, b, c, 0, 0, 0);
}

SKERRY_INLINE long __syscall4(long n, long a, long b, long c, long d)
{
	return __skerry_dispatch(n, a, b, c, d, 0, 0);
}

SKERRY_INLINE long __syscall5(long n, long a, long b, long c, long d, long e)
{
	return __skerry_dispatch(n, a, b, c, d, e, 0);
}

SKERRY_INLINE long __syscall6(long n, long a, long b, long c, long d, long e, long f)
{
	return __skerry_dispatch(n, a, b, c, d, e, f);
}

/* Cancellation points. musl's macros call this as a function with a number; expanded in place, the
 * number stays constant and the import stays a named one. */
hidden long __skerry_cancel_enter(long number);
hidden long __skerry_cancel_leave(long number, long result);

extern __inline __attribute__((__gnu_inline__, __always_inline__)) hidden
long __syscall_cp(long n, long a, long b, long c, long d, long e, long f)
{
	/* Nonzero: the thread is being cancelled, and this is the result. */
	long r = __skerry_cancel_enter(n);
	if (r) return r;
	return __skerry_cancel_leave(n, __skerry_dispatch(n, a, b, c, d, e, f));
}

#define IPC_64 0
