# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Listening: the queue of connections nobody has accepted yet.

Standard: POSIX.1-2024 listen(), accept(). As on Linux one more than `backlog` fits.
Blocking: accept waits for a connection.
"""
from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.socket import SOMAXCONN
from skerry.kernel.socket import RECEIVE, Socket, patient_wait
from skerry.kernel.stream import StreamSocket
from skerry.kernel.wait import Step, WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.task import Task


class Listener:
    """What a listening socket has beside its name."""

    __slots__ = ("backlog", "embryos", "room", "waiting")

    def __init__(self, backlog: int) -> None:
        self.embryos: deque[Socket] = deque()  # connected, not accepted
        self.waiting: deque[StreamSocket] = deque()  # TCP: clients whose SYN found no room
        self.room = WaitQueue()
        self.resize(backlog)

    def resize(self, backlog: int) -> None:
        """listen(2) again."""
        self.backlog = min(backlog & 0xFFFFFFFF, SOMAXCONN)  # a negative one is a very large one
        self.room.wake()

    @property
    def full(self) -> bool:
        """Whether a connection must wait."""
        return len(self.embryos) > self.backlog

    def take(self) -> Socket:
        """The oldest connection."""
        socket = self.embryos.popleft()
        self.room.wake()
        return socket


class Acceptor(Socket):
    """A socket that can listen."""

    listener: Listener | None = None

    @property
    def listening(self) -> bool:
        """See Socket."""
        return self.listener is not None

    def accept(self, task: Task) -> Socket | Step[Socket]:
        """See Socket."""
        if self.listener is None:
            raise SysError(Errno.EINVAL)
        if self.listener.embryos:
            return self.accepted(self.listener)
        if self.shut & RECEIVE:
            raise SysError(Errno.EINVAL)
        if self.nonblocking:
            raise SysError(Errno.EAGAIN)
        return self._accept_later()

    def _accept_later(self) -> Step[Socket]:
        deadline_ns = self.deadline(self.receive_timeout_ns)
        while self.listener is not None:
            if self.listener.embryos:
                return self.accepted(self.listener)
            if self.shut & RECEIVE:
                break
            if not (yield from patient_wait(self.not_empty, deadline_ns)):
                raise SysError(Errno.EAGAIN)
        raise SysError(Errno.EINVAL)  # shut down meanwhile

    def accepted(self, listener: Listener) -> Socket:
        """The next connection; there is one."""
        return listener.take()
