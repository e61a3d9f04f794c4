# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Copying from one open file to another in the kernel; vectored reads and writes with flags.

Standard: sendfile(2), copy_file_range(2), preadv2(2).
Units:    `CHUNK` bytes are moved at a time.
Blocking: as the two files; what was copied before a signal or an error is the result.
"""
from __future__ import annotations

from types import GeneratorType
from typing import cast

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import S_IFCHR, S_IFDIR, S_IFMT, S_IFREG
from skerry.kernel.file import Buffer, File
from skerry.kernel.regular import SIZE_LIMIT
from skerry.kernel.sys.fd import join, preadv, pwritev, readv, writev
from skerry.kernel.sys.table import absent, syscall
from skerry.kernel.task import Task
from skerry.kernel.wait import Interrupted, Step

CHUNK = 65536
CALL_MAX = 16 << 20  # nobody else runs meanwhile; both calls may do less than they were asked


class Cursor:
    """A position: the file's own offset, or one in guest memory."""

    def __init__(self, task: Task, file: File, address: int) -> None:
        self.task, self.file, self.address = task, file, address
        self.offset = task.mem.i64(address) if address else file.offset
        if self.offset < 0:
            raise SysError(Errno.EINVAL)

    def advance(self, count: int) -> None:
        """Note that `count` bytes are done."""
        self.offset += count
        if self.address:
            self.task.mem.put_u64(self.address, self.offset)
        else:
            self.file.offset = self.offset


@syscall(restart=True)
def sendfile64(task: Task, out: int, source: int, offset: int, count: int) -> Step[int]:
    """Implements sendfile(2)."""
    fds = task.process.fds
    reader, writer = fds.get(source), fds.get(out)
    reader.readable()
    writer.writable()
    kind = reader.inode.mode & S_IFMT if reader.inode is not None else 0
    if kind not in (S_IFREG, S_IFCHR) or writer.flags & fcntl.O_APPEND:
        raise SysError(Errno.EINVAL)
    cursor = Cursor(task, reader, offset)
    return _copy(task, cursor, writer, None, min(count & 0xFFFFFFFF, CALL_MAX))


@syscall(restart=True)
def copy_file_range(
    task: Task, source: int, in_offset: int, out: int, out_offset: int, count: int, flags: int
) -> int | Step[int]:
    """Implements copy_file_range(2)."""
    fds = task.process.fds
    reader, writer = fds.get(source), fds.get(out)
    reader.readable()
    writer.writable()
    if writer.flags & fcntl.O_APPEND:
        raise SysError(Errno.EBADF)
    kinds = [file.inode.mode & S_IFMT if file.inode is not None else 0 for file in (reader, writer)]
    if S_IFDIR in kinds:
        raise SysError(Errno.EISDIR)
    if kinds != [S_IFREG, S_IFREG] or flags:
        raise SysError(Errno.EINVAL)
    size = min(count & 0xFFFFFFFF, CALL_MAX)
    start, end = Cursor(task, reader, in_offset), Cursor(task, writer, out_offset)
    if max(start.offset, end.offset) > SIZE_LIMIT - size:
        raise SysError(Errno.EOVERFLOW)
    if reader.inode is writer.inode and abs(start.offset - end.offset) < size:
        raise SysError(Errno.EINVAL)
    return _copy(task, start, writer, end, size)


def _copy(task: Task, source: Cursor, writer: File, end: Cursor | None, size: int) -> Step[int]:
    """Move up to `size` bytes; stop at the end of the source."""
    done = 0
    try:
        while done < size:
            data = source.file.pread(task, min(CHUNK, size - done), source.offset)
            if isinstance(data, GeneratorType):
                data = yield from data
            block = bytes(cast(Buffer, data))  # not a view: the target may be the same file, or a pipe
            del data
            if not block:
                break
            put = writer.write(task, block) if end is None else writer.pwrite(task, block, end.offset)
            if isinstance(put, GeneratorType):
                put = yield from put
            count = cast(int, put)
            done += count
            source.advance(count)
            if end is not None:
                end.advance(count)
            if count < len(block):
                break
    except (SysError, Interrupted):
        if not done:
            raise
    return done


# --- readv and writev with flags

RWF_KNOWN = 0xF  # HIPRI, DSYNC, SYNC, NOWAIT: the first three are what happens anyway


@syscall(restart=True, missing="RWF_NOWAIT has no effect")
def preadv2(task: Task, fd: int, iov: int, count: int, low: int, high: int, flags: int) -> int | Step[int]:
    """Implements preadv2(2); offset -1 is the file's own."""
    if flags & ~RWF_KNOWN:
        raise SysError(Errno.EOPNOTSUPP)
    if join(low, high) == -1:
        return cast("int | Step[int]", readv(task, fd, iov, count))
    return cast("int | Step[int]", preadv(task, fd, iov, count, low, high))


@syscall(restart=True, missing="RWF_APPEND: EOPNOTSUPP; RWF_NOWAIT has no effect")
def pwritev2(task: Task, fd: int, iov: int, count: int, low: int, high: int, flags: int) -> int | Step[int]:
    """Implements pwritev2(2); offset -1 is the file's own."""
    if flags & ~RWF_KNOWN:
        raise SysError(Errno.EOPNOTSUPP)
    if join(low, high) == -1:
        return cast("int | Step[int]", writev(task, fd, iov, count))
    return cast("int | Step[int]", pwritev(task, fd, iov, count, low, high))


# EINVAL is what Linux says for files that cannot be spliced, so programs are prepared for it; grep is not for ENOSYS.
absent(Errno.EINVAL, "programs fall back to read and write", "splice", "tee", "vmsplice")
