/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* rights: those of a kind of file, and giving some away */
#include "raw.h"

int main(void)
{
	__wasi_fdstat_t stat;
	__wasi_size_t size;
	__wasi_fd_t fd = open_here("f", __WASI_OFLAGS_CREAT), other;
	__wasi_ciovec_t vector = { (const uint8_t *)"x", 1 };

	OK(__wasi_fd_fdstat_get(fd, &stat));
	IS(stat.fs_filetype, __WASI_FILETYPE_REGULAR_FILE);
	IS(stat.fs_rights_inheriting, 0);
	OK(__wasi_fd_fdstat_set_rights(fd, stat.fs_rights_base & ~__WASI_RIGHTS_FD_WRITE, 0));
	IS(__wasi_fd_write(fd, &vector, 1, &size), __WASI_ERRNO_NOTCAPABLE);
	IS(__wasi_fd_fdstat_set_rights(fd, stat.fs_rights_base, 0), __WASI_ERRNO_NOTCAPABLE);
	OK(__wasi_path_open(HERE, 0, "f", 0, __WASI_RIGHTS_FD_READ, 0, 0, &other));
	IS(__wasi_fd_write(other, &vector, 1, &size), __WASI_ERRNO_BADF);
	OK(__wasi_fd_fdstat_get(other, &stat));
	IS(stat.fs_rights_base & __WASI_RIGHTS_FD_WRITE, 0);
	OK(__wasi_fd_fdstat_get(1, &stat));
	IS(stat.fs_rights_base & (__WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_TELL), 0); /* a pipe */
	return verdict();
}
