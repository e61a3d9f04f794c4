# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
from __future__ import annotations

import pytest
from tests.unit.kernel.harness import PARKED, Harness

from skerry.abi import fcntl, poll
from skerry.abi.errno import Errno
from skerry.abi.signal import Signo
from skerry.kernel.bytequeue import ByteQueue
from skerry.kernel.task import Task


def make(h: Harness, task: Task, flags: int = 0) -> tuple[int, int]:
    where = h.room(task, 8)
    assert h.done(task, "pipe2", where, flags) == 0
    return h.i32(task, where), h.i32(task, where + 4)


def read(h: Harness, task: Task, fd: int, size: int) -> bytes:
    where = h.room(task, size)
    return h.get(task, where, h.done(task, "read", fd, where, size))


def write(h: Harness, task: Task, fd: int, data: bytes) -> int:
    return h.done(task, "write", fd, h.put(task, data), len(data))


def bits(task: Task, fd: int) -> int:
    return task.process.fds.get(fd).poll()


def test_bytes_come_out_in_order() -> None:
    h = Harness()
    task = h.process()
    r, w = make(h, task)
    assert (r, w) == (0, 1)
    assert write(h, task, w, b"hello ") == 6
    assert write(h, task, w, b"world") == 5
    assert read(h, task, r, 3) == b"hel"
    assert read(h, task, r, 100) == b"lo world"


def test_empty_pipe_parks_the_reader_until_data_comes() -> None:
    h = Harness()
    task = h.process()
    r, w = make(h, task)
    child = h.fork(task)
    where = h.room(child, 10)
    assert h.call(child, "read", r, where, 10) is PARKED
    write(h, task, w, b"x")
    assert h.resumed(child) == 1
    assert h.get(child, where, 1) == b"x"


def test_end_of_file_comes_with_the_last_writer() -> None:
    h = Harness()
    task = h.process()
    r, w = make(h, task)
    child = h.fork(task)
    assert h.call(child, "read", r, h.room(child, 4), 4) is PARKED
    h.done(task, "close", w)
    assert h.resumed(child) is PARKED  # the child holds a write end itself
    h.exit(child)
    other = h.fork(task)
    assert read(h, other, r, 4) == b""


def test_exit_of_the_last_writer_wakes_the_reader() -> None:
    h = Harness()
    task = h.process()
    r, w = make(h, task)
    writer = h.fork(task)
    h.done(task, "close", w)
    assert h.call(task, "read", r, h.room(task, 4), 4) is PARKED
    h.exit(writer)
    assert h.resumed(task) == 0


def test_a_write_to_a_pipe_without_readers_is_sigpipe_and_epipe() -> None:
    h = Harness()
    task = h.process()
    r, w = make(h, task)
    h.handle(task, Signo.SIGPIPE)
    h.done(task, "close", r)
    assert write(h, task, w, b"x") == -Errno.EPIPE
    assert h.flagged(task)
    frame = h.sigfetch(task)
    assert frame is not None
    assert frame.signo == Signo.SIGPIPE


def test_sigpipe_kills_by_default() -> None:
    h = Harness()
    task = h.process()
    r, w = make(h, task)
    h.done(task, "close", r)
    assert h.call(task, "write", w, h.put(task, b"x"), 1) is PARKED
    assert h.stopped(task)


def test_a_full_pipe_parks_the_writer_until_a_page_is_free() -> None:
    h = Harness()
    task = h.process()
    r, w = make(h, task)
    reader = h.fork(task)
    assert write(h, task, w, bytes(65536)) == 65536
    assert bits(task, w) == 0
    assert h.call(task, "write", w, h.put(task, b"0123456789"), 10) is PARKED
    read(h, reader, r, 4095)
    assert h.resumed(task) is PARKED
    read(h, reader, r, 1)
    assert h.resumed(task) == 10


def test_a_large_write_goes_in_piece_by_piece() -> None:
    h = Harness()
    task = h.process()
    r, w = make(h, task)
    reader = h.fork(task)
    data = bytes(i * 7 & 0xFF for i in range(150_000))
    assert h.call(task, "write", w, h.put(task, data), len(data)) is PARKED
    got = b""
    while len(got) < len(data):
        got += read(h, reader, r, 30_000)
    assert got == data
    assert h.resumed(task) == len(data)


