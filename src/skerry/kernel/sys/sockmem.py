# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Socket addresses in guest memory, and descriptors that must be sockets."""
from __future__ import annotations

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.socket import SOCKADDR_MAX
from skerry.kernel.socket import Socket
from skerry.kernel.task import Task


def socket_of(task: Task, fd: int) -> Socket:
    """The socket behind a descriptor.

    Raises: SysError(EBADF, ENOTSOCK).
    """
    file = task.process.fds.get(fd)
    if not isinstance(file, Socket):
        raise SysError(Errno.ENOTSOCK)
    return file


def read_address(task: Task, address: int, size: int) -> bytes:
    """A sockaddr the guest passes."""
    if not 0 <= size <= SOCKADDR_MAX:
        raise SysError(Errno.EINVAL)
    return task.mem.read(address, size)


def write_address(task: Task, found: bytes, address: int, size_at: int) -> None:
    """A sockaddr for the guest, cut to the room it has; the size told is the whole one."""
    room = task.mem.i32(size_at)
    if room < 0:
        raise SysError(Errno.EINVAL)
    task.mem.write(address, found[:room])
    task.mem.put_u32(size_at, len(found))
