# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The loopback: what waits, many messages at once, and the way out that is closed."""
from __future__ import annotations

import pytest
from tests.unit.kernel.harness import MILLISECOND, PARKED, Harness
from tests.unit.kernel.oracle import parse, sockaddr

from skerry.abi.errno import Errno
from skerry.abi.fcntl import O_NONBLOCK
from skerry.abi.hostfs import Failed
from skerry.abi.hostnet import Connect
from skerry.abi.signal import SA_RESTART, Signo
from skerry.abi.socket import (
    AF_INET,
    AF_INET6,
    AF_NETLINK,
    AF_PACKET,
    MSG_WAITFORONE,
    SO_REUSEPORT,
    SOCK_DGRAM,
    SOCK_NONBLOCK,
    SOCK_RAW,
    SOCK_STREAM,
    SOL_SOCKET,
)
from skerry.kernel.commands import Ask
from skerry.kernel.task import Task

PORT = 4000
HOST = "127.0.0.1"


def place(h: Harness, task: Task, host: str = HOST, port: int = PORT) -> tuple[int, int]:
    raw = sockaddr((host, port))
    return h.put(task, raw), len(raw)


def new(h: Harness, task: Task, kind: int = SOCK_STREAM, family: int = AF_INET) -> int:
    fd = h.done(task, "socket", family, kind, 0)
    assert fd >= 0
    return fd


def listener(h: Harness, task: Task, backlog: int = 5) -> int:
    fd = new(h, task)
    assert h.done(task, "bind", fd, *place(h, task)) == 0
    assert h.done(task, "listen", fd, backlog) == 0
    return fd


def connected(h: Harness, task: Task) -> tuple[int, int]:
    """The client's and the server's end, both of one process."""
    listening = listener(h, task)
    client = new(h, task)
    assert h.done(task, "connect", client, *place(h, task)) == 0
    server = h.done(task, "accept4", listening, 0, 0, 0)
    assert server >= 0
    return client, server


def name(h: Harness, task: Task, fd: int, call: str = "getsockname") -> object:
    where, size = h.room(task, 28), h.words(task, 28)
    assert h.done(task, call, fd, where, size) == 0
    return parse(h.get(task, where, h.i32(task, size)))


def read(h: Harness, task: Task, fd: int, size: int) -> bytes:
    where = h.room(task, size)
    return h.get(task, where, h.done(task, "read", fd, where, size))


def test_a_server_and_its_client() -> None:
    h = Harness()
    server, client = h.process(), h.process()
    fd = listener(h, server)
    where, size = h.room(server, 16), h.words(server, 16)
    assert h.call(server, "accept4", fd, where, size, O_NONBLOCK) is PARKED
    sock = new(h, client)
    assert h.done(client, "connect", sock, *place(h, client)) == 0
    conn = h.resumed(server)
    assert isinstance(conn, int)
    assert parse(h.get(server, where, 16)) == name(h, client, sock)
    assert name(h, client, sock, "getpeername") == (HOST, PORT) == name(h, server, conn)
    assert h.done(server, "read", conn, h.room(server, 1), 1) == -Errno.EAGAIN
    assert h.call(client, "recvfrom", sock, h.room(client, 9), 9, 0, 0, 0) is PARKED
    h.done(server, "sendto", conn, h.put(server, b"welcome"), 7, 0, 0, 0)
    assert h.resumed(client) == 7


def test_a_full_listener_makes_clients_wait() -> None:
    h = Harness()
    server = h.process()
    fd = listener(h, server, 0)
    clients = [h.process() for _ in range(3)]
    socks = [new(h, client) for client in clients]
    assert h.done(clients[0], "connect", socks[0], *place(h, clients[0])) == 0
    for client, sock in zip(clients[1:], socks[1:], strict=True):
        assert h.call(client, "connect", sock, *place(h, client)) is PARKED
    assert h.done(server, "accept", fd, 0, 0) >= 0
    assert h.resumed(clients[1]) == 0
    assert h.resumed(clients[2]) is PARKED
    h.done(server, "close", fd)
    assert h.resumed(clients[2]) == -Errno.ECONNREFUSED


