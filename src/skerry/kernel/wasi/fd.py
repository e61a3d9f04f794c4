# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Descriptors: reading, writing, positions, closing.

Standard: wasi_snapshot_preview1, "fd_*". The work is that of the Linux calls.
Invariant: where the result goes is checked before anything happens, so that a bad pointer costs no data.
"""
from __future__ import annotations

from struct import Struct

from skerry.abi import fcntl
from skerry.abi import wasi as w
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.file import Buffer, File
from skerry.kernel.regular import DirectoryFile, PathFile
from skerry.kernel.sys import fd as linux
from skerry.kernel.sys import file as linux_file
from skerry.kernel.sys.fd import SIZE_MAX
from skerry.kernel.task import Task
from skerry.kernel.vfs import settled
from skerry.kernel.wait import Step
from skerry.kernel.wasi.state import file_of, state_of
from skerry.kernel.wasi.table import succeed, then, wasi

Parts = list[tuple[int, int]]
IOVEC = Struct("<II")  # address, size


# --- data


def gather(task: Task, vector: int, count: int) -> bytes:
    """The data that ciovec structures point to."""
    if count == 1:
        return task.mem.read(*task.mem.unpack(IOVEC, vector))
    return b"".join([task.mem.read(address, size) for address, size in task.mem.iovecs(vector, count)])


def room(task: Task, vector: int, count: int) -> tuple[Parts, int]:
    """The places that iovec structures point to, all inside memory, and their size together."""
    if count == 1:
        address, size = task.mem.unpack(IOVEC, vector)
        task.mem.check(address, size)
        return [(address, size)], min(size, SIZE_MAX)
    parts = task.mem.iovecs(vector, count)
    for address, size in parts:
        task.mem.check(address, size)
    return parts, min(sum([size for _, size in parts]), SIZE_MAX)


def scatter(task: Task, parts: Parts, data: Buffer) -> None:
    """Spread data over these places."""
    done = 0
    for address, size in parts:
        if done >= len(data):
            return
        task.mem.write(address, data[done : done + size])
        done += size


def _deliver(task: Task, parts: Parts, found: Buffer | Step[Buffer], told: int) -> int | Step[int]:
    if not isinstance(found, bytes | memoryview | bytearray):
        return _deliver_later(task, parts, found, told)
    scatter(task, parts, found)
    task.mem.put_u32(told, len(found))
    return 0


def _deliver_later(task: Task, parts: Parts, step: Step[Buffer], told: int) -> Step[int]:
    data = yield from step
    scatter(task, parts, data)
    task.mem.put_u32(told, len(data))
    return 0


def _put(task: Task, size: int, told: int) -> int:
    task.mem.put_u32(told, size)
    return 0


@wasi
def fd_read(task: Task, fd: int, vector: int, count: int, told: int) -> int | Step[int]:
    """Read from the descriptor's position."""
    file = file_of(task, fd, w.FD_READ)
    file.readable()
    task.mem.check(told, 4)
    parts, size = room(task, vector, count)
    return _deliver(task, parts, file.read(task, size), told)


@wasi
def fd_write(task: Task, fd: int, vector: int, count: int, told: int) -> int | Step[int]:
    """Write at the descriptor's position."""
    file = file_of(task, fd, w.FD_WRITE)
    file.writable()
    task.mem.check(told, 4)
    done = file.write(task, gather(task, vector, count))
    return then(done, lambda size: _put(task, size, told))


@wasi
def fd_pread(task: Task, fd: int, vector: int, count: int, offset: int, told: int) -> int | Step[int]:
    """Read at an offset."""
    file = _positioned(task, fd, w.FD_READ | w.FD_SEEK, offset)
    file.readable()
    task.mem.check(told, 4)
    parts, size = room(task, vector, count)
    return _deliver(task, parts, file.pread(task, size, offset), told)


