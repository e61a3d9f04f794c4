# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The monitor's side of host files: carries out requests of abi/hostfs.py, and nothing beyond.

The box names files as tuples of names below a tree's top; hosttree.py finds them.

Errors: ProtocolError for a request no kernel of ours makes; everything else is `Failed`.
Invariant: a read-only tree is never opened for writing. Only regular files are opened at all.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from errno import errorcode
from typing import Any

from skerry.abi import hostfs as h
from skerry.abi.errno import Errno
from skerry.abi.errors import ProtocolError, SysError

from .hosttree import DIRECTORY, Tree, check_path, chmod, exists, open_regular

HANDLES_MAX = 16_384
LISTING_MAX = 2000
"""Entries in one `Listing`."""

_NOBODY = 65_534
_LINUX = sys.platform.startswith("linux")


class HostTrees:
    """The trees of one box and its open files in them."""

    def __init__(self) -> None:
        self._trees: dict[int, Tree] = {}
        self._handles: dict[int, _Handle] = {}
        self._last = 0
        self._user = os.geteuid()
        self._group = os.getegid()

    def add(self, number: int, path: str, read_only: bool) -> h.Stat:
        """Let the box see `path`, a folder or a single file; returns what it is. Raises: OSError."""
        tree = self._trees[number] = Tree(path, read_only)
        return self._stat(tree.stat_top())

    def answer(self, request: Any) -> h.Reply:
        """Carry one request out."""
        method = _METHODS.get(type(request))
        if method is None:
            return h.Failed(Errno.EACCES)
        try:
            reply: h.Reply = method(self, request)
            return reply
        except SysError as error:
            return h.Failed(error.errno)
        except OSError as error:
            return h.Failed(_linux(error.errno))
        except (OverflowError, ValueError):
            return h.Failed(Errno.EINVAL)

    def close(self) -> None:
        """Close everything."""
        for handle in self._handles.values():
            os.close(handle.fd)
        for tree in self._trees.values():
            os.close(tree.top)
        self._handles.clear()
        self._trees.clear()

    # --- names

    def walk(self, request: h.Walk) -> h.Reply:
        tree = self._tree(request.tree)
        if not request.path:
            return h.Walked((self._stat(tree.stat_top()),), 0)
        check_path(request.path)
        if tree.name is not None:
            return h.Walked((), Errno.ENOTDIR)
        found: list[h.Stat] = []
        fd = os.dup(tree.top)
        try:
            for number, name in enumerate(request.path, 1):
                status = os.stat(name, dir_fd=fd, follow_symlinks=False)
                found.append(self._stat(status))
                if number == len(request.path):
                    break
                if not stat.S_ISDIR(status.st_mode):
                    link = stat.S_ISLNK(status.st_mode)
                    return h.Walked(tuple(found), Errno.ELOOP if link else Errno.ENOTDIR)
                below = os.open(name, DIRECTORY, dir_fd=fd)
                os.close(fd)
                fd = below
        except OSError as error:
            return h.Walked(tuple(found), _linux(error.errno))
        finally:
            os.close(fd)
        return h.Walked(tuple(found), 0)

    def list(self, request: h.List) -> h.Reply:
        with self._tree(request.tree).directory(request.path) as place:
            fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=place)
        entries: list[h.Entry] = []
        try:
            with os.scandir(fd) as names:
                for number, one in enumerate(names):
                    if number < request.cookie:
                        continue
                    if len(entries) == LISTING_MAX:
                        return h.Listing(tuple(entries), number)
                    try:
                        status = one.stat(follow_symlinks=False)
                    except OSError:  # gone meanwhile
                        continue
                    entries.append(h.Entry(os.fsencode(one.name), self._stat(status)))
        finally:
            os.close(fd)
        return h.Listing(tuple(entries), 0)

    def readlink(self, request: h.Readlink) -> h.Reply:
        with self._tree(request.tree).parent(request.path) as (place, name):
            return h.Data(os.fsencode(os.readlink(name, dir_fd=place)))

    def mkdir(self, request: h.Mkdir) -> h.Reply:
        with self._tree(request.tree).parent(request.path, change=True) as (place, name):
            os.mkdir(name, request.mode & 0o1777, dir_fd=place)
            return self._found(place, name)

    def symlink(self, request: h.Symlink) -> h.Reply:
        with self._tree(request.tree).parent(request.path, change=True) as (place, name):
            os.symlink(request.target, name, dir_fd=place)
            return self._found(place, name)

    def link(self, request: h.Link) -> h.Reply:
        with (
            self._tree(request.tree).parent(request.path, change=True) as (place, name),
            self._tree(request.tree).parent(request.new_path, change=True) as (new_place, new_name),
        ):
            os.link(name, new_name, src_dir_fd=place, dst_dir_fd=new_place, follow_symlinks=False)
            return self._found(new_place, new_name)

    def rename(self, request: h.Rename) -> h.Reply:
        if request.flags not in (0, 1):
            raise SysError(Errno.EINVAL)
        with (
            self._tree(request.tree).parent(request.path, change=True) as (place, name),
            self._tree(request.tree).parent(request.new_path, change=True) as (new_place, new_name),
        ):
            if request.flags and exists(new_place, new_name):
                raise SysError(Errno.EEXIST)
            os.rename(name, new_name, src_dir_fd=place, dst_dir_fd=new_place)
        return h.Done()

    def unlink(self, request: h.Unlink) -> h.Reply:
        with self._tree(request.tree).parent(request.path, change=True) as (place, name):
            os.unlink(name, dir_fd=place)
        return h.Done()

    def rmdir(self, request: h.Rmdir) -> h.Reply:
        with self._tree(request.tree).parent(request.path, change=True) as (place, name):
            os.rmdir(name, dir_fd=place)
        return h.Done()

    def setattr(self, request: h.Setattr) -> h.Reply:
        if request.handle:
            handle = self._handle(request.handle)
            if handle.read_only_tree:
                raise SysError(Errno.EROFS)
            _change_open(handle.fd, request)
            return h.Found(self._stat(os.fstat(handle.fd)))
        with self._tree(request.tree).parent(request.path, change=True) as (place, name):
            _change_named(place, name, request)
            return self._found(place, name)

    def statfs(self, request: h.Statfs) -> h.Reply:
        tree = self._tree(request.tree)
        s = os.fstatvfs(tree.top)
        return h.Space(s.f_frsize, s.f_blocks, s.f_bfree, s.f_bavail, s.f_files, s.f_ffree, tree.read_only)

    # --- open files

    def open(self, request: h.Open) -> h.Reply:
        how = h.How(request.how & 63)
        change = bool(how & ~h.How.READ)
        if len(self._handles) >= HANDLES_MAX:
            raise SysError(Errno.ENFILE)
        with self._tree(request.tree).parent(request.path, change=change) as (place, name):
            fd = open_regular(place, name, how, request.mode)
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise SysError(Errno.ENXIO)
            size = min(max(request.size, 0), h.BLOCK_MAX, status.st_size)
            data = _read(fd, 0, size) if how & h.How.READ else b""
        except BaseException:
            os.close(fd)
            raise
        tree = self._trees[request.tree]
        if tree.read_only and len(data) == status.st_size:
            os.close(fd)
            return h.Opened(0, self._stat(status), data)
        self._last += 1
        self._handles[self._last] = _Handle(fd, bool(how & h.How.APPEND), tree.read_only)
        return h.Opened(self._last, self._stat(status), data)

    def read(self, request: h.Read) -> h.Reply:
        fd = self._handle(request.handle).fd
        return h.Data(_read(fd, request.offset, min(request.size, h.BLOCK_MAX)))

    def write(self, request: h.Write) -> h.Reply:
        handle = self._handle(request.handle)
        if handle.append:
            return h.Count(os.write(handle.fd, request.data))
        return h.Count(os.pwrite(handle.fd, request.data, request.offset))

    def fstat(self, request: h.Fstat) -> h.Reply:
        return h.Found(self._stat(os.fstat(self._handle(request.handle).fd)))

    def fsync(self, request: h.Fsync) -> h.Reply:
        os.fsync(self._handle(request.handle).fd)
        return h.Done()

    def close_handle(self, request: h.Close) -> h.Reply:
        os.close(self._handle(request.handle).fd)
        del self._handles[request.handle]
        return h.Done()

    # --- the ground

    def _tree(self, number: int) -> Tree:
        tree = self._trees.get(number)
        if tree is None:
            raise ProtocolError(f"there is no tree {number}")
        return tree

    def _handle(self, number: int) -> _Handle:
        handle = self._handles.get(number)
        if handle is None:
            raise SysError(Errno.EBADF)
        return handle

    def _found(self, place: int, name: Any) -> h.Found:
        return h.Found(self._stat(os.stat(name, dir_fd=place, follow_symlinks=False)))

    def _stat(self, s: os.stat_result) -> h.Stat:
        uid = 0 if s.st_uid == self._user else _NOBODY
        gid = 0 if s.st_gid == self._group else _NOBODY
        return h.Stat(
            s.st_mode, s.st_size, s.st_ino, s.st_dev, s.st_nlink, uid, gid,
            getattr(s, "st_blocks", 0), s.st_atime_ns, s.st_mtime_ns, s.st_ctime_ns,
        )  # fmt: skip


