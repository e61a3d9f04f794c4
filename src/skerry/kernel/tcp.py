# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""TCP between two sockets of this kernel: the loopback without segments.

A handshake, a FIN and an RST are calls from one socket to the other. What a program can see of
them is as on Linux: EINPROGRESS for a non-blocking connect that has in fact succeeded, one
more write after the peer's close before EPIPE, ECONNRESET for data left unread.

Standard: RFC 9293, tcp(7); states, errnos and poll bits as Linux net/ipv4/tcp.c.
Blocking: connect waits while the listener's queue is full, as a lost SYN would.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import poll
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.socket import AF_UNSPEC, IPPROTO_TCP, MSG_NOSIGNAL
from skerry.kernel.ancillary import Ancillary
from skerry.kernel.file import Buffer
from skerry.kernel.inet import InetSocket
from skerry.kernel.listener import Acceptor, Listener
from skerry.kernel.pipe import broken
from skerry.kernel.sockaddr import InetAddress, family_of, format_inet, is_local
from skerry.kernel.socket import BOTH, RECEIVE, SEND, Socket, patient_wait
from skerry.kernel.stream import StreamSocket
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.process import Credentials
    from skerry.kernel.task import Task

ESTABLISHED, SYN_SENT, CLOSE, CLOSE_WAIT, LISTEN = 1, 2, 7, 8, 10  # as TCP_INFO says


