# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""AF_UNIX: what waits, what travels beside the bytes, and names in directories."""
from __future__ import annotations

from struct import pack, unpack_from

import pytest
from tests.unit.kernel.harness import MILLISECOND, PARKED, Harness

from skerry.abi.errno import Errno
from skerry.abi.fcntl import O_NONBLOCK, S_IFMT, S_IFSOCK
from skerry.abi.signal import SA_RESTART, Signo
from skerry.abi.socket import (
    AF_UNIX,
    MSG_CMSG_CLOEXEC,
    MSG_CTRUNC,
    MSG_DONTWAIT,
    MSG_PEEK,
    MSG_TRUNC,
    MSG_WAITALL,
    SCM_CREDENTIALS,
    SCM_RIGHTS,
    SO_PASSCRED,
    SO_PEERCRED,
    SO_RCVTIMEO_NEW,
    SO_RCVTIMEO_OLD,
    SOCK_DGRAM,
    SOCK_SEQPACKET,
    SOCK_STREAM,
    SOL_SOCKET,
)
from skerry.kernel.task import Task


def pair(h: Harness, task: Task, kind: int = SOCK_STREAM) -> tuple[int, int]:
    where = h.room(task, 8)
    assert h.done(task, "socketpair", AF_UNIX, kind, 0, where) == 0
    return h.i32(task, where), h.i32(task, where + 4)


def address(h: Harness, task: Task, name: bytes) -> tuple[int, int]:
    raw = pack("<H", AF_UNIX) + name
    return h.put(task, raw), len(raw)


def message(h: Harness, task: Task, data: int, size: int, control: int = 0, control_size: int = 0) -> int:
    iov = h.words(task, data, size)
    return h.words(task, 0, 0, iov, 1, control, control_size, 0)


def rights(*fds: int) -> bytes:
    return pack(f"<Iii{len(fds)}i", 12 + 4 * len(fds), SOL_SOCKET, SCM_RIGHTS, *fds)


def send_fds(h: Harness, task: Task, fd: int, data: bytes, *fds: int) -> int:
    control = rights(*fds)
    where = message(h, task, h.put(task, data), len(data), h.put(task, control), len(control))
    return h.done(task, "sendmsg", fd, where, 0)


def receive(
    h: Harness, task: Task, fd: int, size: int, control_size: int = 100, flags: int = 0
) -> tuple[bytes, bytes, int]:
    """(data, control, flags) of a message that is there."""
    data, control = h.room(task, size), h.room(task, control_size)
    where = message(h, task, data, size, control, control_size)
    count = h.done(task, "recvmsg", fd, where, flags)
    assert count >= 0, Errno(-count).name
    got_control = h.get(task, control, h.i32(task, where + 20))
    return h.get(task, data, min(count, size)), got_control, h.i32(task, where + 24)


def write(h: Harness, task: Task, fd: int, data: bytes) -> int:
    return h.done(task, "write", fd, h.put(task, data), len(data))


def read(h: Harness, task: Task, fd: int, size: int) -> bytes:
    where = h.room(task, size)
    return h.get(task, where, h.done(task, "read", fd, where, size))


# --- waiting


def test_a_reader_waits_for_its_peer() -> None:
    h = Harness()
    task = h.process()
    one, two = pair(h, task)
    other = h.fork(task)
    where = h.room(task, 10)
    assert h.call(task, "read", one, where, 10) is PARKED
    write(h, other, two, b"hello")
    assert h.resumed(task) == 5


def test_a_writer_waits_for_room() -> None:
    h = Harness()
    task = h.process()
    one, two = pair(h, task)
    other = h.fork(task)
    data = bytes(150_000)
    write(h, task, one, data)
    assert h.call(task, "write", one, h.put(task, data), len(data)) is PARKED
    got = 0
    while got < 300_000:
        got += len(read(h, other, two, 50_000))
    assert h.resumed(task) == len(data)


