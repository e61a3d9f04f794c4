# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Limits, priorities and scheduling.

Standard: POSIX.1-2024 getrlimit(), getpriority(), sched_*; Linux prlimit(2), sched(7).
          Engine threads run as the host schedules them: priorities are recorded, not felt.
"""
from __future__ import annotations

from skerry.abi import resource as abi
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.clocks import write_timespec
from skerry.kernel.process import Process
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task

_SLICE_NS = 4_000_000  # of SCHED_OTHER, as Linux reports it
_RR_SLICE_NS = 100_000_000
_NORMAL = (abi.SCHED_OTHER, abi.SCHED_BATCH, abi.SCHED_IDLE)
_REAL_TIME = (abi.SCHED_FIFO, abi.SCHED_RR)
_NR_OPEN = 1 << 20  # /proc/sys/fs/nr_open


# --- resource limits


@syscall(missing="enforced: CPU, FSIZE, NOFILE, NPROC, SIGPENDING; the rest is recorded")
def prlimit64(task: Task, pid: int, number: int, new: int, old: int) -> int:
    """Implements prlimit(2)."""
    if not 0 <= number < abi.RLIMIT_COUNT:
        raise SysError(Errno.EINVAL)
    process = _process(task, pid)
    cred, other = task.process.cred, process.cred
    if cred.euid != 0 and {cred.uid} != {other.uid, other.euid, other.suid}:
        raise SysError(Errno.EPERM)
    limit = task.mem.unpack(abi.RLIMIT, new) if new else None
    before = process.limits[number]
    if limit is not None:
        _set_limit(task, process, number, limit[0], limit[1])
    if old:
        task.mem.pack(abi.RLIMIT, old, *before)
    return 0


def _set_limit(task: Task, process: Process, number: int, soft: int, hard: int) -> None:
    if soft > hard:
        raise SysError(Errno.EINVAL)
    if number == abi.RLIMIT_NOFILE and hard > _NR_OPEN:
        raise SysError(Errno.EPERM)
    if hard > process.limits[number][1] and task.process.cred.euid != 0:
        raise SysError(Errno.EPERM)
    process.limits[number] = (soft, hard)
    if number == abi.RLIMIT_NOFILE:
        process.fds.limit = soft
    elif number == abi.RLIMIT_CPU:
        task.kernel.itimers.limit_cpu(process)


def _process(task: Task, pid: int) -> Process:
    """The process a pid names; 0 is the caller's."""
    if pid == 0:
        return task.process
    process = task.kernel.processes.get(pid)
    if process is None or not process.alive:
        raise SysError(Errno.ESRCH)
    return process


# --- nice values


@syscall()
def getpriority(task: Task, which: int, who: int) -> int:
    """Implements getpriority(2): 20 - nice, so that the result is never negative."""
    return 20 - min(process.nice for process in _chosen(task, which, who))


@syscall()
def setpriority(task: Task, which: int, who: int, value: int) -> int:
    """Implements setpriority(2)."""
    nice = max(abi.NICE_MIN, min(value, abi.NICE_MAX))
    cred = task.process.cred
    for process in _chosen(task, which, who):
        if cred.euid != 0:
            if cred.euid not in (process.cred.uid, process.cred.euid):
                raise SysError(Errno.EPERM)
            if nice < process.nice and 20 - nice > process.limits[abi.RLIMIT_NICE][0]:
                raise SysError(Errno.EACCES)
        process.nice = nice
    return 0


def _chosen(task: Task, which: int, who: int) -> list[Process]:
    kernel = task.kernel
    if which == abi.PRIO_PROCESS:
        everybody = kernel.processes.values()
        found = [task.process] if who == 0 else [p for p in everybody if who == p.pid or who in p.threads]
    elif which == abi.PRIO_PGRP:
        group = kernel.groups.get(who) if who else task.process.group
        found = list(group.members.values()) if group is not None else []
    elif which == abi.PRIO_USER:
        uid = who or task.process.cred.uid
        found = [process for process in kernel.processes.values() if process.cred.uid == uid]
    else:
        raise SysError(Errno.EINVAL)
    if not found:
        raise SysError(Errno.ESRCH)
    return found


