# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""AF_INET and AF_INET6 sockets: addresses and ports.

The box has one interface, the loopback: 127.0.0.0/8 and ::1 are the box itself. Any other
address is outside: the monitor is asked, and answers EACCES unless somebody granted it. Not
ENETUNREACH: there is a network, its use is forbidden, and the message should say so.

Standard: ip(7), ipv6(7).
Errors:   EADDRNOTAVAIL for binding to an address that is not the box's.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.hostfs import Failed
from skerry.abi.hostnet import Connect
from skerry.abi.socket import AF_INET, AF_INET6
from skerry.kernel.sockaddr import (
    ANY4,
    ANY6,
    LOOPBACK4,
    LOOPBACK6,
    InetAddress,
    format_inet,
    is_local,
    parse_inet,
)
from skerry.kernel.socket import Socket
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.ports import Ports
    from skerry.kernel.process import Credentials
    from skerry.kernel.task import Task


class InetSocket(Socket):
    """A socket with an Internet address."""

    ports: Ports

    def __init__(self, kernel: Kernel, cred: Credentials, flags: int = 0, family: int = AF_INET) -> None:
        super().__init__(kernel, cred, flags)
        self.family = family
        self.host = self.any
        self.port = 0
        self.bound = False  # holds `port` in the table
        self.wild = False  # `host` was chosen for a peer, not by bind
        self.remote: InetAddress | None = None
        self.v6only = False

    @property
    def any(self) -> bytes:
        """The address that stands for all."""
        return ANY4 if self.family == AF_INET else ANY6

    def bind(self, task: Task, address: bytes) -> int:
        """See Socket."""
        host, port = parse_inet(address, self.family, unspec_is_any=True)
        if not is_local(host):
            raise SysError(Errno.EADDRNOTAVAIL)
        if self.bound or self.port or self.remote is not None:
            raise SysError(Errno.EINVAL)
        if self.family == AF_INET6 and len(host) == 4 and self.v6only:
            raise SysError(Errno.EINVAL)
        self.claim(host, port)
        return 0

    def claim(self, host: bytes, port: int) -> None:
        """Take an address; nothing has changed when it is refused."""
        before = self.host
        try:
            self.ports.claim(self, host, port)
        except SysError:
            self.host = before
            raise
        self.bound = True

    def destination(self, address: bytes) -> InetAddress:
        """Where a connection or datagram goes; "any" means the box itself."""
        host, port = parse_inet(address, self.family)
        if len(host) == 4 and self.family == AF_INET6 and self.v6only:
            raise SysError(Errno.ENETUNREACH)
        if host == ANY6 and len(self.host) == 4:  # an IPv6 socket that was bound to an IPv4 address
            host = ANY4
        return {ANY4: LOOPBACK4, ANY6: LOOPBACK6}.get(host, host), port

    def source(self, destination: bytes) -> bytes:
        """The own address towards `destination`."""
        if self.host not in (ANY4, ANY6):
            return self.host
        return LOOPBACK4 if len(destination) == 4 else LOOPBACK6

    def bind_source(self) -> None:
        """Take a free port before the first word to a peer."""
        if not self.bound:
            try:
                self.claim(self.host, 0)
            except SysError:
                raise SysError(Errno.EADDRNOTAVAIL) from None

    def set_remote(self, remote: InetAddress | None) -> None:
        """Choose the peer's address and the own one towards it; None takes both back."""
        if self.wild:
            self.host, self.wild = self.any, False
        if remote is not None:
            self.bind_source()
            self.wild = self.host in (ANY4, ANY6)
            self.host = self.source(remote[0])
        self.remote = remote

    def unbind(self) -> None:
        """Give the port back."""
        if self.bound:
            self.ports.release(self)
            self.bound = False

    def sockname(self) -> bytes:
        """See Socket."""
        return format_inet((self.host, self.port), self.family)

    def outside(self, task: Task, address: InetAddress, stream: bool) -> Step[int]:
        """Ask the monitor for a way out. There is no answer but a refusal yet (abi/hostnet.py)."""
        host, port = address
        reply = yield from task.kernel.requests.ask(Connect(host, port, stream))
        raise SysError(reply.errno if isinstance(reply, Failed) else Errno.EACCES)
