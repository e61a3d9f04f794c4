# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The scheduler: the only place that parks and resumes calls.

A call that must wait is a generator (kernel/wait.py). It is stepped here when a queue it
stands in is woken, its deadline passes or a signal must be handled first; its result goes
out as `Resume`. A task of a stopped process keeps its result until SIGCONT.

Errors:   SysError becomes -errno here or in `Kernel.syscall`, nowhere else.
Invariant: a task has at most one parked call; a parked call stands in its queues, or is in
           `ready`, never both.
"""
from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from skerry.abi.errno import ERESTARTSYS
from skerry.abi.errors import SysError
from skerry.kernel.commands import Resume
from skerry.kernel.timers import Deadline
from skerry.kernel.wait import Interrupted, Step, Wait

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.sys.table import Call
    from skerry.kernel.task import Task


class Parked:
    """One call that waits."""

    __slots__ = ("call", "deadline", "sched", "step", "task", "timed_out", "wait", "woken")

    def __init__(self, sched: Scheduler, task: Task, call: Call, step: Step[int | None]) -> None:
        self.sched = sched
        self.task = task
        self.call = call
        self.step = step
        self.wait: Wait | None = None
        self.deadline: Deadline | None = None
        self.woken = False
        self.timed_out = False

    def wake(self) -> None:
        """A queue was woken: look again soon."""
        if not self.woken:
            self.woken = True
            self.sched.ready.append(self)

    def expire(self) -> None:
        """The deadline has passed."""
        self.timed_out = not self.woken
        self.wake()


class Scheduler:
    """Parks and resumes calls."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.ready: deque[Parked] = deque()

    def begin(self, task: Task, call: Call, step: Step[int | None]) -> int | None:
        """Run a call's generator until it finishes or parks.

        Returns its result, or None when parked or when a command will follow instead.
        """
        return self._advance(Parked(self, task, call, step), None)

    def run(self) -> None:
        """Step everything that has become ready, in order."""
        while self.ready:
            parked = self.ready.popleft()
            task = parked.task
            if task.parked is not parked or not parked.woken or task.process.stopped:
                continue  # a stopped one is made ready again by `release`
            self._leave(parked)
            self._finish(task, self._advance(parked, not parked.timed_out))

    def hold(self, task: Task, call: Call, args: tuple[int, ...]) -> None:
        """A call of a stopped process: it begins when the process continues."""
        self.begin(task, call, _continued(task, call, args))
        if task.parked is not None:
            task.parked.woken = True

    def interrupt(self, task: Task) -> None:
        """A handler must run: let a parked call look once more, then break it off.

        Looking first is what Linux does: a wait4 whose child's death raised the signal
        returns the child. One that would wait again is broken off in `_park`.
        """
        parked = task.parked
        if parked is not None and parked.wait is not None and not parked.wait.killable_only:
            parked.wake()

    def _break_off(self, parked: Parked) -> None:
        self._leave(parked)
        self._finish(parked.task, self._advance(parked, None, Interrupted()))

    def cancel(self, task: Task) -> None:
        """Drop a parked call: its task is dead."""
        parked = task.parked
        if parked is not None:
            self._leave(parked)
            parked.step.close()

    def release(self, task: Task) -> None:
        """The process continues: hand out the result held back, step what was woken meanwhile."""
        if task.deferred is not None:
            value, task.deferred = task.deferred, None
            self.kernel.commands.append(Resume(task.thread, value))
        elif task.parked is not None and task.parked.woken:
            self.ready.append(task.parked)

    def resume(self, task: Task, value: int) -> None:
        """Hand a result to a waiting task; one of a stopped process gets it at SIGCONT."""
        if task.dead:
            return
        if task.process.stopped:
            task.deferred = value
        else:
            self.kernel.commands.append(Resume(task.thread, value))

    def _finish(self, task: Task, value: int | None) -> None:
        if value is not None:
            self.resume(task, value)

    def _leave(self, parked: Parked) -> None:
        """Take a call out of its queues."""
        parked.task.parked = None
        if parked.wait is not None:
            for queue in parked.wait.queues:
                queue.remove(parked)
        self.kernel.timers.cancel(parked.deadline)
        parked.deadline = None

    def _advance(
        self, parked: Parked, send: bool | None, interrupted: Interrupted | None = None
    ) -> int | None:
        """One slice of a call; None when it parked again or ends without a result."""
        try:
            if interrupted is not None:
                wait = parked.step.throw(interrupted)
            else:
                wait = parked.step.send(send)  # type: ignore[arg-type]  # None starts it
        except StopIteration as done:
            value: int | None = done.value
            return value
        except SysError as error:
            return -error.errno
        except Interrupted:
            return self.kernel.signals.interrupted_result(parked.task, parked.call.restart)
        self._park(parked, wait)
        return None

    def _park(self, parked: Parked, wait: Wait) -> None:
        if parked.task.dead:  # what it did killed it
            parked.step.close()
            return
        parked.wait = wait
        parked.woken = parked.timed_out = False
        parked.task.parked = parked
        for queue in wait.queues:
            queue.add(parked)
        if wait.deadline_ns is not None:
            parked.deadline = self.kernel.timers.add(wait.deadline_ns, parked.expire)
        if not wait.killable_only and (
            parked.task.doomed or self.kernel.signals.handler_waits(parked.task)
        ):
            self._break_off(parked)


def _continued(task: Task, call: Call, args: tuple[int, ...]) -> Step[int | None]:
    """A call that begins after SIGCONT, and after the handlers that must run first."""
    yield Wait(())
    if task.kernel.signals.handler_waits(task):
        return -ERESTARTSYS
    result = call.function(task, *args)
    if result is None or isinstance(result, int):
        return result
    value: int | None = yield from result
    return value
