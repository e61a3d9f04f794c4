# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Connections from outside: the monitor as the client of a server in the box.

To the guest it is a TCP connection over the loopback. The monitor's end is an ordinary socket
too, one that no descriptor leads to: what arrives in it leaves as `StreamOutput`, and what
comes as `StreamInput` is sent by it. Windows and closing are those of streams.py.

Invariant: bytes sent and not yet read by the guest are at most WINDOW; the monitor keeps to it.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi.errors import SysError
from skerry.abi.socket import AF_INET, AF_INET6
from skerry.kernel import events
from skerry.kernel.commands import Connected, StreamOutput, StreamTaken
from skerry.kernel.sockaddr import LOOPBACK4, LOOPBACK6
from skerry.kernel.socket import SEND
from skerry.kernel.streams import WINDOW
from skerry.kernel.tcp import CLOSE, CLOSE_WAIT, ESTABLISHED, SYN_SENT, TcpSocket

if TYPE_CHECKING:
    from skerry.kernel.net import Network


class HostConnection:
    """One such connection; as a waiter it stands in both queues of its socket."""

    def __init__(self, network: Network, stream: int) -> None:
        self.network = network
        self.stream = stream
        self.socket: TcpSocket
        self.announced = False
        self.credit = WINDOW  # what the monitor takes
        self.given = self.acknowledged = 0  # sent into the box, and told the monitor as read
        self.ended = self.deaf = False  # StreamOutput(b""), StreamTaken(0) have been said

    def open(self, port: int) -> None:
        """Send the SYN: to 127.0.0.1, or to ::1 if only that listens."""
        only6 = self.network.tcp.listener((LOOPBACK4, port)) is None
        family, host = (AF_INET6, LOOPBACK6) if only6 else (AF_INET, LOOPBACK4)
        kernel = self.network.kernel
        socket = self.socket = TcpSocket(kernel, kernel.init.cred, 0, family)
        socket.send_size = 2 * WINDOW
        try:
            socket.start((host, port))
        except SysError as error:
            socket.error = error.errno
        socket.not_empty.add(self)
        socket.not_full.add(self)
        self.wake()

    def event(self, event: events.StreamInput | events.StreamReady) -> None:
        """The monitor sends bytes, ends its side, takes more, or wants nothing more."""
        if isinstance(event, events.StreamInput):
            self._input(event.untrusted_data)
        elif event.size > 0:
            self.credit += event.size
        else:
            self.ended = True
            self.socket.close()
        self.wake()

    def _input(self, untrusted_data: bytes) -> None:
        socket = self.socket
        if socket.state not in (ESTABLISHED, CLOSE_WAIT) or socket.shut & SEND:
            return
        if untrusted_data:
            self.given += len(untrusted_data)
            socket.push(untrusted_data)
        else:
            self.deaf = True
            socket.send_fin()

    def wake(self) -> None:
        """Something changed: tell the monitor what it should know."""
        commands, socket = self.network.kernel.commands, self.socket
        if socket.state == SYN_SENT:
            return
        if not self.announced:
            self.announced = True
            commands.append(Connected(self.stream, socket.error))
            self.ended = self.deaf = socket.state == CLOSE
        while socket.inbox.used and self.credit and not self.ended:
            data = bytes(socket.take(min(self.credit, WINDOW)))
            self.credit -= len(data)
            commands.append(StreamOutput(self.stream, data))
        self._acknowledge()
        self._close()

    def _acknowledge(self) -> None:
        """Give the monitor back the window of what the guest has read."""
        peer = self.socket.peer
        if peer is None or self.deaf:
            return
        read = self.given - peer.inbox.used - self.acknowledged
        if read >= WINDOW // 4 or (read and not peer.inbox.used):
            self.acknowledged += read
            self.network.kernel.commands.append(StreamTaken(self.stream, read))
        self.socket.starved = bool(peer.inbox.used)

    def _close(self) -> None:
        """Say which directions have ended; after both the connection is forgotten."""
        socket = self.socket
        peer = socket.peer
        over = socket.closed or socket.state == CLOSE or (isinstance(peer, TcpSocket) and peer.closed)
        if not self.ended and not socket.inbox.used and (socket.finished or over):
            self.ended = True
            self.network.kernel.commands.append(StreamOutput(self.stream, b""))
        if not self.deaf and over:
            self.deaf = True
            self.network.kernel.commands.append(StreamTaken(self.stream, 0))
        if self.ended and self.deaf and self.network.outside.pop(self.stream, None) is not None:
            socket.not_empty.remove(self)
            socket.not_full.remove(self)
            socket.close()


def connect_from_outside(network: Network, event: events.Connect) -> None:
    """Take a `Connect` event."""
    connection = network.outside[event.stream] = HostConnection(network, event.stream)
    connection.open(event.port)
