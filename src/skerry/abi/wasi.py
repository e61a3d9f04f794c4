# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""WASI preview 1: functions, numbers, rights and layouts.

Standard: wasi_snapshot_preview1, WebAssembly/WASI phases/snapshot/witx and docs.md. Structures are
          little endian, aligned to their largest member.
Units:    times are nanoseconds, sizes bytes.
"""
from __future__ import annotations

from struct import Struct
from typing import Final

from skerry.abi.errno import Errno

MODULE: Final = "wasi_snapshot_preview1"

FUNCTIONS: Final[dict[str, str]] = {
    "args_get": "ii", "args_sizes_get": "ii", "environ_get": "ii", "environ_sizes_get": "ii",
    "clock_res_get": "ii", "clock_time_get": "iqi",
    "fd_advise": "iqqi", "fd_allocate": "iqq", "fd_close": "i", "fd_datasync": "i",
    "fd_fdstat_get": "ii", "fd_fdstat_set_flags": "ii", "fd_fdstat_set_rights": "iqq",
    "fd_filestat_get": "ii", "fd_filestat_set_size": "iq", "fd_filestat_set_times": "iqqi",
    "fd_pread": "iiiqi", "fd_prestat_get": "ii", "fd_prestat_dir_name": "iii", "fd_pwrite": "iiiqi",
    "fd_read": "iiii", "fd_readdir": "iiiqi", "fd_renumber": "ii", "fd_seek": "iqii", "fd_sync": "i",
    "fd_tell": "ii", "fd_write": "iiii",
    "path_create_directory": "iii", "path_filestat_get": "iiiii", "path_filestat_set_times": "iiiiqqi",
    "path_link": "iiiiiii", "path_open": "iiiiiqqii", "path_readlink": "iiiiii",
    "path_remove_directory": "iii", "path_rename": "iiiiii", "path_symlink": "iiiii",
    "path_unlink_file": "iii",
    "poll_oneoff": "iiii", "proc_exit": "i", "proc_raise": "i", "random_get": "ii", "sched_yield": "",
    "sock_accept": "iii", "sock_recv": "iiiiii", "sock_send": "iiiii", "sock_shutdown": "ii",
}  # fmt: skip
"""Each function's parameters: `i` an i32, `q` an i64."""

WITHOUT_RESULT: Final = frozenset({"proc_exit"})
"""All others return an i32: an error number."""

# --- layouts

PRESTAT: Final = Struct("<B3xI")  # tag, length of the name
FDSTAT: Final = Struct("<BxH4xQQ")  # filetype, flags, rights, inheriting rights
FILESTAT: Final = Struct("<QQB7xQQQQQ")  # dev, ino, filetype, nlink, size, atim, mtim, ctim
DIRENT: Final = Struct("<QQIB3x")  # cookie of the next, ino, length of the name, filetype
SUBSCRIPTION: Final = Struct("<QB7xI4xQQH6x")  # userdata, tag, clock or descriptor, timeout, precision, flags
EVENT: Final = Struct("<QHB5xQH6x")  # userdata, error, type, bytes ready, flags

# --- numbers

FILETYPES: Final = {0o01: 0, 0o02: 2, 0o04: 3, 0o06: 1, 0o10: 4, 0o12: 7, 0o14: 6}
"""By the type bits of a mode; a FIFO is unknown, a datagram socket is FILETYPE_SOCKET_DGRAM."""
FILETYPE_DIRECTORY: Final = 3
FILETYPE_SOCKET_DGRAM: Final = 5

PREOPENTYPE_DIR: Final = 0
PREOPENTYPE_NONE: Final = 1  # not in the standard: wasi-libc and Go pass over what is no directory

FDFLAG_APPEND: Final = 1
FDFLAG_DSYNC: Final = 2
FDFLAG_NONBLOCK: Final = 4
FDFLAG_RSYNC: Final = 8
FDFLAG_SYNC: Final = 16
FDFLAGS: Final = 31

OFLAG_CREAT: Final = 1
OFLAG_DIRECTORY: Final = 2
OFLAG_EXCL: Final = 4
OFLAG_TRUNC: Final = 8
OFLAGS: Final = 15

SYMLINK_FOLLOW: Final = 1  # of lookupflags

FST_ATIM: Final = 1
FST_ATIM_NOW: Final = 2
FST_MTIM: Final = 4
FST_MTIM_NOW: Final = 8
FSTFLAGS: Final = 15

CLOCK_REALTIME: Final = 0
CLOCK_MONOTONIC: Final = 1
CLOCK_ABSTIME: Final = 1  # of subclockflags

EVENT_CLOCK: Final = 0
EVENT_FD_READ: Final = 1
EVENT_FD_WRITE: Final = 2
EVENT_HANGUP: Final = 1

RECV_PEEK: Final = 1
RECV_WAITALL: Final = 2
RECV_TRUNCATED: Final = 1  # of roflags

SIGNALS: Final = (0, *range(1, 16), *range(17, 32))
"""Linux' number by WASI's, which has no SIGSTKFLT."""

# --- rights

