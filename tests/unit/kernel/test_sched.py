# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The scheduler: parking, waking, deadlines; with calls made up for the purpose."""
from __future__ import annotations

from tests.unit.kernel.harness import MILLISECOND, PARKED, Harness, Value

from skerry.abi.errno import ERESTARTSYS, Errno
from skerry.abi.errors import SysError
from skerry.abi.signal import SA_RESTART, Signo
from skerry.kernel.sys.table import Call
from skerry.kernel.task import Task
from skerry.kernel.wait import Interrupted, Step, Wait, WaitQueue


def begin(h: Harness, task: Task, step: Step[int], restart: bool = False) -> Value:
    """Serve a call whose whole behaviour is `step`."""
    value = h.kernel.syscall(task, Call("made-up", lambda task: step, restart))
    h._perform(h.kernel.take())
    return PARKED if value is None else value


def run(h: Harness) -> None:
    h.kernel.sched.run()
    h._perform(h.kernel.take())


def wait_once(*queues: WaitQueue, deadline_ns: int | None = None) -> Step[int]:
    woken = yield Wait(queues, deadline_ns)
    return 1 if woken else 0


def wait_for(ready: list[bool], queue: WaitQueue) -> Step[int]:
    while not ready:
        yield Wait((queue,))
    return 1


def test_a_call_may_finish_without_waiting() -> None:
    h = Harness()
    task = h.process()

    def at_once() -> Step[int]:
        yield from ()
        return 5

    assert begin(h, task, at_once()) == 5
    assert task.parked is None


def test_an_error_after_waiting_becomes_a_number() -> None:
    h = Harness()
    task, queue = h.process(), WaitQueue()

    def fails() -> Step[int]:
        yield Wait((queue,))
        raise SysError(Errno.EPIPE)

    assert begin(h, task, fails()) is PARKED
    queue.wake()
    run(h)
    assert h.resumed(task) == -Errno.EPIPE


def test_any_queue_wakes_and_all_are_left() -> None:
    h = Harness()
    task, one, two = h.process(), WaitQueue(), WaitQueue()
    assert begin(h, task, wait_once(one, two)) is PARKED
    two.wake()
    one.wake()
    run(h)
    assert h.resumed(task) == 1
    assert not one.waiters
    assert not two.waiters
    run(h)
    assert h.resumed(task) is PARKED


def test_a_deadline_ends_a_wait_and_a_wake_cancels_the_deadline() -> None:
    h = Harness()
    task, queue = h.process(), WaitQueue()
    deadline = h.clock.now_ns + MILLISECOND
    assert begin(h, task, wait_once(queue, deadline_ns=deadline)) is PARKED
    assert h.armed_ns == deadline
    h.advance(MILLISECOND)
    assert h.resumed(task) == 0
    assert begin(h, task, wait_once(queue, deadline_ns=deadline + MILLISECOND)) is PARKED
    queue.wake()
    run(h)
    assert h.resumed(task) == 1
    assert h.armed_ns is None


def test_waiters_are_served_in_order_of_arrival() -> None:
    h = Harness()
    tasks, queue = [h.process() for _ in range(3)], WaitQueue()
    served: list[int] = []

    def serve(number: int) -> Step[int]:
        yield Wait((queue,))
        served.append(number)
        return 0

    for number, task in enumerate(tasks):
        begin(h, task, serve(number))
    assert queue.wake_one()
    run(h)
    assert served == [0]
    queue.wake()
    run(h)
    assert served == [0, 1, 2]
    assert not queue.wake_one()


def test_a_call_can_return_what_it_did_before_a_handler() -> None:
    h = Harness()
    task, other, queue = h.process(), h.process(), WaitQueue()
    h.handle(task, Signo.SIGUSR1, flags=SA_RESTART)

    def partial() -> Step[int]:
        try:
            while True:
                yield Wait((queue,))
        except Interrupted:
            return 7

    assert begin(h, task, partial(), restart=True) is PARKED
    h.done(other, "kill", task.tid, Signo.SIGUSR1)
    assert h.resumed(task) == 7
    assert begin(h, task, wait_once(queue), restart=True) is PARKED  # interrupted before it sleeps
    assert h.resumed(task) == -ERESTARTSYS


def test_what_has_happened_counts_more_than_a_signal() -> None:
    """As in Linux: the call looks once more before it is broken off."""
    h = Harness()
    task, other, queue = h.process(), h.process(), WaitQueue()
    ready: list[bool] = []
    h.handle(task, Signo.SIGUSR1)
    assert begin(h, task, wait_for(ready, queue)) is PARKED
    ready.append(True)
    h.done(other, "kill", task.tid, Signo.SIGUSR1)
    assert h.resumed(task) == 1
    assert h.flagged(task)


def test_a_killable_wait_is_not_interrupted() -> None:
    h = Harness()
    task, other, queue = h.process(), h.process(), WaitQueue()
    h.handle(task, Signo.SIGUSR1)

    def uninterruptible() -> Step[int]:
        yield Wait((queue,), killable_only=True)
        return 3

    assert begin(h, task, uninterruptible()) is PARKED
    h.done(other, "kill", task.tid, Signo.SIGUSR1)
    assert h.resumed(task) is PARKED
    queue.wake()
    run(h)
    assert h.resumed(task) == 3


def test_death_runs_the_cleanup_of_a_parked_call() -> None:
    h = Harness()
    task, other, queue = h.process(), h.process(), WaitQueue()
    cleaned: list[bool] = []

    def careful() -> Step[int]:
        try:
            yield Wait((queue,), h.clock.now_ns + MILLISECOND)
        finally:
            cleaned.append(True)
        return 0

    begin(h, task, careful())
    h.done(other, "kill", task.tid, Signo.SIGKILL)
    assert cleaned == [True]
    assert not queue.waiters
    assert h.armed_ns is None


def test_a_call_that_kills_its_own_process_and_waits() -> None:
    h = Harness()
    task, queue = h.process(), WaitQueue()

    def suicidal() -> Step[int]:
        h.kernel.exits.die(task.process, Signo.SIGKILL)
        yield Wait((queue,))
        return 0

    assert begin(h, task, suicidal()) is PARKED
    assert h.stopped(task)
    assert not queue.waiters


def test_stopping_between_wake_and_run_holds_the_call() -> None:
    h = Harness()
    task, other, queue = h.process(), h.process(), WaitQueue()
    begin(h, task, wait_once(queue))
    queue.wake()
    h.kernel.signals.stop(task.process, Signo.SIGSTOP)
    run(h)
    assert h.resumed(task) is PARKED
    h.done(other, "kill", task.tid, Signo.SIGCONT)
    assert h.resumed(task) == 1
