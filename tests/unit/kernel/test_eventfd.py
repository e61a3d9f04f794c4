# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
from __future__ import annotations

from struct import pack, unpack

from tests.unit.kernel.harness import PARKED, Harness

from skerry.abi import fcntl, poll
from skerry.abi.errno import Errno
from skerry.kernel.task import Task

SEMAPHORE = 1


def add(h: Harness, task: Task, fd: int, value: int) -> object:
    return h.call(task, "write", fd, h.put(task, pack("<Q", value)), 8)


def take(h: Harness, task: Task, fd: int) -> int:
    where = h.room(task, 8)
    result = h.done(task, "read", fd, where, 8)
    return int(unpack("<Q", h.get(task, where, 8))[0]) if result == 8 else result


def test_a_read_takes_the_sum() -> None:
    h = Harness()
    task = h.process()
    fd = h.done(task, "eventfd2", 3, 0)
    assert add(h, task, fd, 4) == 8
    assert take(h, task, fd) == 7


def test_a_semaphore_gives_one_at_a_time() -> None:
    h = Harness()
    task = h.process()
    fd = h.done(task, "eventfd2", 2, SEMAPHORE | fcntl.O_NONBLOCK)
    assert [take(h, task, fd) for _ in range(3)] == [1, 1, -Errno.EAGAIN]


def test_zero_parks_the_reader() -> None:
    h = Harness()
    task = h.process()
    fd = h.done(task, "eventfd2", 0, 0)
    other = h.fork(task)
    where = h.room(task, 8)
    assert h.call(task, "read", fd, where, 8) is PARKED
    assert add(h, other, fd, 0) == 8
    assert h.resumed(task) is PARKED
    add(h, other, fd, 5)
    assert h.resumed(task) == 8
    assert h.get(task, where, 8) == pack("<Q", 5)


def test_the_largest_count_parks_the_writer() -> None:
    h = Harness()
    task = h.process()
    fd = h.done(task, "eventfd2", 0, 0)
    assert add(h, task, fd, 2**64 - 2) == 8
    file = task.process.fds.get(fd)
    assert file.poll() == poll.POLLIN
    other = h.fork(task)
    assert add(h, task, fd, 1) is PARKED
    assert take(h, other, fd) == 2**64 - 2
    assert h.resumed(task) == 8
    assert take(h, other, fd) == 1
    assert file.poll() == poll.POLLOUT


def test_bad_arguments() -> None:
    h = Harness()
    task = h.process()
    assert h.done(task, "eventfd2", 0, 2) == -Errno.EINVAL
    fd = h.done(task, "eventfd2", 0, fcntl.O_NONBLOCK)
    assert add(h, task, fd, 2**64 - 1) == -Errno.EINVAL
    assert h.done(task, "read", fd, h.room(task, 8), 7) == -Errno.EINVAL
    assert h.done(task, "write", fd, h.room(task, 8), 7) == -Errno.EINVAL
    assert take(h, task, fd) == -Errno.EAGAIN
    assert h.done(task, "fcntl64", fd, fcntl.F_GETFL, 0) == fcntl.O_RDWR | fcntl.O_NONBLOCK