FD_DATASYNC: Final = 1 << 0
FD_READ: Final = 1 << 1
FD_SEEK: Final = 1 << 2
FD_FDSTAT_SET_FLAGS: Final = 1 << 3
FD_SYNC: Final = 1 << 4
FD_TELL: Final = 1 << 5
FD_WRITE: Final = 1 << 6
FD_ADVISE: Final = 1 << 7
FD_ALLOCATE: Final = 1 << 8
PATH_CREATE_DIRECTORY: Final = 1 << 9
PATH_CREATE_FILE: Final = 1 << 10
PATH_LINK_SOURCE: Final = 1 << 11
PATH_LINK_TARGET: Final = 1 << 12
PATH_OPEN: Final = 1 << 13
FD_READDIR: Final = 1 << 14
PATH_READLINK: Final = 1 << 15
PATH_RENAME_SOURCE: Final = 1 << 16
PATH_RENAME_TARGET: Final = 1 << 17
PATH_FILESTAT_GET: Final = 1 << 18
PATH_FILESTAT_SET_SIZE: Final = 1 << 19
PATH_FILESTAT_SET_TIMES: Final = 1 << 20
FD_FILESTAT_GET: Final = 1 << 21
FD_FILESTAT_SET_SIZE: Final = 1 << 22
FD_FILESTAT_SET_TIMES: Final = 1 << 23
PATH_SYMLINK: Final = 1 << 24
PATH_REMOVE_DIRECTORY: Final = 1 << 25
PATH_UNLINK_FILE: Final = 1 << 26
POLL_FD_READWRITE: Final = 1 << 27
SOCK_SHUTDOWN: Final = 1 << 28
SOCK_ACCEPT: Final = 1 << 29

READING: Final = FD_READ | FD_READDIR
WRITING: Final = FD_WRITE | FD_DATASYNC | FD_ALLOCATE | FD_FILESTAT_SET_SIZE
POSITION: Final = FD_SEEK | FD_TELL
STREAM: Final = FD_READ | FD_WRITE | FD_FDSTAT_SET_FLAGS | FD_FILESTAT_GET | POLL_FD_READWRITE
SOCKET: Final = STREAM | SOCK_SHUTDOWN | SOCK_ACCEPT
REGULAR: Final = (
    STREAM | WRITING | POSITION | FD_SYNC | FD_ADVISE | FD_FILESTAT_SET_TIMES
)  # fmt: skip
DIRECTORY: Final = (
    FD_FDSTAT_SET_FLAGS | FD_SYNC | FD_READDIR | FD_FILESTAT_GET | FD_FILESTAT_SET_TIMES
    | PATH_CREATE_DIRECTORY | PATH_CREATE_FILE | PATH_LINK_SOURCE | PATH_LINK_TARGET | PATH_OPEN
    | PATH_READLINK | PATH_RENAME_SOURCE | PATH_RENAME_TARGET | PATH_FILESTAT_GET | PATH_FILESTAT_SET_SIZE
    | PATH_FILESTAT_SET_TIMES | PATH_SYMLINK | PATH_REMOVE_DIRECTORY | PATH_UNLINK_FILE
)  # fmt: skip
INHERITING: Final = DIRECTORY | REGULAR

# --- errors

ENOTCAPABLE: Final = 4000
"""What the kernel raises for a right that was given away: no number of Linux, but still an errno."""

_ORDER = (
    Errno.E2BIG, Errno.EACCES, Errno.EADDRINUSE, Errno.EADDRNOTAVAIL, Errno.EAFNOSUPPORT, Errno.EAGAIN,
    Errno.EALREADY, Errno.EBADF, Errno.EBADMSG, Errno.EBUSY, Errno.ECANCELED, Errno.ECHILD,
    Errno.ECONNABORTED, Errno.ECONNREFUSED, Errno.ECONNRESET, Errno.EDEADLK, Errno.EDESTADDRREQ, Errno.EDOM,
    Errno.EDQUOT, Errno.EEXIST, Errno.EFAULT, Errno.EFBIG, Errno.EHOSTUNREACH, Errno.EIDRM, Errno.EILSEQ,
    Errno.EINPROGRESS, Errno.EINTR, Errno.EINVAL, Errno.EIO, Errno.EISCONN, Errno.EISDIR, Errno.ELOOP,
    Errno.EMFILE, Errno.EMLINK, Errno.EMSGSIZE, Errno.EMULTIHOP, Errno.ENAMETOOLONG, Errno.ENETDOWN,
    Errno.ENETRESET, Errno.ENETUNREACH, Errno.ENFILE, Errno.ENOBUFS, Errno.ENODEV, Errno.ENOENT,
    Errno.ENOEXEC, Errno.ENOLCK, Errno.ENOLINK, Errno.ENOMEM, Errno.ENOMSG, Errno.ENOPROTOOPT, Errno.ENOSPC,
    Errno.ENOSYS, Errno.ENOTCONN, Errno.ENOTDIR, Errno.ENOTEMPTY, Errno.ENOTRECOVERABLE, Errno.ENOTSOCK,
    Errno.EOPNOTSUPP, Errno.ENOTTY, Errno.ENXIO, Errno.EOVERFLOW, Errno.EOWNERDEAD, Errno.EPERM,
    Errno.EPIPE, Errno.EPROTO, Errno.EPROTONOSUPPORT, Errno.EPROTOTYPE, Errno.ERANGE, Errno.EROFS,
    Errno.ESPIPE, Errno.ESRCH, Errno.ESTALE, Errno.ETIMEDOUT, Errno.ETXTBSY, Errno.EXDEV,
)  # fmt: skip

ERRORS: Final[dict[int, int]] = {int(errno): number for number, errno in enumerate(_ORDER, 1)}
"""WASI's error number by Linux' (and ENOTCAPABLE's)."""
ERRORS[ENOTCAPABLE] = NOTCAPABLE = 76
ERRORS[int(Errno.ESOCKTNOSUPPORT)] = ERRORS[int(Errno.EPROTONOSUPPORT)]
ERRORS[512] = ERRORS[int(Errno.EINTR)]  # ERESTARTSYS: nobody here could begin the call again

SUCCESS: Final = 0
BADF: Final = 8
INVAL: Final = 28
IO: Final = 29
NOTSUP: Final = 58


def error_of(errno: int) -> int:
    """WASI's error number for one of Linux; IO for those it does not know."""
    return ERRORS.get(errno, IO)
