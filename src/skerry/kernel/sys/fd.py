# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Descriptors: read, write, close, dup, fcntl flags, pipes' copying relatives.

Standard: POSIX.1-2024 read(), write(), dup(), fcntl(). Record locks are in kernel/locks.py.
Blocking: a call whose file answers at once is a plain function; only one that must wait
          becomes a generator, so the common case costs no more than two dictionary look-ups.
"""
from __future__ import annotations

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.file import Buffer, File
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task
from skerry.kernel.wait import Step

SIZE_MAX = 0x7FFFF000  # fs/read_write.c, MAX_RW_COUNT


@syscall(restart=True)
def read(task: Task, fd: int, buf: int, count: int) -> int | Step[int]:
    """Implements read(2)."""
    file = task.process.fds.get(fd)
    file.readable()
    data = file.read(task, task.mem.room(buf, min(count & 0xFFFFFFFF, SIZE_MAX)))
    if isinstance(data, bytes | memoryview | bytearray):
        task.mem.write(buf, data)
        return len(data)
    return _read_later(task, buf, data)


def _read_later(task: Task, buf: int, step: Step[Buffer]) -> Step[int]:
    data = yield from step
    task.mem.write(buf, data)
    return len(data)


@syscall(restart=True)
def write(task: Task, fd: int, buf: int, count: int) -> int | Step[int]:
    """Implements write(2)."""
    file = task.process.fds.get(fd)
    file.writable()
    return file.write(task, task.mem.read(buf, min(count & 0xFFFFFFFF, SIZE_MAX)))


@syscall(restart=True)
def readv(task: Task, fd: int, iov: int, count: int) -> int | Step[int]:
    """Implements readv(2)."""
    file = task.process.fds.get(fd)
    file.readable()
    parts = task.mem.iovecs(iov, count)
    data = file.read(task, task.mem.room(0, sum(size for _, size in parts)))
    if isinstance(data, bytes | memoryview | bytearray):
        return _scatter(task, parts, data)
    return _readv_later(task, parts, data)


def _readv_later(task: Task, parts: list[tuple[int, int]], step: Step[Buffer]) -> Step[int]:
    return _scatter(task, parts, (yield from step))


def _scatter(task: Task, parts: list[tuple[int, int]], data: Buffer) -> int:
    done = 0
    for address, size in parts:
        if done >= len(data):
            break
        task.mem.write(address, data[done : done + size])
        done += size
    return len(data)


@syscall(restart=True)
def writev(task: Task, fd: int, iov: int, count: int) -> int | Step[int]:
    """Implements writev(2)."""
    file = task.process.fds.get(fd)
    file.writable()
    return file.write(task, _gather(task, iov, count))


def _gather(task: Task, iov: int, count: int) -> bytes:
    parts = task.mem.iovecs(iov, count)
    return b"".join([task.mem.read(address, size) for address, size in parts])


def join(low: int, high: int) -> int:
    """A signed 64-bit argument out of its two words."""
    return (high << 32) | (low & 0xFFFFFFFF)


@syscall()
def pread64(task: Task, fd: int, buf: int, count: int, low: int, high: int) -> int | Step[int]:
    """Implements pread(2)."""
    file = task.process.fds.get(fd)
    file.readable()
    offset = _offset(low, high)
    data = file.pread(task, task.mem.room(buf, min(count & 0xFFFFFFFF, SIZE_MAX)), offset)
    if isinstance(data, bytes | memoryview | bytearray):
        task.mem.write(buf, data)
        return len(data)
    return _read_later(task, buf, data)


@syscall()
def pwrite64(task: Task, fd: int, buf: int, count: int, low: int, high: int) -> int | Step[int]:
    """Implements pwrite(2)."""
    file = task.process.fds.get(fd)
    file.writable()
    offset = _offset(low, high)
    return file.pwrite(task, task.mem.read(buf, min(count & 0xFFFFFFFF, SIZE_MAX)), offset)


def _offset(low: int, high: int) -> int:
    offset = join(low, high)
    if offset < 0:
        raise SysError(Errno.EINVAL)
    return offset


@syscall()
def preadv(task: Task, fd: int, iov: int, count: int, low: int, high: int) -> int | Step[int]:
    """Implements preadv(2)."""
    file = task.process.fds.get(fd)
    file.readable()
    parts = task.mem.iovecs(iov, count)
    data = file.pread(task, task.mem.room(0, sum(size for _, size in parts)), _offset(low, high))
    if isinstance(data, bytes | memoryview | bytearray):
        return _scatter(task, parts, data)
    return _readv_later(task, parts, data)


@syscall()
def pwritev(task: Task, fd: int, iov: int, count: int, low: int, high: int) -> int | Step[int]:
    """Implements pwritev(2)."""
    file = task.process.fds.get(fd)
    file.writable()
    return file.pwrite(task, _gather(task, iov, count), _offset(low, high))


@syscall()
def close(task: Task, fd: int) -> int:
    """Implements close(2)."""
    file = task.process.fds.close(fd)
    task.kernel.locks.closed(task.process, file)
    return 0


@syscall()
def close_range(task: Task, first: int, last: int, flags: int) -> int:
    """Implements close_range(2)."""
    low, high = first & 0xFFFFFFFF, last & 0xFFFFFFFF
    if low > high or flags & ~4:
        raise SysError(Errno.EINVAL)
    fds = task.process.fds
    for fd in [fd for fd in sorted(fds.files) if low <= fd <= high]:
        if flags & 4:  # CLOSE_RANGE_CLOEXEC
            fds.cloexec.add(fd)
        else:
            close(task, fd)
    return 0


@syscall()
def dup(task: Task, fd: int) -> int:
    """Implements dup(2)."""
    fds = task.process.fds
    return fds.add(fds.get(fd))


@syscall()
def dup3(task: Task, old: int, new: int, flags: int) -> int:
    """Implements dup3(2)."""
    if old == new or flags & ~fcntl.O_CLOEXEC:
        raise SysError(Errno.EINVAL)
    fds = task.process.fds
    file = fds.get(old)
    if new in fds.files:
        close(task, new)
    fds.put(new, file, bool(flags & fcntl.O_CLOEXEC))
    return new


@syscall("fcntl64", restart=True)
def fcntl64(task: Task, fd: int, command: int, argument: int) -> int | Step[int]:
    """Implements fcntl(2)."""
    fds = task.process.fds
    file = fds.get(fd)
    if command in (fcntl.F_DUPFD, fcntl.F_DUPFD_CLOEXEC):
        if not 0 <= argument < fds.limit:
            raise SysError(Errno.EINVAL)
        return fds.add(file, command == fcntl.F_DUPFD_CLOEXEC, argument)
    if command == fcntl.F_GETFD:
        return int(fd in fds.cloexec)
    if command == fcntl.F_SETFD:
        if argument & fcntl.FD_CLOEXEC:
            fds.cloexec.add(fd)
        else:
            fds.cloexec.discard(fd)
        return 0
    if command == fcntl.F_GETFL:
        return file.flags & ~(fcntl.O_CREAT | fcntl.O_EXCL | fcntl.O_NOCTTY | fcntl.O_TRUNC | fcntl.O_CLOEXEC)
    if command == fcntl.F_SETFL:
        file.set_flags(argument & fcntl.O_SETTABLE)
        return 0
    return _fcntl_object(task, file, command, argument)


def _fcntl_object(task: Task, file: File, command: int, argument: int) -> int | Step[int]:
    """The commands that ask the object: locks and pipe sizes."""
    if command in task.kernel.locks.COMMANDS:
        return task.kernel.locks.fcntl(task, file, command, argument)
    if command in (fcntl.F_SETPIPE_SZ, fcntl.F_GETPIPE_SZ):
        return file.pipe_size(argument if command == fcntl.F_SETPIPE_SZ else None)
    if command in (fcntl.F_SETOWN, fcntl.F_SETSIG):
        return 0
    if command in (fcntl.F_GETOWN, fcntl.F_GETSIG):
        return 0
    raise SysError(Errno.EINVAL)


@syscall(restart=True)
def ioctl(task: Task, fd: int, request: int, argument: int) -> int | Step[int]:
    """Implements ioctl(2): FIONBIO, FIOCLEX and FIONCLEX for all files, the rest by the file."""
    fds = task.process.fds
    file = fds.get(fd)
    if request == 0x5451:  # FIOCLEX
        fds.cloexec.add(fd)
        return 0
    if request == 0x5450:  # FIONCLEX
        fds.cloexec.discard(fd)
        return 0
    if request == 0x5421:  # FIONBIO
        on = fcntl.O_NONBLOCK if task.mem.i32(argument) else 0
        file.set_flags(file.flags & fcntl.O_SETTABLE & ~fcntl.O_NONBLOCK | on)
        return 0
    return file.ioctl(task, request & 0xFFFFFFFF, argument)

