# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Event descriptors: a counter that can be waited for.

Standard: eventfd(2); poll bits as Linux fs/eventfd.c.
Units:    the counter is an unsigned 64-bit number of at most 2**64 - 2.
Errors:   EINVAL for a buffer below 8 bytes or for adding 2**64 - 1; EAGAIN with O_NONBLOCK.
"""
from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from skerry.abi import fcntl, poll
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.anonymous import Anonymous
from skerry.kernel.file import Buffer
from skerry.kernel.wait import Step, Wait, WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.task import Task

COUNTER = Struct("<Q")
COUNTER_MAX = 0xFFFFFFFFFFFFFFFE


class EventFd(Anonymous):
    """One counter; in semaphore mode a read takes 1, else it takes all."""

    kind = b"anon_inode:[eventfd]"

    def __init__(self, task: Task, count: int, semaphore: bool, flags: int) -> None:
        super().__init__(task.kernel, task.process.cred, fcntl.O_RDWR | flags)
        self.count = count
        self.semaphore = semaphore
        self.not_zero = WaitQueue()
        self.not_full = WaitQueue()

    def read(self, task: Task, size: int) -> Buffer | Step[Buffer]:
        """Take from the counter; waits while it is zero."""
        if size < COUNTER.size:
            raise SysError(Errno.EINVAL)
        if self.count:
            return self._take()
        if self.nonblocking:
            raise SysError(Errno.EAGAIN)
        return self._read_later()

    def _read_later(self) -> Step[Buffer]:
        while not self.count:
            yield Wait((self.not_zero,))
        return self._take()

    def _take(self) -> bytes:
        taken = 1 if self.semaphore else self.count
        self.count -= taken
        self.not_full.wake()
        return COUNTER.pack(taken)

    def write(self, task: Task, data: Buffer) -> int | Step[int]:
        """Add to the counter; waits while the sum would be too large."""
        if len(data) < COUNTER.size:
            raise SysError(Errno.EINVAL)
        value: int = COUNTER.unpack_from(data)[0]
        if value > COUNTER_MAX:
            raise SysError(Errno.EINVAL)
        if value <= COUNTER_MAX - self.count:
            return self._add(value)
        if self.nonblocking:
            raise SysError(Errno.EAGAIN)
        return self._write_later(value)

    def _write_later(self, value: int) -> Step[int]:
        while value > COUNTER_MAX - self.count:
            yield Wait((self.not_full,))
        return self._add(value)

    def _add(self, value: int) -> int:
        self.count += value
        self.not_zero.wake()
        return COUNTER.size

    def poll(self) -> int:
        """Readable above zero, writable while 1 can be added."""
        bits = poll.POLLIN if self.count else 0
        return bits | poll.POLLOUT if self.count < COUNTER_MAX else bits

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Both directions."""
        return (self.not_zero, self.not_full)
