/* SPDX-License-Identifier: Apache-2.0
   SPDX-FileCopyrightText: The Skerry authors */
/* the preopened directories: names, ends, closing */
#include "raw.h"

int main(void)
{
	__wasi_prestat_t prestat;
	__wasi_fdstat_t stat;
	uint8_t name[8] = "xxxxxxx";

	for (int fd = ROOT; fd <= HERE; fd++) {
		OK(__wasi_fd_prestat_get(fd, &prestat));
		IS(prestat.tag, __WASI_PREOPENTYPE_DIR);
		IS(prestat.u.dir.pr_name_len, 1);
		OK(__wasi_fd_prestat_dir_name(fd, name, 1));
		IS(name[0], fd == ROOT ? '/' : '.');
		IS(name[1], 'x');
		OK(__wasi_fd_fdstat_get(fd, &stat));
		IS(stat.fs_filetype, __WASI_FILETYPE_DIRECTORY);
		IS(stat.fs_rights_base & __WASI_RIGHTS_PATH_OPEN, __WASI_RIGHTS_PATH_OPEN);
		IS(stat.fs_rights_inheriting & __WASI_RIGHTS_FD_WRITE, __WASI_RIGHTS_FD_WRITE);
	}
	IS(__wasi_fd_prestat_get(HERE + 1, &prestat), __WASI_ERRNO_BADF);
	IS(__wasi_fd_prestat_get(0, &prestat), __WASI_ERRNO_BADF);
	IS(__wasi_fd_prestat_dir_name(ROOT, name, 0), __WASI_ERRNO_NAMETOOLONG);
	OK(__wasi_fd_close(ROOT));
	IS(__wasi_fd_close(ROOT), __WASI_ERRNO_BADF);
	IS(__wasi_fd_prestat_get(ROOT, &prestat), __WASI_ERRNO_BADF);
	OK(__wasi_fd_fdstat_get(HERE, &stat));
	return verdict();
}
