# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Descriptor tables: small numbers to open file descriptions.

Standard: POSIX.1-2024 "file descriptor": a new one is the lowest free number.
Errors:   EBADF for a number that is not open, EMFILE past the limit, EINVAL as fcntl(2).
"""
from __future__ import annotations

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.limits import OPEN_MAX
from skerry.kernel.file import File


class FdTable:
    """The descriptors of one process; threads share one, fork copies it."""

    __slots__ = ("cloexec", "files", "limit", "refs")

    def __init__(self) -> None:
        self.files: dict[int, File] = {}
        self.cloexec: set[int] = set()
        self.limit = OPEN_MAX
        self.refs = 1

    def get(self, fd: int) -> File:
        """The file behind `fd`."""
        file = self.files.get(fd)
        if file is None:
            raise SysError(Errno.EBADF)
        return file

    def lowest(self, least: int = 0) -> int:
        """The lowest free number from `least` on."""
        fd = least
        while fd in self.files:
            fd += 1
        if fd >= self.limit:
            raise SysError(Errno.EMFILE)
        return fd

    def add(self, file: File, cloexec: bool = False, least: int = 0) -> int:
        """Give `file` the lowest free number."""
        fd = self.lowest(least)
        self.files[fd] = file.acquire()
        if cloexec:
            self.cloexec.add(fd)
        return fd

    def put(self, fd: int, file: File, cloexec: bool = False) -> None:
        """Make `fd` refer to `file`, closing what it was."""
        if not 0 <= fd < self.limit:
            raise SysError(Errno.EBADF)
        old = self.files.get(fd)
        self.files[fd] = file.acquire()
        if cloexec:
            self.cloexec.add(fd)
        else:
            self.cloexec.discard(fd)
        if old is not None:
            old.release()

    def close(self, fd: int) -> File:
        """Free the number and give its reference back; returns the file for lock clean-up."""
        file = self.files.pop(fd, None)
        if file is None:
            raise SysError(Errno.EBADF)
        self.cloexec.discard(fd)
        file.release()
        return file

    def copy(self) -> FdTable:
        """A table of its own for a forked child."""
        table = FdTable()
        table.limit = self.limit
        table.files = dict(self.files)
        table.cloexec = set(self.cloexec)
        for file in table.files.values():
            file.acquire()
        return table

    def close_on_exec(self) -> None:
        """Close what execve must not keep."""
        for fd in sorted(self.cloexec):
            self.close(fd)

    def close_all(self) -> None:
        """The process is gone."""
        for fd in sorted(self.files):
            self.close(fd)
