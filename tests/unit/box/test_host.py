# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Carriers and commands, with guests that are Python functions."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.box.stub_kernel import StubKernel, StubTask

from skerry.box.engines.alarm import Alarm
from skerry.box.engines.engine import Trap
from skerry.box.engines.host import Host
from skerry.box.engines.null import NullEngine, NullGuest
from skerry.box.engines.pool import IDLE_MAX, Pool
from skerry.kernel import commands as c
from skerry.kernel import events


class Outside:
    def __init__(self) -> None:
        self.crash: BaseException | None = None
        self.commands: list[c.Command] = []

    def command(self, command: c.Command) -> None:
        self.commands.append(command)

    def crashed(self, error: BaseException) -> None:
        self.crash = error


class Rig:
    def __init__(self) -> None:
        self.kernel, self.outside, self.engine = StubKernel(), Outside(), NullEngine()
        self.host = Host(self.engine, self.outside, 1 << 20)
        kernel: Any = self.kernel
        self.host.attach(kernel)

    def start(self, program: Callable[[NullGuest], int]) -> StubTask:
        with self.host.lock:
            task = self.kernel.spawn(program)
            self.host.dispatch(self.kernel.take())
        self.host.ring()
        return task

    def act(self, *commands: c.Command) -> None:
        with self.host.lock:
            self.host.dispatch(list(commands))
        self.host.ring()

    def wait(self, done: Callable[[], bool] | None = None) -> None:
        end = time.monotonic() + 10
        while not (done() if done else self.host.idle()):
            assert time.monotonic() < end
            time.sleep(0.001)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_calls_and_exit(rig: Rig) -> None:
    def program(guest: NullGuest) -> int:
        guest.bytes[:2] = b"hi"
        assert guest.call("getppid") == 7
        return guest.call("write", 1, 0, 2)

    task = rig.start(program)
    rig.wait()
    assert rig.kernel.output == b"hi" and rig.kernel.returned == [task.tid]
    assert task.process.status == 2 << 8


def test_fork_copies(rig: Rig) -> None:
    def child(guest: NullGuest) -> int:
        return guest.call("write", 1, 0, 1)

    def program(guest: NullGuest) -> int:
        guest.bytes[0] = 65
        pid = guest.fork(child)
        guest.bytes[0] = 66
        guest.call("write", 1, 0, 1)
        return pid

    rig.start(program)
    rig.wait()
    assert sorted(rig.kernel.output) == sorted(b"AB")


def test_a_busy_guest_is_poked_and_stopped(rig: Rig) -> None:
    polled: list[bool] = []

    def program(guest: NullGuest) -> int:
        guest.call("start", 0, 8, module="skerry")
        guest.call("write", 1, 0, 1)
        while True:
            if guest.poll():
                polled.append(True)

    task = rig.start(program)
    rig.wait(lambda: rig.kernel.output != b"")
    rig.act(c.Poke(task.tid))
    rig.wait(lambda: bool(polled))
    rig.act(c.Stop(task.tid))
    rig.wait()


def test_a_poke_before_libc_is_ready_waits_for_libc(rig: Rig) -> None:
    def program(guest: NullGuest) -> int:
        guest.call("write", 1, 0, 1)
        guest.call("sched_yield")
        assert not guest.poll()
        return 0

    task = rig.start(program)
    rig.wait(lambda: bool(rig.kernel.parked))
    rig.act(c.Poke(task.tid), c.Resume(task.tid, 0))
    rig.wait()
    assert rig.outside.crash is None


def test_a_stop_before_the_result_wins(rig: Rig) -> None:
    def program(guest: NullGuest) -> int:
        guest.call("sched_yield")
        raise AssertionError("it goes on after its end")

    task = rig.start(program)
    rig.wait(lambda: bool(rig.kernel.parked))
    rig.act(c.Resume(task.tid, 1), c.Stop(task.tid))
    rig.wait()
    assert rig.outside.crash is None


def test_execve_replaces_the_image(rig: Rig) -> None:
    def second(guest: NullGuest) -> int:
        return 5

    def first(guest: NullGuest) -> int:
        guest.call("sched_yield")
        return 1

    task = rig.start(first)
    rig.wait(lambda: bool(rig.kernel.parked))
    rig.act(c.Exec(task.tid, c.Image(second, (), (), (), b"")))
    rig.wait()
    assert task.process.status == 5 << 8


def test_a_trap_is_reported(rig: Rig) -> None:
    def program(guest: NullGuest) -> int:
        raise Trap(11, "ouch")

    rig.start(program)
    rig.wait()
    assert [(trap.signo, trap.reason) for trap in rig.kernel.traps] == [(11, "ouch")]


def test_another_exception_is_our_bug(rig: Rig) -> None:
    def program(guest: NullGuest) -> int:
        raise RuntimeError("bug")

    rig.start(program)
    rig.wait(lambda: rig.outside.crash is not None)
    assert str(rig.outside.crash) == "bug"


def test_commands_for_the_dead_are_dropped(rig: Rig) -> None:
    rig.act(c.Resume(99, 0), c.Stop(99), c.Poke(99), c.Exec(99, c.Image(None, (), (), (), b"")))
    rig.act(c.Spawn(77, 0, c.SpawnKind.EXEC))


def test_processor_time_is_counted(rig: Rig) -> None:
    seen: list[int] = []

    def program(guest: NullGuest) -> int:
        sum(range(2_000_000))
        seen.append(rig.host.task_ns(guest.carrier.tid))
        return 0

    rig.start(program)
    rig.wait()
    assert seen[0] > 1_000_000
    assert rig.host.task_ns(12345) == 0


def test_timers_fire_once_in_time(rig: Rig) -> None:
    fired: list[events.Event] = []

    def step(event: events.Event) -> list[c.Command]:
        fired.append(event)
        return []

    rig.kernel.step = step  # type: ignore[method-assign]
    rig.act(c.SetTimer(time.monotonic_ns() + 3_600_000_000_000))
    rig.act(c.SetTimer(time.monotonic_ns() + 5_000_000))
    rig.wait(lambda: bool(fired))
    rig.act(c.SetTimer(time.monotonic_ns() + 20_000_000))
    rig.act(c.SetTimer(None))
    time.sleep(0.05)
    assert fired == [events.Timer()]


def test_the_alarm_takes_new_deadlines_from_its_own_action() -> None:
    rings: list[int] = []

    def action() -> None:
        rings.append(1)
        if len(rings) < 5:
            alarm.set(time.monotonic_ns() + 1_000_000)

    alarm = Alarm(action)
    alarm.set(time.monotonic_ns())
    end = time.monotonic() + 5
    while len(rings) < 5 and time.monotonic() < end:
        time.sleep(0.001)
    assert len(rings) == 5


def test_the_pool_uses_threads_again() -> None:
    pool, ran = Pool(1 << 20), list[int]()
    for number in range(200):
        pool.run(lambda number=number: ran.append(number))  # type: ignore[misc]
        if number % 10 == 0:
            time.sleep(0.002)
    end = time.monotonic() + 5
    while len(ran) < 200 and time.monotonic() < end:
        time.sleep(0.001)
    assert sorted(ran) == list(range(200))
    assert len(pool._idle) <= IDLE_MAX
