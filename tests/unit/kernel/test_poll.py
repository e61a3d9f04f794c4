# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
from __future__ import annotations

from struct import iter_unpack, pack

from tests.unit.kernel.harness import MILLISECOND, PARKED, Harness, sigset

from skerry.abi import poll
from skerry.abi.errno import Errno
from skerry.abi.signal import SA_RESTART, Signo
from skerry.kernel.task import Task

IN, OUT = poll.POLLIN, poll.POLLOUT


def pipe(h: Harness, task: Task) -> tuple[int, int]:
    where = h.room(task, 8)
    assert h.done(task, "pipe2", where, 0) == 0
    return h.i32(task, where), h.i32(task, where + 4)


def pollfds(h: Harness, task: Task, *pairs: tuple[int, int]) -> int:
    return h.put(task, b"".join(pack("<iHH", fd, events, 0xFFFF) for fd, events in pairs))


def revents(h: Harness, task: Task, where: int, count: int) -> list[int]:
    return [bits for _, _, bits in iter_unpack("<iHH", h.get(task, where, count * 8))]


def do_poll(h: Harness, task: Task, *pairs: tuple[int, int]) -> tuple[int, list[int]]:
    where = pollfds(h, task, *pairs)
    ready = h.done(task, "ppoll_time64", where, len(pairs), h.timespec(task, 0), 0, 8)
    return ready, revents(h, task, where, len(pairs))


def test_poll_tells_which_are_ready() -> None:
    h = Harness()
    task = h.process()
    r, w = pipe(h, task)
    assert do_poll(h, task, (r, IN), (w, OUT), (-1, IN), (77, IN)) == (2, [0, OUT, 0, poll.POLLNVAL])
    h.done(task, "close", w)
    assert do_poll(h, task, (r, 0)) == (1, [poll.POLLHUP])


def test_poll_waits_for_the_first_event() -> None:
    h = Harness()
    task = h.process()
    r, w = pipe(h, task)
    other = h.fork(task)
    where = pollfds(h, task, (r, IN), (r, IN))
    assert h.call(task, "ppoll_time64", where, 2, 0, 0, 8) is PARKED
    h.done(other, "write", w, h.put(other, b"x"), 1)
    assert h.resumed(task) == 2
    assert revents(h, task, where, 2) == [IN, IN]


def test_poll_times_out_on_time() -> None:
    h = Harness()
    task = h.process()
    r, _ = pipe(h, task)
    where = pollfds(h, task, (r, IN))
    timeout = h.timespec(task, 50 * MILLISECOND)
    assert h.call(task, "ppoll_time64", where, 1, timeout, 0, 8) is PARKED
    h.advance(49 * MILLISECOND)
    assert h.resumed(task) is PARKED
    h.advance(1 * MILLISECOND)
    assert h.resumed(task) == 0
    assert revents(h, task, where, 1) == [0]


def test_poll_of_nothing_is_a_sleep() -> None:
    h = Harness()
    task = h.process()
    assert h.call(task, "ppoll_time64", 0, 0, h.timespec(task, MILLISECOND), 0, 8) is PARKED
    h.advance(MILLISECOND)
    assert h.resumed(task) == 0


def test_poll_is_never_restarted() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    h.handle(task, Signo.SIGUSR1, flags=SA_RESTART)
    assert h.call(task, "ppoll_time64", 0, 0, 0, 0, 8) is PARKED
    h.done(other, "kill", task.process.pid, Signo.SIGUSR1)
    assert h.resumed(task) == -Errno.EINTR


def test_the_mask_counts_while_ppoll_waits() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    h.handle(task, Signo.SIGUSR1)
    h.block(task, Signo.SIGUSR1)
    h.done(other, "kill", task.process.pid, Signo.SIGUSR1)
    assert not h.flagged(task)
    empty = h.longs(task, 0)
    # Pending before the call: it is interrupted at once, and the old mask comes back.
    assert h.done(task, "ppoll_time64", 0, 0, 0, empty, 8) == -Errno.EINTR
    frame = h.sigfetch(task)
    assert frame is not None
    assert frame.old_mask == sigset(Signo.SIGUSR1)
    h.sigreturn(task, frame)
    assert task.mask == sigset(Signo.SIGUSR1)
    # Arrives while it waits.
    assert h.call(task, "ppoll_time64", 0, 0, 0, empty, 8) is PARKED
    h.done(other, "kill", task.process.pid, Signo.SIGUSR1)
    assert h.resumed(task) == -Errno.EINTR


