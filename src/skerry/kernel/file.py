# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Open file descriptions: what a descriptor refers to.

`File` is the base of every kind (regular file, pipe end, socket, tty, epoll, ...). It answers
each operation with the errno Linux gives for a file that has no such operation; a kind
overrides what it can do. Descriptors, and dup'ed or inherited ones, share one File.

Standard: POSIX.1-2024 "open file description"; errnos as Linux.
Units:    offsets and sizes are bytes.
Blocking: read and write return a result, or a Step that yields Wait. A kind honours
          `O_NONBLOCK` in `self.flags` by raising EAGAIN instead.
Invariant: `refs` counts descriptors in all tables plus kernel users; `close` runs at zero.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import fcntl, poll
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.wait import Step, WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.stat import Stat
    from skerry.kernel.task import Task
    from skerry.kernel.vfs import Inode

Buffer = bytes | bytearray | memoryview


class File:
    """One open file description."""

    # No __slots__: kinds add their own state, and a class needs no layout discipline here.

    inode: Inode | None = None  # of a file that was opened by a path
    place: tuple[Inode, bytes] | None = None  # the directory and name it was opened by

    def __init__(self, flags: int) -> None:
        self.flags = flags
        self.offset = 0
        self.refs = 0

    @property
    def nonblocking(self) -> bool:
        """Whether a call that would wait must fail with EAGAIN."""
        return bool(self.flags & fcntl.O_NONBLOCK)

    def readable(self) -> None:
        """Raise EBADF unless opened for reading."""
        if self.flags & fcntl.O_ACCMODE == fcntl.O_WRONLY or self.flags & fcntl.O_PATH:
            raise SysError(Errno.EBADF)

    def writable(self) -> None:
        """Raise EBADF unless opened for writing."""
        if self.flags & fcntl.O_ACCMODE == fcntl.O_RDONLY or self.flags & fcntl.O_PATH:
            raise SysError(Errno.EBADF)

    def read(self, task: Task, size: int) -> Buffer | Step[Buffer]:
        """Take up to `size` bytes at the offset; b"" is end of file."""
        raise SysError(Errno.EINVAL)

    def write(self, task: Task, data: Buffer) -> int | Step[int]:
        """Put `data` at the offset; return how much of it."""
        raise SysError(Errno.EINVAL)

    def pread(self, task: Task, size: int, offset: int) -> Buffer | Step[Buffer]:
        """Read at `offset` without moving."""
        raise SysError(Errno.ESPIPE)

    def pwrite(self, task: Task, data: Buffer, offset: int) -> int | Step[int]:
        """Write at `offset` without moving."""
        raise SysError(Errno.ESPIPE)

    def seek(self, task: Task, offset: int, whence: int) -> int | Step[int]:
        """Move the offset; return the new one."""
        raise SysError(Errno.ESPIPE)

    def stat(self) -> Stat | Step[Stat]:
        """What fstat(2) says."""
        raise SysError(Errno.EBADF)

    def ioctl(self, task: Task, request: int, argument: int) -> int | Step[int]:
        """Device control."""
        raise SysError(Errno.ENOTTY)

    def truncate(self, task: Task, size: int) -> int | Step[int]:
        """Set the size."""
        raise SysError(Errno.EINVAL)

    def sync(self, task: Task) -> int | Step[int]:
        """Make what was written durable."""
        raise SysError(Errno.EINVAL)

    def pipe_size(self, size: int | None) -> int:
        """F_GETPIPE_SZ, or F_SETPIPE_SZ when `size` is given."""
        raise SysError(Errno.EBADF)

    def poll(self) -> int:
        """The POLL* bits that hold now (abi/poll.py); regular files are always ready."""
        return poll.ALWAYS

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """The queues woken whenever `poll` may have changed."""
        return ()

    def set_flags(self, flags: int) -> None:
        """F_SETFL: `flags` holds only settable bits."""
        self.flags = self.flags & ~fcntl.O_SETTABLE | flags

    def close(self) -> None:
        """The last reference is gone."""

    def acquire(self) -> File:
        """Take one more reference."""
        self.refs += 1
        return self

    def release(self) -> None:
        """Give one reference back; the last one closes."""
        self.refs -= 1
        if self.refs == 0:
            self.close()
