# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""From a path to an inode: the only code that reads paths.

Standard: POSIX.1-2024 4.16 "Pathname Resolution"; path_resolution(7).
Errors:   ENOENT, ENOTDIR, EACCES (no search permission), ELOOP (40 links), ENAMETOOLONG.
          Any function here may raise `Cold`; callers are `settled` (vfs.py).
Invariant: the search permission of every directory on the way is checked with the effective
           ids; a path that starts or climbs at the process' root never leaves it.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, S_IFDIR, S_IFLNK, S_IFMT
from skerry.abi.limits import NAME_MAX, PATH_MAX, SYMLINK_MAX
from skerry.kernel.vfs import SEARCH, Cold, Inode, Place, allowed

if TYPE_CHECKING:
    from skerry.kernel.task import Task

Location = Inode
"""Where a process' root and working directory are: directories know their own parent and name."""


DOTS = (b"", b".", b"..")


def path_argument(task: Task, address: int) -> bytes:
    """Read a path out of guest memory."""
    return task.mem.string(address, PATH_MAX - 1)


def start_of(task: Task, dirfd: int, path: bytes) -> Inode:
    """The directory a path starts from."""
    if path[:1] == b"/":
        return task.process.fs.root
    if dirfd == AT_FDCWD:
        return task.process.fs.cwd
    inode = task.process.fds.get(dirfd).inode
    if inode is None or inode.mode & S_IFMT != S_IFDIR:
        raise SysError(Errno.ENOENT if not path else Errno.ENOTDIR)
    return inode


def locate(task: Task, dirfd: int, path: bytes, follow: bool, file_wanted: bool = False) -> Place:
    """Walk to the last name of `path`; a link there is followed when asked or when a slash follows.

    `file_wanted`: for O_CREAT, which makes no directories: a slash at the end is EISDIR.
    """
    if not path:
        raise SysError(Errno.ENOENT)
    follow = follow or path[-1] == 47
    place = _walk(task, start_of(task, dirfd, path), path, follow, [], file_wanted)
    if place[2] is None and len(place[1]) > NAME_MAX:
        raise SysError(Errno.ENAMETOOLONG)
    return place


def locate_name(task: Task, dirfd: int, path: bytes) -> Place:
    """Walk to the last name of `path` as a name to make, remove or rename: a link there is itself.

    The name may be too long: whether that is the error to report depends on the call.
    """
    if not path:
        raise SysError(Errno.ENOENT)
    return _walk(task, start_of(task, dirfd, path), path, False, [])


def find(task: Task, dirfd: int, path: bytes, follow: bool = True) -> Inode:
    """The inode a path names."""
    _, _, inode, slash = locate(task, dirfd, path, follow)
    if inode is None:
        raise SysError(Errno.ENOENT)
    if slash and inode.mode & S_IFMT != S_IFDIR:
        raise SysError(Errno.ENOTDIR)
    return inode


def find_at(task: Task, dirfd: int, path: bytes, flags: int) -> Inode:
    """`find` with the AT_* flags of the *at calls."""
    if not path and flags & AT_EMPTY_PATH:
        return inode_of(task, dirfd)
    return find(task, dirfd, path, not flags & fcntl.AT_SYMLINK_NOFOLLOW)


def inode_of(task: Task, fd: int) -> Inode:
    """The inode behind a descriptor, AT_FDCWD included.

    Raises: SysError(EBADF); SysError(EINVAL) for a file that has none.
    """
    if fd == AT_FDCWD:
        return task.process.fs.cwd
    inode = task.process.fds.get(fd).inode
    if inode is None:
        raise SysError(Errno.EINVAL)
    return inode


