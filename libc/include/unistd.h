/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* musl's unistd.h; vfork must return twice in the caller's own frame, so it is a setjmp there. */
#include_next <unistd.h>

#if (defined(_GNU_SOURCE) || defined(_BSD_SOURCE)) && !defined(__SKERRY_UNISTD_H)
#define __SKERRY_UNISTD_H

#include <setjmp.h>

#ifdef __cplusplus
extern "C" {
#endif

jmp_buf *__skerry_vfork_point(void);
int __skerry_vfork_begin(int);

extern __inline __attribute__((__gnu_inline__, __always_inline__, __returns_twice__))
pid_t __skerry_vfork(void)
{
	return __skerry_vfork_begin(setjmp(*__skerry_vfork_point()));
}
#define vfork __skerry_vfork

#ifdef __cplusplus
}
#endif

#endif
