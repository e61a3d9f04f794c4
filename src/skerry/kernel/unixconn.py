# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Connected AF_UNIX sockets: SOCK_STREAM and SOCK_SEQPACKET.

Standard: unix(7); states, errnos and poll bits as Linux net/unix/af_unix.c.
Blocking: connect waits while the listener's queue is full.
Errors:   EPIPE once the peer is gone, ECONNRESET if it left data unread.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import poll
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.socket import MSG_NOSIGNAL, MSG_OOB, SOCK_SEQPACKET
from skerry.kernel.ancillary import Ancillary, ucred
from skerry.kernel.file import Buffer, File
from skerry.kernel.listener import Acceptor, Listener
from skerry.kernel.packet import Packet, PacketSocket
from skerry.kernel.pipe import broken
from skerry.kernel.sockaddr import format_unix
from skerry.kernel.socket import BOTH, RECEIVE, SEND, Socket, patient_wait
from skerry.kernel.stream import StreamSocket
from skerry.kernel.unix import UnixSocket, pair
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.task import Task

WRITABLE = poll.WRITABLE | poll.POLLWRBAND


class UnixConnection(Acceptor, UnixSocket):
    """Connecting, accepting, shutting down and closing, whatever is carried."""

    mate: UnixConnection | None = None  # the other end, dead or alive

    def listen(self, task: Task, backlog: int) -> int:
        """See Socket."""
        if self.mate is not None or not self.name:
            raise SysError(Errno.EINVAL)
        if self.listener is None:
            self.listener = Listener(backlog)
        else:
            self.listener.resize(backlog)
        self.peer_cred = ucred(task)
        return 0

    def connect(self, task: Task, address: bytes) -> int | Step[int]:
        """See Socket."""
        target = self.find(task, address)
        if isinstance(target, UnixSocket) and self._try_connect(task, target):
            return 0
        return self._connect_later(task, target)

    def _connect_later(self, task: Task, target: UnixSocket | Step[UnixSocket]) -> Step[int]:
        deadline_ns = self.deadline(self.send_timeout_ns)
        if not isinstance(target, UnixSocket):
            target = yield from target
        while not self._try_connect(task, target):
            assert isinstance(target, UnixConnection)
            assert target.listener is not None
            if not (yield from patient_wait(target.listener.room, deadline_ns)):
                raise SysError(Errno.EAGAIN)
        return 0

    def _try_connect(self, task: Task, target: UnixSocket) -> bool:
        """Connect; False when the caller must wait for room."""
        assert isinstance(target, UnixConnection)
        if target.listener is None or target.shut & RECEIVE:
            raise SysError(Errno.ECONNREFUSED)
        if target.listener.full:
            if self.nonblocking:
                raise SysError(Errno.EAGAIN)
            return False
        if self.listener is not None:
            raise SysError(Errno.EINVAL)
        if self.mate is not None:
            raise SysError(Errno.EISCONN)
        self._meet(task, target, target.listener)
        return True

    def _meet(self, task: Task, target: UnixConnection, listener: Listener) -> None:
        """Make the far end of a new connection and queue it for accept."""
        embryo = type(self)(self.kernel, target.kernel.init.cred)
        embryo.uid, embryo.gid = target.uid, target.gid
        embryo.name = target.name  # as getsockname(2) says there; finding goes by the listener
        embryo.pass_cred = target.pass_cred
        embryo.peer_cred, self.peer_cred = ucred(task), target.peer_cred
        self.join(embryo)
        listener.embryos.append(embryo)
        target.not_empty.wake()
        self.not_full.wake()

    def join(self, other: UnixConnection) -> None:
        """Connect two sockets."""
        self.mate, other.mate = other, self

    def peername(self) -> bytes:
        """See Socket."""
        if self.mate is None:
            raise SysError(Errno.ENOTCONN)
        return format_unix(self.mate.name)

    def shutdown(self, task: Task, how: int) -> int:
        """See Socket; the peer's directions are the other way round."""
        self.shut |= how
        if self.listener is not None:
            self.listener.room.wake()
        if self.mate is not None:
            self.mate.shut |= (SEND if how & RECEIVE else 0) | (RECEIVE if how & SEND else 0)
            self.mate.wake()
        self.wake()
        return 0

    def _stop_listening(self) -> None:
        """Nobody will accept: those in the queue find the other end closed."""
        listener, self.listener = self.listener, None
        if listener is not None:
            for embryo in listener.embryos:
                assert isinstance(embryo, UnixConnection)
                if embryo.mate is not None and not embryo.mate.closed:
                    embryo.mate.error = Errno.ECONNRESET
                embryo.close()
            listener.room.wake()

    def carried(self) -> list[File]:
        """See Socket: connections that nobody has accepted carry files too."""
        found = super().carried()
        if self.listener is not None:
            for embryo in self.listener.embryos:
                found += embryo.carried()
        return found

    def close(self) -> None:
        """See File."""
        mate = self.mate
        if mate is not None and not mate.closed:
            mate.shut = BOTH
            if self.unread():
                mate.error = Errno.ECONNRESET
        self._stop_listening()
        super().close()
        self.shut = BOTH
        if mate is not None:
            mate.wake()
        self.wake()

    def poll(self) -> int:
        """What Linux' unix_poll says."""
        if self.listener is not None:
            return poll.READABLE if self.listener.embryos else 0
        bits = poll.POLLERR if self.error else 0
        if self.shut == BOTH or self.mate is None:
            bits |= poll.POLLHUP
        if self.shut & RECEIVE:
            bits |= poll.READABLE | poll.POLLRDHUP
        elif self.holds_data():
            bits |= poll.READABLE
        return bits | WRITABLE if self.has_room() else bits

    def holds_data(self) -> bool:
        """Whether something can be received."""
        raise NotImplementedError

    def has_room(self) -> bool:
        """Whether something can be sent."""
        raise NotImplementedError


