# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""poll_oneoff: clocks and descriptors, alone and together."""
from __future__ import annotations

import pytest
from tests.unit.kernel.harness import MILLISECOND, PARKED, SECOND, Value
from tests.unit.kernel.wasi_program import HERE_FD, E, WasiProgram

from skerry.abi import fcntl
from skerry.abi import wasi as w
from skerry.abi.signal import Signo
from skerry.kernel.pipe import Pipe, PipeEnd

Subscription = tuple[int, int, int, int, int, int]
Event = tuple[int, int, int, int, int]  # userdata, error, type, size, flags


@pytest.fixture
def program() -> WasiProgram:
    return WasiProgram()


def clock(userdata: int, timeout: int, number: int = w.CLOCK_MONOTONIC, flags: int = 0) -> Subscription:
    return userdata, w.EVENT_CLOCK, number, timeout, 0, flags


def reading(userdata: int, fd: int) -> Subscription:
    return userdata, w.EVENT_FD_READ, fd & 0xFFFFFFFF, 0, 0, 0


def writing(userdata: int, fd: int) -> Subscription:
    return userdata, w.EVENT_FD_WRITE, fd, 0, 0, 0


class Poll:
    """One poll_oneoff call."""

    def __init__(self, program: WasiProgram, *subscriptions: Subscription) -> None:
        self.program = program
        packed = b"".join(w.SUBSCRIPTION.pack(*one) for one in subscriptions)
        self.events = program.room(len(subscriptions) * w.EVENT.size)
        count = len(subscriptions)
        self.value: Value = program.call("poll_oneoff", program.put(packed), self.events, count, program.out)

    def occurred(self) -> list[Event] | None:
        """The events; None while none has occurred."""
        if self.value is PARKED:
            self.value = self.program.resumed()
        if self.value is PARKED:
            return None
        assert self.value == 0
        size = self.program.told * w.EVENT.size
        return list(w.EVENT.iter_unpack(self.program.get(self.events, size)))


def pipe_ends(program: WasiProgram) -> tuple[int, int]:
    pipe = Pipe()
    reader = program.give(PipeEnd(program.task, pipe, fcntl.O_RDONLY))
    return reader, program.give(PipeEnd(program.task, pipe, fcntl.O_WRONLY))


def write_from_outside(program: WasiProgram, fd: int, data: bytes) -> None:
    """Another process writes into what `fd` refers to."""
    other = program.h.process()
    other.process.fds.put(1, program.task.process.fds.files[fd])
    assert program.h.call(other, "write", 1, program.h.put(other, data), len(data)) == len(data)


def test_clock(program: WasiProgram) -> None:
    poll = Poll(program, clock(7, 10 * MILLISECOND))
    assert poll.occurred() is None
    program.h.advance(9 * MILLISECOND)
    assert poll.occurred() is None
    program.h.advance(MILLISECOND)
    assert poll.occurred() == [(7, 0, w.EVENT_CLOCK, 0, 0)]


def test_the_earliest_clock(program: WasiProgram) -> None:
    poll = Poll(program, clock(1, 3 * SECOND), clock(2, SECOND), clock(3, SECOND))
    program.h.advance(SECOND)
    assert poll.occurred() == [(2, 0, 0, 0, 0), (3, 0, 0, 0, 0)]


@pytest.mark.parametrize("number", [w.CLOCK_REALTIME, w.CLOCK_MONOTONIC])
def test_absolute_time(program: WasiProgram, number: int) -> None:
    fake = program.h.clock
    now = fake.realtime_ns() if number == w.CLOCK_REALTIME else fake.monotonic_ns()
    poll = Poll(program, clock(1, now + SECOND, number, w.CLOCK_ABSTIME))
    program.h.advance(SECOND - 1)
    assert poll.occurred() is None
    program.h.advance(1)
    assert poll.occurred() == [(1, 0, 0, 0, 0)]
    assert Poll(program, clock(1, now, number, w.CLOCK_ABSTIME)).occurred() == [(1, 0, 0, 0, 0)]


def test_no_time_and_for_ever(program: WasiProgram) -> None:
    assert Poll(program, clock(1, 0), clock(2, (1 << 64) - 1)).occurred() == [(1, 0, 0, 0, 0)]
    assert Poll(program, clock(1, (1 << 64) - 1)).occurred() is None


