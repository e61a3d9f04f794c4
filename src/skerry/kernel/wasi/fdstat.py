# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What descriptors are: type, flags, rights, attributes, names of preopened directories, entries.

Standard: wasi_snapshot_preview1, "fd_fdstat_*", "fd_filestat_*", "fd_prestat_*", "fd_readdir".
"""
from __future__ import annotations

from typing import cast

from skerry.abi import fcntl
from skerry.abi import wasi as w
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.file import File
from skerry.kernel.notify import IN_ATTRIB, notify
from skerry.kernel.regular import DIRENT as LINUX_DIRENT
from skerry.kernel.regular import DirectoryFile
from skerry.kernel.stat import Stat
from skerry.kernel.task import Task
from skerry.kernel.usermem import U32
from skerry.kernel.vfs import WRITE, Inode, owns, require, settled
from skerry.kernel.wait import Step
from skerry.kernel.wasi.state import file_of, filetype, rights_of, state_of
from skerry.kernel.wasi.table import succeed, then, wasi

U64 = 0xFFFFFFFFFFFFFFFF
_FLAGS = (
    (w.FDFLAG_APPEND, fcntl.O_APPEND), (w.FDFLAG_DSYNC, fcntl.O_DSYNC),
    (w.FDFLAG_NONBLOCK, fcntl.O_NONBLOCK), (w.FDFLAG_SYNC, fcntl.O_SYNC),
)  # fmt: skip


# --- flags and rights


@wasi
def fd_fdstat_get(task: Task, fd: int, address: int) -> int | Step[int]:
    """Type, flags and rights of a descriptor."""
    file = file_of(task, fd, 0)
    if file.inode is not None:
        return _put_fdstat(task, fd, file, file.inode.mode, address)
    return then(file.stat(), lambda st: _put_fdstat(task, fd, file, st.mode, address))


def _put_fdstat(task: Task, fd: int, file: File, mode: int, address: int) -> int:
    flags = sum(ours for ours, theirs in _FLAGS if file.flags & theirs == theirs)
    rights, inheriting = rights_of(task, fd, file, mode)
    task.mem.pack(w.FDSTAT, address, filetype(file, mode), flags, rights, inheriting)
    return 0


def open_flags(flags: int) -> int:
    """fdflags as open(2) takes them. Raises: SysError(EINVAL) for unknown ones."""
    if flags & ~w.FDFLAGS:
        raise SysError(Errno.EINVAL)
    found = fcntl.O_SYNC if flags & w.FDFLAG_RSYNC else 0
    for ours, theirs in _FLAGS:
        if flags & ours:
            found |= theirs
    return found


@wasi
def fd_fdstat_set_flags(task: Task, fd: int, flags: int) -> int:
    """Set append and non-blocking mode; the others are decided when a file is opened."""
    file = file_of(task, fd, w.FD_FDSTAT_SET_FLAGS)
    wanted = open_flags(flags)
    if (file.flags ^ wanted) & (fcntl.O_SYNC | fcntl.O_DSYNC):
        raise SysError(Errno.EOPNOTSUPP)
    kept = file.flags & fcntl.O_SETTABLE & ~(fcntl.O_APPEND | fcntl.O_NONBLOCK)
    file.set_flags(kept | wanted & fcntl.O_SETTABLE)
    return 0


@wasi
def fd_fdstat_set_rights(task: Task, fd: int, base: int, inheriting: int) -> int | Step[int]:
    """Give rights away. Raises: SysError(ENOTCAPABLE) for rights the descriptor does not have."""
    file = file_of(task, fd, 0)
    if file.inode is not None:
        return _limit(task, fd, file, file.inode.mode, (base & U64, inheriting & U64))
    return then(file.stat(), lambda st: _limit(task, fd, file, st.mode, (base & U64, inheriting & U64)))


def _limit(task: Task, fd: int, file: File, mode: int, limit: tuple[int, int]) -> int:
    rights, inheriting = rights_of(task, fd, file, mode)
    if limit[0] & ~rights or limit[1] & ~inheriting:
        raise SysError(w.ENOTCAPABLE)
    if limit != (rights, inheriting):
        state_of(task).limits[fd] = limit
    return 0


# --- attributes


def put_filestat(task: Task, address: int, file: File | None, st: Stat) -> int:
    """Lay out a filestat."""
    kind = filetype(file, st.mode)
    task.mem.pack(
        w.FILESTAT, address, st.dev, st.ino, kind, st.nlink, st.size, st.atime_ns, st.mtime_ns, st.ctime_ns
    )
    return 0


@wasi
@settled
def fd_filestat_get(task: Task, fd: int, address: int) -> int | Step[int]:
    """Attributes of an open file."""
    file = file_of(task, fd, w.FD_FILESTAT_GET)
    return then(file.stat(), lambda st: put_filestat(task, address, file, st))


@wasi
@settled
def fd_filestat_set_times(task: Task, fd: int, atim: int, mtim: int, flags: int) -> int | Step[int]:
    """Set the times of an open file."""
    file = file_of(task, fd, w.FD_FILESTAT_SET_TIMES)
    if file.flags & fcntl.O_PATH:
        raise SysError(Errno.EBADF)
    if file.inode is None:
        raise SysError(Errno.EINVAL)
    return set_times(task, file.inode, atim, mtim, flags)


def set_times(task: Task, inode: Inode, atim: int, mtim: int, flags: int) -> int | Step[int]:
    """Set the times `flags` chooses, with the checks of utimensat(2)."""
    now = task.kernel.clock.realtime_ns()
    atime_ns = _time(flags, w.FST_ATIM, w.FST_ATIM_NOW, atim, now)
    mtime_ns = _time(flags, w.FST_MTIM, w.FST_MTIM_NOW, mtim, now)
    if flags & ~w.FSTFLAGS:
        raise SysError(Errno.EINVAL)
    if atime_ns is None and mtime_ns is None:
        return 0
    if inode.fs.read_only:
        raise SysError(Errno.EROFS)
    if not owns(inode, task.process.cred):
        if flags != w.FST_ATIM_NOW | w.FST_MTIM_NOW:
            raise SysError(Errno.EPERM)
        require(inode, task.process.cred, WRITE)
    step = inode.setattr(atime_ns=atime_ns, mtime_ns=mtime_ns)
    if inode.watches is not None:
        notify(inode, None, IN_ATTRIB)
    return succeed(step)


def _time(flags: int, given: int, current: int, value: int, now: int) -> int | None:
    """One of the two times; None leaves it alone."""
    if flags & given and flags & current:
        raise SysError(Errno.EINVAL)
    return now if flags & current else value & U64 if flags & given else None


# --- preopened directories


@wasi
def fd_prestat_get(task: Task, fd: int, address: int) -> int:
    """Whether a descriptor is a preopened directory, and how long its name is."""
    state = state_of(task)
    name = state.preopens.get(fd)
    if name is not None:
        task.mem.pack(w.PRESTAT, address, w.PREOPENTYPE_DIR, len(name))
    elif fd in state.passed:
        task.mem.pack(w.PRESTAT, address, w.PREOPENTYPE_NONE, 0)
    else:
        raise SysError(Errno.EBADF)
    return 0


@wasi
def fd_prestat_dir_name(task: Task, fd: int, address: int, size: int) -> int:
    """The name of a preopened directory, without a NUL."""
    name = state_of(task).preopens.get(fd)
    if name is None:
        task.process.fds.get(fd)
        raise SysError(Errno.ENOTDIR)
    if size & U32 < len(name):
        raise SysError(Errno.ENAMETOOLONG)
    task.mem.write(address, name)
    return 0


# --- entries


@wasi
@settled
def fd_readdir(task: Task, fd: int, address: int, size: int, cookie: int, told: int) -> int:
    """Entries of a directory from `cookie` on; the last one is cut where the buffer ends.

    The cookies are the entries' places in the listing an open directory keeps, so they stay good
    while entries come and go; cookie 0 looks again.
    """
    file = file_of(task, fd, w.FD_READDIR)
    if not isinstance(file, DirectoryFile):
        raise SysError(Errno.EBADF if file.flags & fcntl.O_PATH else Errno.ENOTDIR)
    size &= U32
    task.mem.check(told, 4)
    task.mem.check(address, size)
    file.seek(task, cookie, fcntl.SEEK_SET)
    parts: list[bytes] = []
    found = 0
    while found < size:
        block = file.getdents(4096)
        if not block:
            break
        for entry in _entries(block):
            parts.append(entry)
            found += len(entry)
    data = b"".join(parts)[:size]
    task.mem.write(address, data)
    task.mem.put_u32(told, len(data))
    return 0


def _entries(block: bytes) -> list[bytes]:
    """The entries of getdents64(2) as WASI lays them out."""
    entries, at = [], 0
    while at < len(block):
        ino, cookie, length, kind = cast("tuple[int, int, int, int]", LINUX_DIRENT.unpack_from(block, at))
        name = block[at + LINUX_DIRENT.size : at + length].partition(b"\0")[0]
        entries.append(w.DIRENT.pack(cookie, ino, len(name), w.FILETYPES.get(kind, 0)) + name)
        at += length
    return entries
