# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Limits of the system, each with its source.

Units: bytes for sizes, plain counts otherwise.
"""
from __future__ import annotations

from typing import Final

PAGE_SIZE: Final = 4096  # what getauxval(AT_PAGESZ) says; a wasm page is 65,536
PATH_MAX: Final = 4096  # linux/limits.h, the NUL included
NAME_MAX: Final = 255  # linux/limits.h
PIPE_BUF: Final = 4096  # linux/limits.h
PIPE_SIZE: Final = 65536  # fs/pipe.c, PIPE_DEF_BUFFERS * PAGE_SIZE
ARG_MAX: Final = 2 * 1024 * 1024  # a quarter of the default stack limit, execve(2)
OPEN_MAX: Final = 1024  # default soft RLIMIT_NOFILE
OPEN_HARD: Final = 4096  # hard RLIMIT_NOFILE
SYMLINK_MAX: Final = 40  # fs/namei.c, MAXSYMLINKS
IOV_MAX: Final = 1024  # linux/uio.h, UIO_MAXIOV
PROCESS_MAX: Final = 1000  # default RLIMIT_NPROC of a box; ours
SIGNALS_MAX: Final = 4096  # default RLIMIT_SIGPENDING; ours
PID_MAX: Final = 32768  # include/linux/threads.h
