# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""open(2): from a path and flags to an open file.

Standard: POSIX.1-2024 open(); open(2) for O_PATH, O_TMPFILE and the order of errors.
Blocking: files of the host, FIFOs and terminals may answer with a Step; `Cold` may be raised
          before anything has changed.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import (
    O_ACCMODE,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOFOLLOW,
    O_PATH,
    O_TRUNC,
    S_IFDIR,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
)
from skerry.kernel.dirent import may_create, newborn
from skerry.kernel.file import File
from skerry.kernel.namei import find, locate
from skerry.kernel.notify import IN_CREATE, IN_OPEN, notify, notify_name
from skerry.kernel.regular import PathFile
from skerry.kernel.vfs import READ, SEARCH, WRITE, Inode, owns, require
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.task import Task

TMPFILE_BIT = fcntl.O_TMPFILE & ~O_DIRECTORY
WITH_PATH = O_PATH | O_DIRECTORY | O_NOFOLLOW | fcntl.O_CLOEXEC
WANT = (READ, WRITE, READ | WRITE, READ | WRITE)  # by access mode
ONLY_OPENING = O_CREAT | O_EXCL | O_TRUNC | fcntl.O_NOCTTY  # not kept among the flags of the file
PERMISSIONS = 0o7777


def open_at(task: Task, dirfd: int, path: bytes, flags: int, mode: int) -> File | Step[File]:
    """A new open file. May raise Cold."""
    flags = _check_flags(flags)
    if flags & TMPFILE_BIT:
        return _open_nameless(task, dirfd, path, flags, mode)
    follow = not flags & O_NOFOLLOW and flags & (O_CREAT | O_EXCL) != O_CREAT | O_EXCL
    directory, name, inode, slash = locate(task, dirfd, path, follow, file_wanted=bool(flags & O_CREAT))
    if flags & O_CREAT:
        if inode is None:
            return _create(task, directory, name, flags, mode)
        if flags & O_EXCL:
            raise SysError(Errno.EEXIST)
        if inode.mode & S_IFMT == S_IFDIR:
            raise SysError(Errno.EISDIR)
    if inode is None:
        raise SysError(Errno.ENOENT)
    if (slash or flags & O_DIRECTORY) and inode.mode & S_IFMT != S_IFDIR:
        raise SysError(Errno.ENOTDIR)
    if flags & O_PATH:
        return _placed(PathFile(inode, flags), directory, name, inode)
    _check_access(task, inode, flags)
    return _finish(task, directory, name, inode, flags)


def _check_flags(flags: int) -> int:
    """Raise EINVAL for what openat(2) refuses; drop what O_PATH ignores."""
    if flags & O_PATH:
        return flags & WITH_PATH
    if flags & TMPFILE_BIT and (not flags & O_DIRECTORY or flags & O_ACCMODE == 0):
        raise SysError(Errno.EINVAL)
    if flags & (O_CREAT | O_DIRECTORY) == O_CREAT | O_DIRECTORY:
        raise SysError(Errno.EINVAL)
    return flags


def _check_access(task: Task, inode: Inode, flags: int) -> None:
    """Raise unless the file may be opened so."""
    kind = inode.mode & S_IFMT
    if kind == S_IFLNK:
        raise SysError(Errno.ELOOP)
    want = WANT[flags & O_ACCMODE] | (WRITE if flags & O_TRUNC else 0)
    if kind == S_IFDIR and want & WRITE:
        raise SysError(Errno.EISDIR)
    cred = task.process.cred
    require(inode, cred, want)
    if flags & fcntl.O_NOATIME and not owns(inode, cred):
        raise SysError(Errno.EPERM)
    if kind == S_IFREG and want & WRITE:
        inode.prepare_write(bool(flags & O_TRUNC))


def _finish(task: Task, directory: Inode, name: bytes, inode: Inode, flags: int) -> File | Step[File]:
    opened = inode.open(task, flags)
    if isinstance(opened, File):
        return _placed(opened, directory, name, inode)
    return _placed_later(opened, directory, name, inode)


def _placed(file: File, directory: Inode, name: bytes, inode: Inode) -> File:
    """Note where a file was found: /proc/self/fd, locks and inotify want to know."""
    file.flags &= ~ONLY_OPENING
    if file.place is None and inode.named:  # a file that is shared keeps its own
        file.place = (directory, name)
        if file.inode is None:
            file.inode = inode
        if inode.fs.watched:
            notify(inode, file.place, IN_OPEN)
    return file


def _placed_later(step: Step[File], directory: Inode, name: bytes, inode: Inode) -> Step[File]:
    file = yield from step
    return _placed(file, directory, name, inode)


def _create(task: Task, directory: Inode, name: bytes, flags: int, mode: int) -> File | Step[File]:
    may_create(directory, task.process.cred)
    made = directory.make(name, newborn(task, directory, S_IFREG | mode & PERMISSIONS))
    if not isinstance(made, Inode):
        return _create_later(task, directory, name, made, flags)
    if directory.fs.watched:
        notify_name(directory, name, made, IN_CREATE)
    return _finish(task, directory, name, made, flags & ~O_TRUNC)


def _create_later(task: Task, directory: Inode, name: bytes, step: Step[Inode], flags: int) -> Step[File]:
    inode = yield from step
    result = _finish(task, directory, name, inode, flags & ~O_TRUNC)
    return result if isinstance(result, File) else (yield from result)


def _open_nameless(task: Task, dirfd: int, path: bytes, flags: int, mode: int) -> File | Step[File]:
    """O_TMPFILE: a file in the file system of a directory, without a name in it."""
    directory = find(task, dirfd, path, not flags & O_NOFOLLOW)
    if not directory.is_dir:
        raise SysError(Errno.ENOTDIR)
    require(directory, task.process.cred, WRITE | SEARCH)
    new = newborn(task, directory, S_IFREG | mode & PERMISSIONS)
    inode = directory.make_nameless(new, linkable=not flags & O_EXCL)
    return _finish(task, directory, b"#%d" % inode.ino, inode, flags)
