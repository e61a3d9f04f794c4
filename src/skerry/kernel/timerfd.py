# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Timer descriptors: expirations as something to read and to poll.

A periodic timer wakes its readers once; later expirations are counted when somebody looks, so
that a timer nobody reads costs nothing.

Standard: timerfd_create(2).
Units:    nanoseconds of the timer's clock; `expiry_ns` is None while disarmed.
Errors:   EINVAL for a buffer below 8 bytes; EAGAIN with O_NONBLOCK.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import fcntl, poll
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.anonymous import Anonymous
from skerry.kernel.clocks import REAL
from skerry.kernel.eventfd import COUNTER
from skerry.kernel.file import Buffer
from skerry.kernel.timers import Deadline
from skerry.kernel.wait import Step, Wait, WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.task import Task


class TimerFd(Anonymous):
    """One timer."""

    kind = b"anon_inode:[timerfd]"

    def __init__(self, task: Task, clock_id: int, flags: int) -> None:
        super().__init__(task.kernel, task.process.cred, fcntl.O_RDWR | flags)
        self.real = clock_id in REAL
        self.expiry_ns: int | None = None
        self.interval_ns = 0
        self.expired = WaitQueue()
        self._deadline: Deadline | None = None

    def now_ns(self) -> int:
        """What the timer's clock shows."""
        clock = self.kernel.clock
        return clock.realtime_ns() if self.real else clock.monotonic_ns()

    def arm(self, expiry_ns: int | None, interval_ns: int) -> None:
        """Set or, with None, disarm the timer; what has expired before is forgotten."""
        self.expiry_ns = expiry_ns
        self.interval_ns = interval_ns
        self._schedule()

    def left(self) -> tuple[int, int]:
        """The interval and the time to the next expiration; 0 when there will be none."""
        if self.expiry_ns is None:
            return self.interval_ns, 0
        late = self.now_ns() - self.expiry_ns
        if late < 0:
            return self.interval_ns, -late
        if self.interval_ns:
            return self.interval_ns, self.interval_ns - late % self.interval_ns
        return 0, 0

    def _schedule(self) -> None:
        timers = self.kernel.timers
        timers.cancel(self._deadline)
        self._deadline = None
        if self.expiry_ns is not None:
            at_ns = self.kernel.clock.monotonic_ns() + max(0, self.expiry_ns - self.now_ns())
            self._deadline = timers.add(at_ns, self._fire)

    def _fire(self) -> None:
        """The deadline has passed; the real-time clock may have been set back meanwhile."""
        if self._due():
            self.expired.wake()
        else:
            self._schedule()

    def _due(self) -> bool:
        return self.expiry_ns is not None and self.now_ns() >= self.expiry_ns

    def read(self, task: Task, size: int) -> Buffer | Step[Buffer]:
        """The number of expirations since the last read; waits for the first."""
        if size < COUNTER.size:
            raise SysError(Errno.EINVAL)
        if self._due():
            return self._take()
        if self.nonblocking:
            raise SysError(Errno.EAGAIN)
        return self._read_later()

    def _read_later(self) -> Step[Buffer]:
        while not self._due():
            yield Wait((self.expired,))
        return self._take()

    def _take(self) -> bytes:
        assert self.expiry_ns is not None
        if not self.interval_ns:
            self.expiry_ns = None
            return COUNTER.pack(1)
        count = 1 + (self.now_ns() - self.expiry_ns) // self.interval_ns
        self.expiry_ns += count * self.interval_ns
        self._schedule()
        return COUNTER.pack(count)

    def poll(self) -> int:
        """Readable once expired."""
        return poll.POLLIN if self._due() else 0

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Woken by expiration."""
        return (self.expired,)

    def close(self) -> None:
        """Nothing will expire."""
        self.kernel.timers.cancel(self._deadline)
