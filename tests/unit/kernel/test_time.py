# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Clocks, sleeping, usage."""
from __future__ import annotations

from struct import unpack

import pytest
from tests.unit.kernel.harness import MILLISECOND, PARKED, SECOND, Harness

from skerry.abi.errno import Errno
from skerry.abi.signal import Signo
from skerry.kernel.task import Task

ABSOLUTE = 1


def read_clock(h: Harness, task: Task, clock: int) -> int:
    """Nanoseconds, or a negative errno."""
    value = h.done(task, "clock_gettime64", clock, address := h.room(task, 16))
    seconds, nanoseconds = unpack("<qq", h.get(task, address, 16))
    return value or seconds * SECOND + nanoseconds


def cpu_clock(pid: int, thread: bool = False) -> int:
    """The clock id that clock_getcpuclockid and pthread_getcpuclockid make."""
    return (-pid - 1) * 8 + (6 if thread else 2)


def test_every_clock_shows_its_time() -> None:
    h = Harness()
    task = h.process(threads=True)
    thread = h.thread(task)
    h.clock.used_ns = {task.tid: 5 * SECOND + 1, thread.tid: 2 * SECOND}
    for clock in (0, 5, 8, 11):
        assert read_clock(h, task, clock) == h.clock.realtime_ns()
    for clock in (1, 4, 6, 7, 9):
        assert read_clock(h, task, clock) == h.clock.monotonic_ns()
    assert read_clock(h, task, 2) == 7 * SECOND + 1
    assert read_clock(h, task, 3) == 5 * SECOND + 1
    assert read_clock(h, thread, 3) == 2 * SECOND
    other = h.process()
    assert read_clock(h, other, cpu_clock(task.tid)) == 7 * SECOND + 1
    assert read_clock(h, task, cpu_clock(thread.tid, thread=True)) == 2 * SECOND
    assert read_clock(h, other, cpu_clock(thread.tid, thread=True)) == -Errno.EINVAL


@pytest.mark.parametrize("clock", [10, 12, 99, -1, cpu_clock(4321)])
def test_no_such_clock(clock: int) -> None:
    h = Harness()
    task = h.process()
    assert read_clock(h, task, clock) == -Errno.EINVAL
    assert h.done(task, "clock_getres_time64", clock, 0) == -Errno.EINVAL


def test_time_of_ended_threads_still_counts() -> None:
    h = Harness()
    task = h.process(threads=True)
    thread = h.thread(task)
    h.clock.used_ns = {task.tid: SECOND, thread.tid: SECOND}
    h.call(thread, "exit", 0)
    assert read_clock(h, task, 2) == 2 * SECOND


def test_the_resolution_and_a_bad_pointer() -> None:
    h = Harness()
    task = h.process()
    for clock, ns in ((0, 1), (1, 1), (2, 1), (6, 4_000_000)):
        address = h.room(task, 16)
        assert h.done(task, "clock_getres_time64", clock, address) == 0
        assert unpack("<qq", h.get(task, address, 16)) == (0, ns)
    assert h.done(task, "clock_gettime64", 0, task.mem.size - 8) == -Errno.EFAULT


def test_the_clock_cannot_be_set() -> None:
    h = Harness()
    task = h.process()
    assert h.done(task, "clock_settime64", 0, h.timespec(task, 0)) == -Errno.EPERM
    assert h.done(task, "clock_settime64", 0, h.longs(task, 0, SECOND)) == -Errno.EINVAL
    assert h.done(task, "clock_settime64", 1, h.timespec(task, 0)) == -Errno.EINVAL
    assert h.done(task, "clock_adjtime64", 0, 0) == -Errno.EPERM


def test_a_sleep_ends_on_time() -> None:
    h = Harness()
    task = h.process()
    assert h.call(task, "clock_nanosleep_time64", 0, 0, h.timespec(task, 3 * SECOND), 0) is PARKED
    h.advance(3 * SECOND - 1)
    assert h.resumed(task) is PARKED
    h.advance(1)
    assert h.resumed(task) == 0


def test_an_absolute_sleep() -> None:
    h = Harness()
    task = h.process()
    for clock, now in ((0, h.clock.realtime_ns), (1, h.clock.monotonic_ns)):
        at = h.timespec(task, now() + SECOND)
        assert h.call(task, "clock_nanosleep_time64", clock, ABSOLUTE, at, 0) is PARKED
        h.advance(SECOND)
        assert h.resumed(task) == 0
        assert h.call(task, "clock_nanosleep_time64", clock, ABSOLUTE, at, 0) == 0


def test_an_interrupted_sleep_says_what_is_left() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    h.handle(task, Signo.SIGUSR1)
    remain = h.room(task, 16)
    assert h.call(task, "clock_nanosleep_time64", 1, 0, h.timespec(task, 5 * SECOND), remain) is PARKED
    h.advance(2 * SECOND)
    h.done(other, "kill", task.tid, Signo.SIGUSR1)
    assert h.resumed(task) == -Errno.EINTR
    assert unpack("<qq", h.get(task, remain, 16)) == (3, 0)


def test_a_stop_does_not_lengthen_a_sleep() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    h.call(task, "nanosleep", h.timespec(task, SECOND), 0)
    h.done(other, "kill", task.tid, Signo.SIGSTOP)
    h.advance(5 * SECOND)
    assert h.resumed(task) is PARKED
    h.done(other, "kill", task.tid, Signo.SIGCONT)
    assert h.resumed(task) == 0


def test_hostile_sleeps() -> None:
    h = Harness()
    task = h.process()
    sleep = "clock_nanosleep_time64"
    assert h.call(task, sleep, 1, 0, h.longs(task, 0, SECOND), 0) == -Errno.EINVAL
    assert h.call(task, sleep, 1, 0, h.longs(task, -1, 0), 0) == -Errno.EINVAL
    assert h.call(task, sleep, 3, 0, h.longs(task, 1, 0), 0) == -Errno.EINVAL
    assert h.call(task, sleep, 2, 0, h.longs(task, 1, 0), 0) == -Errno.EOPNOTSUPP
    assert h.call(task, sleep, 8, 0, h.longs(task, 1, 0), 0) == -Errno.EPERM
    assert h.call(task, sleep, 1, 0, task.mem.size, 0) == -Errno.EFAULT
    assert h.call(task, sleep, 1, 0, h.longs(task, 1 << 62, 0), 0) is PARKED
    assert h.armed_ns is not None
    assert h.armed_ns < 1 << 63


def test_usage_and_times() -> None:
    h = Harness()
    task = h.process()
    child = h.fork(task)
    h.clock.used_ns = {task.tid: 1_250_000_000, child.tid: 500_000_000}
    h.exit(child)
    h.done(task, "wait4", -1, 0, 0, 0)
    for who, want in ((0, (1, 250_000)), (-1, (0, 500_000)), (1, (1, 250_000))):
        address = h.put(task, b"\xff" * 72)
        assert h.done(task, "getrusage", who, address) == 0
        assert unpack("<ii", h.get(task, address, 8)) == want
        assert h.get(task, address + 8, 64) == bytes(64)
    assert h.done(task, "getrusage", 7, 0) == -Errno.EINVAL
    ticks = h.done(task, "times", address := h.room(task, 16))
    assert unpack("<iiii", h.get(task, address, 16)) == (125, 0, 50, 0)
    h.advance(30 * MILLISECOND)
    assert h.done(task, "times", 0) == ticks + 3
