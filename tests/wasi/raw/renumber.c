/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* fd_renumber, fd_tell, fd_advise */
#include "raw.h"

int main(void)
{
	__wasi_fd_t a = open_here("a", __WASI_OFLAGS_CREAT), b = open_here("b", __WASI_OFLAGS_CREAT);
	__wasi_ciovec_t vector = { (const uint8_t *)"hello", 5 };
	__wasi_size_t size;
	__wasi_filesize_t position;

	OK(__wasi_fd_write(a, &vector, 1, &size));
	OK(__wasi_fd_renumber(a, b));
	OK(__wasi_fd_tell(b, &position));
	IS(position, 5);
	IS(__wasi_fd_tell(a, &position), __WASI_ERRNO_BADF);
	IS(__wasi_fd_renumber(b, a), __WASI_ERRNO_BADF);
	OK(__wasi_fd_renumber(b, b));
	OK(__wasi_fd_advise(b, 0, 10, __WASI_ADVICE_RANDOM));
	IS(__wasi_fd_seek(ROOT, 0, __WASI_WHENCE_SET, &position), __WASI_ERRNO_BADF);
	return verdict();
}