class UnixStream(UnixConnection, StreamSocket):
    """AF_UNIX, SOCK_STREAM."""

    def join(self, other: UnixConnection) -> None:
        """See UnixConnection."""
        super().join(other)
        assert isinstance(other, UnixStream)
        self.peer, other.peer = other, self

    def ready_to_send(self, task: Task, flags: int) -> StreamSocket:
        """See StreamSocket; a broken pipe comes before the pending error."""
        if self.shut & SEND:
            raise SysError(Errno.EPIPE) if flags & MSG_NOSIGNAL else broken(task)
        return super().ready_to_send(task, flags)

    def check_destination(self, address: bytes) -> None:
        """See StreamSocket."""
        if address:
            raise SysError(Errno.EISCONN if self.mate is not None else Errno.EOPNOTSUPP)

    def escort(self, task: Task, peer: StreamSocket, ancillary: Ancillary | None) -> Ancillary | None:
        """See StreamSocket."""
        return self.with_cred(task, peer, ancillary)

    def at_end(self) -> bool:
        """See StreamSocket."""
        if self.mate is None:
            raise SysError(Errno.EINVAL)
        return super().at_end()

    def holds_data(self) -> bool:
        """See UnixConnection."""
        return self.inbox.used > 0

    def has_room(self) -> bool:
        """See UnixConnection."""
        return StreamSocket.has_room(self)


class UnixSeqpacket(UnixConnection, PacketSocket):
    """AF_UNIX, SOCK_SEQPACKET."""

    type = SOCK_SEQPACKET
    mate: UnixSeqpacket | None

    def send(
        self,
        task: Task,
        data: Buffer,
        flags: int = 0,
        address: bytes = b"",
        ancillary: Ancillary | None = None,
    ) -> int | Step[int]:
        """See Socket; a destination is ignored."""
        try:
            if flags & MSG_OOB:
                raise SysError(Errno.EOPNOTSUPP)
            if len(data) > self.send_size - 32:
                raise SysError(Errno.EMSGSIZE)
            if self._try_send(task, data, flags, ancillary):
                return len(data)
            if self.impatient(flags):
                raise SysError(Errno.EAGAIN)
        except SysError:
            if ancillary is not None:
                ancillary.release()
            raise
        return self._send_later(task, bytes(data), flags, ancillary)

    def _send_later(self, task: Task, data: bytes, flags: int, ancillary: Ancillary | None) -> Step[int]:
        deadline_ns = self.deadline(self.send_timeout_ns)
        done = False
        try:
            while not done:
                if not (yield from patient_wait(self.not_full, deadline_ns)):
                    raise SysError(Errno.EAGAIN)
                done = self._try_send(task, data, flags, ancillary)
        finally:
            if not done and ancillary is not None:
                ancillary.release()
        return len(data)

    def _try_send(self, task: Task, data: Buffer, flags: int, ancillary: Ancillary | None) -> bool:
        """Send; False when there is no room."""
        self.raise_error()
        mate = self.mate
        if mate is None:
            raise SysError(Errno.ENOTCONN)
        if self.shut & SEND:
            raise SysError(Errno.EPIPE) if flags & MSG_NOSIGNAL else broken(task)
        if not self.has_room():
            return False
        ancillary = self.with_cred(task, mate, ancillary)
        mate.deliver(Packet(bytes(data), format_unix(self.name) if self.name else b"", ancillary))
        return True

    def nothing_comes(self, patient: bool) -> bool:
        """See PacketSocket."""
        if self.mate is None:
            raise SysError(Errno.ENOTCONN)
        return super().nothing_comes(True)

    def taken(self) -> None:
        """See PacketSocket."""
        if self.mate is not None and self.mate.has_room():
            self.mate.not_full.wake()

    def holds_data(self) -> bool:
        """See UnixConnection."""
        return bool(self.packets)

    def has_room(self) -> bool:
        """See UnixConnection."""
        return self.mate is None or self.mate.queued < self.send_size


def unix_pair(task: Task, kind: type[UnixStream | UnixSeqpacket], flags: int) -> tuple[Socket, Socket]:
    """Two connected sockets without names."""
    kernel, cred = task.kernel, task.process.cred
    one, other = kind(kernel, cred, flags), kind(kernel, cred, flags)
    one.join(other)
    pair(one, other, task)
    return one, other
