# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""FIFOs: pipes that have a name. The pipe lives on the inode while anyone has it open.

Standard: POSIX.1-2024 open() on a FIFO, fifo(7); O_RDWR never waits, as Linux.
Blocking: opening one side waits until the other side has been opened, even if that is
          closed again by the time the waiter runs.
Errors:   ENXIO for O_WRONLY | O_NONBLOCK without a reader.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.pipe import Pipe, PipeEnd
from skerry.kernel.stat import Stat
from skerry.kernel.wait import Step, Wait, WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.task import Task
    from skerry.kernel.vfs import Inode


class Fifo(Pipe):
    """The pipe behind an S_IFIFO inode, and who waits to open it."""

    __slots__ = ("opened", "readers_ever")

    def __init__(self) -> None:
        super().__init__()
        self.readers_ever = 0
        self.opened = WaitQueue()


class FifoEnd(PipeEnd):
    """One open file description of a FIFO."""

    inode: Inode

    def __init__(self, task: Task, fifo: Fifo, inode: Inode, flags: int) -> None:
        super().__init__(task, fifo, flags)
        self.inode = inode
        fifo.readers_ever += self.reads
        fifo.opened.wake()

    def stat(self) -> Stat | Step[Stat]:
        """What the inode says."""
        return self.inode.stat()

    def close(self) -> None:
        """The last end forgets what nobody has read."""
        super().close()
        if not self.pipe.readers and not self.pipe.writers:
            self.inode.fifo = None


def open_fifo(task: Task, inode: Inode, flags: int) -> FifoEnd | Step[FifoEnd]:
    """Open a FIFO; a Step when the other side is not there yet."""
    fifo = inode.fifo
    access = flags & fcntl.O_ACCMODE
    if fifo is None:
        fifo = inode.fifo = Fifo()
    if access == fcntl.O_WRONLY and flags & fcntl.O_NONBLOCK and not fifo.readers:
        raise SysError(Errno.ENXIO)
    end = FifoEnd(task, fifo, inode, flags)
    if access == fcntl.O_RDONLY and not fifo.writers:
        if not flags & fcntl.O_NONBLOCK:
            return _await_writer(end, fifo)
        end.writers_before = fifo.writers_ever  # no hang-up before the first writer
    if access == fcntl.O_WRONLY and not fifo.readers:
        return _await_reader(end, fifo)
    return end


def _await_writer(end: FifoEnd, fifo: Fifo) -> Step[FifoEnd]:
    before = fifo.writers_ever
    while fifo.writers_ever == before:
        yield from _wait(end, fifo)
    return end


def _await_reader(end: FifoEnd, fifo: Fifo) -> Step[FifoEnd]:
    before = fifo.readers_ever
    while fifo.readers_ever == before:
        yield from _wait(end, fifo)
    return end


def _wait(end: FifoEnd, fifo: Fifo) -> Step[None]:
    """Wait for an open; an interrupted or killed one takes its end back."""
    try:
        yield Wait((fifo.opened,))
    except BaseException:  # Interrupted, or GeneratorExit of a dead task
        end.close()
        raise
