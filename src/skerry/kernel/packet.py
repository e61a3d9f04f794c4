# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Messages with boundaries: what datagrams and SOCK_SEQPACKET have in common.

Standard: POSIX.1-2024 recv() on message-based sockets: what does not fit is lost.
Units:    sizes are bytes; `queued` counts the bytes of all packets waiting here, and OVERHEAD each.
Blocking: a packet that is there is received at once, without a Step.
"""
from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.socket import MSG_ERRQUEUE, MSG_OOB, MSG_PEEK, MSG_TRUNC
from skerry.kernel.ancillary import Ancillary
from skerry.kernel.file import File
from skerry.kernel.socket import RECEIVE, Received, Socket, patient_wait
from skerry.kernel.wait import Step, WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.process import Credentials
    from skerry.kernel.task import Task

OVERHEAD = 256  # what one packet counts beside its bytes, so that empty ones fill a queue too


class Packet:
    """One message under way; `source` is a whole sockaddr."""

    __slots__ = ("ancillary", "data", "source")

    def __init__(self, data: bytes, source: bytes, ancillary: Ancillary | None = None) -> None:
        self.data = data
        self.source = source
        self.ancillary = ancillary


class PacketSocket(Socket):
    """A socket that receives messages."""

    def __init__(self, kernel: Kernel, cred: Credentials, flags: int = 0) -> None:
        super().__init__(kernel, cred, flags)
        self.packets: deque[Packet] = deque()
        self.queued = 0
        self.drained = WaitQueue()  # those who found this socket full

    def deliver(self, packet: Packet) -> None:
        """Queue a packet here; whether there is room the sender has asked."""
        if packet.ancillary is not None:
            packet.ancillary.depart()
        self.packets.append(packet)
        self.queued += len(packet.data) + OVERHEAD
        self.not_empty.wake()

    def receive(self, task: Task, size: int, flags: int = 0) -> Received | Step[Received]:
        """See Socket."""
        if flags & MSG_OOB:
            raise SysError(Errno.EOPNOTSUPP)
        if flags & MSG_ERRQUEUE:
            raise SysError(Errno.EAGAIN)
        if self.error:
            self.raise_error()
        if self.packets:
            return self._pull(size, flags)
        if self.nothing_comes(not self.impatient(flags)):
            return Received(b"")
        if self.impatient(flags):
            raise SysError(Errno.EAGAIN)
        return self._receive_later(size, flags)

    def _receive_later(self, size: int, flags: int) -> Step[Received]:
        deadline_ns = self.deadline(self.receive_timeout_ns)
        while not self.packets:
            if not (yield from patient_wait(self.not_empty, deadline_ns)):
                raise SysError(Errno.EAGAIN)
            self.raise_error()
            if not self.packets and self.nothing_comes(True):
                return Received(b"")
        return self._pull(size, flags)

    def nothing_comes(self, patient: bool) -> bool:
        """With no packet here: whether that is the end. Raises what read(2) then fails with.

        A datagram socket that is shut down says EAGAIN to the impatient, as on Linux.
        """
        return patient and bool(self.shut & RECEIVE)

    def _pull(self, size: int, flags: int) -> Received:
        packet = self.packets[0]
        data, ancillary = packet.data, packet.ancillary
        whole = len(data)
        if flags & MSG_PEEK:
            if ancillary is not None:
                ancillary = ancillary.copy()
        else:
            self.packets.popleft()
            self.queued -= whole + OVERHEAD
            if ancillary is not None:
                ancillary.arrive()
            self.taken()
        if whole <= size:
            return Received(data, packet.source, ancillary)
        return Received(data[:size], packet.source, ancillary, MSG_TRUNC, whole)

    def taken(self) -> None:
        """A packet has left: whoever waits for room may look."""
        self.drained.wake()

    def unread(self) -> int:
        """See Socket: the size of the next packet only."""
        return len(self.packets[0].data) if self.packets else 0

    def carried(self) -> list[File]:
        """See Socket."""
        packets = (packet.ancillary for packet in self.packets)
        return [file for ancillary in packets if ancillary is not None for file in ancillary.files]

    def discard(self) -> None:
        """See Socket."""
        packets, self.packets, self.queued = self.packets, deque(), 0
        for packet in packets:
            if packet.ancillary is not None:
                packet.ancillary.arrive()
                packet.ancillary.release()
