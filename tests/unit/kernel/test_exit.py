# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The end of threads and processes, and what becomes of those around them."""
from __future__ import annotations

from tests.unit.kernel.harness import PARKED, Harness

from skerry.abi.errno import Errno
from skerry.abi.signal import Signo
from skerry.kernel.commands import Exited, Log
from skerry.kernel.events import Returned, Trapped
from skerry.kernel.session import Group


def test_orphans_go_to_init_and_are_reaped_there() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    grandchild = h.fork(child)
    h.exit(child)
    assert grandchild.process.parent is h.kernel.init
    assert h.done(grandchild, "getppid") == 1
    h.exit(grandchild)
    assert grandchild.tid not in h.kernel.processes


def test_zombies_of_a_dead_parent_vanish() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    grandchild = h.fork(child)
    h.exit(grandchild)
    assert grandchild.tid in h.kernel.processes
    h.exit(child)
    assert grandchild.tid not in h.kernel.processes


def test_a_subreaper_inherits_and_is_told() -> None:
    h = Harness()
    parent = h.process()
    parent.process.child_subreaper = True
    child = h.fork(parent)
    grandchild = h.fork(child)
    h.exit(child)
    assert h.done(parent, "wait4", child.tid, 0, 0, 0) == child.tid
    assert grandchild.process.parent is parent.process
    assert h.call(parent, "wait4", -1, 0, 0, 0) is PARKED
    h.exit(grandchild)
    assert h.resumed(parent) == grandchild.tid


def test_the_death_signal_of_a_child_is_sent() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    child.process.death_signal = Signo.SIGTERM
    h.exit(parent)
    assert h.stopped(child)


def test_the_last_thread_ends_the_process() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    child.process.shared_memory = True
    other = h.thread(child)
    assert h.call(child, "exit", 1) is PARKED
    assert child.dead
    assert child.process.alive
    assert h.done(other, "getpid") == child.process.pid
    assert h.call(other, "exit", 4) is PARKED
    status = h.room(parent, 4)
    assert h.done(parent, "wait4", -1, status, 0, 0) == child.tid
    assert h.i32(parent, status) == 4 << 8


def test_exit_group_ends_parked_threads() -> None:
    h = Harness()
    task = h.process(threads=True)
    sleeper = h.thread(task)
    assert h.call(sleeper, "rt_sigsuspend", h.longs(task, 0), 8) is PARKED
    h.exit(task)
    assert h.stopped(task)
    assert h.stopped(sleeper)
    assert sleeper.parked is None
    assert not h.kernel.tasks


def test_killing_a_parked_process() -> None:
    h = Harness()
    one, two = h.process(), h.process()
    child = h.fork(one)
    assert h.call(one, "wait4", -1, 0, 0, 0) is PARKED
    h.done(two, "kill", one.tid, Signo.SIGKILL)
    assert h.stopped(one)
    assert h.resumed(one) is PARKED
    assert child.process.parent is h.kernel.init


def test_a_trap_kills_and_is_logged() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    h.step(Trapped(child.tid, Signo.SIGILL, "unreachable"))
    status = h.room(parent, 4)
    assert h.done(parent, "wait4", -1, status, 0, 0) == child.tid
    assert h.i32(parent, status) == Signo.SIGILL
    (log,) = h.taken(Log)
    assert "unreachable" in log.text


def test_a_start_function_that_returns_exits() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    h.step(Returned(child.tid, 9))
    h.step(Returned(child.tid, 9))  # a late echo of a dead thread
    status = h.room(parent, 4)
    assert h.done(parent, "wait4", -1, status, 0, 0) == child.tid
    assert h.i32(parent, status) == 9 << 8


def test_a_tagged_process_is_announced() -> None:
    h = Harness()
    task = h.process()
    task.process.tag = 5
    h.clock.used_ns[task.tid] = 42
    h.exit(task, 1)
    assert h.taken(Exited) == [Exited(5, task.tid, 1 << 8, 42)]


def test_a_stopped_group_that_is_orphaned_gets_hangup_and_continues() -> None:
    h = Harness()
    shell = h.process()
    job = h.fork(shell)
    assert shell.process.group is not None
    Group(job.tid, shell.process.group.session).add(job.process)
    h.handle(job, Signo.SIGHUP)
    h.done(shell, "kill", job.tid, Signo.SIGTSTP)
    assert job.process.stopped
    h.exit(shell)
    assert h.kernel.processes[job.tid].stopped is False
    frame = h.sigfetch(job)
    assert frame is not None
    assert frame.signo == Signo.SIGHUP


def test_an_orphaned_group_does_not_stop_for_the_terminal() -> None:
    h = Harness()
    task = h.process()
    h.done(task, "kill", task.tid, Signo.SIGTSTP)
    assert not task.process.stopped


def test_a_dead_process_cannot_be_signalled_but_exists() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    h.exit(child)
    assert h.done(parent, "kill", child.tid, 0) == 0
    h.done(parent, "wait4", child.tid, 0, 0, 0)
    assert h.done(parent, "kill", child.tid, 0) == -Errno.ESRCH
