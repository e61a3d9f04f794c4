/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* paths that leave where they start */
#include "raw.h"

int main(void)
{
	__wasi_filestat_t stat;
	__wasi_fd_t dir, fd;

	OK(__wasi_path_create_directory(HERE, "dir"));
	__wasi_fd_close(open_here("file", __WASI_OFLAGS_CREAT));
	OK(__wasi_path_open(HERE, 0, "dir", __WASI_OFLAGS_DIRECTORY, __WASI_RIGHTS_FD_READ, 0, 0, &dir));
	IS(__wasi_path_filestat_get(dir, 0, "../file", &stat), __WASI_ERRNO_PERM);
	IS(__wasi_path_filestat_get(dir, 0, "/tmp", &stat), __WASI_ERRNO_PERM);
	IS(__wasi_path_filestat_get(ROOT, 0, "..", &stat), __WASI_ERRNO_PERM);
	IS(__wasi_path_filestat_get(dir, 0, "", &stat), __WASI_ERRNO_NOENT);
	OK(__wasi_path_filestat_get(HERE, 0, "dir/../file", &stat));
	OK(__wasi_path_filestat_get(HERE, 0, "..", &stat));
	OK(__wasi_path_filestat_get(ROOT, 0, "tmp", &stat));
	IS(__wasi_path_filestat_get(-100, 0, "tmp", &stat), __WASI_ERRNO_BADF);
	IS(__wasi_path_filestat_get(1, 0, "tmp", &stat), __WASI_ERRNO_NOTDIR);
	IS(__wasi_path_open(HERE, 0, "x", __WASI_OFLAGS_CREAT | __WASI_OFLAGS_DIRECTORY, 0, 0, 0, &fd),
	   __WASI_ERRNO_INVAL);
	return verdict();
}
