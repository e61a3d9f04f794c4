# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Sockets a program was given: accepting, receiving, sending, closing one direction.

WASI preview 1 cannot make or connect sockets; a descriptor it inherited may be one.

Standard: wasi_snapshot_preview1, "sock_*".
"""
from __future__ import annotations

from skerry.abi import fcntl
from skerry.abi import socket as s
from skerry.abi import wasi as w
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.socket import BOTH, Received, Socket
from skerry.kernel.sys.sockmem import socket_of
from skerry.kernel.task import Task
from skerry.kernel.wait import Step
from skerry.kernel.wasi.fd import Parts, gather, room, scatter
from skerry.kernel.wasi.fdstat import open_flags
from skerry.kernel.wasi.state import file_of
from skerry.kernel.wasi.table import then, wasi


def _socket(task: Task, fd: int, right: int) -> Socket:
    file_of(task, fd, right)
    return socket_of(task, fd)


@wasi
def sock_accept(task: Task, fd: int, flags: int, told: int) -> int | Step[int]:
    """Take the next connection of a listening socket."""
    socket = _socket(task, fd, w.SOCK_ACCEPT)
    nonblocking = open_flags(flags) & fcntl.O_NONBLOCK
    task.mem.check(told, 4)
    task.process.fds.lowest()
    return then(socket.accept(task), lambda accepted: _accepted(task, accepted, nonblocking, told))


def _accepted(task: Task, socket: Socket, nonblocking: int, told: int) -> int:
    socket.flags |= nonblocking
    socket.acquire()
    try:
        task.mem.put_u32(told, task.process.fds.add(socket, cloexec=True))
    finally:
        socket.release()  # closes what got no descriptor
    return 0


@wasi
def sock_recv(
    task: Task, fd: int, vector: int, count: int, flags: int, told: int, told_flags: int
) -> int | Step[int]:
    """Receive a message."""
    socket = _socket(task, fd, w.FD_READ)
    if flags & ~(w.RECV_PEEK | w.RECV_WAITALL):
        raise SysError(Errno.EINVAL)
    theirs = (s.MSG_PEEK if flags & w.RECV_PEEK else 0) | (s.MSG_WAITALL if flags & w.RECV_WAITALL else 0)
    task.mem.check(told, 4)
    task.mem.check(told_flags, 2)
    parts, size = room(task, vector, count)
    received = socket.receive(task, size, theirs)
    return then(received, lambda one: _received(task, parts, one, told, told_flags))


def _received(task: Task, parts: Parts, received: Received, told: int, told_flags: int) -> int:
    if received.ancillary is not None:
        received.ancillary.release()
    scatter(task, parts, received.data)
    task.mem.put_u32(told, len(received.data))
    truncated = w.RECV_TRUNCATED if received.size > len(received.data) else 0
    task.mem.write(told_flags, truncated.to_bytes(2, "little"))
    return 0


@wasi
def sock_send(task: Task, fd: int, vector: int, count: int, flags: int, told: int) -> int | Step[int]:
    """Send a message."""
    socket = _socket(task, fd, w.FD_WRITE)
    if flags:
        raise SysError(Errno.EINVAL)
    task.mem.check(told, 4)

    def sent(size: int) -> int:
        task.mem.put_u32(told, size)
        return 0

    return then(socket.send(task, gather(task, vector, count)), sent)


@wasi
def sock_shutdown(task: Task, fd: int, how: int) -> int:
    """Close one direction of a connection, or both; `how` has a bit for each."""
    socket = _socket(task, fd, w.SOCK_SHUTDOWN)
    if not how or how & ~BOTH:
        raise SysError(Errno.EINVAL)
    return socket.shutdown(task, how)