@wasi
def fd_pwrite(task: Task, fd: int, vector: int, count: int, offset: int, told: int) -> int | Step[int]:
    """Write at an offset."""
    file = _positioned(task, fd, w.FD_WRITE | w.FD_SEEK, offset)
    file.writable()
    task.mem.check(told, 4)
    done = file.pwrite(task, gather(task, vector, count), offset)
    return then(done, lambda size: _put(task, size, told))


def _positioned(task: Task, fd: int, right: int, offset: int) -> File:
    file = file_of(task, fd, right)
    if offset < 0:  # unsigned: past what any file can have
        raise SysError(Errno.EINVAL)
    return file


# --- position and size


@wasi
@settled
def fd_seek(task: Task, fd: int, offset: int, whence: int, told: int) -> int | Step[int]:
    """Move the position."""
    # Asking where one is takes less than moving.
    right = w.FD_TELL if whence == fcntl.SEEK_CUR and offset == 0 else w.FD_SEEK
    file = file_of(task, fd, right)
    if isinstance(file, DirectoryFile | PathFile):
        raise SysError(Errno.EBADF)
    if whence not in (fcntl.SEEK_SET, fcntl.SEEK_CUR, fcntl.SEEK_END):
        raise SysError(Errno.EINVAL)
    task.mem.check(told, 8)
    return then(file.seek(task, offset, whence), lambda position: _put64(task, position, told))


def _put64(task: Task, value: int, told: int) -> int:
    task.mem.put_u64(told, value)
    return 0


@wasi
def fd_tell(task: Task, fd: int, told: int) -> int | Step[int]:
    """Where the position is."""
    result: int | Step[int] = fd_seek(task, fd, 0, fcntl.SEEK_CUR, told)
    return result


@wasi
def fd_advise(task: Task, fd: int, offset: int, size: int, advice: int) -> int:
    """Say how a file will be used."""
    file = file_of(task, fd, w.FD_ADVISE)
    if isinstance(file, DirectoryFile):
        raise SysError(Errno.EBADF)
    if offset < 0:
        raise SysError(Errno.EINVAL)
    return linux_file.fadvise64_64(task, fd, *words(offset), *words(size), advice)  # type: ignore[no-any-return]


@wasi
def fd_allocate(task: Task, fd: int, offset: int, size: int) -> int:
    """Make sure a range has space."""
    file_of(task, fd, w.FD_ALLOCATE)
    return linux_file.fallocate(task, fd, 0, *words(offset), *words(size))  # type: ignore[no-any-return]


@wasi
@settled
def fd_filestat_set_size(task: Task, fd: int, size: int) -> int | Step[int]:
    """Set a file's size."""
    file_of(task, fd, w.FD_FILESTAT_SET_SIZE)
    return linux_file.ftruncate64(task, fd, *words(size))  # type: ignore[no-any-return]


def words(value: int) -> tuple[int, int]:
    """A 64-bit argument as the two words Linux' calls take."""
    return value & 0xFFFFFFFF, value >> 32


@wasi
def fd_sync(task: Task, fd: int) -> int | Step[int]:
    """Make data and attributes durable."""
    return succeed(file_of(task, fd, w.FD_SYNC).sync(task))


@wasi
def fd_datasync(task: Task, fd: int) -> int | Step[int]:
    """Make data durable."""
    file = file_of(task, fd, w.FD_DATASYNC)
    return succeed(file.sync(task))


# --- the descriptors themselves


@wasi
def fd_close(task: Task, fd: int) -> int:
    """Close a descriptor; preopened ones, too."""
    state = state_of(task)
    linux.close(task, fd)
    state.forget(fd)
    return 0


@wasi
def fd_renumber(task: Task, old: int, new: int) -> int:
    """Move a descriptor to a number that is open, and closes what is there."""
    state, fds = state_of(task), task.process.fds
    file = fds.get(old)
    fds.get(new)
    if old == new:
        return 0
    limit, name = state.limits.get(old), state.preopens.get(old)
    linux.close(task, new)
    fds.put(new, file, cloexec=True)
    fds.close(old)
    state.forget(old)
    state.forget(new)
    if limit is not None:
        state.limits[new] = limit
    if name is not None:
        state.preopens[new] = name
    return 0
