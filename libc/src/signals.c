/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* Signal delivery: handlers run here, in an ordinary frame of the guest, after a system call
 * whose return found the thread's flag set. So a handler may fork and may leave by longjmp. */

#include <signal.h>
#include <string.h>
#include "pthread_impl.h"
#include "skerry.h"

/* The kernel fills this in; all words are little endian. */
struct frame {
	int signo;
	unsigned flags;
	void *handler;
	int pad;
	uint64_t oldmask;
	siginfo_t info;
};

_Thread_local volatile int __skerry_signal_flag;
_Thread_local volatile int __skerry_cancellable;
_Thread_local struct interruption *__skerry_interruptions;

/* While a cancellable call is under way we report the first as the program counter, and look whether
 * musl's handler changed it to the second. Linked with pthread_cancel: see cancel_labels.c. */
extern hidden weak const char __cp_begin[1], __cp_cancel[1];

IMPORT("skerry", "sigfetch") long __import_sigfetch(struct frame *);
IMPORT("linux", "rt_sigprocmask") long __import_rt_sigprocmask(long, const void *, void *, long);

static int run_one(const struct frame *frame, int cancellable)
{
	ucontext_t context = { 0 };
	memcpy(&context.uc_sigmask, &frame->oldmask, sizeof frame->oldmask);
	if (cancellable) context.uc_mcontext.MC_PC = (unsigned long)__cp_begin;
	if (frame->flags & SA_SIGINFO)
		((void (*)(int, const siginfo_t *, void *))frame->handler)(frame->signo, &frame->info, &context);
	else
		((void (*)(int))frame->handler)(frame->signo);
	__import_rt_sigprocmask(SIG_SETMASK, &context.uc_sigmask, 0, _NSIG / 8);
	return cancellable && context.uc_mcontext.MC_PC == (unsigned long)__cp_cancel;
}

int __skerry_run_signals(void)
{
	struct frame frame;
	int cancelled = 0, cancellable = __skerry_cancellable;
	__skerry_signal_flag = 0;
	__skerry_cancellable = 0;
	while (__import_sigfetch(&frame) > 0) cancelled |= run_one(&frame, cancellable);
	__skerry_cancellable = cancellable;
	return cancelled;
}