def test_wait_for_all_the_bytes() -> None:
    h = Harness()
    task = h.process()
    one, two = pair(h, task)
    other = h.fork(task)
    where = h.room(task, 10)
    assert h.call(task, "recvfrom", one, where, 10, MSG_WAITALL, 0, 0) is PARKED
    write(h, other, two, b"12345")
    assert h.resumed(task) is PARKED
    write(h, other, two, b"67890abc")
    assert h.resumed(task) == 10
    assert h.get(task, where, 10) == b"1234567890"
    assert h.call(task, "recvfrom", one, where, 10, MSG_WAITALL, 0, 0) is PARKED
    h.exit(other)
    h.done(h.process(), "getpid")
    assert h.resumed(task) is PARKED  # the parent still has the other end itself


@pytest.mark.parametrize("option", [SO_RCVTIMEO_NEW, SO_RCVTIMEO_OLD])
def test_receive_timeout(option: int) -> None:
    h = Harness()
    task = h.process()
    one, _ = pair(h, task)
    value = pack("<qq", 0, 20_000) if option == SO_RCVTIMEO_NEW else pack("<ii", 0, 20_000)
    assert h.done(task, "setsockopt", one, SOL_SOCKET, option, h.put(task, value), len(value)) == 0
    assert h.call(task, "recvfrom", one, h.room(task, 1), 1, 0, 0, 0) is PARKED
    h.advance(20 * MILLISECOND)
    assert h.resumed(task) == -Errno.EAGAIN


def test_a_call_with_a_timeout_is_not_restarted() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    one, _ = pair(h, task)
    h.handle(task, Signo.SIGUSR1, flags=SA_RESTART)
    value = pack("<qq", 1, 0)
    h.done(task, "setsockopt", one, SOL_SOCKET, SO_RCVTIMEO_NEW, h.put(task, value), 16)
    assert h.call(task, "recvfrom", one, h.room(task, 1), 1, 0, 0, 0) is PARKED
    h.done(other, "kill", task.process.pid, Signo.SIGUSR1)
    assert h.resumed(task) == -Errno.EINTR


def test_accept_and_connect_wait() -> None:
    h = Harness()
    server, client = h.process(), h.process()
    listener = h.done(server, "socket", AF_UNIX, SOCK_STREAM, 0)
    assert h.done(server, "bind", listener, *address(h, server, b"/s\0")) == 0
    assert h.done(server, "listen", listener, 0) == 0
    assert h.call(server, "accept", listener, 0, 0) is PARKED
    fds = [h.done(client, "socket", AF_UNIX, SOCK_STREAM, 0) for _ in range(3)]
    where = address(h, client, b"/s\0")
    assert h.done(client, "connect", fds[0], *where) == 0
    conn = h.resumed(server)
    assert isinstance(conn, int)
    assert conn >= 0
    assert h.done(client, "connect", fds[1], *where) == 0
    assert h.call(client, "connect", fds[2], *where) is PARKED
    assert h.done(server, "accept", listener, 0, 0) >= 0
    assert h.resumed(client) == 0


def test_closing_the_listener_refuses_who_waits() -> None:
    h = Harness()
    server, client = h.process(), h.process()
    listener = h.done(server, "socket", AF_UNIX, SOCK_STREAM, 0)
    h.done(server, "bind", listener, *address(h, server, b"\0abstract"))
    h.done(server, "listen", listener, 0)
    fds = [h.done(client, "socket", AF_UNIX, SOCK_STREAM, 0) for _ in range(2)]
    where = address(h, client, b"\0abstract")
    assert h.done(client, "connect", fds[0], *where) == 0
    assert h.call(client, "connect", fds[1], *where) is PARKED
    h.done(server, "close", listener)
    assert h.resumed(client) == -Errno.ECONNREFUSED