def test_an_interrupted_write_tells_what_it_did() -> None:
    h = Harness()
    task = h.process()
    _, w = make(h, task)
    h.handle(task, Signo.SIGUSR1)
    assert h.call(task, "write", w, h.put(task, bytes(70_000)), 70_000) is PARKED
    assert h.done(h.process(), "kill", task.process.pid, Signo.SIGUSR1) == 0
    assert h.resumed(task) == 65536
    frame = h.sigfetch(task)
    assert frame is not None
    h.sigreturn(task, frame)
    assert h.call(task, "write", w, h.put(task, b"x"), 1) is PARKED
    h.done(h.process(), "kill", task.process.pid, Signo.SIGUSR1)
    assert h.resumed(task) == -Errno.EINTR


def test_nonblocking_ends() -> None:
    h = Harness()
    task = h.process()
    r, w = make(h, task, fcntl.O_NONBLOCK)
    assert h.done(task, "read", r, h.room(task, 1), 1) == -Errno.EAGAIN
    assert write(h, task, w, bytes(65000)) == 65000
    assert write(h, task, w, bytes(4096)) == -Errno.EAGAIN  # atomic: all or nothing
    assert write(h, task, w, bytes(4097)) == -Errno.EAGAIN  # and never a piece below a page
    assert write(h, task, w, bytes(536)) == 536
    assert len(read(h, task, r, 8000)) == 8000
    assert write(h, task, w, bytes(9000)) == 8000
    assert write(h, task, w, b"x") == -Errno.EAGAIN
    h.done(task, "close", w)
    assert len(read(h, task, r, 70_000)) == 65536
    assert read(h, task, r, 1) == b""


def test_poll_bits() -> None:
    h = Harness()
    task = h.process()
    r, w = make(h, task)
    assert bits(task, r) == 0
    assert bits(task, w) == poll.WRITABLE
    write(h, task, w, b"x")
    assert bits(task, r) == poll.READABLE
    writer = task.process.fds.get(w).acquire()
    h.done(task, "close", w)
    assert bits(task, r) == poll.READABLE
    writer.release()
    assert bits(task, r) == poll.READABLE | poll.POLLHUP
    r, w = make(h, task)
    h.done(task, "close", r)
    assert bits(task, w) == poll.WRITABLE | poll.POLLERR


def test_size_and_fionread() -> None:
    h = Harness()
    task = h.process()
    r, w = make(h, task)
    assert h.done(task, "fcntl64", r, fcntl.F_GETPIPE_SZ, 0) == 65536
    assert h.done(task, "fcntl64", w, fcntl.F_SETPIPE_SZ, 5000) == 8192
    assert h.done(task, "fcntl64", w, fcntl.F_SETPIPE_SZ, 0) == 4096
    assert h.done(task, "fcntl64", w, fcntl.F_SETPIPE_SZ, 2 << 20) == -Errno.EPERM
    write(h, task, w, bytes(4000))
    where = h.room(task, 4)
    assert h.done(task, "ioctl", r, 0x541B, where) == 0
    assert h.i32(task, where) == 4000


def test_bad_arguments() -> None:
    h = Harness()
    task = h.process()
    assert h.done(task, "pipe2", h.room(task, 8), 1) == -Errno.EINVAL
    assert h.done(task, "pipe2", -4, 0) == -Errno.EFAULT
    assert not task.process.fds.files
    r, w = make(h, task)
    assert h.done(task, "read", w, h.room(task, 1), 1) == -Errno.EBADF
    assert write(h, task, r, b"x") == -Errno.EBADF
    assert h.done(task, "pread64", r, h.room(task, 1), 1, 0, 0) == -Errno.ESPIPE
    task.process.fds.limit = 3
    assert h.done(task, "pipe2", h.room(task, 8), 0) == -Errno.EMFILE
    assert sorted(task.process.fds.files) == [0, 1]


@pytest.mark.parametrize("sizes", [[1] * 2000, [600, 1, 1, 5000, 3], [4096] * 4])
def test_the_queue_keeps_order_whatever_the_sizes(sizes: list[int]) -> None:
    queue, sent, got = ByteQueue(), b"", b""
    for number, size in enumerate(sizes):
        data = bytes((number + i) & 0xFF for i in range(size))
        queue.put(data)
        sent += data
        if number % 3 == 2:
            got += queue.take(number % 1000 + 1)
        assert queue.used == len(sent) - len(got)
        assert queue.peek(10, 2) == sent[len(got) + 2 : len(got) + 12]
    while queue.used:
        got += queue.take(777)
    assert got == sent
    assert not queue.chunks
