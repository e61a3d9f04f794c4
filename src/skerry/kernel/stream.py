# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Byte streams between two sockets: what AF_UNIX and TCP have in common.

Data lies in the receiver's `inbox`; the sender's buffer size bounds it. Marks say which bytes
came with files or credentials; a socket without any reads as fast as a pipe.

Units:    sizes are bytes; a mark's `start` counts from the head of the inbox.
Blocking: data present and room present answer at once, without a Step.
Invariant: a writer is woken once a third of its buffer is free, not for every byte.
"""
from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, cast

from skerry.abi import poll
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import O_NONBLOCK
from skerry.abi.socket import MSG_NOSIGNAL, MSG_OOB, MSG_PEEK, MSG_WAITALL, SOCK_STREAM
from skerry.kernel.ancillary import Ancillary
from skerry.kernel.bytequeue import ByteQueue
from skerry.kernel.file import Buffer, File
from skerry.kernel.pipe import broken
from skerry.kernel.socket import RECEIVE, SEND, Received, Socket, patient_wait
from skerry.kernel.wait import Interrupted, Step, Wait

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.process import Credentials
    from skerry.kernel.task import Task


class Mark:
    """Bytes of the inbox that came with something."""

    __slots__ = ("ancillary", "size", "start")

    def __init__(self, start: int, size: int, ancillary: Ancillary) -> None:
        self.start = start
        self.size = size
        self.ancillary = ancillary


class StreamSocket(Socket):
    """A connected byte stream, or a socket that may become one."""

    type = SOCK_STREAM
    plain = True  # bytes may be put straight into the inbox: no credentials wanted, not closed

    def __init__(self, kernel: Kernel, cred: Credentials, flags: int = 0) -> None:
        super().__init__(kernel, cred, flags)
        self.inbox = ByteQueue()
        self.marks: deque[Mark] = deque()
        self.peer: StreamSocket | None = None  # who gets what is sent here
        self.await_data = Wait((self.not_empty,))  # the same for every reader without a timeout
        self.starved = False  # somebody has found no room and wants to know when there is some

    # --- sending

    def write(self, task: Task, data: Buffer) -> int | Step[int]:
        """Send `data`: the fast way when all of it fits."""
        peer = self.peer
        if peer is not None and peer.plain and not self.shut & SEND and not self.error:
            size = len(data)
            inbox = peer.inbox
            if 0 < size <= self.send_size - inbox.used:
                inbox.put(data if type(data) is bytes else bytes(data))
                if peer.not_empty.waiters:
                    peer.not_empty.wake()
                return size
        return self.send(task, data)

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
        try:
            self.check_destination(address)
            peer = self.ready_to_send(task, flags)
            ancillary = self.escort(task, peer, ancillary)
            done = self._push(peer, data, ancillary)
        except SysError:
            if ancillary is not None:
                ancillary.release()
            raise
        if done and (done == len(data) or self.impatient(flags)):
            return done
        if not data or self.impatient(flags):
            if ancillary is not None:
                ancillary.release()
            if not data:
                return 0
            raise SysError(Errno.EAGAIN)
        return self._send_later(task, bytes(data), done, flags, ancillary)

    def _send_later(
        self, task: Task, data: bytes, done: int, flags: int, ancillary: Ancillary | None
    ) -> Step[int]:
        deadline_ns = self.deadline(self.send_timeout_ns)
        try:
            while done < len(data):
                if not (yield from patient_wait(self.not_full, deadline_ns)):
                    raise SysError(Errno.EAGAIN)
                peer = self.ready_to_send(task, flags | MSG_NOSIGNAL if done else flags)
                done += self._push(peer, data[done:], None if done else ancillary)
        except (Interrupted, SysError):
            if not done:
                raise
        finally:
            if not done and ancillary is not None:
                ancillary.release()
        return done

    def _push(self, peer: StreamSocket, data: Buffer, ancillary: Ancillary | None) -> int:
        """Hand over as much as fits."""
        inbox = peer.inbox
        room = self.send_size - inbox.used
        size = len(data)
        if size > room:
            self.starved = True
            size = room
        if size <= 0:
            return 0
        if ancillary is not None:
            peer.attach(size, ancillary)
        inbox.put(bytes(data[:size]))
        peer.not_empty.wake()
        return size

    def ready_to_send(self, task: Task, flags: int) -> StreamSocket:
        """The peer, if there is one that listens.

        Raises: SysError(ENOTCONN), SysError(EPIPE) with SIGPIPE, or the pending error.
        """
        self.raise_error()
        if self.shut & SEND:
            raise SysError(Errno.EPIPE) if flags & MSG_NOSIGNAL else broken(task)
        if self.peer is None:
            raise SysError(Errno.ENOTCONN)
        return self.peer

    def check_destination(self, address: bytes) -> None:
        """Raise unless sendto(2) may name this address."""

    def escort(self, task: Task, peer: StreamSocket, ancillary: Ancillary | None) -> Ancillary | None:
        """What goes with the bytes."""
        return None

    def attach(self, size: int, ancillary: Ancillary) -> None:
        """The next `size` bytes of the inbox come with `ancillary`."""
        ancillary.depart()
        last = self.marks[-1] if self.marks else None
        start = self.inbox.used
        if (
            last is not None
            and last.start + last.size == start
            and not last.ancillary.files
            and not ancillary.files
            and last.ancillary.cred == ancillary.cred
        ):
            last.size += size
        else:
            self.marks.append(Mark(start, size, ancillary))

    # --- receiving

    def read(self, task: Task, size: int) -> Buffer | Step[Buffer]:
        """Receive: the fast way when there is only data."""
        inbox = self.inbox
        if inbox.used and size and not self.marks:
            data = inbox.take(size)
            peer = self.peer
            if peer is not None and peer.starved:
                peer.tell_room(inbox.used)
            return data
        if inbox.used or not size or self.receive_timeout_ns or self.flags & O_NONBLOCK:
            return super().read(task, size)
        return self._read_later(task, size)

    def _read_later(self, task: Task, size: int) -> Step[Buffer]:
        """The commonest wait of all, without the ceremony of `receive`."""
        while not self.inbox.used:
            if self.at_end():
                return b""
            yield self.await_data
        return cast(Buffer, self.read(task, size))  # there is data: it cannot wait again

    def receive(self, task: Task, size: int, flags: int = 0) -> Received | Step[Received]:
        """See Socket."""
        if flags & MSG_OOB:
            raise SysError(Errno.EINVAL)
        wanted = size if flags & MSG_WAITALL and not flags & MSG_PEEK else 1
        if self.inbox.used:
            received = self._pull(size, flags)
            if len(received.data) >= min(wanted, size) or received.ancillary is not None:
                return received
        else:
            received = Received(b"")
            if self.at_end():
                return received
        if self.impatient(flags):
            if received.data:
                return received
            raise SysError(Errno.EAGAIN)
        return self._receive_later(size, wanted, flags, received)

    def _receive_later(self, size: int, wanted: int, flags: int, received: Received) -> Step[Received]:
        deadline_ns = self.deadline(self.receive_timeout_ns)
        data = bytes(received.data)
        try:
            while len(data) < wanted:
                while not self.inbox.used:
                    if self.at_end():
                        return Received(data)
                    if not (yield from patient_wait(self.not_empty, deadline_ns)):
                        raise SysError(Errno.EAGAIN)
                received = self._pull(size - len(data), flags)
                data += received.data
                if received.ancillary is not None or not size:
                    break
        except (Interrupted, SysError):
            if not data:
                raise
        return Received(data, ancillary=received.ancillary)

    def at_end(self) -> bool:
        """With nothing in the inbox: whether nothing will come. Raises what read(2) then fails with."""
        self.raise_error()
        if self.shut & RECEIVE:
            return True
        if self.peer is None:
            raise SysError(Errno.ENOTCONN)
        return False

    def _pull(self, size: int, flags: int) -> Received:
        """Take, or with MSG_PEEK look at, what is in the inbox."""
        ancillary = None
        if self.marks:
            size, ancillary = self._escorted(size, flags)
        if flags & MSG_PEEK:
            return Received(self.inbox.peek(size), ancillary=ancillary)
        if not size:
            return Received(b"")
        return Received(self.take(size), ancillary=ancillary)

    def _escorted(self, size: int, flags: int) -> tuple[int, Ancillary | None]:
        """How far a read goes when there are marks, and what comes with it.

        A message with files ends the read; with SO_PASSCRED bytes of different senders are
        never glued together.
        """
        first = next((mark for mark in self.marks if self.pass_cred or mark.ancillary.files), None)
        size = min(size, self.inbox.used)
        found = None
        if first is not None and self.pass_cred and 0 < first.start < size:
            size = first.start
        elif first is not None and first.start < size:
            size = min(size, first.start + first.size)
            found = first.ancillary
        if flags & MSG_PEEK:
            return size, found.copy() if found is not None else None
        self._pass_marks(size, found)
        return size, found

    def _pass_marks(self, size: int, found: Ancillary | None) -> None:
        """Take `size` bytes off the marks; `found` has been delivered."""
        for mark in tuple(self.marks):
            end = mark.start + mark.size - size
            if found is not None and found.files and mark.ancillary is found:
                found.arrive()
                if end > 0:  # the rest of the message has the credentials only
                    mark.ancillary = Ancillary(self.network, (), found.cred)
            mark.start = max(0, mark.start - size)
            mark.size = end - mark.start
            if end <= 0:
                self.marks.remove(mark)

    def take(self, size: int) -> Buffer:
        """Up to `size` plain bytes of an inbox that is not empty."""
        data = self.inbox.take(size)
        if self.peer is not None and self.peer.starved:
            self.peer.tell_room(self.inbox.used)
        return data

    # --- state

    def tell_room(self, used: int) -> None:
        """The peer has taken something; `used` bytes are left in its inbox."""
        if 3 * used <= 2 * self.send_size:
            self.starved = False
            self.not_full.wake()

    def has_room(self) -> bool:
        """Whether poll says writable."""
        peer = self.peer
        if peer is None or 3 * peer.inbox.used <= 2 * self.send_size:
            return True
        self.starved = True
        return False

    def poll(self) -> int:
        """What Linux says of a connected stream; families add to it."""
        bits = poll.POLLERR if self.error else 0
        if self.shut == RECEIVE | SEND:
            bits |= poll.POLLHUP
        if self.shut & RECEIVE:
            bits |= poll.READABLE | poll.POLLRDHUP
        elif self.inbox.used:
            bits |= poll.READABLE
        if self.shut & SEND or self.has_room():
            bits |= poll.WRITABLE
        return bits

    def unread(self) -> int:
        """See Socket."""
        return self.inbox.used

    def unsent(self) -> int:
        """See Socket: what the peer has not read counts."""
        return self.peer.inbox.used if self.peer is not None else 0

    def carried(self) -> list[File]:
        """See Socket."""
        return [file for mark in self.marks for file in mark.ancillary.files]

    def discard(self) -> None:
        """See Socket."""
        marks, self.marks = self.marks, deque()
        self.inbox.clear()
        for mark in marks:
            if mark.ancillary.files:
                mark.ancillary.arrive()
                mark.ancillary.release()
