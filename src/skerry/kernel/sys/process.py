# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Processes: birth, death, waiting, identity; and the calls libc makes when an image starts.

Standard: POSIX.1-2024 fork(), exec, _exit(), wait(), waitid(), getpid() and relatives;
          Linux clone(2), vfork(2), set_tid_address(2).
"""
from __future__ import annotations

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.limits import ARG_MAX, PATH_MAX
from skerry.abi.resource import RUSAGE
from skerry.abi.signal import CLD_CONTINUED, CLD_DUMPED, CLD_EXITED, CLD_KILLED, CLD_STOPPED, Signo
from skerry.kernel import clone as tasks
from skerry.kernel.exec import execve as exec_image
from skerry.kernel.process import Process
from skerry.kernel.signal import Pending, siginfo
from skerry.kernel.stack import initial_stack, stack_size
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task
from skerry.kernel.wait import Step, Wait

CLONE_VM = 0x100
CLONE_THREAD = 0x10000
CLONE_PARENT_SETTID = 0x100000
CLONE_CHILD_CLEARTID = 0x200000

WNOHANG, WUNTRACED, WEXITED, WCONTINUED, WNOWAIT = 1, 2, 4, 8, 0x1000000
WALL_FLAGS = 0xE0000000  # __WALL __WCLONE __WNOTHREAD: every child counts here
P_ALL, P_PID, P_PGID = 0, 1, 2
CONTINUED_STATUS = 0xFFFF


# --- an image starts


@syscall()
def start_size(task: Task) -> int:
    """Implements skerry.start_size: bytes of stack the next call needs."""
    assert task.process.image is not None
    return stack_size(task.process.image)


@syscall()
def start(task: Task, address: int, flag: int) -> int:
    """Implements skerry.start: lay out argc, argv, env, auxv; learn the signal word's address."""
    assert task.process.image is not None
    address = task.mem.check(address, stack_size(task.process.image))
    task.mem.write(address, initial_stack(task.process.image, address))
    thread(task, flag)
    return 0


@syscall()
def thread(task: Task, flag: int) -> int:
    """Implements skerry.thread: the word libc tests after each call of this thread."""
    task.flag = task.mem.check(flag, 4)
    if task.kernel.signals.handler_waits(task):
        task.mem.put_u32(task.flag, 1)
    return 0


# --- birth


@syscall()
def fork(task: Task, buf: int) -> int:
    """Implements fork(2); the engine has unwound the caller before it asks."""
    return tasks.fork(task)


@syscall()
def vfork(task: Task) -> int:
    """Implements vfork(2): 0, as the child; its execve or exit returns its pid, as the parent."""
    return tasks.vfork(task)


@syscall(missing="threads only; processes are made by fork, vfork and posix_spawn")
def clone(task: Task, flags: int, stack: int, ptid: int, tls: int, ctid: int) -> int:
    """Implements clone(2) for CLONE_VM | CLONE_THREAD."""
    if flags & (CLONE_VM | CLONE_THREAD) != CLONE_VM | CLONE_THREAD:
        raise SysError(Errno.EINVAL)
    if flags & CLONE_PARENT_SETTID:
        task.mem.check(ptid, 4)
    new = tasks.thread(task, task.mem.check(stack, 8))
    if flags & CLONE_PARENT_SETTID:
        task.mem.put_u32(ptid, new.tid)
    if flags & CLONE_CHILD_CLEARTID:
        new.clear_child_tid = ctid & 0xFFFFFFFF
    return new.tid


@syscall()
def set_tid_address(task: Task, address: int) -> int:
    """Implements set_tid_address(2)."""
    task.clear_child_tid = address & 0xFFFFFFFF
    return task.tid


@syscall()
def execve(task: Task, path: int, argv: int, env: int) -> Step[int | None]:
    """Implements execve(2)."""
    mem = task.mem
    name = mem.string(path, PATH_MAX)
    return exec_image(task, name, mem.strings(argv, ARG_MAX), mem.strings(env, ARG_MAX))


@syscall()
def execveat(task: Task, dirfd: int, path: int, argv: int, env: int, flags: int) -> Step[int | None]:
    """Implements execveat(2)."""
    if flags & ~(fcntl.AT_EMPTY_PATH | fcntl.AT_SYMLINK_NOFOLLOW):
        raise SysError(Errno.EINVAL)
    mem = task.mem
    name = mem.string(path, PATH_MAX)
    return exec_image(
        task, name, mem.strings(argv, ARG_MAX), mem.strings(env, ARG_MAX), dirfd, flags
    )


# --- death


@syscall("exit")
def exit_(task: Task, status: int) -> None:
    """Implements _exit(2) of one thread."""
    task.kernel.exits.exit_thread(task, (status & 0xFF) << 8)


@syscall()
def exit_group(task: Task, status: int) -> None:
    """Implements exit_group(2)."""
    task.kernel.exits.exit_group(task, (status & 0xFF) << 8)


# --- waiting


@syscall(restart=True)
def wait4(task: Task, pid: int, status: int, options: int, usage: int) -> Step[int]:
    """Implements wait4(2)."""
    if options & ~(WNOHANG | WUNTRACED | WCONTINUED | WALL_FLAGS):
        raise SysError(Errno.EINVAL)
    if pid == -0x80000000:
        raise SysError(Errno.ESRCH)
    want = options & (WUNTRACED | WCONTINUED) | WEXITED
    found = yield from _wait(task, _selector(task, pid), want, bool(options & WNOHANG))
    if found is None:
        return 0
    child, report = found
    if status:
        task.mem.put_u32(status, report)
    if usage:
        put_rusage(task, usage, child.usage.user_ns, child.usage.system_ns)
    _consume(child, report)
    return child.pid


