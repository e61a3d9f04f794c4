/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* The thread pointer is a thread-local variable; musl keeps the thread structure below it. */

extern hidden _Thread_local uintptr_t __skerry_tp;

static inline uintptr_t __get_tp(void)
{
	return __skerry_tp;
}

#define MC_PC __pc