def test_a_nonblocking_connect_that_waits() -> None:
    h = Harness()
    server, client = h.process(), h.process()
    fd = listener(h, server, 0)
    first, second = new(h, client), new(h, client, SOCK_STREAM | SOCK_NONBLOCK)
    h.done(client, "connect", first, *place(h, client))
    assert h.done(client, "connect", second, *place(h, client)) == -Errno.EINPROGRESS
    assert h.done(client, "connect", second, *place(h, client)) == -Errno.EALREADY
    assert h.done(client, "write", second, h.put(client, b"x"), 1) == -Errno.EAGAIN
    pollfd = h.put(client, bytes((second, 0, 0, 0, 4, 0, 0, 0)))
    assert h.call(client, "ppoll_time64", pollfd, 1, 0, 0, 8) is PARKED
    h.done(server, "accept", fd, 0, 0)
    assert h.resumed(client) == 1
    assert h.done(client, "connect", second, *place(h, client)) == 0
    assert h.done(client, "connect", second, *place(h, client)) == -Errno.EISCONN


def test_an_interrupted_connect() -> None:
    h = Harness()
    server, client = h.process(), h.process()
    fd = listener(h, server, 0)
    h.handle(client, Signo.SIGUSR1, flags=SA_RESTART)
    h.done(client, "connect", new(h, client), *place(h, client))
    sock = new(h, client)
    assert h.call(client, "connect", sock, *place(h, client)) is PARKED
    h.done(server, "kill", client.process.pid, Signo.SIGUSR1)
    assert h.resumed(client) == -512
    frame = h.sigfetch(client)
    assert frame is not None
    h.sigreturn(client, frame)
    assert h.call(client, "connect", sock, *place(h, client)) is PARKED
    h.done(server, "accept", fd, 0, 0)
    assert h.resumed(client) == 0


def test_a_connect_with_a_timeout() -> None:
    h = Harness()
    server, client = h.process(), h.process()
    listener(h, server, 0)
    h.done(client, "connect", new(h, client), *place(h, client))
    sock = new(h, client)
    h.done(client, "setsockopt", sock, SOL_SOCKET, 67, h.longs(client, 0, 5000), 16)
    assert h.call(client, "connect", sock, *place(h, client)) is PARKED
    h.advance(5 * MILLISECOND)
    assert h.resumed(client) == -Errno.EINPROGRESS


def test_a_writer_waits_for_room_and_learns_of_the_end() -> None:
    h = Harness()
    task = h.process()
    client, server = connected(h, task)
    h.handle(task, Signo.SIGPIPE, handler=1)
    other = h.fork(task)
    data = h.put(task, bytes(130_000))
    assert h.done(task, "write", client, data, 130_000) == 130_000
    assert h.call(task, "write", client, data, 130_000) is PARKED
    read(h, other, server, 200_000)
    assert h.resumed(task) == 130_000
    assert h.done(task, "write", client, data, 130_000) == 130_000
    assert h.call(task, "write", client, data, 130_000) is PARKED
    h.done(other, "close", server)
    h.done(other, "shutdown", client, 2)
    assert h.resumed(task) == 212_992 - 60_000 - 130_000  # what went in before the end


def test_ports_are_free_again_after_close() -> None:
    h = Harness()
    task = h.process()
    h.done(task, "close", listener(h, task))
    h.done(task, "close", listener(h, task))
    assert not h.kernel.network.tcp._bound


def test_listeners_with_reuseport_take_turns() -> None:
    h = Harness()
    task = h.process()
    fds = []
    for _ in range(2):
        fd = new(h, task, SOCK_STREAM | SOCK_NONBLOCK)
        h.done(task, "setsockopt", fd, SOL_SOCKET, SO_REUSEPORT, h.words(task, 1), 4)
        assert h.done(task, "bind", fd, *place(h, task)) == 0
        assert h.done(task, "listen", fd, 5) == 0
        fds.append(fd)
    for _ in range(4):
        assert h.done(task, "connect", new(h, task), *place(h, task)) == 0
    for fd in fds:
        assert [h.done(task, "accept", fd, 0, 0) > 0 for _ in range(3)] == [True, True, False]


def test_an_ipv4_client_of_an_ipv6_server() -> None:
    h = Harness()
    task = h.process()
    fd = new(h, task, SOCK_STREAM, AF_INET6)
    assert h.done(task, "bind", fd, *place(h, task, "::")) == 0
    h.done(task, "listen", fd, 5)
    client = new(h, task)
    assert h.done(task, "connect", client, *place(h, task)) == 0
    conn = h.done(task, "accept", fd, 0, 0)
    peer = name(h, task, conn, "getpeername")
    assert isinstance(peer, tuple)
    assert peer[0] == "::ffff:127.0.0.1"