def test_datagrams_wait_for_the_receiver() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    receiver = h.done(other, "socket", AF_UNIX, SOCK_DGRAM, 0)
    h.done(other, "bind", receiver, *address(h, other, b"\0r"))
    sender = h.done(task, "socket", AF_UNIX, SOCK_DGRAM, 0)
    where, size = address(h, task, b"\0r")
    for _ in range(11):
        assert h.done(task, "sendto", sender, h.put(task, b"x"), 1, 0, where, size) == 1
    assert h.done(task, "sendto", sender, 4096, 1, MSG_DONTWAIT, where, size) == -Errno.EAGAIN
    assert h.call(task, "sendto", sender, h.put(task, b"y"), 1, 0, where, size) is PARKED
    assert read(h, other, receiver, 10) == b"x"
    assert h.resumed(task) == 1


# --- names


def test_a_path_name_is_a_file() -> None:
    h = Harness()
    task = h.process()
    fd = h.done(task, "socket", AF_UNIX, SOCK_STREAM, 0)
    assert h.done(task, "bind", fd, *address(h, task, b"/dir/s\0")) == -Errno.ENOENT
    assert h.done(task, "bind", fd, *address(h, task, b"/s\0")) == 0
    name, size = h.room(task, 110), h.words(task, 110)
    assert h.done(task, "getsockname", fd, name, size) == 0
    assert h.get(task, name, h.i32(task, size)) == b"\1\0/s\0"
    other = h.done(task, "socket", AF_UNIX, SOCK_STREAM, 0)
    where = address(h, task, b"/s\0")
    assert h.done(task, "bind", other, *where) == -Errno.EADDRINUSE
    assert h.done(task, "connect", other, *where) == -Errno.ECONNREFUSED
    h.done(task, "listen", fd, 1)
    datagram = h.done(task, "socket", AF_UNIX, SOCK_DGRAM, 0)
    assert h.done(task, "connect", datagram, *where) == -Errno.EPROTOTYPE
    h.done(task, "close", fd)
    assert h.done(task, "connect", other, *where) == -Errno.ECONNREFUSED
    assert h.done(task, "connect", other, *address(h, task, b"/nothing\0")) == -Errno.ENOENT
    assert h.done(task, "unlinkat", -100, b"/s", 0) == 0
    assert h.done(task, "bind", other, *where) == 0


def test_a_path_needs_write_permission() -> None:
    h = Harness()
    server, client = h.process(), h.process()
    fd = h.done(server, "socket", AF_UNIX, SOCK_STREAM, 0)
    h.done(server, "bind", fd, *address(h, server, b"/s\0"))
    h.done(server, "listen", fd, 1)
    assert h.done(server, "fchmodat", -100, b"/s", 0o400) == 0
    client.process.cred.euid = 1234
    sock = h.done(client, "socket", AF_UNIX, SOCK_STREAM, 0)
    assert h.done(client, "connect", sock, *address(h, client, b"/s\0")) == -Errno.EACCES


def test_a_name_that_does_not_matter() -> None:
    h = Harness()
    task = h.process()
    fd = h.done(task, "socket", AF_UNIX, SOCK_DGRAM, 0)
    assert h.done(task, "bind", fd, *address(h, task, b"")) == 0
    name, size = h.room(task, 110), h.words(task, 110)
    h.done(task, "getsockname", fd, name, size)
    assert h.get(task, name, h.i32(task, size)) == b"\1\0\x0000001"


def test_who_sent_a_datagram() -> None:
    h = Harness()
    task = h.process()
    one, two = (h.done(task, "socket", AF_UNIX, SOCK_DGRAM, 0) for _ in range(2))
    h.done(task, "bind", one, *address(h, task, b"\0one"))
    h.done(task, "bind", two, *address(h, task, b"\0two"))
    where, length = address(h, task, b"\0two")
    h.done(task, "sendto", one, h.put(task, b"hello"), 5, 0, where, length)
    name, size = h.room(task, 110), h.words(task, 110)
    assert h.done(task, "recvfrom", two, h.room(task, 3), 3, MSG_TRUNC, name, size) == 5
    assert h.get(task, name, h.i32(task, size)) == b"\1\0\0one"


