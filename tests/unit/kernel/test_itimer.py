# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Interval timers, POSIX timers and the limit of processor time."""
from __future__ import annotations

from struct import unpack

import pytest
from tests.unit.kernel.harness import MILLISECOND, PARKED, SECOND, Harness

from skerry.abi import time as abi
from skerry.abi.errno import Errno
from skerry.abi.resource import RLIMIT_CPU
from skerry.abi.signal import SIG_IGN, Signo
from skerry.kernel.task import Task


def setitimer(h: Harness, task: Task, value_us: int, interval_us: int = 0, which: int = 0) -> None:
    new = h.words(task, *divmod(interval_us, 10**6), *divmod(value_us, 10**6))
    assert h.done(task, "setitimer", which, new, 0) == 0


def getitimer(h: Harness, task: Task, which: int = 0) -> tuple[int, int]:
    """(value, interval) in microseconds."""
    old = h.room(task, 16)
    assert h.done(task, "getitimer", which, old) == 0
    interval_s, interval_us, value_s, value_us = unpack("<iiii", h.get(task, old, 16))
    return value_s * 10**6 + value_us, interval_s * 10**6 + interval_us


def create(h: Harness, task: Task, signo: int = 10, clock: int = 1, notify: int = 0, tid: int = 0) -> int:
    event = h.words(task, 0xABCD, signo, notify, tid)
    out = h.room(task, 4)
    assert h.done(task, "timer_create", clock, event, out) == 0
    return h.i32(task, out)


def settime(h: Harness, task: Task, timer: int, value_ns: int, interval_ns: int = 0, flags: int = 0) -> None:
    new = h.longs(task, *divmod(interval_ns, SECOND), *divmod(value_ns, SECOND))
    assert h.done(task, "timer_settime64", timer, flags, new, 0) == 0


def signals(h: Harness, task: Task) -> list[int]:
    """Fetch and finish every handler that waits."""
    found = []
    while frame := h.sigfetch(task):
        found.append(frame.signo)
        h.sigreturn(task, frame)
    return found


def test_an_alarm_breaks_a_wait() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGALRM)
    setitimer(h, task, 2_000_000)
    assert h.call(task, "rt_sigsuspend", h.longs(task, 0), 8) is PARKED
    h.advance(SECOND)
    assert getitimer(h, task) == (1_000_000, 0)
    h.advance(SECOND)
    assert h.resumed(task) == -Errno.EINTR
    assert signals(h, task) == [Signo.SIGALRM]
    assert getitimer(h, task) == (0, 0)


def test_an_interval_goes_on_until_disarmed() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGALRM)
    setitimer(h, task, 10_000, 20_000)
    seen = []
    for _ in range(6):
        h.advance(10 * MILLISECOND)
        seen.append(len(signals(h, task)))
    assert seen == [1, 0, 1, 0, 1, 0]
    setitimer(h, task, 0, 20_000)
    h.advance(SECOND)
    assert signals(h, task) == []
    assert h.armed_ns is None


def test_the_old_value_is_given_back() -> None:
    h = Harness()
    task = h.process()
    setitimer(h, task, 5_000_000)
    h.advance(SECOND + 1)
    old = h.room(task, 16)
    assert h.done(task, "setitimer", 0, h.words(task, 0, 0, 0, 0), old) == 0
    assert unpack("<iiii", h.get(task, old, 16)) == (0, 0, 4, 0)  # rounded up to a microsecond


def test_an_unhandled_alarm_kills() -> None:
    h = Harness()
    task = h.process()
    setitimer(h, task, 1)
    h.advance(SECOND)
    assert h.stopped(task)
    assert h.armed_ns is None


def test_alarms_survive_exec_but_not_fork_or_exit() -> None:
    h = Harness()
    task = h.process()
    setitimer(h, task, 1_000_000)
    child = h.fork(task)
    assert getitimer(h, child) == (0, 0)
    h.kernel.itimers.clear_posix(task.process)
    assert getitimer(h, task)[0] == 1_000_000
    h.exit(task)
    assert h.armed_ns is None


@pytest.mark.parametrize("words", [(0, 0, -1, 0), (0, 0, 0, 1_000_000), (0, -1, 1, 0)])
def test_bad_values_are_refused(words: tuple[int, ...]) -> None:
    h = Harness()
    task = h.process()
    assert h.done(task, "setitimer", 0, h.words(task, *words), 0) == -Errno.EINVAL
    assert h.done(task, "setitimer", 3, h.words(task, 0, 0, 1, 0), 0) == -Errno.EINVAL


@pytest.mark.parametrize(("which", "signo"), [(1, Signo.SIGVTALRM), (2, Signo.SIGPROF)])
def test_processor_timers_count_processor_time(which: int, signo: int) -> None:
    h = Harness()
    task = h.process()
    h.handle(task, signo)
    setitimer(h, task, 500_000, which=which)
    h.advance(10 * SECOND)  # it slept
    assert signals(h, task) == []
    assert getitimer(h, task, which)[0] == 500_000
    h.clock.used_ns[task.tid] = 499 * MILLISECOND
    h.advance(SECOND)
    assert signals(h, task) == []
    h.clock.used_ns[task.tid] = 501 * MILLISECOND
    h.advance(SECOND)
    assert signals(h, task) == [signo]
    assert h.armed_ns is None


def test_a_sleeping_process_is_looked_at_ever_more_seldom() -> None:
    h = Harness()
    task = h.process()
    setitimer(h, task, 1, which=1)
    looks = 0
    for _ in range(1000):
        before = h.armed_ns
        h.advance(10 * MILLISECOND)
        looks += h.armed_ns != before
    assert looks < 20


