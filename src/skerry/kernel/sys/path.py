# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Paths: opening, making, removing and renaming; the root and working directories.

Standard: POSIX.1-2024 openat(), mkdirat(), unlinkat(), renameat(), ...; Linux renameat2(2),
          openat2(2).
Blocking: a path through memory answers plainly; one through the host's files asks first.
"""
from __future__ import annotations

from struct import Struct
from typing import cast

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, S_IFMT
from skerry.kernel import dirent
from skerry.kernel.file import File
from skerry.kernel.mount import enter
from skerry.kernel.namei import find, find_at, inode_of, path_argument, path_of
from skerry.kernel.open import open_at
from skerry.kernel.regular import nothing
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task
from skerry.kernel.vfs import Inode, settled
from skerry.kernel.wait import Step

OPEN_HOW = Struct("<QQQ")  # struct open_how: flags, mode, resolve
KNOWN_FLAGS = 0o37777703  # VALID_OPEN_FLAGS: openat2 refuses the others
PERMISSIONS = 0o7777


def done(result: Inode | Step[None] | Step[Inode] | None) -> int | Step[int]:
    """0, once a change has been made."""
    return 0 if result is None or isinstance(result, Inode) else nothing(cast("Step[None]", result))


# --- open


@syscall(restart=True)
@settled
def openat(task: Task, dirfd: int, path: int, flags: int, mode: int) -> int | Step[int]:
    """Implements openat(2)."""
    return _open(task, dirfd, path_argument(task, path), flags, mode)


def _open(task: Task, dirfd: int, path: bytes, flags: int, mode: int) -> int | Step[int]:
    fds = task.process.fds
    fds.lowest()  # before a file is made that could get no descriptor
    file = open_at(task, dirfd, path, flags, mode)
    if isinstance(file, File):
        return fds.add(file, bool(flags & fcntl.O_CLOEXEC))
    return _open_later(task, file, flags)


def _open_later(task: Task, step: Step[File], flags: int) -> Step[int]:
    file = yield from step
    try:
        return task.process.fds.add(file, bool(flags & fcntl.O_CLOEXEC))
    except SysError:
        file.acquire().release()
        raise


@syscall(restart=True, missing="the RESOLVE_* restrictions: EINVAL")
@settled
def openat2(task: Task, dirfd: int, path: int, how: int, size: int) -> int | Step[int]:
    """Implements openat2(2)."""
    if size & 0xFFFFFFFF < OPEN_HOW.size:
        raise SysError(Errno.EINVAL)
    if size > OPEN_HOW.size and any(task.mem.read(how + OPEN_HOW.size, min(size, 4096) - OPEN_HOW.size)):
        raise SysError(Errno.E2BIG)
    flags, mode, resolve = task.mem.unpack(OPEN_HOW, how)
    creates = flags & (fcntl.O_CREAT | fcntl.O_TMPFILE & ~fcntl.O_DIRECTORY)
    if resolve or flags & ~KNOWN_FLAGS or mode & ~PERMISSIONS or (mode and not creates):
        raise SysError(Errno.EINVAL)
    return _open(task, dirfd, path_argument(task, path), flags, mode)


# --- make


@syscall()
@settled
def mkdirat(task: Task, dirfd: int, path: int, mode: int) -> int | Step[int]:
    """Implements mkdirat(2)."""
    name = path_argument(task, path)
    return done(dirent.create(task, dirfd, name, fcntl.S_IFDIR | mode & 0o1777))


@syscall(missing="character and block devices: EPERM")
@settled
def mknodat(task: Task, dirfd: int, path: int, mode: int, device: int) -> int | Step[int]:
    """Implements mknodat(2)."""
    name = path_argument(task, path)
    kind = mode & S_IFMT or fcntl.S_IFREG
    if kind == fcntl.S_IFDIR or kind in (fcntl.S_IFCHR, fcntl.S_IFBLK):
        raise SysError(Errno.EPERM)
    if kind not in (fcntl.S_IFREG, fcntl.S_IFIFO, fcntl.S_IFSOCK):
        raise SysError(Errno.EINVAL)
    return done(dirent.create(task, dirfd, name, kind | mode & PERMISSIONS))


@syscall()
@settled
def symlinkat(task: Task, target: int, dirfd: int, path: int) -> int | Step[int]:
    """Implements symlinkat(2)."""
    text = path_argument(task, target)
    if not text:
        raise SysError(Errno.ENOENT)
    name = path_argument(task, path)
    return done(dirent.create(task, dirfd, name, fcntl.S_IFLNK | 0o777, target=text))


@syscall()
@settled
def linkat(task: Task, dirfd: int, path: int, new_dirfd: int, new_path: int, flags: int) -> int | Step[int]:
    """Implements linkat(2)."""
    if flags & ~(fcntl.AT_SYMLINK_FOLLOW | AT_EMPTY_PATH):
        raise SysError(Errno.EINVAL)
    name = path_argument(task, path)
    if not name and flags & AT_EMPTY_PATH:
        if task.process.cred.euid != 0:  # CAP_DAC_READ_SEARCH; others go by /proc/self/fd
            raise SysError(Errno.ENOENT)
        inode = inode_of(task, dirfd)
    else:
        inode = find(task, dirfd, name, bool(flags & fcntl.AT_SYMLINK_FOLLOW))
    # What has no name can only come from a descriptor: O_TMPFILE, by AT_EMPTY_PATH or /proc/self/fd.
    return done(dirent.link(task, inode, new_dirfd, path_argument(task, new_path)))


# --- remove and rename


@syscall()
@settled
def unlinkat(task: Task, dirfd: int, path: int, flags: int) -> int | Step[int]:
    """Implements unlinkat(2)."""
    if flags & ~fcntl.AT_REMOVEDIR:
        raise SysError(Errno.EINVAL)
    name = path_argument(task, path)
    if flags & fcntl.AT_REMOVEDIR:
        return done(dirent.rmdir(task, dirfd, name))
    return done(dirent.unlink(task, dirfd, name))


@syscall()
@settled
def renameat2(
    task: Task, dirfd: int, path: int, new_dirfd: int, new_path: int, flags: int
) -> int | Step[int]:
    """Implements renameat2(2), for RENAME_NOREPLACE and RENAME_EXCHANGE."""
    old, new = path_argument(task, path), path_argument(task, new_path)
    return done(dirent.rename(task, dirfd, old, new_dirfd, new, flags))


# --- links and directories


@syscall()
@settled
def readlinkat(task: Task, dirfd: int, path: int, buf: int, size: int) -> int:
    """Implements readlinkat(2)."""
    if size <= 0:
        raise SysError(Errno.EINVAL)
    name = path_argument(task, path)
    # An empty path means the descriptor itself, which O_PATH | O_NOFOLLOW can open on a link.
    flags = fcntl.AT_SYMLINK_NOFOLLOW | (AT_EMPTY_PATH if dirfd != AT_FDCWD else 0)
    inode = find_at(task, dirfd, name, flags)
    if inode.mode & S_IFMT != fcntl.S_IFLNK:
        raise SysError(Errno.EINVAL if name else Errno.ENOENT)
    text = inode.readlink_for(task)[:size]
    task.mem.write(buf, text)
    return len(text)


@syscall()
def getcwd(task: Task, buf: int, size: int) -> int:
    """Implements getcwd(2): returns the length with the NUL."""
    fs = task.process.fs
    path = path_of(fs.cwd, fs.root) + b"\0"
    if len(path) > size & 0xFFFFFFFF:
        raise SysError(Errno.ERANGE)
    task.mem.write(buf, path)
    return len(path)


@syscall()
@settled
def chdir(task: Task, path: int) -> int:
    """Implements chdir(2)."""
    enter(task, find(task, AT_FDCWD, path_argument(task, path)))
    return 0


@syscall()
def fchdir(task: Task, fd: int) -> int:
    """Implements fchdir(2)."""
    inode = task.process.fds.get(fd).inode
    if inode is None:
        raise SysError(Errno.ENOTDIR)
    enter(task, inode)
    return 0


@syscall()
@settled
def chroot(task: Task, path: int) -> int:
    """Implements chroot(2)."""
    inode = find(task, AT_FDCWD, path_argument(task, path))
    if not inode.is_dir:
        raise SysError(Errno.ENOTDIR)
    if task.process.cred.euid != 0:
        raise SysError(Errno.EPERM)
    task.process.fs.root = inode
    return 0


@syscall()
def umask(task: Task, mask: int) -> int:
    """Implements umask(2)."""
    fs = task.process.fs
    before, fs.umask = fs.umask, mask & 0o777
    return before
