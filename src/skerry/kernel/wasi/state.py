# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What a WASI process has besides a Linux one: preopened directories and rights.

Descriptors are the process' own, by the same numbers. Two directories are opened for it at its
first call, on the lowest free numbers from 3 on:

* `/`, the root. Go finds every path through it, absolute ones and, by PWD, relative ones.
* `.`, the working directory. wasi-libc (C, C++, Rust) drops the leading slash of a path and takes
  the last directory whose name fits, which is this one, for absolute and relative paths alike:
  see `path.py` for what is done about it.

Rights are those that the kind of file and its access mode give. They are only kept here for
descriptors that a program has limited by fd_fdstat_set_rights, and for what is opened below those.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import fcntl
from skerry.abi import wasi as w
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.file import File
from skerry.kernel.regular import DirectoryFile, PathFile
from skerry.kernel.socket import Socket
from skerry.kernel.tty import TtyFile
from skerry.kernel.vfs import READ, Inode, allowed

if TYPE_CHECKING:
    from skerry.kernel.task import Task

ROOT, HERE = b"/", b"."
FIRST_PREOPEN = 3


class Wasi:
    """The state of one process."""

    __slots__ = ("limits", "passed", "preopens")

    def __init__(self, task: Task) -> None:
        self.preopens: dict[int, bytes] = {}  # names by descriptor
        self.limits: dict[int, tuple[int, int]] = {}  # rights and inheriting rights
        fs, fds = task.process.fs, task.process.fds
        for name, inode in ((ROOT, fs.root), (HERE, fs.cwd)):
            try:
                fd = fds.lowest(FIRST_PREOPEN)
            except SysError:  # no number is left
                break
            fds.put(fd, _directory(task, inode), cloexec=True)
            self.preopens[fd] = name
        last = max(self.preopens, default=0)
        # Inherited descriptors among them: a program looks for directories until the first EBADF.
        self.passed = {fd for fd in fds.files if FIRST_PREOPEN <= fd < last and fd not in self.preopens}

    def require(self, fd: int, right: int) -> None:
        """Raise ENOTCAPABLE unless all of `right` is left to a descriptor."""
        limit = self.limits.get(fd)
        if limit is not None and right & ~limit[0]:
            raise SysError(w.ENOTCAPABLE)

    def forget(self, fd: int) -> None:
        """A descriptor was closed."""
        self.preopens.pop(fd, None)
        self.limits.pop(fd, None)
        self.passed.discard(fd)


def _directory(task: Task, inode: Inode) -> File:
    """An open directory; one that may not be read is only a place to start from."""
    if allowed(inode, task.process.cred, READ):
        file: File = DirectoryFile(inode, fcntl.O_RDONLY | fcntl.O_DIRECTORY)
    else:
        file = PathFile(inode, fcntl.O_PATH | fcntl.O_DIRECTORY)
    file.place = (inode.parent or inode, inode.name)
    return file


def state_of(task: Task) -> Wasi:
    """The state of the caller's process, made at its first call."""
    process = task.process
    if process.wasi is None:
        process.wasi = Wasi(task)
    return process.wasi


def file_of(task: Task, fd: int, right: int) -> File:
    """The file behind a descriptor, which must have `right`.

    Raises: SysError(EBADF, ENOTCAPABLE).
    """
    wasi = task.process.wasi or state_of(task)
    file = task.process.fds.get(fd)
    if wasi.limits:
        wasi.require(fd, right)
    return file


def rights_of(task: Task, fd: int, file: File, mode: int) -> tuple[int, int]:
    """Rights and inheriting rights; `mode` has the file's type."""
    kind = mode & fcntl.S_IFMT
    inheriting = 0
    if kind == fcntl.S_IFDIR:
        rights, inheriting = w.DIRECTORY, w.INHERITING
    elif kind in (fcntl.S_IFREG, fcntl.S_IFBLK):
        rights = w.REGULAR
    elif kind == fcntl.S_IFSOCK:
        rights = w.SOCKET
    elif kind == fcntl.S_IFCHR and not isinstance(file, TtyFile):
        rights = w.STREAM | w.POSITION  # isatty(3) of wasi-libc: a character device without these
    else:
        rights = w.STREAM
    access = file.flags & fcntl.O_ACCMODE
    if access == fcntl.O_RDONLY:
        rights &= ~w.WRITING
    elif access == fcntl.O_WRONLY:
        rights &= ~w.READING
    limit = state_of(task).limits.get(fd)
    return (rights & limit[0], inheriting & limit[1]) if limit is not None else (rights, inheriting)


def filetype(file: File | None, mode: int) -> int:
    """WASI's file type."""
    if isinstance(file, Socket) and file.type != 1:
        return w.FILETYPE_SOCKET_DGRAM
    return w.FILETYPES.get(mode >> 12 & 15, 0)


def directory_fd(task: Task, fd: int, right: int) -> Inode:
    """The directory behind a descriptor. Raises: SysError(EBADF, ENOTDIR, ENOTCAPABLE)."""
    inode = file_of(task, fd, right).inode
    if inode is None or not inode.is_dir:
        raise SysError(Errno.ENOTDIR)
    return inode
