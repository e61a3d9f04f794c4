# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Signals: actions, masks, sending, waiting for one.

Standard: POSIX.1-2024 sigaction(), sigprocmask(), kill(), sigsuspend(), sigtimedwait(),
          sigqueue(); Linux rt_* calls, whose sigset size is always 8 bytes.
"""
from __future__ import annotations

from struct import Struct

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.signal import (
    NSIG,
    SI_TKILL,
    SI_USER,
    SIG_BLOCK,
    SIG_SETMASK,
    SIG_UNBLOCK,
    SIGACTION,
    SIGINFO_SIZE,
    UNBLOCKABLE,
    Signo,
    bit,
)
from skerry.kernel.process import Action, Process
from skerry.kernel.signal import Pending, siginfo
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task
from skerry.kernel.wait import Step, Wait

TIMESPEC = Struct("<qq")
STACK = Struct("<IiI")  # stack_t: ss_sp, ss_flags, ss_size
SS_DISABLE = 2
MINSIGSTKSZ = 2048


@syscall()
def sigfetch(task: Task, frame: int) -> int:
    """Implements skerry.sigfetch: the next signal that has a handler, or 0."""
    task.mem.check(frame, 24 + SIGINFO_SIZE)
    return task.kernel.signals.fetch(task, frame)


def _number(signo: int, least: int = 1) -> int:
    if not least <= signo <= NSIG:
        raise SysError(Errno.EINVAL)
    return signo


def _size(sigsetsize: int) -> None:
    if sigsetsize != 8:
        raise SysError(Errno.EINVAL)


@syscall()
def rt_sigaction(task: Task, signo: int, new: int, old: int, sigsetsize: int) -> int:
    """Implements sigaction(2)."""
    _size(sigsetsize)
    _number(signo)
    process = task.process
    before = process.action(signo)
    if new:
        if UNBLOCKABLE & bit(signo):
            raise SysError(Errno.EINVAL)
        handler, flags, mask = task.mem.unpack(SIGACTION, new)
        process.actions[signo] = Action(handler, flags, mask & ~UNBLOCKABLE)
        if task.kernel.signals.ignored(process, signo):
            task.kernel.signals.drop(process, bit(signo))
    if old:
        task.mem.pack(SIGACTION, old, before.handler, before.flags, before.mask)
    return 0


@syscall()
def rt_sigprocmask(task: Task, how: int, new: int, old: int, sigsetsize: int) -> int:
    """Implements sigprocmask(2)."""
    _size(sigsetsize)
    before = task.mask
    mask = task.mem.u64(new) if new else 0
    if old:
        task.mem.put_u64(old, before)
    if new:
        if how == SIG_BLOCK:
            mask |= before
        elif how == SIG_UNBLOCK:
            mask = before & ~mask
        elif how != SIG_SETMASK:
            raise SysError(Errno.EINVAL)
        task.kernel.signals.set_mask(task, mask)
    return 0


@syscall()
def rt_sigpending(task: Task, address: int, sigsetsize: int) -> int:
    """Implements sigpending(2)."""
    _size(sigsetsize)
    pending = (*task.pending, *task.process.pending)
    task.mem.put_u64(address, task.mask & sum({bit(info.signo) for info in pending}))
    return 0


@syscall()
def rt_sigsuspend(task: Task, address: int, sigsetsize: int) -> Step[int]:
    """Implements sigsuspend(2)."""
    _size(sigsetsize)
    mask = task.mem.u64(address)
    return _suspend(task, mask)


def _suspend(task: Task, mask: int) -> Step[int]:
    task.kernel.signals.swap_mask(task, mask)
    while True:
        yield Wait(())


@syscall()
def pause(task: Task) -> Step[int]:
    """Implements pause(2)."""
    while True:
        yield Wait(())


# --- sending


def _info(task: Task, signo: int, code: int = SI_USER) -> Pending:
    return Pending(signo, code, task.process.pid, task.process.cred.uid)


def may_signal(task: Task, target: Process, signo: int) -> bool:
    """kill(2): root, same user, or SIGCONT within the session."""
    own, other = task.process.cred, target.cred
    if own.euid == 0 or {own.euid, own.uid} & {other.uid, other.suid}:
        return True
    same = task.process.group is not None and target.group is not None
    return same and signo == Signo.SIGCONT and task.process.group.session is target.group.session  # type: ignore[union-attr]


@syscall()
def kill(task: Task, pid: int, signo: int) -> int:
    """Implements kill(2)."""
    _number(signo, least=0)
    kernel = task.kernel
    if pid > 0:
        target = kernel.processes.get(pid)
        if target is None:
            raise SysError(Errno.ESRCH)
        _deliver(task, [target], signo)
    elif pid == -1:
        others = (process for process in kernel.processes.values() if process.pid != 1)
        _deliver(task, [process for process in others if process is not task.process], signo)
    else:
        assert task.process.group is not None
        group = kernel.groups.get(-pid) if pid else task.process.group
        if group is None:
            raise SysError(Errno.ESRCH)
        _deliver(task, list(group.members.values()), signo)
    return 0


def _deliver(task: Task, targets: list[Process], signo: int) -> None:
    if not targets:
        raise SysError(Errno.ESRCH)
    allowed = [target for target in targets if may_signal(task, target, signo)]
    if not allowed:
        raise SysError(Errno.EPERM)
    if signo:
        # Itself last: a fatal signal to the own group must still reach the others.
        for target in sorted(allowed, key=lambda target: target is task.process):
            task.kernel.signals.send(target, _info(task, signo))


@syscall()
def tkill(task: Task, tid: int, signo: int) -> int:
    """Implements tkill(2)."""
    return _thread_kill(task, None, tid, signo)


@syscall()
def tgkill(task: Task, pid: int, tid: int, signo: int) -> int:
    """Implements tgkill(2)."""
    if pid <= 0:
        raise SysError(Errno.EINVAL)
    return _thread_kill(task, pid, tid, signo)


def _thread_kill(task: Task, pid: int | None, tid: int, signo: int) -> int:
    _number(signo, least=0)
    if tid <= 0:
        raise SysError(Errno.EINVAL)
    target = task.kernel.tasks.get(tid)
    if target is None or (pid is not None and target.process.pid != pid):
        raise SysError(Errno.ESRCH)
    if not may_signal(task, target.process, signo):
        raise SysError(Errno.EPERM)
    if signo:
        task.kernel.signals.send_task(target, _info(task, signo, SI_TKILL))
    return 0


def _queued(task: Task, signo: int, address: int) -> Pending:
    """siginfo_t as sigqueue(3) fills it; only negative codes may be forged."""
    code = task.mem.i32(address + 8)
    if code >= 0 or code == SI_TKILL:
        raise SysError(Errno.EPERM)
    pid, uid = task.mem.i32(address + 12), task.mem.u32(address + 16)
    return Pending(signo, code, pid, uid, value=task.mem.u32(address + 20))


@syscall()
def rt_sigqueueinfo(task: Task, pid: int, signo: int, address: int) -> int:
    """Implements rt_sigqueueinfo(2), the call under sigqueue(3)."""
    _number(signo, least=0)
    info = _queued(task, signo, address)
    target = task.kernel.processes.get(pid)
    if target is None:
        raise SysError(Errno.ESRCH)
    if not may_signal(task, target, signo):
        raise SysError(Errno.EPERM)
    if signo:
        task.kernel.signals.send(target, info)
    return 0


@syscall()
def rt_tgsigqueueinfo(task: Task, pid: int, tid: int, signo: int, address: int) -> int:
    """Implements rt_tgsigqueueinfo(2), the call under pthread_sigqueue(3)."""
    _number(signo, least=0)
    info = _queued(task, signo, address)
    target = task.kernel.tasks.get(tid)
    if target is None or target.process.pid != pid:
        raise SysError(Errno.ESRCH)
    if signo:
        task.kernel.signals.send_task(target, info)
    return 0


# --- waiting


@syscall("rt_sigtimedwait_time64")
def rt_sigtimedwait(task: Task, wanted: int, info: int, timeout: int, sigsetsize: int) -> Step[int]:
    """Implements sigtimedwait(2)."""
    _size(sigsetsize)
    signals = task.mem.u64(wanted) & ~UNBLOCKABLE
    deadline: int | None = None
    if timeout:
        seconds, nanoseconds = task.mem.unpack(TIMESPEC, timeout)
        if seconds < 0 or not 0 <= nanoseconds < 10**9:
            raise SysError(Errno.EINVAL)
        deadline = task.kernel.clock.monotonic_ns() + seconds * 10**9 + nanoseconds
    return _await_signal(task, signals, info, deadline)


def _await_signal(task: Task, signals: int, info: int, deadline: int | None) -> Step[int]:
    """Take one of `signals`; while waiting they are not delivered to handlers."""
    task.awaited = signals
    try:
        while True:
            found = task.kernel.signals.dequeue(task, signals)
            if found is not None:
                if info:
                    task.mem.write(info, siginfo(found))
                return found.signo
            if deadline is not None and task.kernel.clock.monotonic_ns() >= deadline:
                raise SysError(Errno.EAGAIN)
            yield Wait((task.process.signal_arrived,), deadline)
    finally:
        task.awaited = 0


@syscall(missing="the stack is recorded but handlers always run on the normal one")
def sigaltstack(task: Task, new: int, old: int) -> int:
    """Implements sigaltstack(2)."""
    before = task.alt_stack
    if new:
        pointer, flags, size = task.mem.unpack(STACK, new)
        if flags & ~SS_DISABLE:
            raise SysError(Errno.EINVAL)
        if not flags & SS_DISABLE and size < MINSIGSTKSZ:
            raise SysError(Errno.ENOMEM)
        task.alt_stack = (pointer, flags, size)
    if old:
        task.mem.pack(STACK, old, *before)
    return 0

