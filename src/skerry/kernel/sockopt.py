# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Socket options: getsockopt(2) and setsockopt(2) once the bytes are in hand.

Options that steer something live are attributes of the socket. Options that steer a network
this kernel does not have (keep-alive times, TTL, congestion) are remembered and told back.

Standard: socket(7), tcp(7), ip(7), ipv6(7), unix(7).
Errors:   ENOPROTOOPT for an unknown option, EINVAL for a short or impossible value.
"""
from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from skerry.abi import socket as s
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.inet import InetSocket
from skerry.kernel.socket import Socket
from skerry.kernel.stream import StreamSocket
from skerry.kernel.tcp import TcpSocket

if TYPE_CHECKING:
    from skerry.kernel.task import Task

INT = Struct("<i")
TIMEVAL_OLD = Struct("<ii")
TIMEVAL_NEW = Struct("<qq")
BUFFER_MIN = 2304  # include/net/sock.h, SOCK_MIN_RCVBUF
TCP_INFO_SIZE = 104
IP_TOS = 1
TCP_CONGESTION = b"cubic\0\0\0\0\0\0\0\0\0\0\0"

RECEIVE_TIMEOUTS = (s.SO_RCVTIMEO_OLD, s.SO_RCVTIMEO_NEW)
SEND_TIMEOUTS = (s.SO_SNDTIMEO_OLD, s.SO_SNDTIMEO_NEW)
BUFFERS = (s.SO_RCVBUF, s.SO_SNDBUF, s.SO_RCVBUFFORCE, s.SO_SNDBUFFORCE)

REMEMBERED: dict[tuple[int, int], int] = {
    **{(s.SOL_SOCKET, name): 0 for name in (
        s.SO_DEBUG, s.SO_DONTROUTE, s.SO_BROADCAST, s.SO_KEEPALIVE, s.SO_OOBINLINE, s.SO_NO_CHECK,
        s.SO_PRIORITY, s.SO_TIMESTAMP_OLD, s.SO_TIMESTAMPNS_OLD, s.SO_TIMESTAMP_NEW, s.SO_TIMESTAMPNS_NEW,
        s.SO_PASSSEC, s.SO_MARK, s.SO_BUSY_POLL, s.SO_ZEROCOPY)},
    (s.SOL_SOCKET, s.SO_RCVLOWAT): 1, (s.SOL_SOCKET, s.SO_PEEK_OFF): -1, (s.SOL_SOCKET, s.SO_INCOMING_CPU): 0,
    **{(s.IPPROTO_TCP, name): default for name, default in (
        (s.TCP_NODELAY, 0), (s.TCP_MAXSEG, 65483), (s.TCP_CORK, 0), (s.TCP_KEEPIDLE, 7200),
        (s.TCP_KEEPINTVL, 75), (s.TCP_KEEPCNT, 9), (s.TCP_SYNCNT, 6), (s.TCP_LINGER2, 60),
        (s.TCP_DEFER_ACCEPT, 0), (s.TCP_WINDOW_CLAMP, 0), (s.TCP_QUICKACK, 1), (s.TCP_USER_TIMEOUT, 0),
        (s.TCP_FASTOPEN, 0), (s.TCP_NOTSENT_LOWAT, -1))},
    (s.IPPROTO_UDP, 1): 0,  # UDP_CORK
    # TOS, TTL, HDRINCL, OPTIONS, RECVOPTS, PKTINFO, MTU_DISCOVER, RECVERR, RECVTTL, RECVTOS, FREEBIND,
    # BIND_ADDRESS_NO_PORT, MULTICAST_IF/TTL/LOOP, UNICAST_IF
    **{(s.IPPROTO_IP, name): default for name, default in (
        (1, 0), (2, 64), (3, 0), (4, 0), (6, 0), (8, 0), (10, 1), (11, 0), (12, 0), (13, 0), (15, 0), (24, 0),
        (32, 0), (33, 1), (34, 1), (50, 0))},
    # UNICAST_HOPS, MULTICAST_IF/HOPS/LOOP, MTU_DISCOVER, MTU, RECVERR, RECVPKTINFO, RECVHOPLIMIT, TCLASS
    **{(s.IPPROTO_IPV6, name): default for name, default in (
        (16, 64), (17, 0), (18, 1), (19, 1), (23, 1), (24, 65536), (25, 0), (49, 0), (51, 0),
        (66, 0), (67, 0))},
}  # fmt: skip
"""(level, name) of options that change nothing here -> their value at first."""


def set_option(task: Task, socket: Socket, level: int, name: int, value: bytes) -> None:
    """setsockopt(2)."""
    if level == s.SOL_SOCKET:
        if name in RECEIVE_TIMEOUTS:
            socket.receive_timeout_ns = _timeout(name, value)
            return
        if name in SEND_TIMEOUTS:
            socket.send_timeout_ns = _timeout(name, value)
            return
        if name == s.SO_BINDTODEVICE:
            if value.rstrip(b"\0") not in (b"", b"lo"):
                raise SysError(Errno.ENODEV)
            return
    elif level == s.IPPROTO_TCP and name == s.TCP_CONGESTION:
        if value.rstrip(b"\0") not in (b"cubic", b"reno"):
            raise SysError(Errno.ENOENT)
        return
    elif level == s.IPPROTO_IP and len(value) == 1:  # some take one byte
        value = bytes((value[0], 0, 0, 0))
    if len(value) < INT.size:
        raise SysError(Errno.EINVAL)
    number: int = INT.unpack_from(value)[0]
    if level != s.SOL_SOCKET or not _set_live(socket, name, number, value):
        _set_other(socket, level, name, number)


def _set_live(socket: Socket, name: int, number: int, value: bytes) -> bool:
    """SOL_SOCKET options that steer something; False for others."""
    if name == s.SO_REUSEADDR:
        socket.reuse_address = bool(number)
    elif name == s.SO_REUSEPORT:
        if socket.family == s.AF_UNIX:
            raise SysError(Errno.EOPNOTSUPP)
        socket.reuse_port = bool(number)
    elif name == s.SO_PASSCRED:
        if socket.family != s.AF_UNIX:
            raise SysError(Errno.EOPNOTSUPP)
        socket.pass_cred = bool(number)
        if isinstance(socket, StreamSocket):
            socket.plain = not number
    elif name in BUFFERS:
        size = min(number & 0xFFFFFFFF, s.SOCKET_BUFFER_MAX) * 2
        if name in (s.SO_RCVBUF, s.SO_RCVBUFFORCE):
            socket.receive_size = max(BUFFER_MIN, size)
        else:
            socket.send_size = max(2 * BUFFER_MIN, size)
            socket.not_full.wake()
    elif name == s.SO_LINGER:
        if len(value) < s.LINGER.size:
            raise SysError(Errno.EINVAL)
        on, seconds = s.LINGER.unpack_from(value)
        socket.linger = seconds if on else None
    else:
        return False
    return True


def _set_other(socket: Socket, level: int, name: int, number: int) -> None:
    """Everything else: remembered, or unknown."""
    if (level, name) == (s.IPPROTO_IPV6, s.IPV6_V6ONLY) and isinstance(socket, InetSocket):
        _of_family(socket, level, Errno.ENOPROTOOPT)
        if socket.bound:
            raise SysError(Errno.EINVAL)
        socket.v6only = bool(number)
        return
    _of_family(socket, level, Errno.ENOPROTOOPT)
    if (level, name) not in REMEMBERED:
        raise SysError(Errno.ENOPROTOOPT)
    if (level, name) == (s.IPPROTO_IP, IP_TOS) and socket.type == s.SOCK_STREAM:
        number &= ~3  # the two bits of ECN are TCP's own
    socket.remembered[level, name] = number


def _of_family(socket: Socket, level: int, errno: Errno) -> None:
    """Raise `errno` unless sockets of this kind have options of this level."""
    if level == s.SOL_SOCKET or (level == s.IPPROTO_IP and isinstance(socket, InetSocket)):
        return
    if not isinstance(socket, InetSocket):
        raise SysError(Errno.EOPNOTSUPP)
    if level in (s.IPPROTO_TCP, s.IPPROTO_UDP) and level == socket.protocol:
        return
    if level != s.IPPROTO_IPV6 or socket.family != s.AF_INET6:
        raise SysError(errno)


def get_option(task: Task, socket: Socket, level: int, name: int, size: int) -> bytes:
    """getsockopt(2): the value's bytes, at most `size` of them."""
    _of_family(socket, level, Errno.EOPNOTSUPP if socket.family == s.AF_INET else Errno.ENOPROTOOPT)
    if level == s.SOL_SOCKET:
        found = _get_structure(socket, name, size)
        if found is not None:
            return found
        number = _get_live(socket, name)
        if number is not None:
            return INT.pack(number)[:size]
    elif isinstance(socket, TcpSocket) and level == s.IPPROTO_TCP:
        if name == s.TCP_INFO:
            return bytes((socket.state,)).ljust(TCP_INFO_SIZE, b"\0")[:size]
        if name == s.TCP_CONGESTION:
            return TCP_CONGESTION[:size]
    elif (level, name) == (s.IPPROTO_IPV6, s.IPV6_V6ONLY) and isinstance(socket, InetSocket):
        return INT.pack(socket.v6only)[:size]
    default = REMEMBERED.get((level, name))
    if default is None:
        raise SysError(Errno.ENOPROTOOPT)
    return INT.pack(socket.remembered.get((level, name), default))[:size]


