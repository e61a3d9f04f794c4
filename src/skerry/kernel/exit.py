# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Death: exit, fatal signals, zombies, orphans.

Standard: POSIX.1-2024 _exit() "Consequences of Process Termination".
Units:    `status` is encoded as wait4(2) returns it.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi.signal import (
    CLD_DUMPED,
    CLD_EXITED,
    CLD_KILLED,
    SA_NOCLDWAIT,
    SI_USER,
    SIG_IGN,
    Signo,
)
from skerry.kernel import clone
from skerry.kernel.commands import Exited, Log, Stop
from skerry.kernel.process import Process
from skerry.kernel.signal import Pending, child_info
from skerry.kernel.task import Task

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.session import Group


class Exits:
    """Everything that ends a task or a process."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def exit_thread(self, task: Task, status: int) -> None:
        """One thread ends; the last one takes the process with it."""
        process = task.process
        if len(process.threads) == 1:
            self.exit_group(task, status)
            return
        self._end_task(task)
        del process.threads[task.tid]
        if process.pending:  # signals this thread was told of are for another one now
            for other in tuple(process.threads.values()):
                self.kernel.signals.notify(other)

    def exit_group(self, task: Task, status: int) -> None:
        """The process ends; a vfork child gives its parent the thread back."""
        parent = task.vfork_parent
        self._end_process(task.process, task.doomed or status)
        if parent is not None:
            clone.end_vfork(task, parent)

    def die(self, process: Process, signo: int) -> None:
        """A fatal signal; no core is ever dumped. A vfork child dies when it next exits or execs."""
        for task in process.threads.values():
            if task.vfork_parent is not None:
                task.doomed = signo
                self.kernel.sched.interrupt(task)
                return
        self._end_process(process, signo)

    def trapped(self, task: Task, signo: int, reason: str) -> None:
        """The image of `task` did something impossible."""
        name = task.process.argv[0] if task.process.argv else b"?"
        what = Signo(signo).name
        self.kernel.commands.append(
            Log(f"{name.decode(errors='replace')} (pid {task.process.pid}): {what}: {reason}")
        )
        if task.vfork_parent is not None:  # parent and child share the broken image
            self._end_process(task.process, signo)
            task = task.vfork_parent
            task.acting = None
        self._end_process(task.process, signo)

    def reap(self, process: Process) -> None:
        """A zombie's parent has seen its status."""
        parent = process.parent
        if parent is not None:
            parent.children.pop(process.pid, None)
            parent.children_usage.add(process.usage)
            parent.children_usage.add(process.children_usage)
        if process.group is not None:
            process.group.remove(process)
        self.kernel.processes.pop(process.pid, None)

    def _end_task(self, task: Task) -> None:
        """Stop one thread and wake who joins it."""
        if task.acting is not None:  # a vfork child loses the thread it speaks through
            self._end_process(task.acting.process, Signo.SIGKILL)
            task.acting.vfork_parent = None
            task.acting = None
        self.kernel.sched.cancel(task)
        if task.vfork_parent is None and task.thread:
            task.process.usage.user_ns += self.kernel.clock.task_ns(task.thread)
            if task.clear_child_tid:
                self.kernel.futexes.clear_tid(task)
            self.kernel.futexes.end_robust(task)
            self.kernel.commands.append(Stop(task.thread))
        task.dead = True
        self.kernel.tasks.pop(task.tid, None)

    def _end_process(self, process: Process, status: int) -> None:
        if not process.alive:
            return
        anchored = _anchored_groups(process)
        for task in tuple(process.threads.values()):
            self._end_task(task)
        process.threads.clear()
        process.status = status
        process.stopped = False
        self.kernel.itimers.clear(process)
        process.fds.close_all()
        self.kernel.locks.forget(process)
        self._leave_children(process)
        self._hang_up_orphans(anchored)
        self._leave_session(process)
        self._announce(process, status)
        self._tell_parent(process, status)

    def _leave_children(self, process: Process) -> None:
        """Children go to the nearest subreaper, or to init."""
        heir = self.kernel.init
        ancestor = process.parent
        while ancestor is not None:
            if ancestor.child_subreaper and ancestor.alive:
                heir = ancestor
                break
            ancestor = ancestor.parent
        for child in tuple(process.children.values()):
            child.parent = heir
            heir.children[child.pid] = child
            if child.death_signal:
                self.kernel.signals.send(child, Pending(child.death_signal, SI_USER, process.pid))
            if child.status is not None:
                self._tell_parent(child, child.status)
        process.children.clear()

    def _hang_up_orphans(self, groups: list[Group]) -> None:
        """Groups that have become orphaned and have stopped members would stay so for ever."""
        for group in groups:
            members = [member for member in group.members.values() if member.alive]
            if group.orphaned() and any(member.stopped for member in members):
                self.kernel.signals.send_group(members, Pending(Signo.SIGHUP))
                self.kernel.signals.send_group(members, Pending(Signo.SIGCONT))

    def _leave_session(self, process: Process) -> None:
        """A session leader takes the controlling terminal along."""
        session = process.group.session if process.group is not None else None
        if session is not None and session.leader is process:
            session.leader = None
            if session.terminal is not None:
                session.terminal.disassociate(session)

    def _announce(self, process: Process, status: int) -> None:
        if process.tag is not None:
            used_ns = process.usage.user_ns + process.children_usage.user_ns
            self.kernel.commands.append(Exited(process.tag, process.pid, status, used_ns))

    def _tell_parent(self, process: Process, status: int) -> None:
        parent = process.parent
        if parent is None or parent is self.kernel.init:
            self.reap(process)
            return
        signo = status & 0x7F
        code = CLD_EXITED if signo == 0 else CLD_DUMPED if status & 0x80 else CLD_KILLED
        action = parent.action(Signo.SIGCHLD)
        self.kernel.signals.send(parent, child_info(process, code, signo or status >> 8))
        if action.handler == SIG_IGN or action.flags & SA_NOCLDWAIT:
            self.reap(process)
        parent.child_changed.wake()


def _anchored_groups(process: Process) -> list[Group]:
    """The groups that the death of `process` may orphan: its own and its children's."""
    groups = [process.group, *(child.group for child in process.children.values())]
    return [group for group in dict.fromkeys(groups) if group is not None and not group.orphaned()]
