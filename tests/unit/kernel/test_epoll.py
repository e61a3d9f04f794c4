# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What a comparison with Linux (test_oracle.py) cannot show: waiting, masks, closed files."""
from __future__ import annotations

from struct import iter_unpack, pack

from tests.unit.kernel.harness import MILLISECOND, PARKED, Harness, sigset

from skerry.abi import poll
from skerry.abi.epoll import EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD
from skerry.abi.errno import Errno
from skerry.abi.signal import Signo
from skerry.kernel.task import Task

IN, OUT = poll.POLLIN, poll.POLLOUT


def pipe(h: Harness, task: Task) -> tuple[int, int]:
    where = h.room(task, 8)
    assert h.done(task, "pipe2", where, 0) == 0
    return h.i32(task, where), h.i32(task, where + 4)


def ctl(h: Harness, task: Task, epfd: int, operation: int, fd: int, events: int, data: int = 0) -> int:
    event = h.put(task, pack("<I4xQ", events, data))
    return h.done(task, "epoll_ctl", epfd, operation, fd, event)


def write(h: Harness, task: Task, fd: int) -> None:
    assert h.done(task, "write", fd, h.put(task, b"x"), 1) == 1


def events(h: Harness, task: Task, where: int, count: int) -> list[tuple[int, int]]:
    return [(bits, data) for bits, data in iter_unpack("<I4xQ", h.get(task, where, 16 * count))]


def now(h: Harness, task: Task, epfd: int) -> list[tuple[int, int]]:
    where = h.room(task, 160)
    return events(h, task, where, h.done(task, "epoll_pwait", epfd, where, 10, 0, 0, 8))


def test_a_wait_ends_with_the_first_event() -> None:
    h = Harness()
    task = h.process()
    other = h.fork(task)
    epfd = h.done(task, "epoll_create1", 0)
    where = h.room(task, 16)
    assert h.call(task, "epoll_pwait", epfd, where, 1, -1, 0, 8) is PARKED
    r, w = pipe(h, task)
    assert ctl(h, task, epfd, EPOLL_CTL_ADD, r, IN, 2**64 - 2) == 0
    writer = task.process.fds.get(w)
    other.process.fds.put(9, writer)
    write(h, other, 9)
    assert h.resumed(task) == 1
    assert events(h, task, where, 1) == [(IN, 2**64 - 2)]


def test_timeouts() -> None:
    h = Harness()
    task = h.process()
    epfd = h.done(task, "epoll_create1", 0)
    where = h.room(task, 16)
    assert h.call(task, "epoll_pwait", epfd, where, 1, 5, 0, 8) is PARKED
    h.advance(5 * MILLISECOND)
    assert h.resumed(task) == 0
    timeout = h.timespec(task, 7 * MILLISECOND)
    assert h.call(task, "epoll_pwait2", epfd, where, 1, timeout, 0, 8) is PARKED
    h.advance(6 * MILLISECOND)
    assert h.resumed(task) is PARKED
    h.advance(MILLISECOND)
    assert h.resumed(task) == 0


def test_a_signal_interrupts_and_the_mask_comes_back() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    h.handle(task, Signo.SIGUSR1)
    h.block(task, Signo.SIGUSR1)
    epfd = h.done(task, "epoll_create1", 0)
    where = h.room(task, 16)
    assert h.call(task, "epoll_pwait", epfd, where, 1, -1, h.longs(task, 0), 8) is PARKED
    h.done(other, "kill", task.process.pid, Signo.SIGUSR1)
    assert h.resumed(task) == -Errno.EINTR
    frame = h.sigfetch(task)
    assert frame is not None
    assert frame.old_mask == sigset(Signo.SIGUSR1)