class _Handle:
    """An open file."""

    __slots__ = ("append", "fd", "read_only_tree")

    def __init__(self, fd: int, append: bool, read_only_tree: bool) -> None:
        self.fd = fd
        self.append = append
        self.read_only_tree = read_only_tree


def _read(fd: int, offset: int, size: int) -> bytes:
    data = os.pread(fd, size, offset) if size > 0 else b""
    while data and len(data) < size:
        more = os.pread(fd, size - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


def _change_open(fd: int, request: h.Setattr) -> None:
    if request.mode is not None:
        os.fchmod(fd, request.mode & 0o1777)
    if request.size is not None:
        os.ftruncate(fd, request.size)
    if request.atime_ns is not None or request.mtime_ns is not None:
        os.utime(fd, ns=_times(os.fstat(fd), request))


def _change_named(place: int, name: Any, request: h.Setattr) -> None:
    status = os.stat(name, dir_fd=place, follow_symlinks=False)
    if request.mode is not None:
        chmod(place, name, request.mode & 0o1777)
    if request.size is not None:
        fd = open_regular(place, name, h.How.WRITE, 0)
        try:
            os.ftruncate(fd, request.size)
        finally:
            os.close(fd)
    if request.atime_ns is not None or request.mtime_ns is not None:
        os.utime(name, ns=_times(status, request), dir_fd=place, follow_symlinks=False)


def _times(status: os.stat_result, request: h.Setattr) -> tuple[int, int]:
    atime = status.st_atime_ns if request.atime_ns is None else request.atime_ns
    return atime, status.st_mtime_ns if request.mtime_ns is None else request.mtime_ns


def _linux(number: int | None) -> int:
    """The Linux number of a host's errno."""
    if number is None:
        return Errno.EIO
    if _LINUX:
        return number
    return Errno.__members__.get(errorcode.get(number, ""), Errno.EIO)


_METHODS: dict[type, Callable[[HostTrees, Any], h.Reply]] = {
    h.Walk: HostTrees.walk,
    h.List: HostTrees.list,
    h.Readlink: HostTrees.readlink,
    h.Mkdir: HostTrees.mkdir,
    h.Symlink: HostTrees.symlink,
    h.Link: HostTrees.link,
    h.Rename: HostTrees.rename,
    h.Unlink: HostTrees.unlink,
    h.Rmdir: HostTrees.rmdir,
    h.Setattr: HostTrees.setattr,
    h.Statfs: HostTrees.statfs,
    h.Open: HostTrees.open,
    h.Read: HostTrees.read,
    h.Write: HostTrees.write,
    h.Fstat: HostTrees.fstat,
    h.Fsync: HostTrees.fsync,
    h.Close: HostTrees.close_handle,
}
