# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Process groups and sessions, as a process asks for them.

Standard: POSIX.1-2024 setpgid(), setsid(), getpgid(), getsid(); order of errors as Linux.
"""
from __future__ import annotations

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.process import Process
from skerry.kernel.session import Group, Session
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task


@syscall()
def setpgid(task: Task, pid: int, pgid: int) -> int:
    """Implements setpgid(2)."""
    caller, kernel = task.process, task.kernel
    pid = pid or caller.pid
    pgid = pgid or pid
    if pgid < 0:
        raise SysError(Errno.EINVAL)
    process = kernel.processes.get(pid)
    if process is None:
        raise SysError(Errno.EINVAL if pid in kernel.tasks else Errno.ESRCH)
    _may_move(caller, process)
    assert process.group is not None
    session = process.group.session
    group = kernel.groups.get(pgid)
    if pgid != pid and (group is None or group.session is not session):
        raise SysError(Errno.EPERM)
    if group is None:
        group = Group(pgid, session)
    if process.group is not group:
        group.add(process)
    return 0


def _may_move(caller: Process, process: Process) -> None:
    """A process may move itself and, until they exec, its children; never a session leader."""
    assert caller.group is not None
    assert process.group is not None
    if process.parent is caller:
        if process.group.session is not caller.group.session:
            raise SysError(Errno.EPERM)
        if process.has_execed:
            raise SysError(Errno.EACCES)
    elif process is not caller:
        raise SysError(Errno.ESRCH)
    if process.group.session.leader is process:
        raise SysError(Errno.EPERM)


@syscall()
def getpgid(task: Task, pid: int) -> int:
    """Implements getpgid(2)."""
    return _group(task, pid).pgid


@syscall()
def getsid(task: Task, pid: int) -> int:
    """Implements getsid(2)."""
    return _group(task, pid).session.sid


def _group(task: Task, pid: int) -> Group:
    process = task.kernel.processes.get(pid) if pid else task.process
    if process is None or process.group is None:
        raise SysError(Errno.ESRCH)
    return process.group


@syscall()
def setsid(task: Task) -> int:
    """Implements setsid(2)."""
    process = task.process
    if process.pid in task.kernel.groups:
        raise SysError(Errno.EPERM)
    Group(process.pid, Session(process)).add(process)
    return process.pid


@syscall()
def vhangup(task: Task) -> int:
    """Implements vhangup(2): it takes a privilege nobody here has."""
    raise SysError(Errno.EPERM)
