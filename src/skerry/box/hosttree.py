# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Ways into host trees: from names a box sent to descriptors, never outside the tree.

Each name is opened by itself, relative to the directory before, without following symbolic links:
whatever a box asks and however the tree changes meanwhile, nothing outside is reached.

Errors: ProtocolError for names no kernel of ours sends; SysError and OSError for the rest.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from skerry.abi import hostfs as h
from skerry.abi.errno import Errno
from skerry.abi.errors import ProtocolError, SysError

DIRECTORY = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_FILE = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK


class Tree:
    """An open top: a directory, or for a single file the directory that holds it."""

    def __init__(self, path: str, read_only: bool) -> None:
        self.read_only = read_only
        self.name: str | None = None
        path = os.path.realpath(path)  # the person may name a link; the box cannot
        if not stat.S_ISDIR(os.stat(path).st_mode):
            path, self.name = os.path.split(path)
        self.top = os.open(path, os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY))

    def stat_top(self) -> os.stat_result:
        if self.name is not None:
            return os.stat(self.name, dir_fd=self.top, follow_symlinks=False)
        return os.fstat(self.top)

    @contextmanager
    def directory(self, untrusted_path: h.Path) -> Iterator[int]:
        """The directory at a path, open while the block runs."""
        check_path(untrusted_path)
        if self.name is not None:
            raise SysError(Errno.ENOTDIR)
        fd = os.dup(self.top)
        try:
            for name in untrusted_path:
                try:
                    below = os.open(name, DIRECTORY, dir_fd=fd)
                except NotADirectoryError:  # a symbolic link says this as well
                    link = stat.S_ISLNK(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode)
                    raise SysError(Errno.ELOOP if link else Errno.ENOTDIR) from None
                os.close(fd)
                fd = below
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def parent(self, untrusted_path: h.Path, change: bool = False) -> Iterator[tuple[int, Any]]:
        """The directory that holds the last name of a path, and that name; open while the block runs.

        Raises: SysError(EROFS) for a `change` in a read-only tree.
        """
        if change and self.read_only:
            raise SysError(Errno.EROFS)
        if self.name is not None:
            if untrusted_path:
                raise SysError(Errno.ENOTDIR)
            yield self.top, self.name
        elif not untrusted_path:
            yield self.top, "."
        else:
            check_path(untrusted_path[-1:])
            with self.directory(untrusted_path[:-1]) as fd:
                yield fd, untrusted_path[-1]


def check_path(untrusted_path: h.Path) -> None:
    """Raise ProtocolError unless each name is one that a directory can hold."""
    if len(untrusted_path) > h.DEPTH_MAX:
        raise ProtocolError("path too deep")
    for name in untrusted_path:
        if not 0 < len(name) <= 255 or b"/" in name or b"\0" in name or name in (b".", b".."):
            raise ProtocolError(f"no name of a file: {name[:40]!r}")


def open_regular(place: int, name: Any, how: h.How, mode: int) -> int:
    """Open a regular file, making it when asked."""
    flags = _FILE | (os.O_RDWR if how & h.How.WRITE and how & h.How.READ else
                     os.O_WRONLY if how & h.How.WRITE else os.O_RDONLY)  # fmt: skip
    if how & h.How.APPEND:
        flags |= os.O_APPEND
    if how & h.How.TRUNCATE:
        flags |= os.O_TRUNC
    if how & h.How.CREATE:
        try:
            return os.open(name, flags | os.O_CREAT | os.O_EXCL, mode & 0o777, dir_fd=place)
        except FileExistsError:
            if how & h.How.EXCLUSIVE:
                raise
    mode_there = os.stat(name, dir_fd=place, follow_symlinks=False).st_mode
    if stat.S_ISDIR(mode_there):
        raise SysError(Errno.EISDIR)
    if stat.S_ISLNK(mode_there):
        raise SysError(Errno.ELOOP)
    if not stat.S_ISREG(mode_there):  # opening a device or a FIFO can do things
        raise SysError(Errno.ENXIO)
    return os.open(name, flags, dir_fd=place)


def exists(place: int, name: Any) -> bool:
    """Whether a directory has this name."""
    try:
        os.stat(name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def chmod(place: int, name: Any, mode: int) -> None:
    """chmod that follows no link: by an open directory or file, since fchmodat cannot."""
    if sys.platform == "linux":
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place)
        try:
            if stat.S_ISLNK(os.fstat(fd).st_mode):
                raise SysError(Errno.EOPNOTSUPP)
            os.chmod(f"/proc/self/fd/{fd}", mode)
        finally:
            os.close(fd)
    else:
        os.chmod(name, mode, dir_fd=place, follow_symlinks=False)
