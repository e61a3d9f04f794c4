/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* For programs that make WASI calls themselves: each says what is not as it must be, or "ok". */
#ifndef RAW_H
#define RAW_H
#include <stdio.h>
#include <string.h>
#include <wasi/api.h>

static int failures;

#define IS(expression, wanted) do { \
	long long got_ = (long long)(expression), wanted_ = (long long)(wanted); \
	if (got_ != wanted_) { \
		printf("line %d: %s is %lld, not %lld\n", __LINE__, #expression, got_, wanted_); \
		failures++; \
	} \
} while (0)

#define OK(expression) IS(expression, 0)

static int verdict(void)
{
	if (!failures)
		printf("ok\n");
	return failures != 0;
}

#define ROOT 3 /* the preopened directories */
#define HERE 4

static __wasi_fd_t open_here(const char *name, int oflags)
{
	__wasi_fd_t fd = -1;
	OK(__wasi_path_open(HERE, 1, name, oflags, __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE, 0, 0, &fd));
	return fd;
}
#endif
