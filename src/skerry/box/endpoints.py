# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The host ends of a box's streams: descriptors of ours that guests read from and write to.

Both ends keep a window: what the other side has said it can take.
Blocking: never; a descriptor is only touched when poll says it is ready, and then for no more than
          a pipe takes at once, because other programs may share it and count on it to block.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from errno import ECONNRESET, EPIPE

from skerry.abi.errors import ProtocolError
from skerry.kernel.commands import StreamOutput, StreamTaken
from skerry.kernel.events import StreamInput, StreamReady

from .loop import READ, WRITE, Loop

Send = Callable[[object], None]
WINDOW = 65_536
"""As kernel/streams.py has it, which would load half a kernel here; a test compares."""

_PIPE_ATOMIC = 4096  # POLLOUT promises room for this much
_BLOCK = 65_536


class Source:
    """A descriptor that a guest reads from."""

    def __init__(
        self, loop: Loop, send: Send, number: int, fd: int, closed: Callable[[], None] = lambda: None
    ) -> None:
        self._loop, self._send, self._closed = loop, send, closed
        self.number, self._fd = number, fd
        self._window = WINDOW
        self._open = True
        loop.watch(fd, READ, self._ready)

    def taken(self, message: StreamTaken) -> None:
        """The guest consumed bytes, or (0) will read no more."""
        if message.size <= 0:
            self.close()
            return
        if self._window == 0 and self._open:
            self._loop.watch(self._fd, READ, self._ready)
        self._window += message.size
        if self._window > WINDOW:
            raise ProtocolError("the box took more of a stream than there was")

    def close(self) -> None:
        """Stop reading; the owner of the descriptor is told, once."""
        self._loop.forget(self._fd, READ)
        if self._open:
            self._open = False
            self._closed()

    def _ready(self) -> None:
        try:
            data = os.read(self._fd, min(self._window, _BLOCK))
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._send(StreamInput(self.number, data))
        self._window -= len(data)
        if not data:
            self.close()
        elif self._window == 0:
            self._loop.forget(self._fd, READ)


class Sink:
    """A descriptor that a guest writes to."""

    def __init__(
        self,
        loop: Loop,
        send: Send,
        number: int,
        fd: int,
        closed: Callable[[], None],
        failed: Callable[[OSError], None] = lambda error: None,
    ) -> None:
        """`failed` hears why bytes could not be written, unless only the reader is gone."""
        self._loop, self._send, self._closed, self._failed = loop, send, closed, failed
        self.number = number
        self._fd, self._twin, self._block = _open_twin(fd)
        self._data = bytearray()
        self._ended = self._broken = False
        self._given = 0  # taken from the guest's window, to be given back when written

    def output(self, message: StreamOutput) -> None:
        """Bytes from a guest, or (none) their end."""
        if not message.data:
            self._ended = True
        elif not self._broken:
            self._data += message.data
            if len(self._data) + self._given > WINDOW:
                raise ProtocolError("the box sent more of a stream than was granted")
        self._settle()

    def close(self) -> None:
        """The box is gone: what waits is lost, the owner of the descriptor is told."""
        self._data.clear()
        self._ended = True
        self._settle()

    @property
    def drained(self) -> bool:
        """Whether nothing is left to write."""
        return not self._data

    def _ready(self) -> None:
        try:
            size = os.write(self._fd, self._data[: self._block])
        except BlockingIOError:
            return
        except OSError as error:  # the guest learns it by EPIPE
            self._broken = True
            if error.errno not in (EPIPE, ECONNRESET):
                self._failed(error)
            self._data.clear()
            self._send(StreamReady(self.number, 0))
        else:
            del self._data[:size]
            self._given += size
            if self._given >= WINDOW // 4 or not self._data:
                self._send(StreamReady(self.number, self._given))
                self._given = 0
        self._settle()

    def _settle(self) -> None:
        if self._data:
            self._loop.watch(self._fd, WRITE, self._ready)
            return
        self._loop.forget(self._fd, WRITE)
        if self._ended:
            self._ended = False
            if self._twin:
                self._twin = False
                os.close(self._fd)
            self._closed()


def _open_twin(fd: int) -> tuple[int, bool, int]:
    """How to write to `fd` without ever waiting: a descriptor, whether it is ours, and a safe size.

    A pipe is opened anew, non-blocking: the one we were given is shared with programs that count on
    it to block.
    """
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        return fd, False, _BLOCK
    if stat.S_ISFIFO(mode):
        try:
            return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC), True, _BLOCK
        except OSError:  # no /proc, or a pipe of someone else's
            pass
    return fd, False, _PIPE_ATOMIC
