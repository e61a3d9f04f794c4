# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
from __future__ import annotations

from tests.unit.kernel.harness import PARKED, Harness
from tests.unit.kernel.oracle import sockaddr

from skerry.abi.errno import Errno
from skerry.abi.socket import AF_INET, AF_INET6, SOCK_STREAM
from skerry.kernel.commands import Connected, Listening, StreamOutput, StreamTaken
from skerry.kernel.events import Connect, StreamInput, StreamReady
from skerry.kernel.streams import WINDOW
from skerry.kernel.task import Task

STREAM = 77


def server(h: Harness, host: str = "127.0.0.1", backlog: int = 5) -> tuple[Task, int]:
    task = h.process()
    fd = h.done(task, "socket", AF_INET6 if ":" in host else AF_INET, SOCK_STREAM, 0)
    raw = sockaddr((host, 8080))
    assert h.done(task, "bind", fd, h.put(task, raw), len(raw)) == 0
    assert h.done(task, "listen", fd, backlog) == 0
    return task, fd


def connected(h: Harness) -> tuple[Task, int]:
    task, fd = server(h)
    h.step(Connect(STREAM, 8080))
    assert h.taken(Connected) == [Connected(STREAM, 0)]
    return task, h.done(task, "accept4", fd, 0, 0, 0)


def read(h: Harness, task: Task, fd: int, size: int) -> bytes:
    where = h.room(task, size)
    return h.get(task, where, h.done(task, "read", fd, where, size))


def output(h: Harness) -> bytes:
    return b"".join(command.data for command in h.taken(StreamOutput))


def test_listening_is_announced_when_wanted() -> None:
    h = Harness()
    server(h)
    assert not h.taken(Listening)
    h = Harness()
    h.kernel.network.announce = True
    server(h)
    assert h.taken(Listening) == [Listening(8080)]


def test_nobody_listens() -> None:
    h = Harness()
    h.step(Connect(STREAM, 8080))
    assert h.taken(Connected) == [Connected(STREAM, Errno.ECONNREFUSED)]
    assert not h.kernel.network.outside


def test_request_and_reply() -> None:
    h = Harness()
    task, fd = connected(h)
    where = h.room(task, 100)
    assert h.call(task, "read", fd, where, 100) is PARKED
    h.step(StreamInput(STREAM, b"GET /"))
    assert h.resumed(task) == 5
    assert h.get(task, where, 5) == b"GET /"
    assert h.taken(StreamTaken) == [StreamTaken(STREAM, 5)]
    h.done(task, "write", fd, h.put(task, b"hello"), 5)
    assert output(h) == b"hello"
    h.done(task, "close", fd)
    assert h.taken(StreamOutput) == [StreamOutput(STREAM, b"")]
    assert h.taken(StreamTaken) == [StreamTaken(STREAM, 0)]
    assert not h.kernel.network.outside


def test_the_monitor_ends_its_side_first() -> None:
    h = Harness()
    task, fd = connected(h)
    h.step(StreamInput(STREAM, b"all"))
    h.step(StreamInput(STREAM, b""))
    assert read(h, task, fd, 10) == b"all"
    assert read(h, task, fd, 10) == b""
    h.done(task, "write", fd, h.put(task, b"reply"), 5)
    h.done(task, "close", fd)
    assert [command.data for command in h.taken(StreamOutput)] == [b"reply", b""]
    assert not h.kernel.network.outside


def test_output_waits_for_credit() -> None:
    h = Harness()
    task, fd = connected(h)
    data = bytes(100_000)
    h.done(task, "write", fd, h.put(task, data), len(data))
    assert len(output(h)) == WINDOW
    h.done(task, "close", fd)
    assert output(h) == b""
    h.step(StreamReady(STREAM, 20_000))
    assert len(output(h)) == 20_000
    h.step(StreamReady(STREAM, 20_000))
    assert [len(command.data) for command in h.taken(StreamOutput)] == [100_000 - WINDOW - 20_000, 0]
    assert not h.kernel.network.outside


def test_a_monitor_that_wants_no_more_breaks_the_pipe() -> None:
    h = Harness()
    task, fd = connected(h)
    h.handle(task, 13, handler=1)
    h.step(StreamReady(STREAM, 0))
    assert read(h, task, fd, 10) == b""
    assert h.done(task, "write", fd, h.put(task, b"x"), 1) == 1  # answered with an RST
    assert h.done(task, "write", fd, h.put(task, b"x"), 1) == -Errno.EPIPE
    assert not h.kernel.network.outside


def test_acknowledged_in_large_pieces() -> None:
    h = Harness()
    task, fd = connected(h)
    h.step(StreamInput(STREAM, bytes(WINDOW)))
    read(h, task, fd, 100)
    assert not h.taken(StreamTaken)
    read(h, task, fd, WINDOW // 4)
    assert h.taken(StreamTaken) == [StreamTaken(STREAM, WINDOW // 4 + 100)]
    read(h, task, fd, WINDOW)
    assert sum(taken.size for taken in h.taken(StreamTaken)) == WINDOW * 3 // 4 - 100


def test_only_ipv6() -> None:
    h = Harness()
    task, fd = server(h, "::1")
    h.step(Connect(STREAM, 8080))
    assert h.taken(Connected) == [Connected(STREAM, 0)]
    h.done(task, "close", fd)
    assert StreamTaken(STREAM, 0) in h.taken(StreamTaken)
    assert not h.kernel.network.outside


def test_a_full_listener_answers_later() -> None:
    h = Harness()
    task, fd = server(h, backlog=0)
    h.step(Connect(1, 8080))
    h.step(Connect(2, 8080))
    assert h.taken(Connected) == [Connected(1, 0)]
    h.step(StreamInput(2, b"too early is lost"))
    h.done(task, "accept4", fd, 0, 0, 0)
    assert h.taken(Connected) == [Connected(2, 0)]
