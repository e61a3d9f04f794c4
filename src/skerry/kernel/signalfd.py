# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Signal descriptors: take blocked signals with read(2).

Standard: signalfd(2). A read takes what is pending for the thread that reads, or for its
          process. poll has no caller to ask, so the descriptor remembers who used it last.
Units:    one record is 128 bytes.
Errors:   EINVAL for a buffer below one record; EAGAIN with O_NONBLOCK.
"""
from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from skerry.abi import fcntl, poll
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.signal import SI_TIMER, UNBLOCKABLE, Signo, bit
from skerry.kernel.anonymous import Anonymous
from skerry.kernel.file import Buffer
from skerry.kernel.wait import Step, Wait, WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.signal import Pending
    from skerry.kernel.task import Task

RECORD = Struct("<IiiIIiIIIIiiQQQQ48x")
"""struct signalfd_siginfo up to ssi_addr; what follows is zero."""


class SignalFd(Anonymous):
    """The signals of `signals` as a file."""

    kind = b"anon_inode:[signalfd]"

    def __init__(self, task: Task, signals: int, flags: int) -> None:
        super().__init__(task.kernel, task.process.cred, fcntl.O_RDWR | flags)
        self.task = task
        self.signals = signals & ~UNBLOCKABLE
        self.changed = WaitQueue()  # the set; that a signal came is told by the process' queue

    def attend(self, task: Task) -> None:
        """From now on poll answers for `task`."""
        self.task = task

    def change(self, signals: int) -> None:
        """Replace the set."""
        self.signals = signals & ~UNBLOCKABLE
        self.changed.wake()

    def read(self, task: Task, size: int) -> Buffer | Step[Buffer]:
        """As many records as fit, at least one."""
        self.task = task
        count = size // RECORD.size
        if not count:
            raise SysError(Errno.EINVAL)
        found = self._take(task, count)
        if found:
            return found
        if self.nonblocking:
            raise SysError(Errno.EAGAIN)
        return self._read_later(task, count)

    def _read_later(self, task: Task, count: int) -> Step[Buffer]:
        while not (found := self._take(task, count)):
            yield Wait((task.process.signal_arrived, self.changed))
        return found

    def _take(self, task: Task, count: int) -> bytes:
        found = bytearray()
        while count and (info := task.kernel.signals.dequeue(task, self.signals)) is not None:
            found += record(info)
            count -= 1
        return bytes(found)

    def poll(self) -> int:
        """Readable while one of the signals is pending."""
        task = self.task
        for info in (*task.pending, *task.process.pending):
            if self.signals & bit(info.signo):
                return poll.POLLIN
        return 0

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """The arrival of any signal for the process, and a change of the set."""
        return (self.task.process.signal_arrived, self.changed)


def record(info: Pending) -> bytes:
    """Lay out struct signalfd_siginfo."""
    timer = info.timer if info.timer or info.code == SI_TIMER else 0
    fault = info.signo in (Signo.SIGSEGV, Signo.SIGBUS, Signo.SIGILL, Signo.SIGFPE) and info.code > 0
    value = 0 if fault else info.value & 0xFFFFFFFF
    signed = value - (1 << 32) if value >> 31 else value
    return RECORD.pack(
        info.signo, 0, info.code, info.pid, info.uid, 0, timer, 0, info.overrun, 0,
        info.status, signed, value, info.utime, info.stime, info.value if fault else 0,
    )  # fmt: skip