def _walk(
    task: Task, node: Inode, path: bytes, follow: bool, links: list[Inode], file_wanted: bool = False
) -> Place:
    """The walk itself. `links` are the symbolic links followed so far."""
    process = task.process
    root, cred = process.fs.root, process.cred
    if path[0] == 47:
        node = root
    short = path.rstrip(b"/")
    slash = len(short) != len(path)
    if not short:
        return root, b"", root, True
    names = short.split(b"/")
    last = names.pop()
    ahead = iter(names)
    try:
        for name in ahead:
            if not name:
                continue
            mode = node.mode
            if mode & S_IFMT != S_IFDIR:
                raise SysError(Errno.ENOTDIR)
            if mode & 0o111 != 0o111 and not allowed(node, cred, SEARCH):
                raise SysError(Errno.EACCES)
            if name[0] == 46 and name in DOTS:
                if name == b"..":
                    node = up(node, root)
                continue
            child = node.lookup(name)
            if child is None:
                raise missing(name)
            if child.mounted is not None:
                child = child.mounted
                if child.fs.root_cold:
                    raise Cold(child.fs.fill_root)
            if child.mode & S_IFMT == S_IFLNK:
                child = _target(task, node, child, links)
            node = child
        mode = node.mode
        if mode & S_IFMT != S_IFDIR:
            raise SysError(Errno.ENOTDIR)
        if mode & 0o111 != 0o111 and not allowed(node, cred, SEARCH):
            raise SysError(Errno.EACCES)
        if last[0] == 46 and last in DOTS:
            return node, last, node if last == b"." else up(node, root), True
        if slash and file_wanted:
            raise SysError(Errno.EISDIR)
        child = node.lookup(last)
    except Cold as cold:
        if not links:
            cold.rest = (*ahead, last)
        raise
    if child is None:
        return node, last, None, slash
    if child.mounted is not None:
        child = child.mounted
        if child.fs.root_cold:
            raise Cold(child.fs.fill_root)
    if follow and child.mode & S_IFMT == S_IFLNK:
        place = _through(task, node, child, links, file_wanted)
        return (place[0], place[1], place[2], True) if slash else place
    return node, last, child, slash


def _through(
    task: Task, directory: Inode, link: Inode, links: list[Inode], file_wanted: bool = False
) -> Place:
    """The place a link found in `directory` leads to, which need not exist."""
    if len(links) >= SYMLINK_MAX:
        raise SysError(Errno.ELOOP)
    links.append(link)
    place = link.jump(task)
    if place is not None:
        return place
    text = link.readlink_for(task)
    if not text:
        raise SysError(Errno.ENOENT)
    return _walk(task, directory, text, True, links, file_wanted)


def _target(task: Task, directory: Inode, link: Inode, links: list[Inode]) -> Inode:
    """What a link in the middle of a path leads to."""
    place = _through(task, directory, link, links)
    if place[2] is None:
        raise missing(place[1])
    return place[2]


def missing(name: bytes) -> SysError:
    """Why a name that is not there is not there."""
    return SysError(Errno.ENAMETOOLONG if len(name) > NAME_MAX else Errno.ENOENT)


def up(node: Inode, root: Inode) -> Inode:
    """The parent directory: across mounts, never above `root`."""
    while node is not root:
        if node.parent is not None:
            return node.parent
        if node.fs.covered is None:
            break
        node = node.fs.covered
    return node


def path_of(node: Inode, root: Inode) -> bytes:
    """The path of a directory, from `root`.

    Raises: SysError(ENOENT) for a directory that was removed.
    """
    names: list[bytes] = []
    while node is not root:
        if node.parent is not None:
            if node.nlink == 0:
                raise SysError(Errno.ENOENT)
            names.append(node.name)
            node = node.parent
        elif node.fs.covered is not None:
            node = node.fs.covered
        else:
            names.append(b"(unreachable)")  # as Linux says when the root is elsewhere
            return b"/".join(reversed(names))
    return b"/" + b"/".join(reversed(names))


def name_of(directory: Inode, name: bytes, inode: Inode, root: Inode) -> bytes:
    """The path of anything, from the directory and name it was found by."""
    try:
        if inode.is_dir:
            return path_of(inode, root)
        base = path_of(directory, root)
    except SysError:
        return b"/" + (name or inode.name) + b" (deleted)"
    path = base.rstrip(b"/") + b"/" + name
    return path + b" (deleted)" if inode.nlink == 0 else path
