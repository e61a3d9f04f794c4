# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""UDP between sockets of this kernel.

Standard: RFC 768, udp(7). A datagram for a full socket is dropped without a word; one for a port
          nobody has is an ICMP message, which a connected socket sees as ECONNREFUSED later.
Blocking: sending never waits.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import poll
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.socket import AF_UNSPEC, IPPROTO_UDP, MSG_OOB, SOCK_DGRAM, UDP_MAX
from skerry.kernel import resolver
from skerry.kernel.ancillary import Ancillary
from skerry.kernel.file import Buffer
from skerry.kernel.inet import InetSocket
from skerry.kernel.packet import OVERHEAD, Packet, PacketSocket
from skerry.kernel.sockaddr import InetAddress, family_of, format_inet, is_local
from skerry.kernel.socket import BOTH, RECEIVE, SEND
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.process import Credentials
    from skerry.kernel.task import Task


class UdpSocket(InetSocket, PacketSocket):
    """One UDP socket."""

    type = SOCK_DGRAM
    protocol = IPPROTO_UDP

    def __init__(self, kernel: Kernel, cred: Credentials, flags: int = 0, family: int = 2) -> None:
        super().__init__(kernel, cred, flags, family)
        self.ports = self.network.udp

    def connect(self, task: Task, address: bytes) -> int | Step[int]:
        """See Socket; AF_UNSPEC takes the connection back."""
        if family_of(address) == AF_UNSPEC:
            self.set_remote(None)
            return 0
        destination = self.destination(address)
        if not is_local(destination[0]) and destination[1] != resolver.PORT:
            return self.outside(task, destination, stream=False)
        self.set_remote(destination)
        return 0

    def send(
        self,
        task: Task,
        data: Buffer,
        flags: int = 0,
        address: bytes = b"",
        ancillary: Ancillary | None = None,
    ) -> int | Step[int]:
        """See Socket."""
        if flags & MSG_OOB:
            raise SysError(Errno.EOPNOTSUPP)
        if len(data) > UDP_MAX:
            raise SysError(Errno.EMSGSIZE)
        destination = self._destination(address)
        if not is_local(destination[0]) and destination[1] != resolver.PORT:
            return self.outside(task, destination, stream=False)
        self.raise_error()
        if self.shut & SEND:
            raise SysError(Errno.EPIPE)
        self.bind_source()
        self._transmit(bytes(data), destination)
        return len(data)

    def _destination(self, address: bytes) -> InetAddress:
        if not address:
            if self.remote is None:
                raise SysError(Errno.EDESTADDRREQ)
            return self.remote
        destination = self.destination(address)
        if not destination[1]:
            raise SysError(Errno.EINVAL)
        return destination

    def _transmit(self, data: bytes, destination: InetAddress) -> None:
        source = (self.source(destination[0]), self.port)
        target = self.ports.receiver(destination, source)
        if target is None and destination[1] == resolver.PORT:
            self._resolve(data, destination)
            return
        if target is None:
            if self.remote is not None:
                self.error = Errno.ECONNREFUSED
                self.wake()
            return
        assert isinstance(target, UdpSocket)
        if target.shut & RECEIVE or target.queued + len(data) + OVERHEAD > target.receive_size:
            return
        target.deliver(Packet(data, format_inet(source, target.family)))

    def _resolve(self, query: bytes, destination: InetAddress) -> None:
        """Answer as a name server at `destination` would."""
        answer = resolver.reply(query)
        if answer is not None and self.queued < self.receive_size:
            self.deliver(Packet(answer, format_inet(destination, self.family)))

    def peername(self) -> bytes:
        """See Socket."""
        if self.remote is None:
            raise SysError(Errno.ENOTCONN)
        return format_inet(self.remote, self.family)

    def shutdown(self, task: Task, how: int) -> int:
        """See Socket; an unconnected one is shut down too, but told that it was not connected."""
        self.shut |= how
        self.wake()
        if self.remote is None:
            raise SysError(Errno.ENOTCONN)
        return 0

    def poll(self) -> int:
        """What Linux' datagram_poll says."""
        bits = poll.POLLERR if self.error else 0
        if self.shut == BOTH:
            bits |= poll.POLLHUP
        if self.shut & RECEIVE:
            bits |= poll.READABLE | poll.POLLRDHUP
        elif self.packets:
            bits |= poll.READABLE
        return bits | poll.WRITABLE | poll.POLLWRBAND

    def close(self) -> None:
        """See File."""
        self.unbind()
        self.discard()
        self.wake()