def mmsg(h: Harness, task: Task, *datas: bytes | int) -> int:
    """struct mmsghdr[]: bytes to send, or sizes to receive."""
    words: list[int] = []
    for data in datas:
        size = len(data) if isinstance(data, bytes) else data
        where = h.put(task, data) if isinstance(data, bytes) else h.room(task, data)
        words += [0, 0, h.words(task, where, size), 1, 0, 0, 0, 0]
    return h.words(task, *words)


def test_many_messages_at_once() -> None:
    h = Harness()
    task = h.process()
    one, two = new(h, task, SOCK_DGRAM), new(h, task, SOCK_DGRAM)
    h.done(task, "bind", two, *place(h, task))
    h.done(task, "connect", one, *place(h, task))
    out = mmsg(h, task, b"one", b"three", b"")
    assert h.done(task, "sendmmsg", one, out, 3, 0) == 3
    assert [h.i32(task, out + 32 * i + 28) for i in range(3)] == [3, 5, 0]
    into = mmsg(h, task, 10, 10, 10, 10)
    assert h.done(task, "recvmmsg_time64", two, into, 4, MSG_WAITFORONE, 0) == 3
    assert [h.i32(task, into + 32 * i + 28) for i in range(3)] == [3, 5, 0]
    assert h.call(task, "recvmmsg_time64", two, into, 2, 0, 0) is PARKED


def test_datagrams_that_do_not_fit_are_dropped() -> None:
    h = Harness()
    task = h.process()
    one, two = new(h, task, SOCK_DGRAM), new(h, task, SOCK_DGRAM)
    h.done(task, "bind", two, *place(h, task))
    h.done(task, "connect", one, *place(h, task))
    data = h.put(task, bytes(60_000))
    for _ in range(5):
        assert h.done(task, "write", one, data, 60_000) == 60_000
    got = 0
    while h.done(task, "recvfrom", two, data, 60_000, 0x40, 0, 0) == 60_000:
        got += 1
    assert got == 3


@pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_DGRAM])
@pytest.mark.parametrize(("family", "host"), [(AF_INET, "192.0.2.1"), (AF_INET6, "2001:db8::1")])
def test_the_way_out_is_asked_for(kind: int, family: int, host: str) -> None:
    h = Harness()
    task = h.process()
    fd = new(h, task, kind | SOCK_NONBLOCK, family)
    assert h.call(task, "connect", fd, *place(h, task, host, 80)) is PARKED
    (ask,) = h.taken(Ask)
    assert isinstance(ask.payload, Connect)
    assert (ask.payload.port, ask.payload.stream) == (80, kind == SOCK_STREAM)
    assert len(ask.payload.host) == (4 if family == AF_INET else 16)
    h.answer(ask.request, Failed(Errno.EACCES))
    assert h.resumed(task) == -Errno.EACCES


def test_what_is_not_there() -> None:
    h = Harness()
    task = h.process()
    assert h.done(task, "socket", AF_NETLINK, SOCK_RAW, 0) == -Errno.EAFNOSUPPORT
    assert h.done(task, "socket", AF_PACKET, SOCK_RAW, 0) == -Errno.EPERM
    assert h.done(task, "socket", AF_INET, SOCK_RAW, 1) == -Errno.EPERM
    assert h.done(task, "socketpair", AF_INET, SOCK_STREAM, 0, h.room(task, 8)) == -Errno.EOPNOTSUPP
    pipe = h.room(task, 8)
    h.done(task, "pipe2", pipe, 0)
    assert h.done(task, "bind", h.i32(task, pipe), *place(h, task)) == -Errno.ENOTSOCK
    assert h.done(task, "bind", 99, *place(h, task)) == -Errno.EBADF