def test_wrong_clocks_are_events(program: WasiProgram) -> None:
    poll = Poll(program, clock(1, 0, 2), clock(2, 0, 9), clock(3, SECOND))
    assert poll.occurred() == [(1, E.ENOTSUP, 0, 0, 0), (2, E.EINVAL, 0, 0, 0)]


def test_a_pipe_becomes_readable(program: WasiProgram) -> None:
    reader, writer = pipe_ends(program)
    poll = Poll(program, reading(1, reader), clock(2, SECOND))
    assert poll.occurred() is None
    write_from_outside(program, writer, b"hello")
    assert poll.occurred() == [(1, 0, w.EVENT_FD_READ, 5, 0)]


def test_the_clock_before_the_pipe(program: WasiProgram) -> None:
    reader, _ = pipe_ends(program)
    poll = Poll(program, reading(1, reader), clock(2, SECOND))
    program.h.advance(SECOND)
    assert poll.occurred() == [(2, 0, w.EVENT_CLOCK, 0, 0)]


def test_hang_up(program: WasiProgram) -> None:
    reader, writer = pipe_ends(program)
    program.done("fd_close", writer)
    assert Poll(program, reading(1, reader)).occurred() == [(1, 0, w.EVENT_FD_READ, 0, w.EVENT_HANGUP)]


def test_a_full_pipe_is_not_writable(program: WasiProgram) -> None:
    reader, writer = pipe_ends(program)
    assert Poll(program, writing(1, writer)).occurred() == [(1, 0, w.EVENT_FD_WRITE, 0, 0)]
    program.write(writer, bytes(65_536))
    poll = Poll(program, writing(1, writer))
    assert poll.occurred() is None
    other = program.h.process()
    other.process.fds.put(0, program.task.process.fds.files[reader])
    assert program.h.call(other, "read", 0, program.h.room(other, 65_536), 65_536) == 65_536
    assert poll.occurred() == [(1, 0, w.EVENT_FD_WRITE, 0, 0)]


def test_regular_files_are_always_ready(program: WasiProgram) -> None:
    fd = program.open(b"f", w.OFLAG_CREAT)
    program.write(fd, b"12345")
    program.done("fd_seek", fd, 2, 0, program.out)
    poll = Poll(program, reading(1, fd), writing(2, fd), clock(3, SECOND))
    assert poll.occurred() == [(1, 0, w.EVENT_FD_READ, 3, 0), (2, 0, w.EVENT_FD_WRITE, 0, 0)]


def test_bad_descriptors_are_events(program: WasiProgram) -> None:
    poll = Poll(program, reading(1, 99), reading(2, -1), clock(3, SECOND))
    assert poll.occurred() == [(1, E.EBADF, 1, 0, 0), (2, E.EBADF, 1, 0, 0)]


def test_rights(program: WasiProgram) -> None:
    reader, _ = pipe_ends(program)
    program.done("fd_fdstat_set_rights", reader, w.FD_READ, 0)
    assert Poll(program, reading(1, reader)).occurred() == [(1, E.ENOTCAPABLE, 1, 0, 0)]


def test_nothing_or_nonsense(program: WasiProgram) -> None:
    assert Poll(program).value == E.EINVAL
    assert Poll(program, (1, 3, 0, 0, 0, 0)).value == E.EINVAL
    assert program.call("poll_oneoff", 0, 0, -1, program.out) == E.EINVAL
    assert program.call("poll_oneoff", 4096, 4096, 60_000, program.out) == E.EFAULT


def test_a_directory_is_ready(program: WasiProgram) -> None:
    assert Poll(program, reading(1, HERE_FD)).occurred() is not None


def test_a_poll_can_be_killed_and_stopped(program: WasiProgram) -> None:
    poll = Poll(program, clock(1, SECOND))
    killer, pid = program.h.process(), program.task.process.pid
    for signo in (Signo.SIGTSTP, Signo.SIGCONT):
        assert program.h.call(killer, "kill", pid, signo) == 0
    assert poll.occurred() is None
    assert program.h.call(killer, "kill", pid, Signo.SIGINT) == 0
    assert program.task.process.status == Signo.SIGINT
    program.h.advance(2 * SECOND)
    assert poll.occurred() is None
