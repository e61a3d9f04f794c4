# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Socket addresses between their bytes in guest memory and what the kernel works with.

A UNIX address is its name: b"" none, b"\\0..." abstract, else a path. An Internet address is
(host, port), host being 4 or 16 bytes; IPv4 within IPv6 is always kept as 4 bytes.

Standard: unix(7), ip(7), ipv6(7).
Errors:   EINVAL for a size that does not fit, EAFNOSUPPORT for the wrong family.
"""
from __future__ import annotations

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.socket import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    AF_UNSPEC,
    SOCKADDR_IN,
    SOCKADDR_IN6,
    UNIX_PATH_MAX,
)

InetAddress = tuple[bytes, int]

ANY4 = bytes(4)
ANY6 = bytes(16)
LOOPBACK4 = bytes((127, 0, 0, 1))
LOOPBACK6 = bytes(15) + b"\1"
MAPPED = bytes(10) + b"\xff\xff"  # prefix of an IPv4 address in an IPv6 one


def family_of(raw: bytes) -> int:
    """sa_family."""
    if len(raw) < 2:
        raise SysError(Errno.EINVAL)
    return raw[0] | raw[1] << 8


def parse_unix(raw: bytes) -> bytes:
    """The name in a sockaddr_un; b"" asks bind for an abstract one."""
    if not 2 <= len(raw) <= 2 + UNIX_PATH_MAX or family_of(raw) != AF_UNIX:
        raise SysError(Errno.EINVAL)
    name = raw[2:]
    return name if name[:1] == b"\0" else name.partition(b"\0")[0]


def format_unix(name: bytes) -> bytes:
    """A sockaddr_un; a path ends with its NUL."""
    tail = b"\0" if name and name[0] else b""
    return AF_UNIX.to_bytes(2, "little") + name + tail


def parse_inet(raw: bytes, family: int, unspec_is_any: bool = False) -> InetAddress:
    """The host and port in a sockaddr_in or, for AF_INET6 sockets, a sockaddr_in6."""
    found = family_of(raw)
    if family == AF_INET:
        if len(raw) < SOCKADDR_IN.size:
            raise SysError(Errno.EINVAL)
        _, port, host = SOCKADDR_IN.unpack_from(raw)
        if found != AF_INET and not (unspec_is_any and found == AF_UNSPEC and host == ANY4):
            raise SysError(Errno.EAFNOSUPPORT)
        return host, int.from_bytes(port, "big")
    if len(raw) < SOCKADDR_IN6.size - 4:  # RFC 2133 had no scope id
        raise SysError(Errno.EINVAL)
    if found != AF_INET6:
        raise SysError(Errno.EAFNOSUPPORT)
    host = raw[8:24]
    return (host[12:] if host[:12] == MAPPED else host), int.from_bytes(raw[2:4], "big")


def format_inet(address: InetAddress, family: int) -> bytes:
    """A sockaddr_in, or sockaddr_in6 for an AF_INET6 socket."""
    host, port = address
    port_bytes = port.to_bytes(2, "big")
    if family == AF_INET:
        return SOCKADDR_IN.pack(AF_INET, port_bytes, host)
    if len(host) == 4:
        host = ANY6 if host == ANY4 else MAPPED + host
    return SOCKADDR_IN6.pack(AF_INET6, port_bytes, 0, host, 0)


def is_local(host: bytes) -> bool:
    """Whether the host is this box itself; "any" means it too, when connecting."""
    return (host[0] == 127 and len(host) == 4) or host in (ANY4, ANY6, LOOPBACK6)
