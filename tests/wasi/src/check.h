/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* What the programs here say: one line per step, with the errno by name, so that two systems can
   be compared by their output. */
#ifndef CHECK_H
#define CHECK_H
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *errno_name(int number)
{
	static const struct { int number; const char *name; } names[] = {
		{ 0, "0" }, { EACCES, "EACCES" }, { EBADF, "EBADF" }, { EEXIST, "EEXIST" }, { EFAULT, "EFAULT" },
		{ EINVAL, "EINVAL" }, { EISDIR, "EISDIR" }, { ELOOP, "ELOOP" }, { ENAMETOOLONG, "ENAMETOOLONG" },
		{ ENOENT, "ENOENT" }, { ENOTDIR, "ENOTDIR" }, { ENOTEMPTY, "ENOTEMPTY" }, { ENOTSOCK, "ENOTSOCK" },
		{ EPERM, "EPERM" }, { EPIPE, "EPIPE" }, { EROFS, "EROFS" }, { ESPIPE, "ESPIPE" }, { EXDEV, "EXDEV" },
		{ ENOTTY, "ENOTTY" }, { EAGAIN, "EAGAIN" }, { EBUSY, "EBUSY" },
	};
	static char other[32];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].number == number)
			return names[i].name;
	snprintf(other, sizeof other, "errno %d", number);
	return other;
}

/* Do something and say how it went: its value when it succeeds, else the errno. */
#define SAY(expression) do { \
	errno = 0; \
	long long result_ = (long long)(expression); \
	printf("%s: %lld %s\n", #expression, result_, result_ < 0 ? errno_name(errno) : ""); \
} while (0)

/* The same where only success matters. */
#define TRY(expression) do { \
	errno = 0; \
	long long result_ = (long long)(expression); \
	printf("%s: %s\n", #expression, result_ < 0 ? errno_name(errno) : "ok"); \
} while (0)

#define HOLDS(condition) printf("%s: %s\n", #condition, (condition) ? "yes" : "no")

#endif
