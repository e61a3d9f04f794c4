# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Names in directories: making, removing and renaming them, with all checks.

Standard: POSIX.1-2024 mkdir(), link(), unlink(), rename(), ...; the order of errors is that of
          Linux' fs/namei.c.
Errors:   EACCES without write and search permission on the directory, EPERM against a sticky
          one, EROFS, EBUSY for a place something is mounted on. Any function may raise `Cold`.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import S_IFDIR, S_IFLNK, S_IFMT, S_ISGID, S_ISVTX
from skerry.abi.limits import NAME_MAX
from skerry.kernel import notify
from skerry.kernel.namei import DOTS, locate_name, missing
from skerry.kernel.vfs import (
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    SEARCH,
    WRITE,
    Inode,
    New,
    Place,
    allowed,
    require,
)
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.process import Credentials
    from skerry.kernel.task import Task


def newborn(task: Task, directory: Inode, mode: int, rdev: int = 0, target: bytes = b"") -> New:
    """What a new file of the caller looks like: umask applied, group of a setgid directory kept."""
    cred, gid = task.process.cred, task.process.cred.egid
    if mode & S_IFMT != S_IFLNK:
        mode &= ~task.process.fs.umask
    if directory.mode & S_ISGID:
        gid = directory.gid
        if mode & S_IFMT == S_IFDIR:
            mode |= S_ISGID
    return New(mode, cred.euid, gid, rdev, target)


def may_create(directory: Inode, cred: Credentials) -> None:
    """Raise unless a name may be added to `directory`."""
    if directory.fs.read_only:
        raise SysError(Errno.EROFS)
    if directory.nlink == 0:
        raise SysError(Errno.ENOENT)
    require(directory, cred, WRITE | SEARCH)


def may_delete(directory: Inode, inode: Inode, cred: Credentials, as_dir: bool) -> None:
    """Raise unless the name of `inode` may be taken out of `directory`."""
    require(directory, cred, WRITE | SEARCH)
    if directory.mode & S_ISVTX and cred.euid not in (0, inode.uid, directory.uid):
        raise SysError(Errno.EPERM)
    if inode.is_dir != as_dir:
        raise SysError(Errno.ENOTDIR if as_dir else Errno.EISDIR)
    if _covered(inode):
        raise SysError(Errno.EBUSY)


def _covered(inode: Inode) -> bool:
    """Something is mounted there, or it is itself such a root."""
    return inode.mounted is not None or (inode.is_dir and inode.parent is None)


def free_place(task: Task, dirfd: int, path: bytes, directory_wanted: bool = False) -> tuple[Inode, bytes]:
    """The directory and name for something new. Raises: SysError(EEXIST), and those of `may_create`."""
    directory, name, inode, slash = locate_name(task, dirfd, path)
    if inode is not None or name in DOTS:
        raise SysError(Errno.EEXIST)
    if len(name) > NAME_MAX or (slash and not directory_wanted):
        raise missing(name)
    may_create(directory, task.process.cred)
    return directory, name


def create(
    task: Task, dirfd: int, path: bytes, mode: int, rdev: int = 0, target: bytes = b""
) -> Inode | Step[Inode]:
    """Make a file of any type (by `mode`) at a path that is free."""
    directory, name = free_place(task, dirfd, path, mode & S_IFMT == S_IFDIR)
    made = directory.make(name, newborn(task, directory, mode, rdev, target))
    if directory.fs.watched and isinstance(made, Inode):
        notify.notify_name(directory, name, made, notify.IN_CREATE)
    return made


def link(task: Task, inode: Inode, dirfd: int, path: bytes) -> Step[None] | None:
    """linkat(2): one more name for `inode`, which may be an O_TMPFILE without one."""
    directory, name = free_place(task, dirfd, path)
    if inode.fs is not directory.fs:
        raise SysError(Errno.EXDEV)
    if inode.is_dir:
        raise SysError(Errno.EPERM)
    if inode.nlink == 0 and not inode.linkable:
        raise SysError(Errno.ENOENT)
    result = directory.link(name, inode)
    if directory.fs.watched:
        notify.notify(inode, None, notify.IN_ATTRIB)
        notify.notify_name(directory, name, inode, notify.IN_CREATE)
    return result


def unlink(task: Task, dirfd: int, path: bytes) -> Step[None] | None:
    """unlink(2)."""
    directory, name, inode, slash = locate_name(task, dirfd, path)
    if name in DOTS:
        raise SysError(Errno.EISDIR)
    if directory.fs.read_only:
        raise SysError(Errno.EROFS)
    if inode is None:
        raise missing(name)
    if slash:
        raise SysError(Errno.EISDIR if inode.is_dir else Errno.ENOTDIR)
    may_delete(directory, inode, task.process.cred, as_dir=False)
    result = directory.unlink(name, inode)
    _tell_gone(directory, name, inode)
    return result


