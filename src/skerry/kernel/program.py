# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Programs: the file execve is given, found, checked and read.

Errors: as execve(2): EACCES for what is not an executable regular file, ENOENT, ELOOP, ENOTDIR.
"""
from __future__ import annotations

from types import GeneratorType
from typing import TYPE_CHECKING, cast

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, S_IFLNK, S_IFMT, S_IFREG
from skerry.kernel.namei import locate, name_of
from skerry.kernel.vfs import SEARCH, Inode, allowed, settle
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.task import Task

PROGRAM_MAX = 512 << 20  # no engine compiles more, and a hole of any size is cheap to make


class Program:
    """An executable regular file: its inode, resolved path and whole content."""

    __slots__ = ("data", "inode", "path")

    def __init__(self, inode: Inode, path: bytes, data: bytes) -> None:
        self.inode = inode  # .module caches the engine's handle; a write to the file clears it
        self.path = path
        self.data = data


def open_program(task: Task, dirfd: int, path: bytes, flags: int) -> Step[Program]:
    """Find, check (regular, executable) and read a program.

    Raises: SysError(ENOENT, EACCES, EISDIR -> EACCES, ELOOP, ...) as execve(2).
    """
    found = settle(_find, task, dirfd, path, flags)
    if isinstance(found, GeneratorType):
        found = yield from found
    inode, name = cast("tuple[Inode, bytes]", found)
    return Program(inode, name, (yield from _content(inode)))


def _find(task: Task, dirfd: int, path: bytes, flags: int) -> tuple[Inode, bytes]:
    """The inode and its resolved path."""
    root = task.process.fs.root
    if not path and flags & AT_EMPTY_PATH:
        file = task.process.fds.get(dirfd)
        if file.inode is None:
            raise SysError(Errno.EACCES)
        inode, (directory, name) = file.inode, file.place or (file.inode, b"")
    else:
        directory, name, there, slash = locate(task, dirfd, path, not flags & AT_SYMLINK_NOFOLLOW)
        if there is None:
            raise SysError(Errno.ENOENT)
        if slash and not there.is_dir:
            raise SysError(Errno.ENOTDIR)
        inode = there
    kind = inode.mode & S_IFMT
    if kind == S_IFLNK:
        raise SysError(Errno.ELOOP)
    if kind != S_IFREG or not allowed(inode, task.process.cred, SEARCH):
        raise SysError(Errno.EACCES)
    if inode.size > PROGRAM_MAX:
        raise SysError(Errno.ENOMEM)
    return inode, name_of(directory, name, inode, root)


def _content(inode: Inode) -> Step[bytes]:
    """Everything in the file."""
    data = settle(inode.whole)
    if isinstance(data, GeneratorType):
        data = yield from data
    return cast(bytes, data)
