/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* The thread pointer, see arch/wasm32/pthread_arch.h. */

#include "pthread_impl.h"

_Thread_local uintptr_t __skerry_tp;

int __set_thread_area(void *p)
{
	__skerry_tp = (uintptr_t)p;
	return 0;
}
