/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* pointers outside memory: EFAULT, and nothing done */
#include "raw.h"

static void *const nowhere = (void *)0xfffffff8u;

int main(void)
{
	uint8_t data[8];
	__wasi_iovec_t in = { data, sizeof data }, bad = { nowhere, 100 };
	__wasi_ciovec_t bad_out = { nowhere, 100 };
	__wasi_size_t size;
	__wasi_filestat_t stat;
	__wasi_fd_t fd = open_here("f", __WASI_OFLAGS_CREAT);

	IS(__wasi_args_get(nowhere, data), __WASI_ERRNO_FAULT);
	IS(__wasi_args_sizes_get(nowhere + 6, &size), __WASI_ERRNO_FAULT);
	IS(__wasi_clock_time_get(0, 0, nowhere + 4), __WASI_ERRNO_FAULT);
	IS(__wasi_random_get(nowhere, 100), __WASI_ERRNO_FAULT);
	IS(__wasi_fd_write(fd, &bad_out, 1, &size), __WASI_ERRNO_FAULT);
	IS(__wasi_fd_write(fd, nowhere, 2, &size), __WASI_ERRNO_FAULT);
	IS(__wasi_fd_read(fd, &bad, 1, &size), __WASI_ERRNO_FAULT);
	IS(__wasi_fd_read(fd, &in, 1, nowhere + 5), __WASI_ERRNO_FAULT);
	IS(__wasi_fd_filestat_get(fd, nowhere), __WASI_ERRNO_FAULT);
	IS(__wasi_fd_fdstat_get(fd, nowhere), __WASI_ERRNO_FAULT);
	IS(__wasi_fd_readdir(HERE, nowhere, 100, 0, &size), __WASI_ERRNO_FAULT);
	IS(__wasi_poll_oneoff(nowhere, nowhere, 1, &size), __WASI_ERRNO_FAULT);
	IS(__wasi_path_open(HERE, 0, "new", __WASI_OFLAGS_CREAT, 0, 0, 0, nowhere + 6), __WASI_ERRNO_FAULT);
	IS(__wasi_path_filestat_get(HERE, 0, "new", &stat), __WASI_ERRNO_NOENT);
	return verdict();
}
