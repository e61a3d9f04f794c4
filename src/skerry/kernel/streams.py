# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Byte streams between guests and the monitor: pipes whose other end is outside.

Input arrives as `StreamInput` and is acknowledged with `StreamTaken`; output leaves as
`StreamOutput` against the credit of `StreamReady`. Either side may send WINDOW bytes before
the first word from the other. Closing is an empty `StreamInput` or `StreamOutput`; a reader
that is gone is `StreamReady(stream, 0)` there and `StreamTaken(stream, 0)` here.

Units:    window, credit and sizes are bytes.
Blocking: read waits for input, write for credit.
Errors:   EPIPE and SIGPIPE for a write nobody will read.
Invariant: a number names at most one stream per direction and is not used again once closed.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import fcntl, poll
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.limits import PIPE_SIZE
from skerry.abi.signal import Signo
from skerry.abi.termios import FIONREAD
from skerry.kernel.commands import StreamOutput, StreamTaken
from skerry.kernel.file import Buffer, File
from skerry.kernel.signal import Pending
from skerry.kernel.stat import Stat
from skerry.kernel.wait import Interrupted, Step, Wait, WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.task import Task

WINDOW = 65536
RDEV_NULL = 1 << 8 | 3


class Streams:
    """All streams, by number and direction."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.inputs: dict[int, StreamReader] = {}
        self.outputs: dict[int, StreamWriter] = {}
        self.spent: set[tuple[int, bool]] = set()  # (number, reads) of closed ones

    def close(self, number: int, reads: bool) -> None:
        """The guest end is closed; events still under way for it are dropped."""
        self.spent.add((number, reads))
        if reads:
            del self.inputs[number]
            self.kernel.commands.append(StreamTaken(number, 0))
        else:
            del self.outputs[number]
            self.kernel.commands.append(StreamOutput(number, b""))

    def open(self, number: int, reads: bool) -> File:
        """The guest end of stream `number`; opening it again shares it.

        Raises: SysError(ENXIO) for one that was closed.
        """
        if (number, reads) in self.spent:
            raise SysError(Errno.ENXIO)
        if reads:
            return self._reader(number)
        return self._writer(number)

    def _reader(self, number: int) -> StreamReader:
        if number not in self.inputs:
            self.inputs[number] = StreamReader(self, number)
        return self.inputs[number]

    def _writer(self, number: int) -> StreamWriter:
        if number not in self.outputs:
            self.outputs[number] = StreamWriter(self, number)
        return self.outputs[number]

    def input(self, number: int, untrusted_data: bytes) -> None:
        """Bytes, or for none the end, of a stream; they may come before its process."""
        if (number, True) in self.spent:
            return
        reader = self._reader(number)
        if untrusted_data:
            reader.arrive(untrusted_data)
        else:
            reader.end()

    def ready(self, number: int, size: int) -> None:
        """Credit for a stream, or for 0 its reader is gone."""
        if (number, False) not in self.spent:
            self._writer(number).credit(size)


class StreamReader(File):
    """Bytes from the monitor."""

    def __init__(self, streams: Streams, number: int) -> None:
        super().__init__(fcntl.O_RDONLY)
        self.streams = streams
        self.number = number
        self.data = bytearray()
        self.ended = False
        self.not_empty = WaitQueue()

    def arrive(self, untrusted_data: bytes) -> None:
        """Store bytes; a monitor that ignores the window is our bug, not checked here."""
        self.data += untrusted_data
        self.not_empty.wake()

    def end(self) -> None:
        """No more will come."""
        self.ended = True
        self.not_empty.wake()

    def read(self, task: Task, size: int) -> Buffer | Step[Buffer]:
        """What is there; b"" at the end."""
        if self.data or self.ended or size == 0:
            return self._take(size)
        if self.nonblocking:
            raise SysError(Errno.EAGAIN)
        return self._read_later(size)

    def _take(self, size: int) -> bytes:
        data = bytes(self.data[:size])
        if data:
            del self.data[: len(data)]
            self.streams.kernel.commands.append(StreamTaken(self.number, len(data)))
        return data

    def _read_later(self, size: int) -> Step[Buffer]:
        while not self.data and not self.ended:
            yield Wait((self.not_empty,))
        return self._take(size)

    def ioctl(self, task: Task, request: int, argument: int) -> int:
        """FIONREAD."""
        if request != FIONREAD:
            raise SysError(Errno.ENOTTY)
        task.mem.put_u32(argument, len(self.data))
        return 0

    def stat(self) -> Stat:
        """A pipe."""
        return Stat(fcntl.S_IFIFO | 0o600, self.number + 1)

    def pipe_size(self, size: int | None) -> int:
        """The window; it does not change."""
        return PIPE_SIZE

    def poll(self) -> int:
        """Readable with bytes, hung up at the end."""
        ready = poll.READABLE if self.data else 0
        return ready | poll.POLLHUP if self.ended else ready

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Woken by bytes and by the end."""
        return (self.not_empty,)

    def close(self) -> None:
        """Nobody reads any more: the monitor may stop sending."""
        self.streams.close(self.number, True)


class StreamWriter(File):
    """Bytes to the monitor."""

    def __init__(self, streams: Streams, number: int) -> None:
        super().__init__(fcntl.O_WRONLY)
        self.streams = streams
        self.number = number
        self.room = WINDOW
        self.broken = False
        self.not_full = WaitQueue()

    def credit(self, size: int) -> None:
        """The monitor takes more, or for 0 will take nothing ever again."""
        if size > 0:
            self.room += size
        else:
            self.broken = True
        self.not_full.wake()

    def write(self, task: Task, data: Buffer) -> int | Step[int]:
        """Send bytes as far as the credit goes."""
        done = self._send(task, data)
        if done == len(data):
            return done
        if self.nonblocking:
            if done:
                return done
            raise SysError(Errno.EAGAIN)
        return self._write_later(task, data, done)

    def _send(self, task: Task, data: Buffer) -> int:
        if self.broken:
            self.streams.kernel.signals.send_task(task, Pending(Signo.SIGPIPE))
            raise SysError(Errno.EPIPE)
        chunk = bytes(data[: self.room])
        if chunk:
            self.room -= len(chunk)
            self.streams.kernel.commands.append(StreamOutput(self.number, chunk))
        return len(chunk)

    def _write_later(self, task: Task, data: Buffer, done: int) -> Step[int]:
        try:
            while done < len(data):
                yield Wait((self.not_full,))
                done += self._send(task, data[done:])
        except (Interrupted, SysError):
            if not done:
                raise
        return done

    def stat(self) -> Stat:
        """A pipe."""
        return Stat(fcntl.S_IFIFO | 0o600, self.number + 1)

    def pipe_size(self, size: int | None) -> int:
        """The window; it does not change."""
        return PIPE_SIZE

    def poll(self) -> int:
        """Writable with credit, in error without a reader."""
        if self.broken:
            return poll.WRITABLE | poll.POLLERR
        return poll.WRITABLE if self.room > 0 else 0

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Woken by credit."""
        return (self.not_full,)

    def close(self) -> None:
        """The guest has closed it."""
        self.streams.close(self.number, False)


class Null(File):
    """/dev/null for a descriptor the monitor does not want."""

    def read(self, task: Task, size: int) -> Buffer:
        """Always at the end."""
        return b""

    def write(self, task: Task, data: Buffer) -> int:
        """Take everything."""
        return len(data)

    def stat(self) -> Stat:
        """The character device 1:3."""
        return Stat(fcntl.S_IFCHR | 0o666, RDEV_NULL, rdev=RDEV_NULL)
