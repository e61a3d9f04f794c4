# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Open regular files and directories.

Standard: POSIX.1-2024 read(), write(), lseek(), ftruncate(); getdents(2).
Units:    offsets and sizes are bytes; the offset of a directory counts its entries.
Blocking: only content that must be fetched from the host is a Step.
Invariant: a directory hands out the names it had when reading began, so a cookie keeps its
           meaning while entries come and go; rewinding looks again.
"""
from __future__ import annotations

from struct import Struct
from types import GeneratorType
from typing import TYPE_CHECKING, cast

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.signal import Signo
from skerry.kernel.file import Buffer, File
from skerry.kernel.notify import IN_ACCESS, IN_CLOSE_NOWRITE, IN_CLOSE_WRITE, IN_MODIFY, notify, notify_gone
from skerry.kernel.process import INFINITY
from skerry.kernel.signal import Pending
from skerry.kernel.vfs import Inode, drop_setuid
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.stat import Stat
    from skerry.kernel.task import Task

RLIMIT_FSIZE = 1
SET_ID = fcntl.S_ISUID | fcntl.S_ISGID
SIZE_LIMIT = 0x7FFFFFFFFFFFFFFF  # MAX_LFS_FILESIZE
DIRENT = Struct("<QqHB")  # linux_dirent64: ino, cookie of the next, record length, type; then the name


class InodeFile(File):
    """What all files opened by a path share."""

    inode: Inode

    def __init__(self, inode: Inode, flags: int) -> None:
        super().__init__(flags)
        self.inode = inode
        inode.opened += 1

    def stat(self) -> Stat | Step[Stat]:
        """See File."""
        return self.inode.stat()

    def sync(self, task: Task) -> int | Step[int]:
        """See File; memory needs none."""
        return 0

    def close(self) -> None:
        """See File."""
        inode = self.inode
        kernel = inode.fs.kernel
        if kernel is not None:
            kernel.locks.released(self)
        inode.opened -= 1
        if inode.opened == 0:
            inode.forget()
        if inode.fs.watched:
            wrote = self.flags & fcntl.O_ACCMODE != fcntl.O_RDONLY
            notify(inode, self.place, IN_CLOSE_WRITE if wrote else IN_CLOSE_NOWRITE)
            if inode.nlink == 0 and inode.opened == 0:
                notify_gone(inode)


class RegularFile(InodeFile):
    """A regular file."""

    def read(self, task: Task, size: int) -> Buffer | Step[Buffer]:
        """See File."""
        inode, offset = self.inode, self.offset
        data = inode.read_at(offset, size)
        if data.__class__ is GeneratorType:
            return self._read_later(cast("Step[Buffer]", data))
        self.offset = offset + len(cast(Buffer, data))
        if inode.atime_ns <= inode.mtime_ns or inode.fs.watched:
            self._accessed()
        return data

    def _read_later(self, step: Step[Buffer]) -> Step[Buffer]:
        data = yield from step
        self.offset += len(data)
        return data

    def _accessed(self) -> None:
        """relatime: the first reading after a change counts."""
        inode = self.inode
        if not self.flags & fcntl.O_NOATIME and not inode.fs.read_only and inode.atime_ns <= inode.mtime_ns:
            inode.atime_ns = inode.fs.now()
        if inode.fs.watched:
            notify(inode, self.place, IN_ACCESS)

    def write(self, task: Task, data: Buffer) -> int | Step[int]:
        """See File."""
        if not data:
            return 0
        offset = self.inode.size if self.flags & fcntl.O_APPEND else self.offset
        done = self._put(task, data, offset)
        if done.__class__ is GeneratorType:
            return self._write_later(cast("Step[int]", done))
        self.offset = offset + cast(int, done)
        return done

    def _write_later(self, step: Step[int]) -> Step[int]:
        done = yield from step
        if self.flags & fcntl.O_APPEND:
            self.offset = self.inode.size
        else:
            self.offset += done
        return done

    def _put(self, task: Task, data: Buffer, offset: int) -> int | Step[int]:
        limit = task.process.limits[RLIMIT_FSIZE][0]
        if limit != INFINITY or offset > SIZE_LIMIT - len(data):
            data = within_limit(task, data, offset, min(limit, SIZE_LIMIT))
        inode = self.inode
        if inode.mode & SET_ID:
            drop_setuid(inode, task.process.cred)
        done = inode.write_at(offset, data)
        if inode.fs.watched:
            notify(inode, self.place, IN_MODIFY)
        return done

    def pread(self, task: Task, size: int, offset: int) -> Buffer | Step[Buffer]:
        """See File."""
        inode = self.inode
        data = inode.read_at(offset, size)
        if (inode.atime_ns <= inode.mtime_ns or inode.fs.watched) and data.__class__ is not GeneratorType:
            self._accessed()
        return data

    def pwrite(self, task: Task, data: Buffer, offset: int) -> int | Step[int]:
        """See File; with O_APPEND Linux appends here too (pwrite(2), "Bugs")."""
        if self.flags & fcntl.O_APPEND:
            offset = self.inode.size
        return self._put(task, data, offset) if data else 0

    def seek(self, task: Task, offset: int, whence: int) -> int | Step[int]:
        """See File."""
        if whence == fcntl.SEEK_CUR:
            offset += self.offset
        elif whence == fcntl.SEEK_END:
            offset += self.inode.size
        elif whence in (fcntl.SEEK_DATA, fcntl.SEEK_HOLE):
            offset = self._seek_hole(offset, whence)
        elif whence != fcntl.SEEK_SET:
            raise SysError(Errno.EINVAL)
        if not 0 <= offset <= SIZE_LIMIT:
            raise SysError(Errno.EINVAL)
        self.offset = offset
        return offset

    def _seek_hole(self, offset: int, whence: int) -> int:
        inode = self.inode
        if not 0 <= offset < inode.size:
            raise SysError(Errno.ENXIO)
        if whence == fcntl.SEEK_HOLE:
            return inode.next_hole(offset)
        found = inode.next_data(offset)
        if found >= inode.size:
            raise SysError(Errno.ENXIO)
        return found

    def truncate(self, task: Task, size: int) -> int | Step[int]:
        """See File."""
        check_size(task, size)
        drop_setuid(self.inode, task.process.cred)
        step = self.inode.truncate(size)
        if self.inode.fs.watched:
            notify(self.inode, self.place, IN_MODIFY)
        return 0 if step is None else nothing(step)


class DirectoryFile(InodeFile):
    """A directory."""

    _listing: list[tuple[bytes, int, int]] | None = None

    def read(self, task: Task, size: int) -> Buffer:
        """See File."""
        raise SysError(Errno.EISDIR)

    def pread(self, task: Task, size: int, offset: int) -> Buffer:
        """See File."""
        raise SysError(Errno.EISDIR)

    def seek(self, task: Task, offset: int, whence: int) -> int:
        """See File."""
        if whence == fcntl.SEEK_CUR:
            offset += self.offset
        elif whence != fcntl.SEEK_SET:
            raise SysError(Errno.EINVAL)
        if offset < 0:
            raise SysError(Errno.EINVAL)
        if offset == 0:
            self._listing = None
        self.offset = offset
        return offset

    def getdents(self, size: int) -> bytes:
        """The next entries, as getdents64(2) lays them out. May raise Cold.

        Raises: SysError(EINVAL) when not even one fits, SysError(ENOENT) for a removed directory.
        """
        if self.inode.nlink == 0:
            raise SysError(Errno.ENOENT)
        listing = self._listing
        if listing is None:
            listing = self._listing = self._look()
        parts: list[bytes] = []
        while self.offset < len(listing):
            name, ino, mode = listing[self.offset]
            length = (DIRENT.size + len(name) + 8) & ~7  # the NUL and the padding
            if length > size:
                if not parts:
                    raise SysError(Errno.EINVAL)
                break
            size -= length
            self.offset += 1
            parts.append(DIRENT.pack(ino, self.offset, length, mode >> 12 & 15) + name)
            parts.append(bytes(length - DIRENT.size - len(name)))
        return b"".join(parts)

    def _look(self) -> list[tuple[bytes, int, int]]:
        inode = self.inode
        above = inode.parent or inode.fs.covered or inode
        dots = [(b".", inode.ino, inode.mode), (b"..", above.ino, above.mode)]
        found = [*dots, *inode.entries()]
        if inode.atime_ns <= inode.mtime_ns and not inode.fs.read_only:
            inode.atime_ns = inode.fs.now()
        return found


class PathFile(InodeFile):
    """O_PATH: a place in the tree and nothing else."""

    def seek(self, task: Task, offset: int, whence: int) -> int:
        """See File."""
        raise SysError(Errno.EBADF)

    def ioctl(self, task: Task, request: int, argument: int) -> int:
        """See File."""
        raise SysError(Errno.EBADF)

    def truncate(self, task: Task, size: int) -> int:
        """See File."""
        raise SysError(Errno.EBADF)

    def sync(self, task: Task) -> int:
        """See File."""
        raise SysError(Errno.EBADF)


def open_inode(inode: Inode, task: Task, flags: int) -> File | Step[File]:
    """The open file an ordinary inode gets."""
    kind = inode.mode & fcntl.S_IFMT
    if kind == fcntl.S_IFREG:
        if flags & fcntl.O_TRUNC:
            drop_setuid(inode, task.process.cred)
            inode.truncate(0)
        return RegularFile(inode, flags)
    if kind == fcntl.S_IFDIR:
        return DirectoryFile(inode, flags)
    if kind == fcntl.S_IFIFO:
        from skerry.kernel.fifo import open_fifo  # fifo.py imports files

        return open_fifo(task, inode, flags)
    raise SysError(Errno.ENXIO)


def within_limit(task: Task, data: Buffer, offset: int, limit: int) -> Buffer:
    """What of `data` RLIMIT_FSIZE lets be written. Raises: SysError(EFBIG), with SIGXFSZ."""
    room = limit - offset
    if room <= 0 and len(data):
        if limit != SIZE_LIMIT:
            task.kernel.signals.send_task(task, Pending(Signo.SIGXFSZ))
        raise SysError(Errno.EFBIG)
    return data[:room] if room < len(data) else data


def check_size(task: Task, size: int) -> None:
    """The same for truncate(2)."""
    if size < 0:
        raise SysError(Errno.EINVAL)
    if size > task.process.limits[RLIMIT_FSIZE][0]:
        task.kernel.signals.send_task(task, Pending(Signo.SIGXFSZ))
        raise SysError(Errno.EFBIG)


def nothing(step: Step[None]) -> Step[int]:
    """A change of the host's files as the result of a call: 0."""
    yield from step
    return 0
