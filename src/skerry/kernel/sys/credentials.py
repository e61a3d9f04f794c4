# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""User and group ids that change.

Standard: POSIX.1-2024 setuid() and relatives; credentials(7). No file here is setuid: a box
          has one user, and root (uid 0) only when its owner says so.
"""
from __future__ import annotations

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task

KEEP = 0xFFFFFFFF
GROUPS_MAX = 65536  # linux/limits.h, NGROUPS_MAX


def _set(task: Task, kind: str, real: int, effective: int, saved: int) -> int:
    """setres*id: an unprivileged caller may only choose among the ids it has."""
    cred = task.process.cred
    fields = (kind, "e" + kind, "s" + kind)
    have = {getattr(cred, name) for name in fields}
    wanted = [value & KEEP for value in (real, effective, saved)]
    if cred.euid != 0 and any(value != KEEP and value not in have for value in wanted):
        raise SysError(Errno.EPERM)
    for name, value in zip(fields, wanted, strict=True):
        if value != KEEP:
            setattr(cred, name, value)
    return 0


def _set_one(task: Task, kind: str, value: int) -> int:
    """setuid and setgid: all three for root, else the effective one."""
    cred = task.process.cred
    if cred.euid == 0:
        return _set(task, kind, value, value, value)
    if value & KEEP not in (getattr(cred, kind), getattr(cred, "s" + kind)):
        raise SysError(Errno.EPERM)
    return _set(task, kind, KEEP, value, KEEP)


def _set_two(task: Task, kind: str, real: int, effective: int) -> int:
    """setre*id: the saved id follows the effective one when the real one is set."""
    cred = task.process.cred
    old = getattr(cred, kind)
    _set(task, kind, real, effective, KEEP)
    if real & KEEP != KEEP or (effective & KEEP != KEEP and effective & KEEP != old):
        setattr(cred, "s" + kind, getattr(cred, "e" + kind))
    return 0


@syscall()
def setuid(task: Task, uid: int) -> int:
    """Implements setuid(2)."""
    return _set_one(task, "uid", uid)


@syscall()
def setgid(task: Task, gid: int) -> int:
    """Implements setgid(2)."""
    return _set_one(task, "gid", gid)


@syscall()
def setreuid(task: Task, real: int, effective: int) -> int:
    """Implements setreuid(2)."""
    return _set_two(task, "uid", real, effective)


@syscall()
def setregid(task: Task, real: int, effective: int) -> int:
    """Implements setregid(2)."""
    return _set_two(task, "gid", real, effective)


@syscall()
def setresuid(task: Task, real: int, effective: int, saved: int) -> int:
    """Implements setresuid(2)."""
    return _set(task, "uid", real, effective, saved)


@syscall()
def setresgid(task: Task, real: int, effective: int, saved: int) -> int:
    """Implements setresgid(2)."""
    return _set(task, "gid", real, effective, saved)


@syscall()
def getresuid(task: Task, real: int, effective: int, saved: int) -> int:
    """Implements getresuid(2)."""
    cred = task.process.cred
    for address, value in ((real, cred.uid), (effective, cred.euid), (saved, cred.suid)):
        task.mem.put_u32(address, value)
    return 0


@syscall()
def getresgid(task: Task, real: int, effective: int, saved: int) -> int:
    """Implements getresgid(2)."""
    cred = task.process.cred
    for address, value in ((real, cred.gid), (effective, cred.egid), (saved, cred.sgid)):
        task.mem.put_u32(address, value)
    return 0


@syscall()
def setfsuid(task: Task, uid: int) -> int:
    """Implements setfsuid(2): reports the id, which always follows the effective one."""
    return task.process.cred.euid


@syscall()
def setfsgid(task: Task, gid: int) -> int:
    """Implements setfsgid(2): reports the id, which always follows the effective one."""
    return task.process.cred.egid


@syscall()
def getgroups(task: Task, size: int, address: int) -> int:
    """Implements getgroups(2)."""
    groups = task.process.cred.groups
    if size == 0:
        return len(groups)
    if size < len(groups):
        raise SysError(Errno.EINVAL)
    for index, gid in enumerate(groups):
        task.mem.put_u32(address + 4 * index, gid)
    return len(groups)


@syscall()
def setgroups(task: Task, size: int, address: int) -> int:
    """Implements setgroups(2)."""
    if task.process.cred.euid != 0:
        raise SysError(Errno.EPERM)
    if not 0 <= size <= GROUPS_MAX:
        raise SysError(Errno.EINVAL)
    task.process.cred.groups = tuple(task.mem.u32(address + 4 * index) for index in range(size))
    return 0