def test_a_ready_file_wins_over_a_pending_signal() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    h.handle(task, Signo.SIGUSR1)
    h.block(task, Signo.SIGUSR1)
    h.done(other, "kill", task.process.pid, Signo.SIGUSR1)
    _, w = pipe(h, task)
    where = pollfds(h, task, (w, OUT))
    assert h.done(task, "ppoll_time64", where, 1, 0, h.longs(task, 0), 8) == 1
    assert task.mask == sigset(Signo.SIGUSR1)
    assert h.sigfetch(task) is None


def test_bad_poll_arguments() -> None:
    h = Harness()
    task = h.process()
    zero = h.timespec(task, 0)
    assert h.done(task, "ppoll_time64", -8, 1, zero, 0, 8) == -Errno.EFAULT
    assert h.done(task, "ppoll_time64", 0, 1025, zero, 0, 8) == -Errno.EINVAL
    assert h.done(task, "ppoll_time64", 0, -1, zero, 0, 8) == -Errno.EINVAL
    assert h.done(task, "ppoll_time64", 0, 0, h.longs(task, 0, 10**9), 0, 8) == -Errno.EINVAL
    assert h.done(task, "ppoll_time64", 0, 0, zero, zero, 4) == -Errno.EINVAL
    assert h.done(task, "ppoll_time64", 0, 0, -4, 0, 8) == -Errno.EFAULT


def fd_set(h: Harness, task: Task, *fds: int) -> int:
    return h.put(task, sum(1 << fd for fd in fds).to_bytes(128, "little"))


def members(h: Harness, task: Task, where: int) -> list[int]:
    found = int.from_bytes(h.get(task, where, 128), "little")
    return [fd for fd in range(1024) if found >> fd & 1]


def test_select_keeps_the_ready_ones() -> None:
    h = Harness()
    task = h.process()
    r, w = pipe(h, task)
    reads, writes, excepts = fd_set(h, task, r), fd_set(h, task, w), fd_set(h, task, r, w)
    zero = h.timespec(task, 0)
    assert h.done(task, "pselect6_time64", 2, reads, writes, excepts, zero, 0) == 1
    assert [members(h, task, where) for where in (reads, writes, excepts)] == [[], [w], []]


def test_select_waits_and_counts_every_set() -> None:
    h = Harness()
    task = h.process()
    r, w = pipe(h, task)
    other = h.fork(task)
    h.done(task, "close", w)
    reads, excepts = fd_set(h, task, r), fd_set(h, task, r)
    assert h.call(task, "pselect6_time64", 1, reads, 0, excepts, 0, 0) is PARKED
    h.exit(other)  # the last writer goes: end of file counts as readable
    assert h.resumed(task) == 1
    assert members(h, task, reads) == [r]
    assert members(h, task, excepts) == []


def test_hang_up_does_not_end_a_select_for_exceptions() -> None:
    h = Harness()
    task = h.process()
    r, w = pipe(h, task)
    h.done(task, "close", w)
    assert h.call(task, "pselect6_time64", 1, 0, 0, fd_set(h, task, r), 0, 0) is PARKED


def test_bad_select_arguments() -> None:
    h = Harness()
    task = h.process()
    zero = h.timespec(task, 0)
    assert h.done(task, "pselect6_time64", -1, 0, 0, 0, zero, 0) == -Errno.EINVAL
    assert h.done(task, "pselect6_time64", 8, fd_set(h, task, 7), 0, 0, zero, 0) == -Errno.EBADF
    assert h.done(task, "pselect6_time64", 7, fd_set(h, task, 7), 0, 0, zero, 0) == 0
    assert h.done(task, "pselect6_time64", 1, -4, 0, 0, zero, 0) == -Errno.EFAULT
    assert h.done(task, "pselect6_time64", 2**31 - 1, 0, 0, 0, zero, 0) == 0


def test_select_restores_the_mask() -> None:
    h = Harness()
    task = h.process()
    h.block(task, Signo.SIGUSR1)
    mask = h.words(task, h.longs(task, sigset(Signo.SIGUSR2)), 8)
    assert h.call(task, "pselect6_time64", 0, 0, 0, 0, h.timespec(task, MILLISECOND), mask) is PARKED
    assert task.mask == sigset(Signo.SIGUSR2)
    h.advance(MILLISECOND)
    assert h.resumed(task) == 0
    assert task.mask == sigset(Signo.SIGUSR1)


def test_the_mask_may_let_a_fatal_signal_through() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    h.block(task, Signo.SIGTERM)
    r, _ = pipe(h, task)
    h.done(other, "kill", task.process.pid, Signo.SIGTERM)
    where = pollfds(h, task, (r, IN))
    assert h.call(task, "ppoll_time64", where, 1, 0, h.longs(task, 0), 8) is PARKED
    assert h.stopped(task)
    assert task.parked is None
