# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Descriptors that carry events: pipes, eventfd, timerfd, signalfd.

Standard: POSIX.1-2024 pipe2(); eventfd(2), timerfd_create(2), signalfd(2).
"""
from __future__ import annotations

from skerry.abi import time
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import O_CLOEXEC, O_NONBLOCK
from skerry.kernel.clocks import read_timespec, write_timespec
from skerry.kernel.eventfd import EventFd
from skerry.kernel.fdtable import FdTable
from skerry.kernel.file import File
from skerry.kernel.pipe import make_pipe
from skerry.kernel.signalfd import SignalFd
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task
from skerry.kernel.timerfd import TimerFd

EFD_SEMAPHORE = 1
TFD_TIMER_ABSTIME = 1
TFD_TIMER_CANCEL_ON_SET = 2
TIMERFD_CLOCKS = frozenset(
    {time.CLOCK_REALTIME, time.CLOCK_MONOTONIC, time.CLOCK_BOOTTIME}
    | {time.CLOCK_REALTIME_ALARM, time.CLOCK_BOOTTIME_ALARM}
)


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


# --- timerfd


@syscall()
def timerfd_create(task: Task, clock_id: int, flags: int) -> int:
    """Implements timerfd_create(2)."""
    if flags & ~(O_CLOEXEC | O_NONBLOCK) or clock_id not in TIMERFD_CLOCKS:
        raise SysError(Errno.EINVAL)
    return task.process.fds.add(TimerFd(task, clock_id, flags & O_NONBLOCK), bool(flags & O_CLOEXEC))


@syscall("timerfd_settime64", missing="TFD_TIMER_CANCEL_ON_SET has no effect: the clock is never set")
def timerfd_settime(task: Task, fd: int, flags: int, new: int, old: int) -> int:
    """Implements timerfd_settime(2)."""
    interval = read_timespec(task.mem, new)
    value = read_timespec(task.mem, new + time.TIMESPEC.size)
    timer = _timer(task, fd)
    if flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET):
        raise SysError(Errno.EINVAL)
    before = timer.left()
    start = 0 if flags & TFD_TIMER_ABSTIME else timer.now_ns()
    timer.arm(start + value if value else None, interval)
    if old:
        _write_timer(task, old, before)
    return 0


@syscall("timerfd_gettime64")
def timerfd_gettime(task: Task, fd: int, address: int) -> int:
    """Implements timerfd_gettime(2)."""
    _write_timer(task, address, _timer(task, fd).left())
    return 0


def _timer(task: Task, fd: int) -> TimerFd:
    file = task.process.fds.get(fd)
    if not isinstance(file, TimerFd):
        raise SysError(Errno.EINVAL)
    return file


def _write_timer(task: Task, address: int, times: tuple[int, int]) -> None:
    interval, left = times
    write_timespec(task.mem, address, interval)
    write_timespec(task.mem, address + time.TIMESPEC.size, left)


# --- signalfd


@syscall()
def signalfd4(task: Task, fd: int, address: int, size: int, flags: int) -> int:
    """Implements signalfd(2)."""
    if flags & ~(O_CLOEXEC | O_NONBLOCK) or size != 8:
        raise SysError(Errno.EINVAL)
    signals = task.mem.u64(address)
    if fd == -1:
        file = SignalFd(task, signals, flags & O_NONBLOCK)
        return task.process.fds.add(file, bool(flags & O_CLOEXEC))
    known = task.process.fds.get(fd)
    if not isinstance(known, SignalFd):
        raise SysError(Errno.EINVAL)
    known.change(signals)
    return fd
