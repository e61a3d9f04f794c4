# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""An open file of a live host folder.

Small reads are answered from what came with the opening or was read ahead; a write by
anyone in the box makes that void. At the end of what is known the host is asked again,
as often as hostfs.py says, so a file that grows there is seen to grow.

Units:    offsets and sizes are bytes.
Blocking: everything that must ask is a Step. A write is at the host when it returns.
"""
from __future__ import annotations

from types import GeneratorType
from typing import TYPE_CHECKING, cast

from skerry.abi import fcntl, hostfs
from skerry.abi.errors import SysError
from skerry.abi.hostfs import BLOCK_MAX, How
from skerry.kernel.file import Buffer, File
from skerry.kernel.fs.hostask import ask, read_range
from skerry.kernel.fs.hostfs import HostInode
from skerry.kernel.notify import IN_MODIFY, notify
from skerry.kernel.process import INFINITY
from skerry.kernel.regular import RLIMIT_FSIZE, SIZE_LIMIT, RegularFile, check_size, within_limit
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.stat import Stat
    from skerry.kernel.task import Task

AHEAD = 131072
HOW = (How.READ, How.WRITE, How.READ | How.WRITE, How.READ | How.WRITE)


def open_file(inode: HostInode, flags: int) -> Step[File]:
    """Open it there."""
    spare, inode.spare = inode.spare, 0
    if spare:
        return HostFile(inode, flags, spare)
    how = HOW[flags & fcntl.O_ACCMODE]
    if flags & fcntl.O_TRUNC:
        how |= How.TRUNCATE
    size = BLOCK_MAX if how & How.READ and not how & How.TRUNCATE else 0
    opened = yield from ask(inode.fs, hostfs.Open(inode.fs.tree, inode.path, how, 0, size), hostfs.Opened)
    inode.update(opened.stat)
    if how & How.TRUNCATE:
        inode.changed()
        inode.size = 0
    elif size:
        inode.head = opened.data
    return HostFile(inode, flags, opened.handle)


class HostFile(RegularFile):
    """A regular file of the host."""

    inode: HostInode

    def __init__(self, inode: HostInode, flags: int, handle: int) -> None:
        super().__init__(inode, flags)
        self.handle = handle  # 0: all there is came with the opening
        self._ahead = b""
        self._ahead_at = 0
        self._version = inode.version
        if handle:
            inode.handles.append(handle)
        else:
            self._ahead = inode.head

    # --- reading

    def read(self, task: Task, size: int) -> Buffer | Step[Buffer]:
        """See File."""
        data = self.pread(task, size, self.offset)
        if data.__class__ is GeneratorType:
            return self._read_later(cast("Step[Buffer]", data))
        self.offset += len(cast(Buffer, data))
        return data

    def pread(self, task: Task, size: int, offset: int) -> Buffer | Step[Buffer]:
        """See File."""
        inode = self.inode
        if self.handle and self._version != inode.version:
            self._version, self._ahead = inode.version, b""
        for at, known in ((self._ahead_at, self._ahead), (0, inode.head)):
            end = at + len(known)
            if at <= offset < end and (offset + size <= end or end >= inode.size or not self.handle):
                return memoryview(known)[offset - at : offset - at + size]
        if not size or not self.handle or (offset >= inode.size and inode.fresh):
            return b""
        return self._fetch(size, offset)

    def _fetch(self, size: int, offset: int) -> Step[Buffer]:
        version = self.inode.version
        data = yield from read_range(self.inode.fs, self.handle, offset, max(size, AHEAD))
        if version == self.inode.version:
            self._ahead, self._ahead_at = data, offset
        return memoryview(data)[:size]

    # --- writing

    def _put(self, task: Task, data: Buffer, offset: int) -> int | Step[int]:
        limit = task.process.limits[RLIMIT_FSIZE][0]
        if limit != INFINITY or offset > SIZE_LIMIT - len(data):
            data = within_limit(task, data, offset, min(limit, SIZE_LIMIT))
        return self._write_out(bytes(data), offset) if data else 0

    def _write_out(self, data: bytes, offset: int) -> Step[int]:
        inode, done = self.inode, 0
        append = self.flags & fcntl.O_APPEND
        if append:  # the host knows the end best
            yield from inode.refresh()
            offset = inode.size
        while done < len(data):
            request = hostfs.Write(self.handle, offset + done, data[done : done + BLOCK_MAX])
            try:
                count = (yield from ask(inode.fs, request, hostfs.Count)).count
            except SysError:
                if not done:
                    raise
                break
            done += count
            if count <= 0:
                break
        inode.changed()
        inode.size = max(inode.size, offset + done)
        inode.mtime_ns = inode.ctime_ns = inode.fs.now()
        if inode.fs.watched:
            notify(inode, self.place, IN_MODIFY)
        return done

    # --- the rest

    def seek(self, task: Task, offset: int, whence: int) -> int | Step[int]:
        """See File."""
        if whence in (fcntl.SEEK_SET, fcntl.SEEK_CUR) or self.inode.fresh:
            return super().seek(task, offset, whence)
        return self._seek_later(task, offset, whence)

    def _seek_later(self, task: Task, offset: int, whence: int) -> Step[int]:
        yield from self.inode.refresh()
        result = super().seek(task, offset, whence)
        assert isinstance(result, int)
        return result

    def stat(self) -> Stat | Step[Stat]:
        """See File."""
        return self.inode.stat() if self.inode.fresh or not self.inode.handles else self._stat_later()

    def _stat_later(self) -> Step[Stat]:
        yield from self.inode.refresh()
        return self.inode.stat()

    def truncate(self, task: Task, size: int) -> int | Step[int]:
        """See File."""
        check_size(task, size)
        return self._truncate_later(size)

    def _truncate_later(self, size: int) -> Step[int]:
        inode = self.inode
        inode.changed()
        request = hostfs.Setattr(inode.fs.tree, (), self.handle, None, size, None, None)
        inode.update((yield from ask(inode.fs, request, hostfs.Found)).stat)
        return 0

    def sync(self, task: Task) -> int | Step[int]:
        """See File."""
        return self._sync_later() if self.handle else 0

    def _sync_later(self) -> Step[int]:
        yield from ask(self.inode.fs, hostfs.Fsync(self.handle), hostfs.Done)
        return 0

    def close(self) -> None:
        """See File."""
        if self.handle:
            self.inode.handles.remove(self.handle)
            self.inode.fs.close_handle(self.handle)
        super().close()
