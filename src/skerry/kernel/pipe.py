# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Pipes: one bounded byte queue shared by open file descriptions.

Standard: POSIX.1-2024 read() and write() on a pipe, pipe(7); poll bits as Linux fs/pipe.c.
Blocking: a read that finds data and a write that finds room answer at once, without a Step.
Errors:   EPIPE after SIGPIPE when nobody can read any more; EAGAIN with O_NONBLOCK.
Invariant: `used <= capacity`; a write of at most PIPE_BUF bytes goes in whole or not at all.
           Writers are woken once PIPE_BUF bytes fit, not for every byte that was read.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, cast

from skerry.abi import fcntl, poll
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.limits import PAGE_SIZE, PIPE_BUF, PIPE_SIZE
from skerry.abi.signal import SI_USER, Signo
from skerry.kernel.anonymous import Anonymous
from skerry.kernel.bytequeue import ByteQueue
from skerry.kernel.file import Buffer
from skerry.kernel.signal import Pending
from skerry.kernel.wait import Interrupted, Step, Wait, WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.task import Task

PIPE_MAX = 1 << 20  # /proc/sys/fs/pipe-max-size: what a user without privilege may set
FIONREAD = 0x541B


class Pipe(ByteQueue):
    """The queue between the ends."""

    __slots__ = ("await_data", "capacity", "not_empty", "not_full", "readers", "writers", "writers_ever")

    def __init__(self) -> None:
        super().__init__()
        self.capacity = PIPE_SIZE
        self.readers = 0  # open file descriptions that can read
        self.writers = 0  # and that can write
        self.writers_ever = 0  # a FIFO's hang-up needs a writer that has been there
        self.not_empty = WaitQueue()
        self.not_full = WaitQueue()
        self.await_data = Wait((self.not_empty,))  # the same for every reader


class PipeEnd(Anonymous):
    """One open file description of a pipe; O_RDWR ends exist for FIFOs."""

    kind = b"pipe:[%d]"
    mode = fcntl.S_IFIFO | 0o600

    def __init__(self, task: Task, pipe: Pipe, flags: int) -> None:
        super().__init__(task.kernel, task.process.cred, flags)
        self.pipe = pipe
        access = flags & fcntl.O_ACCMODE
        self.reads = access != fcntl.O_WRONLY
        self.writes = access != fcntl.O_RDONLY
        pipe.readers += self.reads
        pipe.writers += self.writes
        pipe.writers_ever += self.writes
        self.writers_before = 0

    def read(self, task: Task, size: int) -> Buffer | Step[Buffer]:
        """Take up to `size` bytes; b"" once every writer has closed."""
        pipe = self.pipe
        if pipe.used and size:
            data = pipe.take(size)
            if pipe.not_full.waiters and pipe.capacity - pipe.used >= PIPE_BUF:
                pipe.not_full.wake()
            return data
        if not size or not pipe.writers:
            return b""
        if self.flags & fcntl.O_NONBLOCK:
            raise SysError(Errno.EAGAIN)
        return self._read_later(task, size)

    def _read_later(self, task: Task, size: int) -> Step[Buffer]:
        pipe = self.pipe
        while pipe.writers and not pipe.used:
            yield pipe.await_data
        return cast(Buffer, self.read(task, size))  # data or end of file: it cannot wait again

    def write(self, task: Task, data: Buffer) -> int | Step[int]:
        """Append `data`; all of it unless O_NONBLOCK or a signal cuts it short."""
        pipe = self.pipe
        size = len(data)
        if pipe.readers and 0 < size <= pipe.capacity - pipe.used:
            pipe.put(data if type(data) is bytes else bytes(data))
            if pipe.not_empty.waiters:
                pipe.not_empty.wake()
            return size
        if not size:
            return 0
        if self.flags & fcntl.O_NONBLOCK:
            return self._write_some(task, data)
        return self._write_later(task, bytes(data))

    def _write_some(self, task: Task, data: Buffer) -> int:
        """What O_NONBLOCK can do now."""
        pipe = self.pipe
        if not pipe.readers:
            raise broken(task)
        room = pipe.capacity - pipe.used
        if len(data) <= PIPE_BUF or room < PIPE_BUF:
            raise SysError(Errno.EAGAIN)
        return self._put(data[:room])

    def _write_later(self, task: Task, data: bytes) -> Step[int]:
        pipe = self.pipe
        done, size = 0, len(data)
        while done < size:
            if not pipe.readers:
                error = broken(task)
                if done:
                    break
                raise error
            room = pipe.capacity - pipe.used
            if room >= min(size - done, PIPE_BUF):
                done += self._put(data[done : done + room])
                continue
            try:
                yield Wait((pipe.not_full,))
            except Interrupted:
                if done:
                    break
                raise
        return done

    def _put(self, data: Buffer) -> int:
        self.pipe.put(bytes(data))
        self.pipe.not_empty.wake()
        return len(data)

    def poll(self) -> int:
        """As pipe_poll() of Linux."""
        pipe, bits = self.pipe, 0
        if self.reads:
            if pipe.used:
                bits = poll.READABLE
            if not pipe.writers and pipe.writers_ever != self.writers_before:
                bits |= poll.POLLHUP
        if self.writes:
            if pipe.capacity - pipe.used >= PIPE_BUF:
                bits |= poll.WRITABLE
            if not pipe.readers:
                bits |= poll.POLLERR
        return bits

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Readers await data, writers await room; the other side's last close wakes both."""
        pipe = self.pipe
        if self.reads:
            return (pipe.not_empty, pipe.not_full) if self.writes else (pipe.not_empty,)
        return (pipe.not_full,)

    def ioctl(self, task: Task, request: int, argument: int) -> int:
        """FIONREAD: bytes that could be read now."""
        if request != FIONREAD:
            raise SysError(Errno.ENOTTY)
        task.mem.put_u32(argument, self.pipe.used)
        return 0

    def pipe_size(self, size: int | None) -> int:
        """F_GETPIPE_SZ and F_SETPIPE_SZ: a power of two pages, as Linux rounds it."""
        pipe = self.pipe
        if size is not None:
            pages = max(1, -(-(size & 0xFFFFFFFF) // PAGE_SIZE))
            capacity = PAGE_SIZE << (pages - 1).bit_length()
            if capacity > 1 << 31:
                raise SysError(Errno.EINVAL)
            if capacity > PIPE_MAX and capacity > pipe.capacity:
                raise SysError(Errno.EPERM)
            if capacity < pipe.used:
                raise SysError(Errno.EBUSY)
            pipe.capacity = capacity
            pipe.not_full.wake()
        return pipe.capacity

    def close(self) -> None:
        """One end less; the last of a kind tells the other side."""
        pipe = self.pipe
        pipe.readers -= self.reads
        pipe.writers -= self.writes
        if not pipe.readers:
            pipe.not_full.wake()
        if not pipe.writers:
            pipe.not_empty.wake()


def make_pipe(task: Task, flags: int) -> tuple[PipeEnd, PipeEnd]:
    """A new pipe: its read end and its write end."""
    pipe = Pipe()
    reader = PipeEnd(task, pipe, fcntl.O_RDONLY | flags)
    writer = PipeEnd(task, pipe, fcntl.O_WRONLY | flags)
    writer.ino = reader.ino
    return reader, writer


def broken(task: Task) -> SysError:
    """Send SIGPIPE to the writer; returns the EPIPE to raise."""
    process = task.process
    info = Pending(Signo.SIGPIPE, SI_USER, process.pid, process.cred.uid)
    task.kernel.signals.send_task(task, info)
    return SysError(Errno.EPIPE)