def test_sockets_have_a_status() -> None:
    h = Harness()
    task = h.process()
    one, _ = pair(h, task)
    stat = task.process.fds.get(one).stat()
    assert stat.mode & S_IFMT == S_IFSOCK  # type: ignore[union-attr]


# --- files and credentials


@pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET])
def test_a_file_travels(kind: int) -> None:
    h = Harness()
    task = h.process()
    one, two = pair(h, task, kind)
    gift = h.done(task, "eventfd2", 7, 0)
    assert send_fds(h, task, one, b"x", gift) == 1
    h.done(task, "close", gift)
    other = h.fork(task)
    data, control, flags = receive(h, other, two, 10)
    assert data == b"x"
    size, level, what, fd = unpack_from("<Iiii", control)
    assert (size, level, what) == (16, SOL_SOCKET, SCM_RIGHTS)
    assert not flags & MSG_CTRUNC
    assert read(h, other, fd, 8) == pack("<Q", 7)


def test_received_files_can_close_on_exec() -> None:
    h = Harness()
    task = h.process()
    one, two = pair(h, task)
    send_fds(h, task, one, b"x", one)
    _, control, flags = receive(h, task, two, 10, flags=MSG_CMSG_CLOEXEC)
    fd = unpack_from("<i", control, 12)[0]
    assert fd in task.process.fds.cloexec
    assert flags & MSG_CMSG_CLOEXEC


def test_files_end_a_read_of_a_stream() -> None:
    h = Harness()
    task = h.process()
    one, two = pair(h, task)
    write(h, task, one, b"before ")
    send_fds(h, task, one, b"with", one)
    write(h, task, one, b" after")
    data, control, _ = receive(h, task, two, 100)
    assert data == b"before with"
    assert len(control) == 16
    data, control, _ = receive(h, task, two, 100)
    assert (data, control) == (b" after", b"")


def test_files_come_with_the_first_byte() -> None:
    h = Harness()
    task = h.process()
    one, two = pair(h, task)
    send_fds(h, task, one, b"abc", one)
    assert len(receive(h, task, two, 1)[1]) == 16
    assert receive(h, task, two, 10)[:2] == (b"bc", b"")


def test_files_without_room_are_closed() -> None:
    h = Harness()
    task = h.process()
    one, two = pair(h, task)
    gift = h.done(task, "eventfd2", 0, 0)
    file = task.process.fds.get(gift)
    send_fds(h, task, one, b"x", gift, gift)
    assert file.refs == 3
    _, control, flags = receive(h, task, two, 10, control_size=16)
    assert len(control) == 16
    assert flags & MSG_CTRUNC
    assert file.refs == 2
    send_fds(h, task, one, b"x", gift)
    assert read(h, task, two, 10) == b"x"  # read(2) has no room for files at all
    assert file.refs == 2


def test_a_peek_makes_copies() -> None:
    h = Harness()
    task = h.process()
    one, two = pair(h, task)
    gift = h.done(task, "eventfd2", 0, 0)
    send_fds(h, task, one, b"x", gift)
    for flags in (MSG_PEEK, MSG_PEEK, 0):
        data, control, _ = receive(h, task, two, 10, flags=flags)
        assert data == b"x"
        assert len(control) == 16
    assert task.process.fds.get(gift).refs == 4
    assert not h.kernel.network.flying


def test_bad_control_data() -> None:
    h = Harness()
    task = h.process()
    one, _ = pair(h, task)
    assert send_fds(h, task, one, b"x", 99) == -Errno.EBADF
    assert send_fds(h, task, one, b"x", *([one] * 254)) == -Errno.EINVAL
    control = pack("<Iii", 8, SOL_SOCKET, SCM_RIGHTS)
    where = message(h, task, h.put(task, b"x"), 1, h.put(task, control), len(control))
    assert h.done(task, "sendmsg", one, where, 0) == -Errno.EINVAL
    cred = pack("<IiiiII", 24, SOL_SOCKET, SCM_CREDENTIALS, 1, 0, 0)
    where = message(h, task, h.put(task, b"x"), 1, h.put(task, cred), len(cred))
    assert h.done(task, "sendmsg", one, where, 0) == -Errno.EPERM
    assert task.process.fds.get(one).refs == 1


