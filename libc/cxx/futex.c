/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Skerry authors */
/* What libc++ calls instead of syscall(2), which would import every call there is (its atomic.cpp is
 * compiled with that name replaced). */

#include <stdarg.h>

long __skerry_sys_futex_time64(long, long, long, long, long, long);

long __skerry_futex_call(long number, ...)
{
	va_list words;
	va_start(words, number);
	long address = va_arg(words, long), operation = va_arg(words, long), value = va_arg(words, long);
	long timeout = va_arg(words, long);
	va_end(words);
	return __skerry_sys_futex_time64(address, operation, value, timeout, 0, 0);
}
