# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
from __future__ import annotations

from struct import unpack

from tests.unit.kernel.harness import MILLISECOND, PARKED, SECOND, Harness

from skerry.abi import poll
from skerry.abi.errno import Errno
from skerry.abi.fcntl import O_NONBLOCK
from skerry.abi.time import CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_REALTIME
from skerry.kernel.task import Task

ABSOLUTE = 1


def spec(h: Harness, task: Task, value: int, interval: int = 0) -> int:
    return h.longs(task, *divmod(interval, SECOND), *divmod(value, SECOND))


def set_time(h: Harness, task: Task, fd: int, value: int, interval: int = 0, flags: int = 0) -> int:
    return h.done(task, "timerfd_settime64", fd, flags, spec(h, task, value, interval), 0)


def take(h: Harness, task: Task, fd: int) -> int:
    where = h.room(task, 8)
    result = h.done(task, "read", fd, where, 8)
    return int(unpack("<Q", h.get(task, where, 8))[0]) if result == 8 else result


def left(h: Harness, task: Task, fd: int) -> tuple[int, int]:
    where = h.room(task, 32)
    assert h.done(task, "timerfd_gettime64", fd, where) == 0
    seconds, ns, value_seconds, value_ns = unpack("<qqqq", h.get(task, where, 32))
    return seconds * SECOND + ns, value_seconds * SECOND + value_ns


def test_a_reader_waits_for_the_expiration() -> None:
    h = Harness()
    task = h.process()
    fd = h.done(task, "timerfd_create", CLOCK_MONOTONIC, 0)
    assert set_time(h, task, fd, 10 * MILLISECOND) == 0
    where = h.room(task, 8)
    assert h.call(task, "read", fd, where, 8) is PARKED
    h.advance(9 * MILLISECOND)
    assert h.resumed(task) is PARKED
    h.advance(MILLISECOND)
    assert h.resumed(task) == 8
    assert h.get(task, where, 8) == b"\1" + bytes(7)


def test_a_periodic_timer_counts_while_nobody_reads() -> None:
    h = Harness()
    task = h.process()
    fd = h.done(task, "timerfd_create", CLOCK_MONOTONIC, O_NONBLOCK)
    assert set_time(h, task, fd, 10 * MILLISECOND, 4 * MILLISECOND) == 0
    assert take(h, task, fd) == -Errno.EAGAIN
    h.advance(19 * MILLISECOND)
    assert task.process.fds.get(fd).poll() == poll.POLLIN
    assert left(h, task, fd) == (4 * MILLISECOND, 3 * MILLISECOND)
    assert take(h, task, fd) == 3
    assert take(h, task, fd) == -Errno.EAGAIN
    h.advance(3 * MILLISECOND)
    assert take(h, task, fd) == 1


def test_a_poll_is_woken_by_each_period() -> None:
    h = Harness()
    task = h.process()
    fd = h.done(task, "timerfd_create", CLOCK_MONOTONIC, O_NONBLOCK)
    set_time(h, task, fd, MILLISECOND, MILLISECOND)
    for _ in range(3):
        where = h.put(task, bytes((fd, 0, 0, 0, 1, 0, 0, 0)))
        assert h.call(task, "ppoll_time64", where, 1, 0, 0, 8) is PARKED
        h.advance(MILLISECOND)
        assert h.resumed(task) == 1
        assert take(h, task, fd) == 1


def test_absolute_real_time() -> None:
    h = Harness()
    task = h.process()
    fd = h.done(task, "timerfd_create", CLOCK_REALTIME, O_NONBLOCK)
    set_time(h, task, fd, h.clock.realtime_ns() + SECOND, flags=ABSOLUTE)
    assert left(h, task, fd) == (0, SECOND)
    h.advance(SECOND)
    assert left(h, task, fd) == (0, 0)
    assert take(h, task, fd) == 1
    set_time(h, task, fd, 1, flags=ABSOLUTE)  # long ago
    assert take(h, task, fd) == 1


def test_disarming_forgets() -> None:
    h = Harness()
    task = h.process()
    fd = h.done(task, "timerfd_create", CLOCK_MONOTONIC, O_NONBLOCK)
    set_time(h, task, fd, MILLISECOND)
    h.advance(2 * MILLISECOND)
    old = h.room(task, 32)
    assert h.done(task, "timerfd_settime64", fd, 0, spec(h, task, 0), old) == 0
    assert take(h, task, fd) == -Errno.EAGAIN


def test_bad_arguments() -> None:
    h = Harness()
    task = h.process()
    assert h.done(task, "timerfd_create", CLOCK_PROCESS_CPUTIME_ID, 0) == -Errno.EINVAL
    assert h.done(task, "timerfd_create", CLOCK_MONOTONIC, 1) == -Errno.EINVAL
    fd = h.done(task, "timerfd_create", CLOCK_MONOTONIC, O_NONBLOCK)
    assert h.done(task, "timerfd_settime64", fd, 4, spec(h, task, 1), 0) == -Errno.EINVAL
    bad = h.longs(task, 0, 0, 0, SECOND)
    assert h.done(task, "timerfd_settime64", fd, 0, bad, 0) == -Errno.EINVAL
    assert h.done(task, "timerfd_settime64", fd, 0, -4, 0) == -Errno.EFAULT
    assert h.done(task, "timerfd_settime64", 99, 0, spec(h, task, 1), 0) == -Errno.EBADF
    other = h.done(task, "eventfd2", 0, 0)
    assert h.done(task, "timerfd_settime64", other, 0, spec(h, task, 1), 0) == -Errno.EINVAL
    assert h.done(task, "read", fd, h.room(task, 8), 7) == -Errno.EINVAL
    assert h.done(task, "write", fd, h.room(task, 8), 8) == -Errno.EINVAL