# --- scheduling


def _thread(task: Task, tid: int) -> Task:
    """The thread a pid of the sched_* calls names."""
    if tid < 0:
        raise SysError(Errno.EINVAL)
    found = task.kernel.tasks.get(tid) if tid else task
    if found is None:
        raise SysError(Errno.ESRCH)
    return found


@syscall()
def sched_yield(task: Task) -> int:
    """Implements sched_yield(2): the engine's lock changes hands between any two calls."""
    return 0


@syscall()
def sched_get_priority_max(task: Task, policy: int) -> int:
    """Implements sched_get_priority_max(2)."""
    return _priority(policy, 99)


@syscall()
def sched_get_priority_min(task: Task, policy: int) -> int:
    """Implements sched_get_priority_min(2)."""
    return _priority(policy, 1)


def _priority(policy: int, real_time: int) -> int:
    if policy in _REAL_TIME:
        return real_time
    if policy in _NORMAL:
        return 0
    raise SysError(Errno.EINVAL)


@syscall()
def sched_getscheduler(task: Task, tid: int) -> int:
    """Implements sched_getscheduler(2)."""
    return _thread(task, tid).process.policy


@syscall(missing="real-time policies are EPERM; BATCH and IDLE are recorded")
def sched_setscheduler(task: Task, tid: int, policy: int, param: int) -> int:
    """Implements sched_setscheduler(2)."""
    priority = task.mem.i32(param)
    target = _thread(task, tid)
    policy &= ~abi.SCHED_RESET_ON_FORK
    if not _priority(policy, 1) <= priority <= _priority(policy, 99):
        raise SysError(Errno.EINVAL)
    if policy in _REAL_TIME:
        raise SysError(Errno.EPERM)
    target.process.policy = policy
    return 0


@syscall()
def sched_getparam(task: Task, tid: int, param: int) -> int:
    """Implements sched_getparam(2)."""
    _thread(task, tid)
    task.mem.put_u32(param, 0)
    return 0


@syscall()
def sched_setparam(task: Task, tid: int, param: int) -> int:
    """Implements sched_setparam(2)."""
    _thread(task, tid)
    if task.mem.i32(param) != 0:
        raise SysError(Errno.EINVAL)
    return 0


@syscall("sched_rr_get_interval_time64")
def sched_rr_get_interval(task: Task, tid: int, address: int) -> int:
    """Implements sched_rr_get_interval(2)."""
    real_time = _thread(task, tid).process.policy in _REAL_TIME
    write_timespec(task.mem, address, _RR_SLICE_NS if real_time else _SLICE_NS)
    return 0


@syscall()
def sched_getaffinity(task: Task, tid: int, size: int, address: int) -> int:
    """Implements sched_getaffinity(2); returns the bytes written."""
    _thread(task, tid)
    count = task.kernel.cpu_count
    needed = -(-count // 32) * 4
    if size < needed or size % 4:
        raise SysError(Errno.EINVAL)
    task.mem.write(address, ((1 << count) - 1).to_bytes(needed, "little"))
    return needed


@syscall(missing="checked and forgotten: threads are not bound to processors")
def sched_setaffinity(task: Task, tid: int, size: int, address: int) -> int:
    """Implements sched_setaffinity(2)."""
    _thread(task, tid)
    wanted = int.from_bytes(task.mem.read(address, min(size & 0xFFFFFFFF, 128)), "little")
    if not wanted & (1 << task.kernel.cpu_count) - 1:
        raise SysError(Errno.EINVAL)
    return 0


@syscall()
def getcpu(task: Task, cpu: int, node: int, cache: int) -> int:
    """Implements getcpu(2)."""
    for address in (cpu, node):
        if address:
            task.mem.put_u32(address, 0)
    return 0
