# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Socket ioctls: how much is waiting, and the one network interface, `lo`.

Standard: socket(7), netdevice(7); struct ifreq is 32 bytes for a 32-bit libc.
Errors:   ENODEV for another interface, EPERM for changing this one, ENOTTY for the rest.
"""
from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.socket import AF_INET, FIONREAD, SIOCATMARK, SOCKADDR_IN, TIOCOUTQ

if TYPE_CHECKING:
    from skerry.kernel.socket import Socket
    from skerry.kernel.task import Task

SIOCGIFNAME = 0x8910
SIOCGIFCONF = 0x8912
SIOCSIFFLAGS, SIOCSIFHWBROADCAST = 0x8914, 0x8937  # the range that holds the setters
NAME = b"lo"
NAME_SIZE = 16
IFREQ_SIZE = 32
IFCONF = Struct("<iI")
INDEX = 1


def _address(*octets: int) -> bytes:
    return SOCKADDR_IN.pack(AF_INET, bytes(2), bytes(octets))


ANSWERS: dict[int, bytes] = {
    0x8913: b"\x49\0",  # SIOCGIFFLAGS: UP | LOOPBACK | RUNNING
    0x8915: _address(127, 0, 0, 1),  # SIOCGIFADDR
    0x8917: _address(0, 0, 0, 0),  # SIOCGIFDSTADDR
    0x8919: _address(0, 0, 0, 0),  # SIOCGIFBRDADDR
    0x891B: _address(255, 0, 0, 0),  # SIOCGIFNETMASK
    0x891D: bytes(4),  # SIOCGIFMETRIC
    0x8921: (65536).to_bytes(4, "little"),  # SIOCGIFMTU
    0x8927: (772).to_bytes(2, "little") + bytes(14),  # SIOCGIFHWADDR: ARPHRD_LOOPBACK
    0x8933: INDEX.to_bytes(4, "little"),  # SIOCGIFINDEX
    0x8942: (1000).to_bytes(4, "little"),  # SIOCGIFTXQLEN
}
"""What each question about `lo` is answered with: the union of struct ifreq."""


def socket_ioctl(task: Task, socket: Socket, request: int, argument: int) -> int:
    """ioctl(2) of a socket."""
    if request == FIONREAD:
        if socket.listening:
            raise SysError(Errno.EINVAL)
        task.mem.put_u32(argument, socket.unread())
    elif request == TIOCOUTQ:
        task.mem.put_u32(argument, socket.unsent())
    elif request == SIOCATMARK:
        task.mem.put_u32(argument, 0)
    elif request == SIOCGIFCONF:
        _list(task, argument)
    elif request == SIOCGIFNAME:
        if task.mem.i32(argument + NAME_SIZE) != INDEX:
            raise SysError(Errno.ENODEV)
        task.mem.write(argument, NAME.ljust(NAME_SIZE, b"\0"))
    elif request in ANSWERS:
        if task.mem.read(argument, NAME_SIZE).partition(b"\0")[0] != NAME:
            raise SysError(Errno.ENODEV)
        task.mem.write(argument + NAME_SIZE, ANSWERS[request])
    elif SIOCSIFFLAGS <= request <= SIOCSIFHWBROADCAST:
        raise SysError(Errno.EPERM)
    else:
        raise SysError(Errno.ENOTTY)
    return 0


def _list(task: Task, argument: int) -> None:
    """SIOCGIFCONF: every interface that has an address, or with no buffer the size of that list."""
    size, buffer = task.mem.unpack(IFCONF, argument)
    if buffer:
        fits = size >= IFREQ_SIZE
        if fits:
            task.mem.write(buffer, NAME.ljust(NAME_SIZE, b"\0") + _address(127, 0, 0, 1))
        task.mem.put_u32(argument, IFREQ_SIZE if fits else 0)
    else:
        task.mem.put_u32(argument, IFREQ_SIZE)
