# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
from __future__ import annotations

from tests.unit.kernel.harness import PARKED, Harness

from skerry.abi import poll
from skerry.abi.errno import Errno
from skerry.abi.fcntl import O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY, S_IFIFO, S_IFMT
from skerry.abi.signal import Signo
from skerry.kernel.task import Task

AT_FDCWD = -100


def world() -> tuple[Harness, Task, Task]:
    h = Harness()
    task = h.process()
    assert h.done(task, "mknodat", AT_FDCWD, b"/f", S_IFIFO | 0o666, 0) == 0
    return h, task, h.process()


def test_both_sides_wait_for_each_other() -> None:
    h, reader, writer = world()
    assert h.call(reader, "openat", AT_FDCWD, b"/f", O_RDONLY, 0) is PARKED
    w = h.done(writer, "openat", AT_FDCWD, b"/f", O_WRONLY, 0)
    r = h.resumed(reader)
    assert isinstance(r, int)
    assert r >= 0
    h.done(writer, "write", w, h.put(writer, b"hello"), 5)
    where = h.room(reader, 9)
    assert h.done(reader, "read", r, where, 9) == 5
    h.done(writer, "close", w)
    assert h.done(reader, "read", r, where, 9) == 0
    assert reader.process.fds.get(r).poll() == poll.POLLHUP


def test_a_writer_that_has_gone_again_still_lets_the_reader_in() -> None:
    h, reader, writer = world()
    assert h.call(reader, "openat", AT_FDCWD, b"/f", O_RDONLY, 0) is PARKED
    w = h.done(writer, "openat", AT_FDCWD, b"/f", O_WRONLY | O_NONBLOCK, 0)
    h.done(writer, "close", w)
    assert isinstance(h.resumed(reader), int)


def test_writer_first() -> None:
    h, reader, writer = world()
    assert h.call(writer, "openat", AT_FDCWD, b"/f", O_WRONLY, 0) is PARKED
    assert h.done(reader, "openat", AT_FDCWD, b"/f", O_RDONLY, 0) >= 0
    assert isinstance(h.resumed(writer), int)


def test_nonblocking_opens() -> None:
    h, reader, writer = world()
    assert h.done(writer, "openat", AT_FDCWD, b"/f", O_WRONLY | O_NONBLOCK, 0) == -Errno.ENXIO
    r = h.done(reader, "openat", AT_FDCWD, b"/f", O_RDONLY | O_NONBLOCK, 0)
    assert reader.process.fds.get(r).poll() == 0  # no hang-up before the first writer
    assert h.done(reader, "read", r, h.room(reader, 1), 1) == 0
    w = h.done(writer, "openat", AT_FDCWD, b"/f", O_WRONLY | O_NONBLOCK, 0)
    assert h.done(reader, "read", r, h.room(reader, 1), 1) == -Errno.EAGAIN
    h.done(writer, "close", w)
    assert reader.process.fds.get(r).poll() == poll.POLLHUP


def test_read_and_write_never_waits() -> None:
    h, task, _ = world()
    fd = h.done(task, "openat", AT_FDCWD, b"/f", O_RDWR, 0)
    assert h.done(task, "write", fd, h.put(task, b"x"), 1) == 1
    assert h.done(task, "read", fd, h.room(task, 1), 1) == 1
    h.done(task, "close", fd)
    assert h.call(task, "openat", AT_FDCWD, b"/f", O_RDONLY, 0) is PARKED  # nothing is left over


def test_an_interrupted_open_leaves_no_reader() -> None:
    h, reader, writer = world()
    h.handle(reader, Signo.SIGUSR1)
    assert h.call(reader, "openat", AT_FDCWD, b"/f", O_RDONLY, 0) is PARKED
    h.done(writer, "kill", reader.process.pid, Signo.SIGUSR1)
    assert h.resumed(reader) == -Errno.EINTR
    assert h.done(writer, "openat", AT_FDCWD, b"/f", O_WRONLY | O_NONBLOCK, 0) == -Errno.ENXIO


def test_a_killed_open_leaves_no_reader() -> None:
    h, reader, writer = world()
    assert h.call(reader, "openat", AT_FDCWD, b"/f", O_RDONLY, 0) is PARKED
    h.done(writer, "kill", reader.process.pid, Signo.SIGKILL)
    assert h.done(writer, "openat", AT_FDCWD, b"/f", O_WRONLY | O_NONBLOCK, 0) == -Errno.ENXIO


def test_its_status_is_the_inodes() -> None:
    h, task, _ = world()
    fd = h.done(task, "openat", AT_FDCWD, b"/f", O_RDWR, 0)
    stat = task.process.fds.get(fd).stat()
    assert stat.mode & S_IFMT == S_IFIFO  # type: ignore[union-attr]