def _get_structure(socket: Socket, name: int, size: int) -> bytes | None:
    """SOL_SOCKET options that are more than a number; None for others."""
    if name == s.SO_LINGER:
        return s.LINGER.pack(socket.linger is not None, socket.linger or 0)[:size]
    if name == s.SO_PEERCRED:
        pid, uid, gid = socket.peer_cred
        return s.UCRED.pack(pid, uid & 0xFFFFFFFF, gid & 0xFFFFFFFF)[:size]
    if name in RECEIVE_TIMEOUTS:
        return _pack_timeout(name, socket.receive_timeout_ns)[:size]
    if name in SEND_TIMEOUTS:
        return _pack_timeout(name, socket.send_timeout_ns)[:size]
    if name == s.SO_BINDTODEVICE:
        return b""
    return None


def _get_live(socket: Socket, name: int) -> int | None:
    """SOL_SOCKET options that are a live number; None for others."""
    if name == s.SO_ERROR:
        return socket.take_error()
    if name == s.SO_TYPE:
        return socket.type
    if name == s.SO_DOMAIN:
        return socket.family
    if name == s.SO_PROTOCOL:
        return socket.protocol
    if name == s.SO_ACCEPTCONN:
        return int(socket.listening)
    if name == s.SO_REUSEADDR:
        return int(socket.reuse_address)
    if name == s.SO_REUSEPORT:
        return int(socket.reuse_port)
    if name == s.SO_PASSCRED:
        if socket.family != s.AF_UNIX:
            raise SysError(Errno.EOPNOTSUPP)
        return int(socket.pass_cred)
    if name == s.SO_SNDBUF:
        return socket.send_size
    if name == s.SO_RCVBUF:
        return socket.receive_size
    if name == s.SO_SNDLOWAT:
        return 1
    return None


def _timeout(name: int, value: bytes) -> int:
    """A struct timeval in nanoseconds; 0 is no timeout."""
    layout = TIMEVAL_OLD if name in (s.SO_RCVTIMEO_OLD, s.SO_SNDTIMEO_OLD) else TIMEVAL_NEW
    if len(value) < layout.size:
        raise SysError(Errno.EINVAL)
    seconds, microseconds = layout.unpack_from(value)
    if not 0 <= microseconds < 1_000_000:
        raise SysError(Errno.EDOM)
    if seconds < 0:
        return 1  # as Linux: over at once
    return int(seconds * 1_000_000_000 + microseconds * 1000)


def _pack_timeout(name: int, timeout_ns: int) -> bytes:
    layout = TIMEVAL_OLD if name in (s.SO_RCVTIMEO_OLD, s.SO_SNDTIMEO_OLD) else TIMEVAL_NEW
    return layout.pack(timeout_ns // 1_000_000_000, timeout_ns % 1_000_000_000 // 1000)
