/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* musl's setjmp.h; the forms that save the signal mask must call setjmp in the caller's own frame. */
#include_next <setjmp.h>

#ifndef __SKERRY_SETJMP_H
#define __SKERRY_SETJMP_H

#ifdef __cplusplus
extern "C" {
#endif

#define __skerry_in_caller extern __inline \
	__attribute__((__gnu_inline__, __always_inline__, __returns_twice__))

#if defined(_POSIX_SOURCE) || defined(_POSIX_C_SOURCE) \
 || defined(_XOPEN_SOURCE) || defined(_GNU_SOURCE) || defined(_BSD_SOURCE)
jmp_buf *__skerry_save_mask(jmp_buf *, int);

__skerry_in_caller int __skerry_sigsetjmp(sigjmp_buf __b, int __save)
{
	return setjmp(*__skerry_save_mask((jmp_buf *)__b, __save));
}
#define sigsetjmp __skerry_sigsetjmp
#endif

#if defined(_XOPEN_SOURCE) || defined(_GNU_SOURCE) || defined(_BSD_SOURCE)
__skerry_in_caller int __skerry__setjmp(jmp_buf __b)
{
	return setjmp(__b);
}
#define _setjmp __skerry__setjmp
#endif

#ifdef __cplusplus
}
#endif

#endif