def rmdir(task: Task, dirfd: int, path: bytes) -> Step[None] | None:
    """rmdir(2)."""
    directory, name, inode, _ = locate_name(task, dirfd, path)
    if name in DOTS:
        raise SysError({b"": Errno.EBUSY, b".": Errno.EINVAL, b"..": Errno.ENOTEMPTY}[name])
    if directory.fs.read_only:
        raise SysError(Errno.EROFS)
    if inode is None:
        raise missing(name)
    may_delete(directory, inode, task.process.cred, as_dir=True)
    result = directory.rmdir(name, inode)
    _tell_gone(directory, name, inode)
    return result


def _tell_gone(directory: Inode, name: bytes, inode: Inode) -> None:
    if directory.fs.watched:
        notify.notify_lost(inode)
        notify.notify_name(directory, name, inode, notify.IN_DELETE)


def rename(
    task: Task, dirfd: int, path: bytes, new_dirfd: int, new_path: bytes, flags: int
) -> Step[None] | None:
    """renameat2(2)."""
    if flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE) or flags == RENAME_NOREPLACE | RENAME_EXCHANGE:
        raise SysError(Errno.EINVAL)
    old = locate_name(task, dirfd, path)
    new = locate_name(task, new_dirfd, new_path)
    inode = _check_rename(old, new, flags)
    other = new[2]
    if other is inode:
        return None
    cred = task.process.cred
    may_delete(old[0], inode, cred, inode.is_dir)
    if other is None:
        may_create(new[0], cred)
    else:
        may_delete(new[0], other, cred, other.is_dir if flags & RENAME_EXCHANGE else inode.is_dir)
    if old[0] is not new[0]:
        _check_move(inode, cred)
        if other is not None and flags & RENAME_EXCHANGE:
            _check_move(other, cred)
    result = old[0].rename(old[1], new[0], new[1], flags)
    if old[0].fs.watched:
        _tell_moved(old, new, inode)
    return result


def _check_rename(old: Place, new: Place, flags: int) -> Inode:
    """Everything that needs no credentials; returns what moves."""
    if old[0].fs is not new[0].fs:
        raise SysError(Errno.EXDEV)
    if old[1] in DOTS:
        raise SysError(Errno.EBUSY)
    if new[1] in DOTS:
        raise SysError(Errno.EEXIST if flags & RENAME_NOREPLACE else Errno.EBUSY)
    if old[0].fs.read_only:
        raise SysError(Errno.EROFS)
    inode, other = old[2], new[2]
    if inode is None:
        raise missing(old[1])
    if len(new[1]) > NAME_MAX:
        raise SysError(Errno.ENAMETOOLONG)
    if flags & RENAME_NOREPLACE and other is not None:
        raise SysError(Errno.EEXIST)
    if flags & RENAME_EXCHANGE:
        if other is None:
            raise SysError(Errno.ENOENT)
        if new[3] and not other.is_dir:
            raise SysError(Errno.ENOTDIR)
    if not inode.is_dir and (old[3] or (new[3] and not flags & RENAME_EXCHANGE)):
        raise SysError(Errno.ENOTDIR)
    if _above(inode, new[0]):
        raise SysError(Errno.EINVAL)
    if other is not None and _above(other, old[0]):
        raise SysError(Errno.EINVAL if flags & RENAME_EXCHANGE else Errno.ENOTEMPTY)
    return inode


def _above(inode: Inode, directory: Inode) -> bool:
    """Whether `directory` is `inode` or lies below it."""
    node: Inode | None = directory
    while node is not None:
        if node is inode:
            return True
        node = node.parent
    return False


def _check_move(inode: Inode, cred: Credentials) -> None:
    """A directory that changes its parent is written: its ".." changes."""
    if inode.is_dir and not allowed(inode, cred, WRITE):
        raise SysError(Errno.EACCES)


def _tell_moved(old: Place, new: Place, inode: Inode) -> None:
    cookie = inode.fs.last_cookie = inode.fs.last_cookie + 1
    notify.notify_name(old[0], old[1], inode, notify.IN_MOVED_FROM, cookie)
    notify.notify_name(new[0], new[1], inode, notify.IN_MOVED_TO, cookie)
    notify.notify(inode, None, notify.IN_MOVE_SELF)
    if new[2] is not None:
        notify.notify_lost(new[2])