@syscall(restart=True)
def waitid(task: Task, kind: int, ident: int, info: int, options: int, usage: int) -> Step[int]:
    """Implements waitid(2) for P_ALL, P_PID and P_PGID."""
    want = options & (WEXITED | WUNTRACED | WCONTINUED)
    if options & ~(WNOHANG | WNOWAIT | WEXITED | WUNTRACED | WCONTINUED | WALL_FLAGS) or not want:
        raise SysError(Errno.EINVAL)
    if kind not in (P_ALL, P_PID, P_PGID) or (kind == P_PID and ident <= 0) or (kind == P_PGID and ident < 0):
        raise SysError(Errno.EINVAL)
    pid = -1 if kind == P_ALL else ident if kind == P_PID else -(ident or _pgid(task))
    found = yield from _wait(task, _selector(task, pid, exact=kind != P_ALL), want, bool(options & WNOHANG))
    if found is None:
        if info:
            task.mem.write(info, bytes(128))
        return 0
    child, report = found
    if info:
        task.mem.write(info, siginfo(_report_info(child, report)))
    if usage:
        put_rusage(task, usage, child.usage.user_ns, child.usage.system_ns)
    if not options & WNOWAIT:
        _consume(child, report)
    return 0


class _Selector:
    """Which children a wait call looks at."""

    __slots__ = ("pgid", "pid")

    def __init__(self, pid: int, pgid: int) -> None:
        self.pid, self.pgid = pid, pgid

    def takes(self, child: Process) -> bool:
        if self.pid:
            return child.pid == self.pid
        return not self.pgid or (child.group is not None and child.group.pgid == self.pgid)


def _selector(task: Task, pid: int, exact: bool = False) -> _Selector:
    """waitpid's pid argument: >0 one child, 0 own group, -1 all, < -1 that group."""
    if pid > 0:
        return _Selector(pid, 0)
    if pid == -1 and not exact:
        return _Selector(0, 0)
    return _Selector(0, -pid if pid else _pgid(task))


def _pgid(task: Task) -> int:
    assert task.process.group is not None
    return task.process.group.pgid


def _wait(
    task: Task, selector: _Selector, want: int, now: bool
) -> Step[tuple[Process, int] | None]:
    """The first child with something to report; None when `now` and there is none yet."""
    process = task.process
    while True:
        children = [child for child in process.children.values() if selector.takes(child)]
        if not children:
            raise SysError(Errno.ECHILD)
        for child in children:
            report = _report(child, want)
            if report is not None:
                return child, report
        if now:
            return None
        yield Wait((process.child_changed,))


def _report(child: Process, want: int) -> int | None:
    """The status a wait call would return for `child` now."""
    if child.status is not None:
        return child.status if want & WEXITED else None
    if want & WUNTRACED and child.stop_report:
        return child.stop_report << 8 | 0x7F
    if want & WCONTINUED and child.continue_report:
        return CONTINUED_STATUS
    return None


def _consume(child: Process, report: int) -> None:
    """The parent has seen `report`."""
    if child.status is not None:
        child.kernel.exits.reap(child)
    elif report == CONTINUED_STATUS:
        child.continue_report = False
    else:
        child.stop_report = 0


def _report_info(child: Process, report: int) -> Pending:
    """A wait status as siginfo_t."""
    if report == CONTINUED_STATUS:
        code, status = CLD_CONTINUED, int(Signo.SIGCONT)
    elif report & 0xFF == 0x7F:
        code, status = CLD_STOPPED, report >> 8
    elif report & 0x7F:
        code, status = (CLD_DUMPED if report & 0x80 else CLD_KILLED), report & 0x7F
    else:
        code, status = CLD_EXITED, report >> 8
    return Pending(Signo.SIGCHLD, code, child.pid, child.cred.uid, status)


def put_rusage(task: Task, address: int, user_ns: int, system_ns: int) -> None:
    """Lay out struct rusage: two timevals, then counters nobody here keeps."""
    seconds = [part for ns in (user_ns, system_ns) for part in (ns // 10**9, ns % 10**9 // 1000)]
    task.mem.pack(RUSAGE, address, *seconds, *([0] * 14))


# --- identity


@syscall()
def getpid(task: Task) -> int:
    """Implements getpid(2)."""
    return task.process.pid


@syscall()
def gettid(task: Task) -> int:
    """Implements gettid(2)."""
    return task.tid


@syscall()
def getppid(task: Task) -> int:
    """Implements getppid(2)."""
    parent = task.process.parent
    return parent.pid if parent is not None else 0


@syscall()
def getuid(task: Task) -> int:
    """Implements getuid(2)."""
    return task.process.cred.uid


@syscall()
def geteuid(task: Task) -> int:
    """Implements geteuid(2)."""
    return task.process.cred.euid


@syscall()
def getgid(task: Task) -> int:
    """Implements getgid(2)."""
    return task.process.cred.gid


@syscall()
def getegid(task: Task) -> int:
    """Implements getegid(2)."""
    return task.process.cred.egid
