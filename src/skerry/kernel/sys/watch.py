# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Watching files.

Standard: inotify(7).
"""
from __future__ import annotations

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import AT_FDCWD
from skerry.kernel.inotify import IN_MASK_ADD, IN_MASK_CREATE, Inotify
from skerry.kernel.namei import find, path_argument
from skerry.kernel.notify import IN_ALL_EVENTS
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task
from skerry.kernel.vfs import READ, require, settled

IN_ONLYDIR, IN_DONT_FOLLOW = 0x01000000, 0x02000000


@syscall(missing="changes on the host behind a mounted folder are not seen")
def inotify_init1(task: Task, flags: int) -> int:
    """Implements inotify_init1(2)."""
    if flags & ~(fcntl.O_CLOEXEC | fcntl.O_NONBLOCK):
        raise SysError(Errno.EINVAL)
    file = Inotify(task, flags & fcntl.O_NONBLOCK)
    return task.process.fds.add(file, bool(flags & fcntl.O_CLOEXEC))


def _inotify(task: Task, fd: int) -> Inotify:
    file = task.process.fds.get(fd)
    if not isinstance(file, Inotify):
        raise SysError(Errno.EINVAL)
    return file


@syscall()
@settled
def inotify_add_watch(task: Task, fd: int, path: int, mask: int) -> int:
    """Implements inotify_add_watch(2)."""
    mask &= 0xFFFFFFFF
    both = IN_MASK_ADD | IN_MASK_CREATE
    if not mask & IN_ALL_EVENTS or mask & both == both:
        raise SysError(Errno.EINVAL)
    file = _inotify(task, fd)
    inode = find(task, AT_FDCWD, path_argument(task, path), not mask & IN_DONT_FOLLOW)
    if mask & IN_ONLYDIR and not inode.is_dir:
        raise SysError(Errno.ENOTDIR)
    require(inode, task.process.cred, READ)
    return file.watch(inode, mask)


@syscall()
def inotify_rm_watch(task: Task, fd: int, number: int) -> int:
    """Implements inotify_rm_watch(2)."""
    _inotify(task, fd).unwatch(number)
    return 0
