# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Signals: generation, blocking, choice of thread, default actions, delivery.

A handler is run by the guest's own libc: the kernel sets the word at `task.flag`, libc calls
sigfetch after its system call and calls the handler in an ordinary wasm frame. Default
actions need no help from the guest.

Standard: POSIX.1-2024 2.4 Signal Concepts; signal(7). Sets are ints, abi/signal.py.
Invariant: a signal whose action is to ignore it is never pending, unless it is blocked.
"""
from __future__ import annotations

from collections.abc import Iterable
from struct import pack_into
from typing import TYPE_CHECKING

from skerry.abi.errno import ERESTARTSYS, Errno
from skerry.abi.record import Record
from skerry.abi.signal import (
    CLD_CONTINUED,
    CLD_STOPPED,
    DEFAULTS,
    SA_NOCLDSTOP,
    SA_NODEFER,
    SA_RESETHAND,
    SA_RESTART,
    SI_KERNEL,
    SI_TIMER,
    SIG_DFL,
    SIG_IGN,
    SIGFETCH,
    SIGINFO_SIZE,
    SIGRTMIN,
    STOP_SET,
    UNBLOCKABLE,
    Disposition,
    Signo,
    bit,
)
from skerry.kernel.commands import Poke
from skerry.kernel.process import DEFAULT_ACTION, Action, Process
from skerry.kernel.task import Task

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel


class Pending(Record):
    """A generated signal: siginfo_t before it is laid out.

    `value` is sigval for queued and timer signals; `status` is si_status for SIGCHLD.
    """

    signo: int
    code: int = SI_KERNEL
    pid: int = 0
    uid: int = 0
    status: int = 0
    value: int = 0
    timer: int = 0
    overrun: int = 0
    utime: int = 0
    stime: int = 0


class Signals:
    """Everything the kernel does with signals."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    # --- generation

    def send(self, process: Process, info: Pending) -> None:
        """Generate a signal for a process; any thread that does not block it may take it."""
        if not process.alive or not process.threads or not self._prepare(process, info.signo):
            return
        if not self._wanted(process, info.signo, process.threads.values()):
            return
        self._enqueue(process.pending, info)
        process.signal_arrived.wake()
        for task in process.threads.values():
            if not (task.mask | task.awaited) & bit(info.signo) or info.signo == Signo.SIGKILL:
                self.notify(task)
                return

    def send_task(self, task: Task, info: Pending) -> None:
        """Generate a signal for one thread (tgkill, traps, SIGPIPE)."""
        process = task.process
        if task.dead or not process.alive or not self._prepare(process, info.signo):
            return
        if not self._wanted(process, info.signo, (task,)):
            return
        self._enqueue(task.pending, info)
        process.signal_arrived.wake()
        self.notify(task)

    def send_group(self, processes: Iterable[Process], info: Pending) -> None:
        """Generate a signal for every process of a group."""
        for process in tuple(processes):
            self.send(process, info)

    def force(self, task: Task, info: Pending) -> None:
        """A signal a task earned itself (a trap): unblocks and resets it if it would not act."""
        process = task.process
        if process.action(info.signo).handler == SIG_IGN or task.mask & bit(info.signo):
            process.actions.pop(info.signo, None)
            task.mask &= ~bit(info.signo)
        self.send_task(task, info)

    def _prepare(self, process: Process, signo: int) -> bool:
        """Effects at generation: stop and continue cancel each other. False: nothing more."""
        if signo == Signo.SIGCONT:
            self.drop(process, STOP_SET)
            self.resume(process)
        elif STOP_SET & bit(signo):
            self.drop(process, bit(Signo.SIGCONT))
        return True

    def _wanted(self, process: Process, signo: int, tasks: Iterable[Task]) -> bool:
        """Whether the signal has any effect: ignored ones vanish unless blocked everywhere."""
        if not self.ignored(process, signo):
            return True
        return any((task.mask | task.awaited) & bit(signo) for task in tasks)

    def ignored(self, process: Process, signo: int) -> bool:
        handler = process.action(signo).handler
        if handler == SIG_IGN:
            return signo not in (Signo.SIGKILL, Signo.SIGSTOP)
        default = DEFAULTS[signo] in (Disposition.IGNORE, Disposition.CONTINUE)
        return handler == SIG_DFL and default

    def _enqueue(self, pending: list[Pending], info: Pending) -> None:
        """Standard signals do not queue, real-time signals do, in order of generation."""
        once = info.signo < SIGRTMIN and info.code != SI_TIMER  # each timer has a place of its own
        if once and any(other.signo == info.signo for other in pending):
            return
        pending.append(info)

    def drop(self, process: Process, signals: int) -> None:
        """Forget pending signals of a process and its threads."""
        process.pending[:] = [p for p in process.pending if not signals & bit(p.signo)]
        for task in process.threads.values():
            task.pending[:] = [p for p in task.pending if not signals & bit(p.signo)]

    # --- delivery

    def notify(self, task: Task) -> None:
        """Make `task` act on what is pending and not blocked; a stopped one only dies."""
        process = task.process
        while (info := self._peek(task)) is not None:
            if process.stopped and info.signo != Signo.SIGKILL:
                return
            action = process.action(info.signo)
            if action.handler not in (SIG_DFL, SIG_IGN):
                self._raise_flag(task)
                return
            self._take(task, info)
            if action.handler == SIG_DFL:
                self._default(task, info)
            if not process.alive or task.dead:
                return

    def _peek(self, task: Task) -> Pending | None:
        """The next deliverable signal: default actions first, the thread's own, lowest number.

        Default actions come first because they happen before a handler's first instruction,
        whatever the numbers. A vfork child runs no handlers: they would run in its parent's
        frames, so such signals wait for its exec.
        """
        blocked = (task.mask | task.awaited) & ~UNBLOCKABLE
        handled: Pending | None = None
        for queue in (task.pending, task.process.pending):
            ready = [info for info in queue if not blocked & bit(info.signo)]
            for info in sorted(ready, key=_urgency):
                if task.process.action(info.signo).handler in (SIG_DFL, SIG_IGN):
                    return info
                handled = handled or info
        return handled if task.vfork_parent is None else None

    def _take(self, task: Task, info: Pending) -> None:
        queue = task.pending if info in task.pending else task.process.pending
        queue.remove(info)

    def _raise_flag(self, task: Task) -> None:
        """Tell libc to call sigfetch, wherever the thread is now."""
        if task.flag:
            task.mem.put_u32(task.flag, 1)
        if task.parked is not None:
            self.kernel.sched.interrupt(task)
        elif task is not self.kernel.current and task.deferred is None:
            self.kernel.commands.append(Poke(task.thread))

    def _default(self, task: Task, info: Pending) -> None:
        disposition = DEFAULTS[info.signo]
        if disposition in (Disposition.TERMINATE, Disposition.CORE):
            self.kernel.exits.die(task.process, info.signo)
        elif disposition is Disposition.STOP:
            orphaned = task.process.group is not None and task.process.group.orphaned()
            if info.signo == Signo.SIGSTOP or not orphaned:
                self.stop(task.process, info.signo)

    def handler_waits(self, task: Task) -> bool:
        """Whether a handler must run before `task` may sleep."""
        if (not task.pending and not task.process.pending) or task.process.stopped:
            return False
        info = self._peek(task)
        return info is not None and task.process.action(info.signo).handler not in (SIG_DFL, SIG_IGN)

    def fetch(self, task: Task, frame: int) -> int:
        """Implements skerry.sigfetch: lay out the next signal that has a handler.

        Returns its number, 0 when there is none. Blocks it and the handler's mask; libc
        puts the old mask back with rt_sigprocmask when the handler has returned.
        """
        info = self._peek(task)
        while info is not None:
            action = task.process.action(info.signo)
            self._take(task, info)
            if action.handler not in (SIG_DFL, SIG_IGN):
                self._lay_out(task, frame, info, action)
                return info.signo
            if action.handler == SIG_DFL:
                self._default(task, info)
            if task.dead:
                return 0
            info = self._peek(task)
        self.restore_mask(task)
        return 0

    def _lay_out(self, task: Task, frame: int, info: Pending, action: Action) -> None:
        old = task.mask if task.saved_mask is None else task.saved_mask
        task.saved_mask = None
        task.mem.pack(SIGFETCH, frame, info.signo, action.flags, action.handler, 0, old)
        task.mem.write(frame + SIGFETCH.size, siginfo(info))
        own = 0 if action.flags & SA_NODEFER else bit(info.signo)
        task.mask = (task.mask | action.mask | own) & ~UNBLOCKABLE
        if action.flags & SA_RESETHAND:
            task.process.actions.pop(info.signo, None)

    def interrupted_result(self, task: Task, restart: bool) -> int:
        """What an interrupted call returns: restart for SA_RESTART handlers, else EINTR."""
        info = self._peek(task)
        action = task.process.action(info.signo) if info is not None else DEFAULT_ACTION
        if restart and not task.doomed and (info is None or action.flags & SA_RESTART):
            return -ERESTARTSYS
        return -Errno.EINTR

    def dequeue(self, task: Task, signals: int) -> Pending | None:
        """Take the lowest pending signal of a set (sigtimedwait, signalfd)."""
        found = [info for info in (*task.pending, *task.process.pending) if signals & bit(info.signo)]
        if not found:
            return None
        info = min(found, key=lambda one: one.signo)
        self._take(task, info)
        return info

    # --- masks

    def set_mask(self, task: Task, mask: int) -> None:
        """Change the blocked set; what it uncovers is delivered."""
        task.mask = mask & ~UNBLOCKABLE
        if task.pending or task.process.pending:
            self.notify(task)

    def swap_mask(self, task: Task, mask: int) -> None:
        """Block `mask` while a call waits; fetch or restore_mask puts the old one back."""
        task.saved_mask = task.mask
        self.set_mask(task, mask)

    def restore_mask(self, task: Task) -> None:
        """The call ended without a handler: the mask it had before counts again."""
        if task.saved_mask is not None:
            mask, task.saved_mask = task.saved_mask, None
            self.set_mask(task, mask)

    # --- stop and continue

    def stop(self, process: Process, signo: int) -> None:
        """Job control: hold the results of all threads back until SIGCONT."""
        if process.stopped:
            return
        process.stopped = True
        process.stop_report, process.continue_report = signo, False
        for task in process.threads.values():
            if task.parked is None and task is not self.kernel.current:
                self.kernel.commands.append(Poke(task.thread))
        self._tell_parent(process, CLD_STOPPED, signo)

    def resume(self, process: Process) -> None:
        """SIGCONT was generated."""
        if not process.stopped:
            return
        process.stopped = False
        process.stop_report, process.continue_report = 0, True
        for task in process.threads.values():
            self.kernel.sched.release(task)
        for task in tuple(process.threads.values()):
            self.notify(task)
        self._tell_parent(process, CLD_CONTINUED, Signo.SIGCONT)

    def _tell_parent(self, process: Process, code: int, status: int) -> None:
        parent = process.parent
        if parent is None:
            return
        if not parent.action(Signo.SIGCHLD).flags & SA_NOCLDSTOP:
            self.send(parent, child_info(process, code, status))
        parent.child_changed.wake()


