# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Sockets: making, naming, connecting, plain data, options. Messages are in message.py.

Standard: POSIX.1-2024 2.10 Sockets; errnos and their order as Linux net/socket.c.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import socket as s
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import O_NONBLOCK
from skerry.kernel.file import Buffer
from skerry.kernel.socket import Received, Socket
from skerry.kernel.sockopt import get_option, set_option
from skerry.kernel.stream import StreamSocket
from skerry.kernel.sys import message  # noqa: F401  # enters sendmsg and recvmsg
from skerry.kernel.sys.event import open_pair
from skerry.kernel.sys.sockmem import read_address, socket_of, write_address
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task
from skerry.kernel.tcp import TcpSocket
from skerry.kernel.udp import UdpSocket
from skerry.kernel.unixconn import UnixSeqpacket, UnixStream, unix_pair
from skerry.kernel.unixdgram import UnixDatagram, unix_dgram_pair
from skerry.kernel.usermem import U32
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from collections.abc import Callable

AF_MAX = 46
SIZE_MAX = 0x7FFFF000
TYPE_FLAGS = s.SOCK_CLOEXEC | s.SOCK_NONBLOCK

UNIX_TYPES: dict[int, Callable[..., Socket]] = {
    s.SOCK_STREAM: UnixStream, s.SOCK_DGRAM: UnixDatagram, s.SOCK_RAW: UnixDatagram,
    s.SOCK_SEQPACKET: UnixSeqpacket,
}  # fmt: skip
INET_TYPES: dict[int, type[TcpSocket | UdpSocket]] = {s.SOCK_STREAM: TcpSocket, s.SOCK_DGRAM: UdpSocket}


def _check_type(kind: int) -> tuple[int, int]:
    """Split the type argument into type and O_NONBLOCK."""
    if kind & ~s.SOCK_TYPE_MASK & ~TYPE_FLAGS:
        raise SysError(Errno.EINVAL)
    return kind & s.SOCK_TYPE_MASK, O_NONBLOCK if kind & s.SOCK_NONBLOCK else 0


def _check_family(family: int, kind: int, protocol: int) -> None:
    """Raise for what has no sockets, in the order of Linux' __sock_create."""
    if not 0 <= family < AF_MAX:
        raise SysError(Errno.EAFNOSUPPORT)
    if kind >= s.SOCK_MAX:
        raise SysError(Errno.EINVAL)
    if family == s.AF_PACKET:
        raise SysError(Errno.EPERM)  # raw packets need privilege, and there is no wire
    if family == s.AF_UNIX:
        if protocol not in (0, s.AF_UNIX):
            raise SysError(Errno.EPROTONOSUPPORT)
        if kind not in UNIX_TYPES:
            raise SysError(Errno.ESOCKTNOSUPPORT)
    elif family in (s.AF_INET, s.AF_INET6):
        _check_inet(kind, protocol)
    else:
        raise SysError(Errno.EAFNOSUPPORT)


def _check_inet(kind: int, protocol: int) -> None:
    if not 0 <= protocol < 256:  # IPPROTO_MAX
        raise SysError(Errno.EINVAL)
    if kind == s.SOCK_RAW:
        raise SysError(Errno.EPERM if protocol else Errno.EPROTONOSUPPORT)
    if kind not in INET_TYPES:
        raise SysError(Errno.ESOCKTNOSUPPORT)
    if protocol not in (0, INET_TYPES[kind].protocol):
        raise SysError(Errno.EPROTONOSUPPORT)


@syscall("socket", missing="AF_UNIX, AF_INET and AF_INET6; raw sockets are EPERM, others EAFNOSUPPORT")
def make_socket(task: Task, family: int, kind: int, protocol: int) -> int:
    """Implements socket(2)."""
    base, flags = _check_type(kind)
    _check_family(family, base, protocol)
    kernel, cred = task.kernel, task.process.cred
    if family == s.AF_UNIX:
        socket = UNIX_TYPES[base](kernel, cred, flags)
    else:
        socket = INET_TYPES[base](kernel, cred, flags, family)
    return task.process.fds.add(socket, bool(kind & s.SOCK_CLOEXEC))


@syscall()
def socketpair(task: Task, family: int, kind: int, protocol: int, address: int) -> int:
    """Implements socketpair(2)."""
    base, flags = _check_type(kind)
    task.mem.check(address, 8)
    _check_family(family, base, protocol)
    if family != s.AF_UNIX:
        raise SysError(Errno.EOPNOTSUPP)
    if base == s.SOCK_STREAM:
        one, other = unix_pair(task, UnixStream, flags)
    elif base == s.SOCK_SEQPACKET:
        one, other = unix_pair(task, UnixSeqpacket, flags)
    else:
        one, other = unix_dgram_pair(task, flags)
    first, second = open_pair(task.process.fds, one, other, bool(kind & s.SOCK_CLOEXEC))
    task.mem.put_u32(address, first)
    task.mem.put_u32(address + 4, second)
    return 0


# --- names and connections


@syscall()
def bind(task: Task, fd: int, address: int, size: int) -> int | Step[int]:
    """Implements bind(2)."""
    socket = socket_of(task, fd)
    return socket.bind(task, read_address(task, address, size))


@syscall()
def listen(task: Task, fd: int, backlog: int) -> int:
    """Implements listen(2)."""
    return socket_of(task, fd).listen(task, backlog)