def test_hostile_arguments() -> None:
    h = Harness()
    task = h.process()
    fd = new(h, task)
    where, size = place(h, task)
    for call in ("bind", "connect"):
        assert h.done(task, call, fd, -4, 16) == -Errno.EFAULT
        assert h.done(task, call, fd, where, -1) == -Errno.EINVAL
        assert h.done(task, call, fd, where, 129) == -Errno.EINVAL
        assert h.done(task, call, fd, where, 1) == -Errno.EINVAL
        assert h.done(task, call, fd, where, 15) == -Errno.EINVAL
        assert h.done(task, call, fd, h.put(task, b"\1\0" + bytes(14)), 16) == -Errno.EAFNOSUPPORT
    h.done(task, "bind", fd, where, size)
    assert h.done(task, "getsockname", fd, where, -4) == -Errno.EFAULT
    assert h.done(task, "getsockname", fd, where, h.words(task, -1)) == -Errno.EINVAL
    assert h.done(task, "accept4", fd, 0, 0, 1) == -Errno.EINVAL
    assert h.done(task, "sendto", fd, -1, 10, 0, 0, 0) == -Errno.EFAULT
    assert h.done(task, "recvmsg", fd, -4, 0) == -Errno.EFAULT
    assert h.done(task, "sendmsg", fd, h.words(task, 0, 0, where, 1025, 0, 0, 0), 0) == -Errno.EMSGSIZE
    assert h.done(task, "sendmsg", fd, h.words(task, 0, 0, where, 0, where, -1, 0), 0) == -Errno.ENOBUFS
    assert h.done(task, "setsockopt", fd, 1, 2, -4, 4) == -Errno.EFAULT
    assert h.done(task, "setsockopt", fd, 1, 2, where, -1) == -Errno.EINVAL
    assert h.done(task, "getsockopt", fd, 1, 2, where, h.words(task, -1)) == -Errno.EINVAL
    assert h.done(task, "shutdown", fd, 3) == -Errno.EINVAL


def test_a_name_server_that_knows_nothing_answers_at_once() -> None:
    h = Harness()
    task = h.process()
    question = b"\7example\3com\0" + b"\0\1\0\1"
    query = b"\x12\x34\1\0\0\1" + bytes(6) + question
    for host in (HOST, "192.0.2.53"):
        fd = new(h, task, SOCK_DGRAM | SOCK_NONBLOCK)
        where, size = place(h, task, host, 53)
        assert h.done(task, "sendto", fd, h.put(task, query), len(query), 0, where, size) == len(query)
        source, source_size = h.room(task, 16), h.words(task, 16)
        into = h.room(task, 512)
        count = h.done(task, "recvfrom", fd, into, 512, 0, source, source_size)
        assert h.get(task, into, count) == b"\x12\x34\x81\x83\0\1" + bytes(6) + question
        assert parse(h.get(task, source, 16)) == (host, 53)
        for junk in (b"", b"short", query[:-1], bytes(12) + b"\xc0\0\1\0\1"):
            h.done(task, "sendto", fd, h.put(task, junk), len(junk), 0, where, size)
        assert h.done(task, "recvfrom", fd, into, 512, 0, 0, 0) == -Errno.EAGAIN


def test_the_one_interface() -> None:
    h = Harness()
    task = h.process()
    fd = new(h, task, SOCK_DGRAM)
    buffer = h.room(task, 100)
    conf = h.words(task, 100, buffer)
    assert h.done(task, "ioctl", fd, 0x8912, conf) == 0
    assert h.i32(task, conf) == 32
    assert h.get(task, buffer, 3) == b"lo\0"
    assert h.get(task, buffer + 20, 4) == bytes((127, 0, 0, 1))
    request = h.put(task, b"lo".ljust(32, b"\0"))
    assert h.done(task, "ioctl", fd, 0x8913, request) == 0
    assert h.get(task, request + 16, 2) == b"\x49\0"
    assert h.done(task, "ioctl", fd, 0x8914, request) == -Errno.EPERM
    other = h.put(task, b"eth0".ljust(32, b"\0"))
    assert h.done(task, "ioctl", fd, 0x8913, other) == -Errno.ENODEV
    assert h.done(task, "ioctl", fd, 0x5401, request) == -Errno.ENOTTY


def test_how_much_is_waiting() -> None:
    h = Harness()
    task = h.process()
    client, server = connected(h, task)
    h.done(task, "write", client, h.put(task, b"hello"), 5)
    where = h.room(task, 4)
    assert h.done(task, "ioctl", server, 0x541B, where) == 0
    assert h.i32(task, where) == 5
    assert h.done(task, "ioctl", client, 0x5411, where) == 0
    assert h.i32(task, where) == 5