class TcpSocket(Acceptor, InetSocket, StreamSocket):
    """One TCP socket."""

    protocol = IPPROTO_TCP
    state = CLOSE
    finished = False  # the peer's FIN has come
    unreported = False  # a non-blocking connect whose outcome connect(2) has not told
    closed = False
    target: TcpSocket | None = None  # the full listener a SYN waits at

    def __init__(self, kernel: Kernel, cred: Credentials, flags: int = 0, family: int = 2) -> None:
        super().__init__(kernel, cred, flags, family)
        self.ports = self.network.tcp

    # --- listening

    def listen(self, task: Task, backlog: int) -> int:
        """See Socket."""
        if self.state not in (CLOSE, LISTEN):
            raise SysError(Errno.EINVAL)
        if self.listener is not None:
            self.listener.resize(backlog)
            return 0
        if not self.bound:
            self.claim(self.host, 0)
        self.ports.check_listen(self)
        self.listener = Listener(backlog)
        self.state, self.shut = LISTEN, 0
        self.network.listening(self)
        return 0

    def accepted(self, listener: Listener) -> Socket:
        """See Acceptor; room for one more SYN."""
        socket = listener.take()
        while listener.waiting and not listener.full:
            client = listener.waiting.popleft()
            assert isinstance(client, TcpSocket)
            client.establish(self, listener)
        return socket

    def _stop_listening(self) -> None:
        listener, self.listener = self.listener, None
        self.state = CLOSE
        if listener is not None:
            for embryo in listener.embryos:
                assert isinstance(embryo, TcpSocket)
                embryo.abort()
            for client in listener.waiting:
                assert isinstance(client, TcpSocket)
                client.fail(Errno.ECONNREFUSED)

    # --- connecting

    def connect(self, task: Task, address: bytes) -> int | Step[int]:
        """See Socket."""
        if family_of(address) == AF_UNSPEC:
            self._disconnect()
            return 0
        if self.unreported or self.state == SYN_SENT:
            return self._report()
        if self.state != CLOSE:
            raise SysError(Errno.EISCONN)
        destination = self.destination(address)
        if not is_local(destination[0]):
            return self.outside(task, destination, stream=True)
        self.start(destination)
        if self.nonblocking:
            self.unreported = True
            raise SysError(Errno.EINPROGRESS)
        if self.state != SYN_SENT:
            return self._outcome()
        return self._connect_later()

    def _report(self) -> int | Step[int]:
        """connect(2) again after a non-blocking one."""
        if self.state != SYN_SENT:
            self.unreported = False
            return self._outcome()
        if self.nonblocking:
            raise SysError(Errno.EALREADY)
        return self._connect_later()

    def _connect_later(self) -> Step[int]:
        deadline_ns = self.deadline(self.send_timeout_ns)
        while self.state == SYN_SENT:
            if not (yield from patient_wait(self.not_full, deadline_ns)):
                self.unreported = True
                raise SysError(Errno.EINPROGRESS)
        return self._outcome()

    def _outcome(self) -> int:
        if self.state == CLOSE:
            error = self.take_error() or Errno.ECONNABORTED
            self._forget()
            raise SysError(error)
        return 0

    def start(self, destination: InetAddress) -> None:
        """Send the SYN."""
        self.set_remote(destination)
        self.shut, self.error, self.finished = 0, 0, False
        target = self.ports.listener(destination)
        if not isinstance(target, TcpSocket) or target.listener is None:
            self.fail(Errno.ECONNREFUSED)
        elif target.listener.full:
            self.state, self.target = SYN_SENT, target
            target.listener.waiting.append(self)
        else:
            self.establish(target, target.listener)

    def establish(self, target: TcpSocket, listener: Listener) -> None:
        """The handshake: make the far end and queue it for accept."""
        assert self.remote is not None
        embryo = TcpSocket(self.kernel, self.kernel.init.cred, 0, target.family)
        embryo.uid, embryo.gid = target.uid, target.gid
        embryo.host, embryo.port = self.remote
        embryo.remote = (self.host, self.port)
        inherit(target, embryo)
        self.peer, embryo.peer = embryo, self
        self.state = embryo.state = ESTABLISHED
        self.target = None
        listener.embryos.append(embryo)
        target.not_empty.wake()
        self.wake()

    def fail(self, errno: int) -> None:
        """The connection was refused, or reset."""
        self.state, self.error, self.shut = CLOSE, errno, BOTH
        self.target = None
        self.wake()

    def _forget(self) -> None:
        """Ready to connect once more."""
        self.set_remote(None)
        self.peer, self.shut, self.finished = None, 0, False
        self.state = CLOSE

    def _disconnect(self) -> None:
        """connect(2) to AF_UNSPEC."""
        if self.listener is not None:
            self._stop_listening()
        elif self.state != CLOSE:
            self._give_up()
        self._forget()
        self.discard()
        self.wake()

    # --- closing

    def _give_up(self) -> None:
        """Leave without a word, or with an RST to whoever is connected."""
        if self.target is not None and self.target.listener is not None:
            self.target.listener.waiting.remove(self)
        self.target = None
        if isinstance(self.peer, TcpSocket) and not self.peer.closed:
            self.peer.reset()
        self.state = CLOSE

    def abort(self) -> None:
        """Close with an RST."""
        self._give_up()
        self._vanish()

    def reset(self) -> None:
        """An RST has come."""
        if self.state != CLOSE:
            self.fail(Errno.EPIPE if self.finished else Errno.ECONNRESET)

    def finish(self) -> None:
        """A FIN has come."""
        self.finished = True
        self.shut |= RECEIVE
        self.state = CLOSE if self.shut & SEND else CLOSE_WAIT
        self.wake()

    def shutdown(self, task: Task, how: int) -> int:
        """See Socket."""
        if self.state == CLOSE:
            self.shut |= how
            self.wake()
            raise SysError(Errno.ENOTCONN)
        if self.listener is not None:
            if how & RECEIVE:
                self._stop_listening()
        elif self.state == SYN_SENT:
            self._give_up()
        else:
            if how & SEND:
                self.send_fin()
            self.shut |= how
            self.plain = self.shut != BOTH
        self.wake()
        return 0

    def send_fin(self) -> None:
        """Nothing more will be sent; twice is no error."""
        if self.shut & SEND:
            return
        self.shut |= SEND
        if isinstance(self.peer, TcpSocket) and not self.peer.closed:
            self.peer.finish()
        if self.finished:
            self.state = CLOSE

    def close(self) -> None:
        """See File; unread data or SO_LINGER with zero seconds makes it an RST."""
        self.closed = True
        if self.listener is not None:
            self._stop_listening()
        elif self.state == SYN_SENT or self.inbox.used or self.linger == 0:
            self._give_up()
        elif self.state != CLOSE:
            self.send_fin()
        self._vanish()

    def _vanish(self) -> None:
        self.closed, self.plain = True, False
        self.shut = BOTH
        self.unbind()
        self.discard()
        self.wake()
        if self.peer is not None and self.peer.starved:
            self.peer.tell_room(0)

    # --- data

    def check_destination(self, address: bytes) -> None:
        """See StreamSocket: Linux ignores it."""

    def ready_to_send(self, task: Task, flags: int) -> StreamSocket:
        """See StreamSocket."""
        if self.error or self.shut & SEND or (self.peer is None and self.state != SYN_SENT):
            error = self.take_error() or Errno.EPIPE
            raise broken(task) if error == Errno.EPIPE and not flags & MSG_NOSIGNAL else SysError(error)
        return self if self.peer is None else self.peer

    def push(self, data: bytes) -> None:
        """Send without a caller, however much room there is; see hostconn.py."""
        if self.peer is not None:
            self._push(self.peer, data, None)

    def _push(self, peer: StreamSocket, data: Buffer, ancillary: Ancillary | None) -> int:
        """Hand over; bytes to a peer that has closed are lost, and answered with an RST."""
        if peer is self:  # still connecting
            return 0
        if isinstance(peer, TcpSocket) and (peer.closed or peer.shut == BOTH):
            peer.reset()  # RFC 1122 4.2.2.13: data for a socket that is shut both ways
            self.reset()
            return len(data)
        return super()._push(peer, data, None)

    def at_end(self) -> bool:
        """See StreamSocket."""
        if self.finished:
            return True
        self.raise_error()
        if self.shut & RECEIVE:
            return True
        if self.state in (CLOSE, LISTEN):
            raise SysError(Errno.ENOTCONN)
        return False

    def peername(self) -> bytes:
        """See Socket."""
        if self.remote is None or self.state in (CLOSE, SYN_SENT, LISTEN):
            raise SysError(Errno.ENOTCONN)
        return format_inet(self.remote, self.family)

    def poll(self) -> int:
        """What Linux' tcp_poll says."""
        if self.listener is not None:
            return poll.READABLE if self.listener.embryos else 0
        bits = poll.POLLERR if self.error else 0
        if self.shut == BOTH or self.state == CLOSE:
            bits |= poll.POLLHUP
        if self.shut & RECEIVE:
            bits |= poll.READABLE | poll.POLLRDHUP
        if self.state != SYN_SENT:
            if self.inbox.used:
                bits |= poll.READABLE
            if self.shut & SEND or self.has_room():
                bits |= poll.WRITABLE
        return bits


def inherit(listener: TcpSocket, socket: TcpSocket) -> None:
    """Options an accepted socket has from its listener."""
    socket.remembered = dict(listener.remembered)
    socket.linger = listener.linger
    socket.send_size, socket.receive_size = listener.send_size, listener.receive_size
    socket.reuse_address, socket.reuse_port = listener.reuse_address, listener.reuse_port
    socket.send_timeout_ns, socket.receive_timeout_ns = listener.send_timeout_ns, listener.receive_timeout_ns
    socket.v6only = listener.v6only