def _urgency(info: Pending) -> tuple[bool, int]:
    return info.signo != Signo.SIGKILL, info.signo


def child_info(process: Process, code: int, status: int) -> Pending:
    """SIGCHLD for the parent of `process`."""
    tick = 10_000_000  # clock_t of si_utime is 1/100 s
    return Pending(
        Signo.SIGCHLD, code, process.pid, process.cred.uid, status,
        utime=process.usage.user_ns // tick, stime=process.usage.system_ns // tick,
    )  # fmt: skip


def siginfo(info: Pending) -> bytes:
    """Lay out siginfo_t for wasm32: signo, errno, code, then a union at byte 12."""
    frame = bytearray(SIGINFO_SIZE)
    pack_into("<iii", frame, 0, info.signo, 0, info.code)
    if info.signo == Signo.SIGCHLD and info.code > 0:
        pack_into("<iIiii", frame, 12, info.pid, info.uid, info.status, info.utime, info.stime)
    elif info.timer or info.code == -2:
        pack_into("<iiI", frame, 12, info.timer, info.overrun, info.value & 0xFFFFFFFF)
    elif info.signo in (Signo.SIGSEGV, Signo.SIGBUS, Signo.SIGILL, Signo.SIGFPE) and info.code > 0:
        pack_into("<I", frame, 12, info.value & 0xFFFFFFFF)
    else:
        pack_into("<iII", frame, 12, info.pid, info.uid, info.value & 0xFFFFFFFF)
    return bytes(frame)