@syscall(restart=True, missing="addresses outside the box are EACCES until the monitor can grant them")
def connect(task: Task, fd: int, address: int, size: int) -> int | Step[int]:
    """Implements connect(2)."""
    socket = socket_of(task, fd)
    return socket.connect(task, read_address(task, address, size))


@syscall(restart=True)
def accept(task: Task, fd: int, address: int, size: int) -> int | Step[int]:
    """Implements accept(2)."""
    result: int | Step[int] = accept4(task, fd, address, size, 0)
    return result


@syscall(restart=True)
def accept4(task: Task, fd: int, address: int, size: int, flags: int) -> int | Step[int]:
    """Implements accept4(2)."""
    if flags & ~TYPE_FLAGS:
        raise SysError(Errno.EINVAL)
    socket = socket_of(task, fd)
    task.process.fds.lowest()
    found = socket.accept(task)
    if isinstance(found, Socket):
        return _accepted(task, found, address, size, flags)
    return _accept_later(task, found, address, size, flags)


def _accept_later(task: Task, step: Step[Socket], address: int, size: int, flags: int) -> Step[int]:
    return _accepted(task, (yield from step), address, size, flags)


def _accepted(task: Task, socket: Socket, address: int, size: int, flags: int) -> int:
    """Give an accepted connection its descriptor; it is closed when that fails."""
    if flags & s.SOCK_NONBLOCK:
        socket.flags |= O_NONBLOCK
    socket.acquire()
    try:
        if address:
            write_address(task, _peer_of(socket), address, size)
        return task.process.fds.add(socket, bool(flags & s.SOCK_CLOEXEC))
    finally:
        socket.release()


def _peer_of(socket: Socket) -> bytes:
    """The peer's address; a peer that has gone already still had one.

    Raises: SysError(ECONNABORTED).
    """
    try:
        return socket.peername()
    except SysError:
        raise SysError(Errno.ECONNABORTED) from None


@syscall()
def getsockname(task: Task, fd: int, address: int, size: int) -> int:
    """Implements getsockname(2)."""
    write_address(task, socket_of(task, fd).sockname(), address, size)
    return 0


@syscall()
def getpeername(task: Task, fd: int, address: int, size: int) -> int:
    """Implements getpeername(2)."""
    write_address(task, socket_of(task, fd).peername(), address, size)
    return 0


@syscall()
def shutdown(task: Task, fd: int, how: int) -> int:
    """Implements shutdown(2)."""
    socket = socket_of(task, fd)
    if how not in (s.SHUT_RD, s.SHUT_WR, s.SHUT_RDWR):
        raise SysError(Errno.EINVAL)
    return socket.shutdown(task, how + 1)


# --- data


@syscall(restart=True, missing="MSG_OOB is EOPNOTSUPP")
def sendto(
    task: Task, fd: int, buf: int, count: int, flags: int, address: int, size: int
) -> int | Step[int]:
    """Implements sendto(2)."""
    socket = socket_of(task, fd)
    data = task.mem.read(buf, min(count & U32, SIZE_MAX))
    if not flags and not address:
        return socket.write(task, data) if data else socket.send(task, data)
    return socket.send(task, data, flags, read_address(task, address, size) if address else b"")


@syscall(restart=True)
def recvfrom(
    task: Task, fd: int, buf: int, count: int, flags: int, address: int, size: int
) -> int | Step[int]:
    """Implements recvfrom(2)."""
    socket = socket_of(task, fd)
    count = min(count & U32, SIZE_MAX)
    if not flags and not address and count and isinstance(socket, StreamSocket):
        data = socket.read(task, count)
        if isinstance(data, bytes | bytearray | memoryview):
            task.mem.write(buf, data)
            return len(data)
        return _read_later(task, buf, data)
    received = socket.receive(task, count, flags)
    if isinstance(received, Received):
        return _received(task, received, buf, flags, address, size)
    return _recvfrom_later(task, received, buf, flags, address, size)


def _read_later(task: Task, buf: int, step: Step[Buffer]) -> Step[int]:
    data = yield from step
    task.mem.write(buf, data)
    return len(data)


def _recvfrom_later(
    task: Task, step: Step[Received], buf: int, flags: int, address: int, size: int
) -> Step[int]:
    return _received(task, (yield from step), buf, flags, address, size)


def _received(task: Task, received: Received, buf: int, flags: int, address: int, size: int) -> int:
    if received.ancillary is not None:
        received.ancillary.release()
    task.mem.write(buf, received.data)
    if address:
        write_address(task, received.source, address, size)
    return received.size if flags & s.MSG_TRUNC else len(received.data)


# --- options


@syscall()
def setsockopt(task: Task, fd: int, level: int, name: int, value: int, size: int) -> int:
    """Implements setsockopt(2)."""
    socket = socket_of(task, fd)
    if size < 0:
        raise SysError(Errno.EINVAL)
    set_option(task, socket, level, name, task.mem.read(value, min(size, 256)))
    return 0


@syscall()
def getsockopt(task: Task, fd: int, level: int, name: int, value: int, size_at: int) -> int:
    """Implements getsockopt(2)."""
    socket = socket_of(task, fd)
    size = task.mem.i32(size_at)
    if size < 0:
        raise SysError(Errno.EINVAL)
    found = get_option(task, socket, level, name, size)
    task.mem.write(value, found)
    task.mem.put_u32(size_at, len(found))
    return 0