def test_an_item_dies_with_its_file_not_with_its_number() -> None:
    h = Harness()
    task = h.process()
    epfd = h.done(task, "epoll_create1", 0)
    r, w = pipe(h, task)
    assert ctl(h, task, epfd, EPOLL_CTL_ADD, r, IN, 1) == 0
    write(h, task, w)
    copy = h.done(task, "dup", r)
    h.done(task, "close", r)
    assert now(h, task, epfd) == [(IN, 1)]  # the copy keeps the open file alive
    h.done(task, "close", copy)
    assert now(h, task, epfd) == []
    again, _ = pipe(h, task)
    assert again == r
    assert ctl(h, task, epfd, EPOLL_CTL_MOD, again, IN) == -Errno.ENOENT
    assert ctl(h, task, epfd, EPOLL_CTL_ADD, again, IN) == 0


def test_closed_files_do_not_pile_up() -> None:
    h = Harness()
    task = h.process()
    epfd = h.done(task, "epoll_create1", 0)
    epoll = task.process.fds.get(epfd)
    for _ in range(50):
        r, w = pipe(h, task)
        assert ctl(h, task, epfd, EPOLL_CTL_ADD, r, IN) == 0
        h.done(task, "close", r)
        h.done(task, "close", w)
    assert len(epoll.items) <= 1  # type: ignore[attr-defined]


def test_a_reader_is_not_woken_when_its_peer_makes_room() -> None:
    h = Harness()
    task = h.process()
    where = h.room(task, 8)
    assert h.done(task, "socketpair", 1, 1, 0, where) == 0
    one, two = h.i32(task, where), h.i32(task, where + 4)
    epfd = h.done(task, "epoll_create1", 0)
    assert ctl(h, task, epfd, EPOLL_CTL_ADD, one, IN) == 0
    file = task.process.fds.get(one)
    assert not file.not_full.waiters  # type: ignore[attr-defined]
    assert ctl(h, task, epfd, EPOLL_CTL_MOD, one, IN | OUT) == 0
    assert file.not_full.waiters  # type: ignore[attr-defined]
    h.done(task, "close", two)
    assert now(h, task, epfd) == [(IN | OUT | poll.POLLHUP, 0)]


def test_closing_an_epoll_leaves_the_queues() -> None:
    h = Harness()
    task = h.process()
    epfd = h.done(task, "epoll_create1", 0)
    r, _ = pipe(h, task)
    ctl(h, task, epfd, EPOLL_CTL_ADD, r, IN)
    h.done(task, "close", epfd)
    assert not any(queue.waiters for queue in task.process.fds.get(r).poll_queues())


def test_bad_arguments() -> None:
    h = Harness()
    task = h.process()
    epfd = h.done(task, "epoll_create1", 0)
    r, _ = pipe(h, task)
    where = h.room(task, 16)
    assert h.done(task, "epoll_create1", 1) == -Errno.EINVAL
    assert ctl(h, task, 99, EPOLL_CTL_ADD, r, IN) == -Errno.EBADF
    assert ctl(h, task, epfd, EPOLL_CTL_ADD, 99, IN) == -Errno.EBADF
    assert ctl(h, task, r, EPOLL_CTL_ADD, epfd, IN) == -Errno.EINVAL
    assert ctl(h, task, epfd, 9, r, IN) == -Errno.EINVAL
    assert ctl(h, task, epfd, EPOLL_CTL_DEL, r, IN) == -Errno.ENOENT
    assert h.done(task, "epoll_ctl", epfd, EPOLL_CTL_ADD, r, -4) == -Errno.EFAULT
    assert h.done(task, "epoll_pwait", epfd, where, 0, 0, 0, 8) == -Errno.EINVAL
    assert h.done(task, "epoll_pwait", epfd, where, -1, 0, 0, 8) == -Errno.EINVAL
    assert h.done(task, "epoll_pwait", epfd, -4, 1, 0, 0, 8) == -Errno.EFAULT
    assert h.done(task, "epoll_pwait", r, where, 1, 0, 0, 8) == -Errno.EINVAL


def test_files_that_are_always_ready_are_refused() -> None:
    h = Harness()
    task = h.process()
    epfd = h.done(task, "epoll_create1", 0)
    fd = h.done(task, "openat", -100, b"/file", 0o102, 0o600)
    assert ctl(h, task, epfd, EPOLL_CTL_ADD, fd, IN) == -Errno.EPERM
