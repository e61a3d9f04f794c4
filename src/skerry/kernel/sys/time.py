# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Time: reading clocks, sleeping, interval timers, POSIX timers, usage.

Standard: POSIX.1-2024 clock_gettime(), clock_nanosleep(), setitimer(), timer_create(),
          timer_settime(), getrusage(), times(); the *_time64 calls of 32-bit Linux.
Blocking: the sleeps. A handler always ends one with EINTR: begun again, it would sleep too long.
"""
from __future__ import annotations

from skerry.abi import resource
from skerry.abi import time as abi
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.signal import NSIG
from skerry.kernel import clocks
from skerry.kernel.itimer import ClockTimer, PosixTimer
from skerry.kernel.process import Usage
from skerry.kernel.sys.process import put_rusage
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task
from skerry.kernel.wait import Interrupted, Step, Wait

_SLEEPABLE = (abi.CLOCK_REALTIME, abi.CLOCK_MONOTONIC, abi.CLOCK_BOOTTIME, abi.CLOCK_TAI)
_ALARMS = (abi.CLOCK_REALTIME_ALARM, abi.CLOCK_BOOTTIME_ALARM)
_COARSE = (abi.CLOCK_REALTIME_COARSE, abi.CLOCK_MONOTONIC_COARSE)


# --- clocks


@syscall("clock_gettime64")
def clock_gettime(task: Task, clock_id: int, address: int) -> int:
    """Implements clock_gettime(2)."""
    task.mem.pack(abi.TIMESPEC, address, *divmod(clocks.clock_ns(task, clock_id), abi.SECOND))
    return 0


@syscall("clock_getres_time64")
def clock_getres(task: Task, clock_id: int, address: int) -> int:
    """Implements clock_getres(2)."""
    clocks.clock_ns(task, clock_id)
    if address:
        clocks.write_timespec(task.mem, address, abi.COARSE_NS if clock_id in _COARSE else 1)
    return 0


@syscall("clock_settime64", missing="the clock belongs to the host: EPERM")
def clock_settime(task: Task, clock_id: int, address: int) -> int:
    """Implements clock_settime(2)."""
    if clock_id != abi.CLOCK_REALTIME:
        raise SysError(Errno.EINVAL)
    clocks.read_timespec(task.mem, address)
    raise SysError(Errno.EPERM)


# --- sleeping


@syscall("clock_nanosleep_time64", missing="no sleep on processor clocks")
def clock_nanosleep(task: Task, clock_id: int, flags: int, request: int, remain: int) -> int | Step[int]:
    """Implements clock_nanosleep(2)."""
    if clock_id not in _SLEEPABLE:
        if clock_id in _ALARMS:
            raise SysError(Errno.EPERM)  # CAP_WAKE_ALARM
        clocks.clock_ns(task, clock_id)
        raise SysError(Errno.EINVAL if clock_id == abi.CLOCK_THREAD_CPUTIME_ID else Errno.EOPNOTSUPP)
    ns = clocks.read_timespec(task.mem, request)
    now_ns = task.kernel.clock.monotonic_ns()
    if flags & abi.TIMER_ABSTIME:
        ns -= clocks.clock_ns(task, clock_id)
        remain = 0
    return _sleep(task, now_ns + ns, remain) if ns > 0 else 0


@syscall(missing="struct timespec has 64-bit seconds here")
def nanosleep(task: Task, request: int, remain: int) -> int | Step[int]:
    """Implements nanosleep(2)."""
    ns = clocks.read_timespec(task.mem, request)
    return _sleep(task, task.kernel.clock.monotonic_ns() + ns, remain) if ns else 0


def _sleep(task: Task, deadline_ns: int, remain: int) -> Step[int]:
    clock = task.kernel.clock
    try:
        while clock.monotonic_ns() < deadline_ns:
            yield Wait((), deadline_ns)
    except Interrupted:
        if remain:
            clocks.write_timespec(task.mem, remain, max(deadline_ns - clock.monotonic_ns(), 0))
        raise
    return 0


# --- interval timers


@syscall()
def getitimer(task: Task, which: int, address: int) -> int:
    """Implements getitimer(2)."""
    _put_itimerval(task, address, task.kernel.itimers.itimer(task.process, which))
    return 0


@syscall()
def setitimer(task: Task, which: int, new: int, old: int) -> int:
    """Implements setitimer(2); alarm(3) comes here too."""
    timer = task.kernel.itimers.itimer(task.process, which)
    interval, value = _read_itimerval(task, new) if new else (0, 0)
    if old:
        _put_itimerval(task, old, timer)
    if value:
        timer.arm(timer.now_ns() + value, interval)
    else:
        timer.disarm()
    return 0


def _read_itimerval(task: Task, address: int) -> tuple[int, int]:
    seconds, micros, value_seconds, value_micros = task.mem.unpack(abi.ITIMERVAL, address)
    if min(seconds, value_seconds) < 0 or not (0 <= micros < 10**6 and 0 <= value_micros < 10**6):
        raise SysError(Errno.EINVAL)
    return seconds * abi.SECOND + micros * 1000, value_seconds * abi.SECOND + value_micros * 1000


def _put_itimerval(task: Task, address: int, timer: ClockTimer) -> None:
    interval = timer.interval_ns if timer.expiry_ns is not None else 0
    left = -(-timer.left_ns() // 1000)  # rounded up: an armed timer never shows 0
    task.mem.pack(abi.ITIMERVAL, address, *divmod(interval // 1000, 10**6), *divmod(left, 10**6))


# --- POSIX timers


@syscall()
def timer_create(task: Task, clock_id: int, event: int, address: int) -> int:
    """Implements timer_create(2)."""
    task.mem.check(address, 4)
    value, signo, notify, tid = task.mem.unpack(abi.SIGEVENT, event) if event else (None, 14, 0, 0)
    if notify not in (abi.SIGEV_SIGNAL, abi.SIGEV_NONE, abi.SIGEV_THREAD_ID):
        raise SysError(Errno.EINVAL)
    if notify != abi.SIGEV_NONE and not 1 <= signo <= NSIG:
        raise SysError(Errno.EINVAL)
    target = task.process.threads.get(tid) if notify == abi.SIGEV_THREAD_ID else None
    if notify == abi.SIGEV_THREAD_ID and target is None:
        raise SysError(Errno.EINVAL)
    timer = task.kernel.itimers.create(task, clock_id)
    timer.signo = 0 if notify == abi.SIGEV_NONE else signo
    timer.value = timer.number if value is None else value
    timer.target = target
    task.mem.put_u32(address, timer.number)
    return 0


@syscall("timer_settime64")
def timer_settime(task: Task, number: int, flags: int, new: int, old: int) -> int:
    """Implements timer_settime(2)."""
    timer = task.kernel.itimers.timer(task.process, number)
    interval = clocks.read_timespec(task.mem, new)
    value = clocks.read_timespec(task.mem, new + abi.TIMESPEC.size)
    if old:
        _put_itimerspec(task, old, timer)
    if value:
        timer.arm(value if flags & abi.TIMER_ABSTIME else timer.now_ns() + value, interval)
    else:
        timer.disarm()
    return 0


@syscall("timer_gettime64")
def timer_gettime(task: Task, number: int, address: int) -> int:
    """Implements timer_gettime(2)."""
    _put_itimerspec(task, address, task.kernel.itimers.timer(task.process, number))
    return 0


def _put_itimerspec(task: Task, address: int, timer: PosixTimer) -> None:
    interval = timer.interval_ns if timer.expiry_ns is not None else 0
    task.mem.pack(
        abi.ITIMERSPEC, address, *divmod(interval, abi.SECOND), *divmod(timer.left_ns(), abi.SECOND)
    )


@syscall()
def timer_getoverrun(task: Task, number: int) -> int:
    """Implements timer_getoverrun(2)."""
    return task.kernel.itimers.timer(task.process, number).overrun()


@syscall()
def timer_delete(task: Task, number: int) -> int:
    """Implements timer_delete(2)."""
    task.kernel.itimers.delete(task.process, number)
    return 0


# --- usage


@syscall()
def times(task: Task, address: int) -> int:
    """Implements times(2)."""
    process = task.process
    if address:
        used = (
            clocks.process_ns(process), process.usage.system_ns,
            process.children_usage.user_ns, process.children_usage.system_ns,
        )  # fmt: skip
        task.mem.pack(abi.TMS, address, *[ns // abi.CLOCK_TICK_NS & 0x7FFFFFFF for ns in used])
    return task.kernel.clock.monotonic_ns() // abi.CLOCK_TICK_NS & 0x7FFFFFFF


@syscall(missing="user time only: no system time, faults, sizes or counters")
def getrusage(task: Task, who: int, address: int) -> int:
    """Implements getrusage(2)."""
    process = task.process
    if who == resource.RUSAGE_SELF:
        usage = Usage(clocks.process_ns(process), process.usage.system_ns)
    elif who == resource.RUSAGE_CHILDREN:
        usage = process.children_usage
    elif who == resource.RUSAGE_THREAD:
        usage = Usage(clocks.task_ns(task))
    else:
        raise SysError(Errno.EINVAL)
    put_rusage(task, address, usage.user_ns, usage.system_ns)
    return 0
