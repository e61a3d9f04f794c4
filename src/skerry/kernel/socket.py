# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Sockets: what all families and types share.

`stream.py` and `packet.py` carry data, `unix.py`, `tcp.py` and `udp.py` know names. A socket's two
queues are its own for life, so that an epoll item stands in the right place before connect.

Standard: POSIX.1-2024 2.10 Sockets; errnos as Linux.
Units:    buffer sizes are bytes, timeouts nanoseconds. Addresses are whole sockaddr structures.
Blocking: like every File: an answer at once, or a Step.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.socket import MSG_DONTWAIT, SOCKET_BUFFER
from skerry.kernel.ancillary import Ancillary, Ucred
from skerry.kernel.anonymous import Anonymous
from skerry.kernel.file import Buffer, File
from skerry.kernel.ifreq import socket_ioctl
from skerry.kernel.wait import Interrupted, Step, Wait, WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.process import Credentials
    from skerry.kernel.task import Task

RECEIVE, SEND = 1, 2  # bits of `shut`
BOTH = RECEIVE | SEND


class Received:
    """One message as recvmsg(2) sees it.

    `size` is the message's whole size, which MSG_TRUNC asks for; `flags` are MSG_* out.
    """

    __slots__ = ("ancillary", "data", "flags", "size", "source")

    def __init__(
        self,
        data: Buffer,
        source: bytes = b"",
        ancillary: Ancillary | None = None,
        flags: int = 0,
        size: int = -1,
    ) -> None:
        self.data = data
        self.source = source
        self.ancillary = ancillary
        self.flags = flags
        self.size = len(data) if size < 0 else size


class Socket(Anonymous):
    """One socket; the base refuses what only some can do."""

    kind = b"socket:[%d]"
    mode = fcntl.S_IFSOCK | 0o777
    family = 0
    type = 0
    protocol = 0

    def __init__(self, kernel: Kernel, cred: Credentials, flags: int = 0) -> None:
        super().__init__(kernel, cred, fcntl.O_RDWR | flags)
        self.network = kernel.network
        self.not_empty = WaitQueue()  # something to receive or to accept, or the end
        self.not_full = WaitQueue()  # room to send, connected, or broken
        self.error = 0  # SO_ERROR
        self.shut = 0
        self.send_size = self.receive_size = SOCKET_BUFFER
        self.receive_timeout_ns = self.send_timeout_ns = 0
        self.linger: int | None = None  # seconds
        self.reuse_address = self.reuse_port = self.pass_cred = False
        self.peer_cred: Ucred = (0, -1, -1)
        self.remembered: dict[tuple[int, int], int] = {}  # options that change nothing here

    # --- names and connections

    def bind(self, task: Task, address: bytes) -> int | Step[int]:
        """Take a name."""
        raise SysError(Errno.EOPNOTSUPP)

    def connect(self, task: Task, address: bytes) -> int | Step[int]:
        """Choose a peer."""
        raise SysError(Errno.EOPNOTSUPP)

    def listen(self, task: Task, backlog: int) -> int:
        """Begin to take connections."""
        raise SysError(Errno.EOPNOTSUPP)

    def accept(self, task: Task) -> Socket | Step[Socket]:
        """The next connection."""
        raise SysError(Errno.EOPNOTSUPP)

    def shutdown(self, task: Task, how: int) -> int:
        """End one direction or both; `how` is RECEIVE | SEND bits."""
        raise SysError(Errno.EOPNOTSUPP)

    def sockname(self) -> bytes:
        """The own address."""
        raise SysError(Errno.EOPNOTSUPP)

    def peername(self) -> bytes:
        """The peer's address."""
        raise SysError(Errno.ENOTCONN)

    @property
    def listening(self) -> bool:
        """SO_ACCEPTCONN."""
        return False

    # --- data

    def send(
        self,
        task: Task,
        data: Buffer,
        flags: int = 0,
        address: bytes = b"",
        ancillary: Ancillary | None = None,
    ) -> int | Step[int]:
        """Send `data`. The ancillary is the socket's from here on, whatever happens."""
        raise SysError(Errno.EOPNOTSUPP)

    def receive(self, task: Task, size: int, flags: int = 0) -> Received | Step[Received]:
        """Receive up to `size` bytes."""
        raise SysError(Errno.EOPNOTSUPP)

    def unread(self) -> int:
        """What FIONREAD says."""
        return 0

    def unsent(self) -> int:
        """What TIOCOUTQ says: the network is so fast that nothing stays here."""
        return 0

    def carried(self) -> list[File]:
        """Files under way to this socket."""
        return []

    def discard(self) -> None:
        """Forget what has not been received."""

    # --- as a file

    def read(self, task: Task, size: int) -> Buffer | Step[Buffer]:
        """Receive without flags."""
        if not size:
            return b""
        received = self.receive(task, size)
        return _data(received) if isinstance(received, Received) else _data_later(received)

    def write(self, task: Task, data: Buffer) -> int | Step[int]:
        """Send without flags."""
        return self.send(task, data)

    def ioctl(self, task: Task, request: int, argument: int) -> int:
        """See File."""
        return socket_ioctl(task, self, request, argument)

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Both directions."""
        return (self.not_empty, self.not_full)

    # --- words of all kinds

    def wake(self) -> None:
        """Something changed for both directions."""
        self.not_empty.wake()
        self.not_full.wake()

    def impatient(self, flags: int) -> bool:
        """Whether a call with these MSG_* flags must not wait."""
        return bool(flags & MSG_DONTWAIT or self.flags & fcntl.O_NONBLOCK)

    def take_error(self) -> int:
        """SO_ERROR: the pending error, once."""
        error, self.error = self.error, 0
        return error

    def raise_error(self) -> None:
        """Fail with the pending error, once."""
        if self.error:
            raise SysError(self.take_error())

    def deadline(self, timeout_ns: int) -> int | None:
        """When a call that begins now has waited enough; a timeout of 0 is for ever."""
        return self.kernel.clock.monotonic_ns() + timeout_ns if timeout_ns else None


def _data(received: Received) -> Buffer:
    """What read(2) keeps of a message: files in it are closed."""
    if received.ancillary is not None:
        received.ancillary.release()
    return received.data


def _data_later(step: Step[Received]) -> Step[Buffer]:
    return _data((yield from step))


def patient_wait(queue: WaitQueue, deadline_ns: int | None) -> Step[bool]:
    """Wait; False once the deadline is over.

    A call with a timeout of its own is never restarted after a handler (signal(7)).
    """
    if deadline_ns is None:
        return (yield Wait((queue,)))
    try:
        return (yield Wait((queue,), deadline_ns))
    except Interrupted:
        raise SysError(Errno.EINTR) from None
