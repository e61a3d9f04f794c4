/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Cancellation points, with the meaning of musl's __syscall_cp_c but with a constant call number.
 * Without pthread_cancel in the program, __cancel is absent and nothing happens. */

#include <errno.h>
#include "pthread_impl.h"
#include "syscall.h"
#include "skerry.h"

hidden weak long __cancel(void);

long __skerry_cancel_enter(long number)
{
	if (!__cancel) return 0;
	pthread_t self = __pthread_self();
	int state = self->canceldisable;
	if (state && (state == PTHREAD_CANCEL_DISABLE || number == SYS_close)) return 0;
	if (self->cancel) return __cancel();
	__skerry_cancellable = 1;
	return 0;
}

long __skerry_cancel_leave(long number, long result)
{
	if (!__skerry_cancellable) return result;
	__skerry_cancellable = 0;
	pthread_t self = __pthread_self();
	if (result == -EINTR && number != SYS_close && self->cancel
	    && self->canceldisable != PTHREAD_CANCEL_DISABLE)
		return __cancel();
	return result;
}
