# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Port tables: which socket has which port of TCP or UDP.

Standard: ip(7), socket(7) for SO_REUSEADDR and SO_REUSEPORT; no port is privileged, as in a
          container (net.ipv4.ip_unprivileged_port_start = 0).
Errors:   EADDRINUSE.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.socket import EPHEMERAL
from skerry.kernel.sockaddr import ANY4, ANY6, InetAddress

if TYPE_CHECKING:
    from skerry.kernel.inet import InetSocket


class Ports:
    """The ports of one protocol."""

    def __init__(self) -> None:
        self._bound: dict[int, list[InetSocket]] = {}
        self._last = EPHEMERAL[1]
        self._turn = 0

    def claim(self, socket: InetSocket, host: bytes, port: int) -> None:
        """Give `socket` the address; port 0 asks for a free one."""
        socket.host = host
        if port == 0:
            port = self._free(socket)
        elif any(self._conflict(socket, other) for other in self._bound.get(port, ())):
            raise SysError(Errno.EADDRINUSE)
        socket.port = port
        self._bound.setdefault(port, []).append(socket)

    def _free(self, socket: InetSocket) -> int:
        low, high = EPHEMERAL
        for _ in range(high - low + 1):
            self._last = self._last + 1 if self._last < high else low
            if not any(overlap(socket, other) for other in self._bound.get(self._last, ())):
                return self._last
        raise SysError(Errno.EADDRINUSE)

    def _conflict(self, socket: InetSocket, other: InetSocket) -> bool:
        if not overlap(socket, other):
            return False
        if socket.reuse_port and other.reuse_port and socket.uid == other.uid:
            return False
        return not (socket.reuse_address and other.reuse_address and not other.listening)

    def check_listen(self, socket: InetSocket) -> None:
        """Raise EADDRINUSE if another socket listens there already (both had SO_REUSEADDR)."""
        for other in self._bound.get(socket.port, ()):
            if other is not socket and other.listening and self._conflict(socket, other):
                raise SysError(Errno.EADDRINUSE)

    def release(self, socket: InetSocket) -> None:
        """The socket gives its port back; one that has none is no error."""
        sockets = self._bound.get(socket.port)
        if sockets is not None and socket in sockets:
            sockets.remove(socket)
            if not sockets:
                del self._bound[socket.port]

    def listener(self, address: InetAddress) -> InetSocket | None:
        """Who takes a TCP connection to `address`; several with SO_REUSEPORT take turns."""
        host, port = address
        found = [other for other in self._bound.get(port, ()) if other.listening and covers(other, host)]
        exact = [other for other in found if other.host == host]
        found = exact or [other for other in found if len(other.host) == len(host)] or found
        if len(found) < 2:
            return found[0] if found else None
        self._turn += 1
        return found[self._turn % len(found)]

    def receiver(self, address: InetAddress, source: InetAddress) -> InetSocket | None:
        """Who takes a datagram: the closest match, of equals the one bound last."""
        best, best_score = None, -1
        for other in self._bound.get(address[1], ()):
            if not covers(other, address[0]) or other.remote not in (None, source):
                continue
            score = 4 * (other.remote is not None) + 2 * (other.host == address[0])
            score += len(other.host) == len(address[0])
            if score >= best_score:
                best, best_score = other, score
        return best


def covers(socket: InetSocket, host: bytes) -> bool:
    """Whether a socket bound as `socket` is gets what is sent to `host`."""
    own = socket.host
    if own == ANY6:
        return len(host) == 16 or not socket.v6only
    return own == host or (own == ANY4 and len(host) == 4)


def overlap(one: InetSocket, other: InetSocket) -> bool:
    """Whether some host belongs to both."""
    return covers(one, other.host) or covers(other, one.host)
