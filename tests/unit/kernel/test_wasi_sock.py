# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""WASI sockets: only those a program was given."""
from __future__ import annotations

import pytest
from tests.unit.kernel.harness import PARKED
from tests.unit.kernel.wasi_program import E, WasiProgram

from skerry.abi import socket as s
from skerry.abi import wasi as w
from skerry.kernel.process import Process
from skerry.kernel.task import Task

ADDRESS = b"\2\0\x1f\x90\x7f\0\0\1" + bytes(8)  # 127.0.0.1:8080


@pytest.fixture
def program() -> WasiProgram:
    return WasiProgram()


def make_pair(program: WasiProgram, kind: int = s.SOCK_STREAM) -> tuple[int, Task]:
    """A socket of the program, and a Linux process that has the other end as descriptor 0."""
    other = program.h.process()
    at = program.h.room(other, 8)
    assert program.h.call(other, "socketpair", s.AF_UNIX, kind, 0, at) == 0
    mine = other.process.fds.get(program.h.i32(other, at + 4))
    fd = program.give(mine)
    close(other.process, program.h.i32(other, at + 4))
    return fd, other


def close(process: Process, fd: int) -> None:
    process.fds.close(fd)


def receive(program: WasiProgram, fd: int, size: int = 100, flags: int = 0) -> tuple[bytes, int]:
    buf = program.room(size)
    program.done("sock_recv", fd, program.vector((buf, size)), 1, flags, program.out, program.out + 4)
    return program.get(buf, program.told), program.task.mem.u16(program.out + 4)


def send(program: WasiProgram, other: Task, data: bytes) -> None:
    assert program.h.call(other, "write", 0, program.h.put(other, data), len(data)) == len(data)


def test_send_and_receive(program: WasiProgram) -> None:
    fd, other = make_pair(program)
    program.done("sock_send", fd, program.vector((program.put(b"ping"), 4)), 1, 0, program.out)
    assert program.told == 4
    buf = program.h.room(other, 8)
    assert program.h.call(other, "read", 0, buf, 8) == 4
    send(program, other, b"pong")
    assert receive(program, fd, flags=w.RECV_PEEK) == (b"pong", 0)
    assert receive(program, fd) == (b"pong", 0)


def test_read_and_write_work_as_well(program: WasiProgram) -> None:
    fd, other = make_pair(program)
    send(program, other, b"data")
    assert program.read(fd) == b"data"
    assert program.write(fd, b"back") == 4
    kind, _, rights, _ = program.fdstat(fd)
    assert kind == 6 and rights & w.SOCK_SHUTDOWN


def test_a_long_datagram_is_cut(program: WasiProgram) -> None:
    fd, other = make_pair(program, s.SOCK_DGRAM)
    send(program, other, b"0123456789")
    assert receive(program, fd, size=4) == (b"0123", w.RECV_TRUNCATED)
    assert program.fdstat(fd)[0] == w.FILETYPE_SOCKET_DGRAM


def test_receive_waits(program: WasiProgram) -> None:
    fd, other = make_pair(program)
    arguments = (fd, program.vector((program.room(8), 8)), 1, 0, program.out, program.out + 4)
    assert program.call("sock_recv", *arguments) is PARKED
    send(program, other, b"late")
    assert program.resumed() == 0 and program.told == 4


def test_shutdown(program: WasiProgram) -> None:
    fd, other = make_pair(program)
    assert program.call("sock_shutdown", fd, 0) == E.EINVAL
    assert program.call("sock_shutdown", fd, 4) == E.EINVAL
    program.done("sock_shutdown", fd, 2)  # writing
    assert program.h.call(other, "read", 0, program.h.room(other, 8), 8) == 0
    program.done("sock_shutdown", fd, 1)  # reading
    assert receive(program, fd) == (b"", 0)


def test_accept(program: WasiProgram) -> None:
    h, server = program.h, program.h.process()
    listening = h.done(server, "socket", s.AF_INET, s.SOCK_STREAM, 0)
    assert h.call(server, "bind", listening, h.put(server, ADDRESS), 16) == 0
    assert h.call(server, "listen", listening, 5) == 0
    fd = program.give(server.process.fds.get(listening))
    assert program.call("sock_accept", fd, w.FDFLAG_NONBLOCK, program.out) is PARKED
    client = h.process()
    socket = h.done(client, "socket", s.AF_INET, s.SOCK_STREAM, 0)
    assert h.done(client, "connect", socket, h.put(client, ADDRESS), 16) == 0
    assert program.resumed() == 0
    accepted = program.told
    assert program.fdstat(accepted)[1] == w.FDFLAG_NONBLOCK
    assert program.write(accepted, b"welcome") == 7
    buf = h.room(client, 8)
    assert h.call(client, "read", socket, buf, 8) == 7


def test_what_is_no_socket(program: WasiProgram) -> None:
    fd = program.open(b"f", w.OFLAG_CREAT)
    vector = program.vector((program.room(4), 4))
    assert program.call("sock_shutdown", fd, 1) == E.ENOTSOCK
    assert program.call("sock_accept", fd, 0, program.out) == E.ENOTSOCK
    assert program.call("sock_send", fd, vector, 1, 0, program.out) == E.ENOTSOCK
    assert program.call("sock_recv", fd, vector, 1, 0, program.out, program.out) == E.ENOTSOCK
    assert program.call("sock_shutdown", 99, 1) == E.EBADF


def test_flags(program: WasiProgram) -> None:
    fd, _ = make_pair(program)
    vector = program.vector((program.room(4), 4))
    assert program.call("sock_send", fd, vector, 1, 1, program.out) == E.EINVAL
    assert program.call("sock_recv", fd, vector, 1, 4, program.out, program.out) == E.EINVAL
