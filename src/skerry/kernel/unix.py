# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""AF_UNIX sockets: their names, and how one finds another.

A path is an S_IFSOCK inode whose `socket` is the bound one; an abstract name is an entry of
`network.abstract`. unixconn.py has the connected types, unixdgram.py datagrams.

Standard: unix(7).
Errors:   EADDRINUSE for a name in use, ECONNREFUSED for a name nobody is behind, EPROTOTYPE for
          a socket of another type, EACCES without write permission on the inode.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import AT_FDCWD, S_IFSOCK
from skerry.abi.socket import AF_UNIX
from skerry.kernel import dirent, namei
from skerry.kernel.ancillary import Ancillary, collect, ucred
from skerry.kernel.sockaddr import format_unix, parse_unix
from skerry.kernel.socket import Socket
from skerry.kernel.vfs import WRITE, Inode, require, settle
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.task import Task


class UnixSocket(Socket):
    """A socket with a UNIX name."""

    family = AF_UNIX
    name = b""
    bound: Inode | None = None  # where a path name lives
    closed = False

    # --- names

    def bind(self, task: Task, address: bytes) -> int | Step[int]:
        """See Socket."""
        name = parse_unix(address)
        if len(address) == 2:
            if not self.name:
                self.claim(self.network.free_abstract_name(self.type))
            return 0
        if self.name:
            raise SysError(Errno.EINVAL)
        if name[:1] == b"\0":
            self.claim(name)
            return 0
        try:
            made = settle(dirent.create, task, AT_FDCWD, name, S_IFSOCK | 0o777)
        except SysError as error:
            raise _in_use(error) from None
        return self._take_path(name, made) if isinstance(made, Inode) else self._bind_later(name, made)

    def _bind_later(self, name: bytes, step: Step[Inode]) -> Step[int]:
        try:
            inode = yield from step
        except SysError as error:
            raise _in_use(error) from None
        return self._take_path(name, inode)

    def _take_path(self, name: bytes, inode: Inode) -> int:
        self.name, self.bound = name, inode
        inode.socket = self
        return 0

    def claim(self, name: bytes) -> None:
        """Take an abstract name."""
        key = (self.type, name)  # each type has names of its own, as on Linux
        if key in self.network.abstract:
            raise SysError(Errno.EADDRINUSE)
        self.network.abstract[key] = self
        self.name = name

    def forget_name(self) -> None:
        """The socket is gone; a path stays in its directory, with nobody behind it."""
        if self.bound is not None and self.bound.socket is self:
            self.bound.socket = None
        if self.network.abstract.get((self.type, self.name)) is self:
            del self.network.abstract[self.type, self.name]

    def sockname(self) -> bytes:
        """See Socket."""
        return format_unix(self.name)

    # --- finding

    def find(self, task: Task, address: bytes) -> UnixSocket | Step[UnixSocket]:
        """The socket of this type that has the name in `address`."""
        name = parse_unix(address)
        if not name:
            raise SysError(Errno.ECONNREFUSED if len(address) > 2 else Errno.EINVAL)
        if name[0] == 0:
            return self._same_type(self.network.abstract.get((self.type, name)))
        found = settle(namei.find, task, AT_FDCWD, name)
        return self._behind(task, found) if isinstance(found, Inode) else self._find_later(task, found)

    def _find_later(self, task: Task, step: Step[Inode]) -> Step[UnixSocket]:
        return self._behind(task, (yield from step))

    def _behind(self, task: Task, inode: Inode) -> UnixSocket:
        require(inode, task.process.cred, WRITE)
        return self._same_type(inode.socket)

    def _same_type(self, found: object) -> UnixSocket:
        if not isinstance(found, UnixSocket):
            raise SysError(Errno.ECONNREFUSED)
        if found.type != self.type:
            raise SysError(Errno.EPROTOTYPE)
        return found

    # --- ancillary data

    def with_cred(self, task: Task, receiver: Socket, ancillary: Ancillary | None) -> Ancillary | None:
        """Add the sender's credentials when the receiver wants them (SO_PASSCRED)."""
        if not receiver.pass_cred:
            return ancillary
        if ancillary is None:
            return Ancillary(self.network, (), ucred(task))
        if ancillary.cred is None:
            ancillary.cred = ucred(task)
        return ancillary

    def close(self) -> None:
        """See File."""
        self.closed = True
        self.forget_name()
        self.discard()
        collect(self.network)


def _in_use(error: SysError) -> SysError:
    return SysError(Errno.EADDRINUSE) if error.errno == Errno.EEXIST else error


def pair(one: UnixSocket, other: UnixSocket, task: Task) -> None:
    """What both ends of a socketpair(2) know of each other."""
    one.peer_cred = other.peer_cred = ucred(task)