def test_the_limit_of_processor_time() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGXCPU)
    assert h.done(task, "prlimit64", 0, RLIMIT_CPU, h.longs(task, 1, 2), 0) == 0
    child = h.fork(task)
    h.clock.used_ns[task.tid] = SECOND
    h.advance(2 * SECOND)
    assert signals(h, task) == [Signo.SIGXCPU]
    h.clock.used_ns[task.tid] = 2 * SECOND
    h.advance(2 * SECOND)
    assert h.stopped(task)
    h.clock.used_ns[child.tid] = 3 * SECOND
    h.advance(2 * SECOND)
    assert h.stopped(child)


def test_a_posix_timer_tells_its_value_and_number() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGUSR1)
    create(h, task)
    timer = create(h, task)
    settime(h, task, timer, 5 * MILLISECOND)
    h.advance(5 * MILLISECOND)
    frame = h.sigfetch(task)
    assert frame is not None
    assert (frame.signo, frame.code) == (Signo.SIGUSR1, -2)
    assert unpack("<iiI", frame.siginfo[12:24]) == (timer, 0, 0xABCD)


def test_expirations_that_nobody_fetched_are_overruns() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGUSR1)
    timer = create(h, task)
    settime(h, task, timer, MILLISECOND, MILLISECOND)
    h.advance(5 * MILLISECOND)
    frame = h.sigfetch(task)
    assert frame is not None
    assert unpack("<i", frame.siginfo[16:20]) == (4,)
    assert h.done(task, "timer_getoverrun", timer) == 4
    assert h.sigfetch(task) is None


def test_a_late_timer_counts_what_it_missed() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGUSR1)
    timer = create(h, task)
    settime(h, task, timer, MILLISECOND, MILLISECOND)
    h.clock.now_ns += 10 * MILLISECOND  # the engine was slow
    h.advance(0)
    assert h.done(task, "timer_getoverrun", timer) == 9


def test_absolute_time_and_the_past() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGUSR1)
    timer = create(h, task, clock=0)
    settime(h, task, timer, h.clock.realtime_ns() + SECOND, flags=1)
    h.advance(SECOND - 1)
    assert signals(h, task) == []
    h.advance(1)
    assert signals(h, task) == [Signo.SIGUSR1]
    settime(h, task, timer, 1, flags=1)
    h.advance(0)
    assert signals(h, task) == [Signo.SIGUSR1]


def test_two_timers_with_one_signal_both_count() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGUSR1)
    for timer in (create(h, task), create(h, task)):
        settime(h, task, timer, MILLISECOND)
    h.advance(MILLISECOND)
    assert signals(h, task) == [Signo.SIGUSR1] * 2


def test_a_timer_for_one_thread_and_one_for_nobody() -> None:
    h = Harness()
    task = h.process(threads=True)
    thread = h.thread(task)
    h.handle(task, Signo.SIGUSR1)
    for timer in (
        create(h, task, notify=abi.SIGEV_THREAD_ID, tid=thread.tid),
        quiet := create(h, task, signo=0, notify=abi.SIGEV_NONE),
    ):
        settime(h, task, timer, MILLISECOND)
    h.advance(MILLISECOND)
    assert signals(h, task) == []
    assert signals(h, thread) == [Signo.SIGUSR1]
    settime(h, task, quiet, SECOND)
    h.advance(SECOND // 4)
    out = h.room(task, 32)
    assert h.done(task, "timer_gettime64", quiet, out) == 0
    assert unpack("<qqqq", h.get(task, out, 32)) == (0, 0, 0, 750 * MILLISECOND)


def test_without_an_event_the_signal_is_sigalrm() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGALRM)
    out = h.room(task, 4)
    assert h.done(task, "timer_create", 1, 0, out) == 0
    settime(h, task, h.i32(task, out), MILLISECOND)
    h.advance(MILLISECOND)
    assert signals(h, task) == [Signo.SIGALRM]


def test_deleted_and_ignored_timers_are_silent() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGUSR1, SIG_IGN)
    timer = create(h, task)
    settime(h, task, timer, MILLISECOND, MILLISECOND)
    h.advance(3 * MILLISECOND)
    assert not task.process.pending
    assert h.done(task, "timer_delete", timer) == 0
    assert h.armed_ns is None
    assert h.done(task, "timer_delete", timer) == -Errno.EINVAL
    assert create(h, task) == timer


def test_what_timer_create_refuses() -> None:
    h = Harness()
    task = h.process()
    out = h.room(task, 4)
    good = h.words(task, 0, 10, 0, 0)
    assert h.done(task, "timer_create", 99, good, out) == -Errno.EINVAL
    assert h.done(task, "timer_create", abi.CLOCK_MONOTONIC_RAW, good, out) == -Errno.EOPNOTSUPP
    assert h.done(task, "timer_create", 1, h.words(task, 0, 65, 0, 0), out) == -Errno.EINVAL
    assert h.done(task, "timer_create", 1, h.words(task, 0, 10, 7, 0), out) == -Errno.EINVAL
    assert h.done(task, "timer_create", 1, h.words(task, 0, 10, 4, 999), out) == -Errno.EINVAL
    assert h.done(task, "timer_create", 1, good, task.mem.size) == -Errno.EFAULT
    task.process.limits[11] = (2, 2)
    assert [h.done(task, "timer_create", 1, good, out) for _ in range(3)] == [0, 0, -Errno.EAGAIN]
