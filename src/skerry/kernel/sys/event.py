# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Descriptors that carry events: pipes, eventfd, timerfd, signalfd.

Standard: POSIX.1-2024 pipe2(); eventfd(2), timerfd_create(2), signalfd(2).
"""
from __future__ import annotations

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import O_CLOEXEC, O_NONBLOCK
from skerry.kernel.eventfd import EventFd
from skerry.kernel.fdtable import FdTable
from skerry.kernel.file import File
from skerry.kernel.pipe import make_pipe
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task

EFD_SEMAPHORE = 1


def open_pair(fds: FdTable, first: File, second: File, cloexec: bool) -> tuple[int, int]:
    """Two descriptors or none.

    Raises: SysError(EMFILE).
    """
    one = fds.add(first, cloexec)
    try:
        return one, fds.add(second, cloexec)
    except SysError:
        fds.close(one)
        second.acquire().release()
        raise


@syscall(missing="O_DIRECT (packet mode) is refused with EINVAL")
def pipe2(task: Task, address: int, flags: int) -> int:
    """Implements pipe(2)."""
    if flags & ~(O_CLOEXEC | O_NONBLOCK):
        raise SysError(Errno.EINVAL)
    task.mem.check(address, 8)
    fds = task.process.fds
    reader, writer = make_pipe(task, flags & O_NONBLOCK)
    one, two = open_pair(fds, reader, writer, bool(flags & O_CLOEXEC))
    task.mem.put_u32(address, one)
    task.mem.put_u32(address + 4, two)
    return 0


@syscall()
def eventfd2(task: Task, count: int, flags: int) -> int:
    """Implements eventfd(2)."""
    if flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK):
        raise SysError(Errno.EINVAL)
    file = EventFd(task, count & 0xFFFFFFFF, bool(flags & EFD_SEMAPHORE), flags & O_NONBLOCK)
    return task.process.fds.add(file, bool(flags & O_CLOEXEC))
