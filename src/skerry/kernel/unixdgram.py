# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""AF_UNIX datagrams: reliable, in order, and with back-pressure.

Standard: unix(7); errnos as Linux net/unix/af_unix.c.
Blocking: a send waits while the receiver has QUEUE_MAX packets; between two sockets connected
          to each other only the bytes count.
Errors:   ECONNREFUSED when the receiver is gone, EPERM when it is connected to another.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import poll
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.socket import AF_UNSPEC, MSG_OOB, SOCK_DGRAM
from skerry.kernel.ancillary import Ancillary
from skerry.kernel.file import Buffer
from skerry.kernel.packet import Packet, PacketSocket
from skerry.kernel.sockaddr import family_of, format_unix
from skerry.kernel.socket import BOTH, RECEIVE, SEND, Socket, patient_wait
from skerry.kernel.unix import UnixSocket, pair
from skerry.kernel.unixconn import WRITABLE
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.process import Credentials
    from skerry.kernel.task import Task

QUEUE_MAX = 10  # /proc/sys/net/unix/max_dgram_qlen; one more fits, as on Linux


class UnixDatagram(UnixSocket, PacketSocket):
    """AF_UNIX, SOCK_DGRAM."""

    type = SOCK_DGRAM

    def __init__(self, kernel: Kernel, cred: Credentials, flags: int = 0) -> None:
        super().__init__(kernel, cred, flags)
        self.peer: UnixDatagram | None = None
        self.senders: dict[UnixDatagram, None] = {}  # sockets whose peer this one is

    def connect(self, task: Task, address: bytes) -> int | Step[int]:
        """See Socket; AF_UNSPEC takes the connection back."""
        if family_of(address) == AF_UNSPEC:
            self.set_peer(None)
            return 0
        target = self.find(task, address)
        return self._connect(target) if isinstance(target, UnixSocket) else self._connect_later(target)

    def _connect_later(self, step: Step[UnixSocket]) -> Step[int]:
        return self._connect((yield from step))

    def _connect(self, target: UnixSocket) -> int:
        assert isinstance(target, UnixDatagram)
        self._may_send(target)
        self.set_peer(target)
        return 0

    def _may_send(self, target: UnixDatagram) -> None:
        if target.peer is not None and target.peer is not self:
            raise SysError(Errno.EPERM)

    def set_peer(self, peer: UnixDatagram | None) -> None:
        """Connect, or with None disconnect."""
        if self.peer is not None:
            self.peer.senders.pop(self, None)
        self.peer = peer
        if peer is not None:
            peer.senders[self] = None
        self.not_full.wake()

    def peername(self) -> bytes:
        """See Socket."""
        if self.peer is None:
            raise SysError(Errno.ENOTCONN)
        return format_unix(self.peer.name)

    # --- sending

    def send(
        self,
        task: Task,
        data: Buffer,
        flags: int = 0,
        address: bytes = b"",
        ancillary: Ancillary | None = None,
    ) -> int | Step[int]:
        """See Socket."""
        try:
            if flags & MSG_OOB:
                raise SysError(Errno.EOPNOTSUPP)
            if len(data) > self.send_size - 32:
                raise SysError(Errno.EMSGSIZE)
            target = self.find(task, address) if address else self._connected()
            if isinstance(target, UnixSocket):
                if self._try_send(task, target, data, ancillary):
                    return len(data)
                if self.impatient(flags):
                    raise SysError(Errno.EAGAIN)
        except SysError:
            if ancillary is not None:
                ancillary.release()
            raise
        return self._send_later(task, target, bytes(data), flags, ancillary)

    def _connected(self) -> UnixDatagram:
        if self.peer is None:
            raise SysError(Errno.ENOTCONN)
        return self.peer

    def _send_later(
        self,
        task: Task,
        target: UnixSocket | Step[UnixSocket],
        data: bytes,
        flags: int,
        ancillary: Ancillary | None,
    ) -> Step[int]:
        deadline_ns = self.deadline(self.send_timeout_ns)
        done = False
        try:
            if not isinstance(target, UnixSocket):
                target = yield from target
            while not (done := self._try_send(task, target, data, ancillary)):
                assert isinstance(target, UnixDatagram)
                if self.impatient(flags) or not (yield from patient_wait(target.drained, deadline_ns)):
                    raise SysError(Errno.EAGAIN)
        finally:
            if not done and ancillary is not None:
                ancillary.release()
        return len(data)

    def _try_send(self, task: Task, target: UnixSocket, data: Buffer, ancillary: Ancillary | None) -> bool:
        """Send; False when the receiver is full."""
        assert isinstance(target, UnixDatagram)
        self.raise_error()
        if self.shut & SEND:
            raise SysError(Errno.EPIPE)
        if target.closed:
            if target is self.peer:
                self.set_peer(None)
            raise SysError(Errno.ECONNREFUSED)
        self._may_send(target)
        if target.shut & RECEIVE:
            raise SysError(Errno.EPIPE)
        if self._full(target):
            return False
        ancillary = self.with_cred(task, target, ancillary)
        target.deliver(Packet(bytes(data), format_unix(self.name) if self.name else b"", ancillary))
        return True

    def _full(self, target: UnixDatagram) -> bool:
        """Whether `target` takes nothing from here now."""
        if target.queued >= self.send_size:
            return True
        return target is not self and target.peer is not self and len(target.packets) > QUEUE_MAX

    # --- state

    def taken(self) -> None:
        """See PacketSocket."""
        super().taken()
        for sender in self.senders:
            sender.not_full.wake()

    def shutdown(self, task: Task, how: int) -> int:
        """See Socket."""
        self.shut |= how
        self.wake()
        self.drained.wake()
        return 0

    def close(self) -> None:
        """See File; those connected here find out when they send."""
        self.set_peer(None)
        super().close()
        self.taken()
        self.wake()

    def poll(self) -> int:
        """What Linux' unix_dgram_poll says."""
        bits = poll.POLLERR if self.error else 0
        if self.shut == BOTH:
            bits |= poll.POLLHUP
        if self.shut & RECEIVE:
            bits |= poll.READABLE | poll.POLLRDHUP
        elif self.packets:
            bits |= poll.READABLE
        peer = self.peer
        if peer is None or peer.closed or not self._full(peer):
            bits |= WRITABLE
        return bits


def unix_dgram_pair(task: Task, flags: int) -> tuple[Socket, Socket]:
    """Two connected sockets without names."""
    kernel, cred = task.kernel, task.process.cred
    one, other = UnixDatagram(kernel, cred, flags), UnixDatagram(kernel, cred, flags)
    one.set_peer(other)
    other.set_peer(one)
    pair(one, other, task)
    return one, other
