# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Futexes: decoding of futex(2) and the robust list calls.

Standard: futex(2); timeouts are struct timespec with 64-bit seconds.
"""
from __future__ import annotations

from skerry.abi import futex as abi
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.clocks import read_timespec
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task
from skerry.kernel.wait import Step


@syscall(
    "futex_time64",
    restart=True,
    missing="no PI futexes and no WAKE_OP: the kernel cannot change a word atomically",
)
def futex(
    task: Task, address: int, operation: int, value: int, timeout: int, address2: int, value3: int
) -> int | Step[int]:
    """Implements futex(2)."""
    command = operation & abi.FUTEX_COMMAND
    if address & 3:
        raise SysError(Errno.EINVAL)
    if command in (abi.FUTEX_WAIT, abi.FUTEX_WAIT_BITSET):
        return _wait(task, address, operation, value, timeout, value3)
    futexes = task.kernel.futexes
    task.mem.check(address, 4)
    if command == abi.FUTEX_WAKE:
        return futexes.wake(task, address, value)
    if command == abi.FUTEX_WAKE_BITSET:
        return futexes.wake(task, address, value, _bits(value3))
    if command in (abi.FUTEX_REQUEUE, abi.FUTEX_CMP_REQUEUE):
        return _requeue(task, address, command, value, timeout, address2, value3)
    raise SysError(Errno.ENOSYS)


def _wait(task: Task, address: int, operation: int, value: int, timeout: int, bits: int) -> Step[int]:
    any_bits = operation & abi.FUTEX_COMMAND == abi.FUTEX_WAIT
    deadline: int | None = None
    if timeout:
        deadline = read_timespec(task.mem, timeout)
        clock = task.kernel.clock
        if any_bits:
            deadline += clock.monotonic_ns()
        elif operation & abi.FUTEX_CLOCK_REALTIME:
            deadline += clock.monotonic_ns() - clock.realtime_ns()
    return task.kernel.futexes.wait(
        task, address, value, abi.MATCH_ANY if any_bits else _bits(bits), deadline
    )


def _bits(value: int) -> int:
    if value == 0:
        raise SysError(Errno.EINVAL)
    return value & abi.MATCH_ANY


def _requeue(
    task: Task, address: int, command: int, count: int, most: int, target: int, expected: int
) -> int:
    if target & 3 or count < 0 or most < 0:
        raise SysError(Errno.EINVAL)
    task.mem.check(target, 4)
    if command == abi.FUTEX_CMP_REQUEUE and task.mem.i32(address) != expected:
        raise SysError(Errno.EAGAIN)
    return task.kernel.futexes.requeue(task, address, count, target, most)


@syscall()
def set_robust_list(task: Task, head: int, size: int) -> int:
    """Implements set_robust_list(2)."""
    if size != abi.ROBUST_LIST_HEAD.size:
        raise SysError(Errno.EINVAL)
    task.robust_list = head & 0xFFFFFFFF
    return 0


@syscall()
def get_robust_list(task: Task, tid: int, head: int, size: int) -> int:
    """Implements get_robust_list(2)."""
    target = task.kernel.tasks.get(tid) if tid else task
    if target is None:
        raise SysError(Errno.ESRCH)
    task.mem.put_u32(size, abi.ROBUST_LIST_HEAD.size)
    task.mem.put_u32(head, target.robust_list)
    return 0