def test_files_in_a_closed_socket_are_closed() -> None:
    h = Harness()
    task = h.process()
    one, two = pair(h, task)
    gift = h.done(task, "eventfd2", 0, 0)
    file = task.process.fds.get(gift)
    send_fds(h, task, one, b"x", gift)
    h.done(task, "close", two)
    assert file.refs == 1
    assert not h.kernel.network.flying


def test_a_socket_that_holds_itself_is_collected() -> None:
    h = Harness()
    task = h.process()
    one, two = pair(h, task)
    gift = h.done(task, "eventfd2", 0, 0)
    file = task.process.fds.get(gift)
    send_fds(h, task, one, b"x", gift, two)  # "two" is now in its own queue
    h.done(task, "close", two)
    assert file.refs == 2
    h.done(task, "close", one)
    assert file.refs == 1
    assert not h.kernel.network.flying


def test_sockets_that_hold_each_other_are_collected() -> None:
    h = Harness()
    task = h.process()
    a, b = pair(h, task)
    c, d = pair(h, task)
    gift = h.done(task, "eventfd2", 0, 0)
    file = task.process.fds.get(gift)
    send_fds(h, task, a, b"x", d, gift)  # d in the queue of b
    send_fds(h, task, c, b"x", b)  # b in the queue of d
    reachable_one, reachable_two = pair(h, task)
    send_fds(h, task, reachable_one, b"x", reachable_one)
    for fd in (a, b, c, d):
        h.done(task, "close", fd)
    h.done(task, "close", h.done(task, "socket", AF_UNIX, SOCK_STREAM, 0))
    assert file.refs == 1
    assert len(h.kernel.network.flying) == 1
    assert len(receive(h, task, reachable_two, 10)[1]) == 16


def test_credentials_of_the_peer() -> None:
    h = Harness()
    task = h.process()
    one, _ = pair(h, task)
    where, size = h.room(task, 12), h.words(task, 12)
    assert h.done(task, "getsockopt", one, SOL_SOCKET, SO_PEERCRED, where, size) == 0
    cred = task.process.cred
    assert h.get(task, where, 12) == pack("<iII", task.process.pid, cred.euid, cred.egid)


def test_credentials_with_each_message() -> None:
    h = Harness()
    task = h.process()
    one, two = pair(h, task)
    assert h.done(task, "setsockopt", two, SOL_SOCKET, SO_PASSCRED, h.words(task, 1), 4) == 0
    child = h.fork(task)
    write(h, task, one, b"mine")
    write(h, task, one, b" too")
    write(h, child, one, b"the child's")
    data, control, _ = receive(h, task, two, 100)
    assert data == b"mine too"
    assert unpack_from("<Iiii", control) == (24, SOL_SOCKET, SCM_CREDENTIALS, task.process.pid)
    data, control, _ = receive(h, task, two, 100)
    assert data == b"the child's"
    assert unpack_from("<i", control, 12)[0] == child.process.pid


def test_messages_keep_their_boundaries() -> None:
    h = Harness()
    task = h.process()
    one, two = pair(h, task, SOCK_SEQPACKET)
    write(h, task, one, b"first")
    write(h, task, one, b"second")
    data, _, flags = receive(h, task, two, 3)
    assert data == b"fir"
    assert flags & MSG_TRUNC
    assert read(h, task, two, 100) == b"second"
    h.done(task, "close", one)
    assert read(h, task, two, 100) == b""


def test_nothing_is_left_of_a_failed_call() -> None:
    h = Harness()
    task = h.process()
    task.process.fds.limit = 1
    assert h.done(task, "socketpair", AF_UNIX, SOCK_STREAM | O_NONBLOCK, 0, h.room(task, 8)) == -Errno.EMFILE
    assert not task.process.fds.files
    assert h.done(task, "socketpair", AF_UNIX, SOCK_STREAM, 0, -4) == -Errno.EFAULT
