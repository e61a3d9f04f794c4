# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Clocks: which time a clock id stands for, and processor time of tasks and processes.

Standard: clock_gettime(2); negative ids are the processor clocks of a process or thread.
Units:    nanoseconds.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import time as abi
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.task import Task

if TYPE_CHECKING:
    from skerry.kernel.process import Process
    from skerry.kernel.usermem import UserMemory

REAL = frozenset(
    {abi.CLOCK_REALTIME, abi.CLOCK_REALTIME_COARSE, abi.CLOCK_REALTIME_ALARM, abi.CLOCK_TAI}
)
MONOTONIC = frozenset(
    {abi.CLOCK_MONOTONIC, abi.CLOCK_MONOTONIC_RAW, abi.CLOCK_MONOTONIC_COARSE, abi.CLOCK_BOOTTIME}
    | {abi.CLOCK_BOOTTIME_ALARM}
)


def clock_ns(task: Task, clock_id: int) -> int:
    """What clock `clock_id` shows.

    Raises: SysError(EINVAL) for no clock.
    """
    if clock_id in MONOTONIC:
        return task.kernel.clock.monotonic_ns()
    if clock_id in REAL:
        return task.kernel.clock.realtime_ns()
    return used_ns(cpu_owner(task, clock_id))


def cpu_owner(task: Task, clock_id: int) -> Process | Task:
    """Whose processor time `clock_id` counts.

    Raises: SysError(EINVAL) for no processor clock, or one of nobody alive.
    """
    if clock_id == abi.CLOCK_PROCESS_CPUTIME_ID:
        return task.process
    if clock_id == abi.CLOCK_THREAD_CPUTIME_ID:
        return task
    number = ~(clock_id >> 3)
    if clock_id >= 0 or clock_id & abi.CPUCLOCK_WHICH == abi.CPUCLOCK_WHICH:
        raise SysError(Errno.EINVAL)
    owner: Process | Task | None
    if clock_id & abi.CPUCLOCK_PERTHREAD:
        owner = task.process.threads.get(number) if number else task
    else:
        owner = task.kernel.processes.get(number) if number else task.process
    if owner is None:
        raise SysError(Errno.EINVAL)
    return owner


def used_ns(owner: Process | Task) -> int:
    """Processor time of a process, or of one thread."""
    return task_ns(owner) if isinstance(owner, Task) else process_ns(owner)


def task_ns(task: Task) -> int:
    """Processor time of one thread; a vfork child's counts as its parent's."""
    if task.vfork_parent is not None or task.dead or not task.thread:
        return 0
    return task.kernel.clock.task_ns(task.thread)


def process_ns(process: Process) -> int:
    """Processor time of a process: its threads', those that have ended too."""
    total = process.usage.user_ns
    for task in process.threads.values():
        total += task_ns(task)
    return total


def read_timespec(mem: UserMemory, address: int) -> int:
    """The nanoseconds of a struct timespec.

    Raises: SysError(EINVAL) for a negative time or a tv_nsec that is none.
    """
    seconds, nanoseconds = mem.unpack(abi.TIMESPEC, address)
    if seconds < 0 or not 0 <= nanoseconds < abi.SECOND:
        raise SysError(Errno.EINVAL)
    return min(seconds * abi.SECOND + nanoseconds, abi.FOREVER_NS)


def write_timespec(mem: UserMemory, address: int, ns: int) -> None:
    """Write a struct timespec."""
    mem.pack(abi.TIMESPEC, address, *divmod(ns, abi.SECOND))
