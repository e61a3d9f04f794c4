# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Attributes of files: stat, access, modes, owners, times, file system figures, xattrs.

Standard: POSIX.1-2024 fstatat(), faccessat(), fchmodat(), fchownat(), utimensat(), statvfs();
          Linux statx(2), the only stat call riscv32 has.
"""
from __future__ import annotations

from struct import Struct

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    S_ISGID,
    S_ISUID,
)
from skerry.abi.limits import NAME_MAX
from skerry.kernel.namei import find_at, inode_of, path_argument
from skerry.kernel.notify import IN_ATTRIB, notify
from skerry.kernel.process import Credentials
from skerry.kernel.regular import nothing
from skerry.kernel.stat import Stat
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task
from skerry.kernel.vfs import UNCHANGED, WRITE, Inode, Space, allowed, owns, require, settled
from skerry.kernel.wait import Step

# struct statx: mask, blksize, attributes, nlink, uid, gid, mode, ino, size, blocks, attributes_mask,
# atime, btime, ctime, mtime (seconds, nanoseconds), rdev, dev, mount id, alignments, spare.
STATX = Struct("<IIQIIIHxxQQQQqI4xqI4xqI4xqI4xIIIIQ104x")
STATX_BASIC_AND_BTIME = 0xFFF
STATX_RESERVED = 0x80000000
AT_NO_AUTOMOUNT, AT_STATX_SYNC_TYPE = 0x800, 0x6000
STATFS = Struct("<IIQQQQQIIIIIIIII")
STATFS_SIZES = (84, 88)  # with and without the padding at the end
ST_RDONLY, ST_RELATIME, ST_VALID = 1, 0x1000, 0x20
TIMESPECS = Struct("<qqqq")
UTIME_NOW, UTIME_OMIT = 0x3FFFFFFF, 0x3FFFFFFE
NSEC = 10**9


# --- asking


@syscall()
@settled
def statx(task: Task, dirfd: int, path: int, flags: int, mask: int, buf: int) -> int | Step[int]:
    """Implements statx(2), and with it stat(2), fstat(2) and lstat(2)."""
    known = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE
    if flags & ~known or mask & STATX_RESERVED:
        raise SysError(Errno.EINVAL)
    name = path_argument(task, path) if path or not flags & AT_EMPTY_PATH else b""
    if not name and flags & AT_EMPTY_PATH and dirfd != AT_FDCWD:
        found = task.process.fds.get(dirfd).stat()
        if not isinstance(found, Stat):
            return _statx_later(task, buf, found)
    else:
        found = find_at(task, dirfd, name, flags).stat()
    return _put_statx(task, buf, found)


def _statx_later(task: Task, buf: int, step: Step[Stat]) -> Step[int]:
    return _put_statx(task, buf, (yield from step))


def _put_statx(task: Task, buf: int, st: Stat) -> int:
    task.mem.pack(
        STATX, buf, STATX_BASIC_AND_BTIME, st.block_size, 0, st.nlink, st.uid, st.gid, st.mode,
        st.ino, st.size, st.blocks, 0,
        st.atime_ns // NSEC, st.atime_ns % NSEC, st.btime_ns // NSEC, st.btime_ns % NSEC,
        st.ctime_ns // NSEC, st.ctime_ns % NSEC, st.mtime_ns // NSEC, st.mtime_ns % NSEC,
        st.rdev >> 8, st.rdev & 0xFF, 0, st.dev, 0,
    )  # fmt: skip
    return 0


@syscall()
def faccessat(task: Task, dirfd: int, path: int, mode: int) -> int | Step[int]:
    """Implements faccessat(2) without flags."""
    result: int | Step[int] = faccessat2(task, dirfd, path, mode, 0)
    return result


@syscall()
@settled
def faccessat2(task: Task, dirfd: int, path: int, mode: int, flags: int) -> int:
    """Implements faccessat2(2)."""
    if flags & ~(fcntl.AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) or mode & ~7:
        raise SysError(Errno.EINVAL)
    process = task.process
    name, effective = path_argument(task, path), process.cred
    if not flags & fcntl.AT_EACCESS:
        process.cred = _real(effective)
    try:
        inode = find_at(task, dirfd, name, flags)
        if not allowed(inode, process.cred, mode):
            raise SysError(Errno.EACCES)
        if mode & WRITE:
            require(inode, process.cred, mode)
    finally:
        process.cred = effective
    return 0


def _real(cred: Credentials) -> Credentials:
    """Credentials whose effective ids are the real ones: access(2) asks for these."""
    if cred.uid == cred.euid and cred.gid == cred.egid:
        return cred
    return Credentials(cred.uid, cred.uid, cred.suid, cred.gid, cred.gid, cred.sgid, cred.groups)


@syscall()
@settled
def statfs64(task: Task, path: int, size: int, buf: int) -> int | Step[int]:
    """Implements statfs(2)."""
    return _statfs(task, find_at(task, AT_FDCWD, path_argument(task, path), 0), size, buf)


@syscall()
def fstatfs64(task: Task, fd: int, size: int, buf: int) -> int | Step[int]:
    """Implements fstatfs(2)."""
    return _statfs(task, inode_of(task, fd), size, buf)


def _statfs(task: Task, inode: Inode, size: int, buf: int) -> int | Step[int]:
    if size not in STATFS_SIZES:
        raise SysError(Errno.EINVAL)
    space = inode.fs.statfs()
    if isinstance(space, Space):
        return _put_statfs(task, inode, buf, space)
    return _statfs_later(task, inode, buf, space)


def _statfs_later(task: Task, inode: Inode, buf: int, step: Step[Space]) -> Step[int]:
    return _put_statfs(task, inode, buf, (yield from step))


def _put_statfs(task: Task, inode: Inode, buf: int, space: Space) -> int:
    fs = inode.fs
    task.mem.pack(
        STATFS, buf, fs.magic, space.block_size, space.blocks, space.blocks_free, space.blocks_free,
        space.files, space.files_free, fs.device, 0, NAME_MAX, space.block_size,
        ST_VALID | ST_RELATIME | (ST_RDONLY if fs.read_only else 0), 0, 0, 0, 0,
    )  # fmt: skip
    return 0


# --- changing


def _change(inode: Inode, **changes: int | None) -> int | Step[int]:
    """Carry a checked change out."""
    step = inode.setattr(**changes)  # type: ignore[arg-type]  # callers pass what setattr takes
    if inode.watches is not None:
        notify(inode, None, IN_ATTRIB)
    return 0 if step is None else nothing(step)


def _writable_mount(inode: Inode) -> None:
    if inode.fs.read_only:
        raise SysError(Errno.EROFS)


def _chmod(task: Task, inode: Inode, mode: int) -> int | Step[int]:
    cred = task.process.cred
    _writable_mount(inode)
    if inode.mode & S_IFMT == S_IFLNK:
        raise SysError(Errno.EOPNOTSUPP)
    if not owns(inode, cred):
        raise SysError(Errno.EPERM)
    if cred.euid != 0 and inode.gid != cred.egid and inode.gid not in cred.groups:
        mode &= ~S_ISGID
    return _change(inode, mode=mode & 0o7777)


@syscall()
@settled
def fchmodat(task: Task, dirfd: int, path: int, mode: int) -> int | Step[int]:
    """Implements fchmodat(2)."""
    return _chmod(task, find_at(task, dirfd, path_argument(task, path), 0), mode)


@syscall()
@settled
def fchmodat2(task: Task, dirfd: int, path: int, mode: int, flags: int) -> int | Step[int]:
    """Implements fchmodat2(2)."""
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise SysError(Errno.EINVAL)
    return _chmod(task, find_at(task, dirfd, path_argument(task, path), flags), mode)


@syscall()
@settled
def fchmod(task: Task, fd: int, mode: int) -> int | Step[int]:
    """Implements fchmod(2)."""
    return _chmod(task, _opened(task, fd), mode)


def _opened(task: Task, fd: int) -> Inode:
    """The inode of a descriptor, which O_PATH does not count as."""
    file = task.process.fds.get(fd)
    if file.flags & fcntl.O_PATH:
        raise SysError(Errno.EBADF)
    return inode_of(task, fd)


def _chown(task: Task, inode: Inode, uid: int, gid: int) -> int | Step[int]:
    cred = task.process.cred
    uid, gid = (UNCHANGED if value == -1 else value & 0xFFFFFFFF for value in (uid, gid))
    _writable_mount(inode)
    if cred.euid != 0:
        owner = cred.euid == inode.uid
        same_group = gid in (UNCHANGED, inode.gid)
        if uid not in (UNCHANGED, inode.uid) or (uid != UNCHANGED and not owner):
            raise SysError(Errno.EPERM)
        if gid != UNCHANGED and not (owner and (same_group or gid == cred.egid or gid in cred.groups)):
            raise SysError(Errno.EPERM)
    mode = UNCHANGED
    if inode.mode & S_IFMT == S_IFREG and inode.mode & (S_ISUID | S_ISGID):
        drop = S_ISUID | (S_ISGID if inode.mode & 0o010 else 0)
        mode = inode.mode & 0o7777 & ~drop
    return _change(inode, uid=uid, gid=gid, mode=mode)


@syscall()
@settled
def fchownat(task: Task, dirfd: int, path: int, uid: int, gid: int, flags: int) -> int | Step[int]:
    """Implements fchownat(2)."""
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise SysError(Errno.EINVAL)
    return _chown(task, find_at(task, dirfd, path_argument(task, path), flags), uid, gid)


@syscall()
@settled
def fchown(task: Task, fd: int, uid: int, gid: int) -> int | Step[int]:
    """Implements fchown(2)."""
    return _chown(task, _opened(task, fd), uid, gid)


@syscall("utimensat_time64")
@settled
def utimensat(task: Task, dirfd: int, path: int, times: int, flags: int) -> int | Step[int]:
    """Implements utimensat(2), and with a null path futimens(3)."""
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise SysError(Errno.EINVAL)
    now = task.kernel.clock.realtime_ns()
    atime, mtime, is_now = _times(task, times, now)
    if atime is None and mtime is None:
        return 0
    if path == 0 and dirfd != AT_FDCWD:
        inode = _opened(task, dirfd)
    else:
        inode = find_at(task, dirfd, path_argument(task, path), flags)
    _writable_mount(inode)
    cred = task.process.cred
    if not owns(inode, cred):
        if not is_now:
            raise SysError(Errno.EPERM)
        require(inode, cred, WRITE)
    return _change(inode, atime_ns=atime, mtime_ns=mtime)


def _times(task: Task, address: int, now: int) -> tuple[int | None, int | None, bool]:
    """(atime, mtime, whether both are simply now); None leaves one alone."""
    if not address:
        return now, now, True
    values = task.mem.unpack(TIMESPECS, address)
    fields = [nanoseconds & 0xFFFFFFFF for nanoseconds in values[1::2]]
    chosen: list[int | None] = []
    for seconds, nanoseconds in zip(values[::2], fields, strict=True):
        if nanoseconds == UTIME_OMIT:
            chosen.append(None)
        elif nanoseconds == UTIME_NOW:
            chosen.append(now)
        elif nanoseconds < NSEC:
            chosen.append(seconds * NSEC + nanoseconds)
        else:
            raise SysError(Errno.EINVAL)
    return chosen[0], chosen[1], fields == [UTIME_NOW, UTIME_NOW]


# --- extended attributes: no file has any


def _no_attribute(task: Task, path: int, *rest: int, flags: int = 0) -> int:
    find_at(task, AT_FDCWD, path_argument(task, path), flags)
    raise SysError(Errno.EOPNOTSUPP)


@syscall("getxattr", "setxattr", "removexattr", missing="no file has extended attributes: EOPNOTSUPP")
@settled
def xattr(task: Task, path: int, *rest: int) -> int:
    """Implements getxattr(2), setxattr(2) and removexattr(2): EOPNOTSUPP, or why there is no file."""
    return _no_attribute(task, path)


@syscall("lgetxattr", "lsetxattr", "lremovexattr", missing="no file has extended attributes: EOPNOTSUPP")
@settled
def lxattr(task: Task, path: int, *rest: int) -> int:
    """The same for a link itself."""
    return _no_attribute(task, path, flags=AT_SYMLINK_NOFOLLOW)


@syscall("fgetxattr", "fsetxattr", "fremovexattr", missing="no file has extended attributes: EOPNOTSUPP")
def fxattr(task: Task, fd: int, *rest: int) -> int:
    """The same for an open file."""
    task.process.fds.get(fd)
    raise SysError(Errno.EOPNOTSUPP)


@syscall()
@settled
def listxattr(task: Task, path: int, names: int, size: int) -> int:
    """Implements listxattr(2): an empty list."""
    find_at(task, AT_FDCWD, path_argument(task, path), 0)
    return 0


@syscall()
@settled
def llistxattr(task: Task, path: int, names: int, size: int) -> int:
    """Implements llistxattr(2): an empty list."""
    find_at(task, AT_FDCWD, path_argument(task, path), AT_SYMLINK_NOFOLLOW)
    return 0


@syscall()
def flistxattr(task: Task, fd: int, names: int, size: int) -> int:
    """Implements flistxattr(2): an empty list."""
    task.process.fds.get(fd)
    return 0
