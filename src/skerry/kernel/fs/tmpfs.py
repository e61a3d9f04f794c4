# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""tmpfs: files in memory. Everything answers at once.

Standard: tmpfs(5); the link counts and sizes of its directories are ordinary ones (2 + subdirectories).
Errors:   ENOSPC past `limit` bytes of content, or past one inode for each 2 KiB of it.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.file import Buffer
from skerry.kernel.fs.content import BLOCK, PAGE, Account, Content
from skerry.kernel.vfs import RENAME_EXCHANGE, Filesystem, Inode, New, Space

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel

DEFAULT_LIMIT = 1 << 30
BYTES_PER_INODE = 2048  # so that a flood of empty files ends in ENOSPC too
ENTRY_SIZE = 20  # what Linux adds to the size of a directory per name


class TmpFile(Inode):
    """A regular file."""

    __slots__ = ("content", "linkable")

    fs: Tmpfs

    def __init__(self, fs: Tmpfs, mode: int, uid: int, gid: int) -> None:
        super().__init__(fs, mode, uid, gid)
        self.content = Content(fs.account)
        self.linkable = False

    def read_at(self, offset: int, size: int) -> Buffer:
        """See Inode."""
        return self.content.read(offset, size)

    def write_at(self, offset: int, data: Buffer) -> int:
        """See Inode."""
        content = self.content
        done = content.write(offset, data)
        self.size = content.size
        self.module = None
        self.mtime_ns = self.ctime_ns = self.fs.now()
        return done

    def truncate(self, size: int) -> None:
        """See Inode."""
        self.prepare_write(size == 0)
        self.content.truncate(size)
        self._changed()

    def allocate(self, offset: int, size: int) -> None:
        """See Inode."""
        self.content.reserve(offset, size)
        self.ctime_ns = self.fs.now()

    def punch(self, offset: int, size: int) -> None:
        """See Inode."""
        self.content.punch(offset, size)
        self._changed()

    def _changed(self) -> None:
        self.size = self.content.size
        self.module = None
        self.mtime_ns = self.ctime_ns = self.fs.now()

    def next_data(self, offset: int) -> int:
        """See Inode."""
        return self.content.next_data(offset)

    def next_hole(self, offset: int) -> int:
        """See Inode."""
        return self.content.next_hole(offset)

    def blocks(self) -> int:
        """See Inode."""
        return self.content.pages * (PAGE // 512)

    def forget(self) -> None:
        """See Inode."""
        if self.nlink == 0 and self.opened == 0:
            self.content.clear()
            self.fs.inodes -= 1


class TmpNode(Inode):
    """A symbolic link, FIFO, socket or device."""

    __slots__ = ("target",)

    fs: Tmpfs

    def __init__(self, fs: Tmpfs, new: New) -> None:
        super().__init__(fs, new.mode, new.uid, new.gid)
        self.target = new.target
        self.rdev = new.rdev
        self.size = len(new.target)

    def readlink(self) -> bytes:
        """See Inode."""
        if self.mode & fcntl.S_IFMT != fcntl.S_IFLNK:
            raise SysError(Errno.EINVAL)
        return self.target

    def forget(self) -> None:
        """See Inode."""
        if self.nlink == 0:
            self.fs.inodes -= 1


class TmpDir(Inode):
    """A directory: names in order of creation."""

    __slots__ = ("names",)

    fs: Tmpfs

    def __init__(self, fs: Tmpfs, mode: int, uid: int, gid: int) -> None:
        super().__init__(fs, mode, uid, gid)
        self.names: dict[bytes, Inode] = {}
        self.nlink = 2

    def lookup(self, name: bytes) -> Inode | None:
        """See Inode."""
        return self.names.get(name)

    def entries(self) -> Iterable[tuple[bytes, int, int]]:
        """See Inode."""
        return [(name, inode.ino, inode.mode) for name, inode in self.names.items()]

    def make(self, name: bytes, new: New) -> Inode:
        """See Inode."""
        self._alive()
        inode = self.fs.new_inode(new)
        self._enter(name, inode)
        self._changed()
        return inode

    def make_nameless(self, new: New, linkable: bool) -> Inode:
        """See Inode."""
        inode = self.fs.new_inode(new)
        assert isinstance(inode, TmpFile)
        inode.nlink = 0
        inode.linkable = linkable
        return inode

    def link(self, name: bytes, inode: Inode) -> None:
        """See Inode."""
        self._alive()
        self._enter(name, inode)
        inode.nlink += 1
        if isinstance(inode, TmpFile):
            inode.linkable = False
        inode.ctime_ns = self._changed()

    def unlink(self, name: bytes, inode: Inode) -> None:
        """See Inode."""
        self._load()
        del self.names[name]
        inode.nlink -= 1
        inode.ctime_ns = self._changed()
        inode.forget()

    def rmdir(self, name: bytes, inode: Inode) -> None:
        """See Inode."""
        assert isinstance(inode, TmpDir)
        inode._load()
        if inode.names:
            raise SysError(Errno.ENOTEMPTY)
        self._load()
        self._remove_dir(name, inode)
        inode.ctime_ns = self._changed()

    def _remove_dir(self, name: bytes, inode: TmpDir) -> None:
        del self.names[name]
        inode.nlink = 0
        self.nlink -= 1
        self.fs.inodes -= 1

    def rename(self, name: bytes, to: Inode, new_name: bytes, flags: int) -> None:
        """See Inode."""
        assert isinstance(to, TmpDir)
        self._load()
        to._load()
        to._alive()
        inode = self.names[name]
        other = to.names.get(new_name)
        if flags & RENAME_EXCHANGE:
            assert other is not None
            self._take_over(name, other)
            if other.is_dir and self is not to:
                self.nlink, to.nlink = self.nlink + 1, to.nlink - 1
        else:
            if other is not None:
                to._displace(new_name, other)
            del self.names[name]
        to._take_over(new_name, inode)
        if inode.is_dir and self is not to:
            self.nlink, to.nlink = self.nlink - 1, to.nlink + 1
        now = self._changed()
        to._changed()
        inode.ctime_ns = now
        if other is not None:
            other.ctime_ns = now

    def _displace(self, name: bytes, other: Inode) -> None:
        """A rename puts something where `other` is."""
        if isinstance(other, TmpDir):
            other._load()
            if other.names:
                raise SysError(Errno.ENOTEMPTY)
            self._remove_dir(name, other)
        else:
            del self.names[name]
            other.nlink -= 1
            other.forget()

    def _take_over(self, name: bytes, inode: Inode) -> None:
        """`name` means `inode` from now on."""
        self.names[name] = inode
        if inode.is_dir:
            inode.parent, inode.name = self, name

    def scaffold(self, name: bytes, inode: Inode) -> None:
        """Enter a place to mount on, without looking at what else is here."""
        self._take_over(name, inode)
        if inode.is_dir:
            self.nlink += 1

    def _enter(self, name: bytes, inode: Inode) -> None:
        self._load()
        self._take_over(name, inode)
        if inode.is_dir:
            self.nlink += 1

    def _load(self) -> None:
        """Make `names` complete: the overlay's directories are read late."""

    def _alive(self) -> None:
        """Raise ENOENT in a directory that was removed."""
        if self.nlink == 0:
            raise SysError(Errno.ENOENT)

    def _changed(self) -> int:
        now = self.mtime_ns = self.ctime_ns = self.fs.now()
        self.size = ENTRY_SIZE * len(self.names)
        return now


class Tmpfs(Filesystem):
    """One tmpfs."""

    kind = b"tmpfs"
    magic = 0x01021994

    def __init__(
        self, limit: int = DEFAULT_LIMIT, mode: int = 0o1777, uid: int = 0, gid: int = 0,
        read_only: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(read_only)
        self.account = Account(limit)
        self.inodes = 0
        self.inode_limit = max(limit // BYTES_PER_INODE, 16)
        self.root: TmpDir = self.new_directory(fcntl.S_IFDIR | mode, uid, gid)
        self.source = b"tmpfs"

    def attach(self, kernel: Kernel, device: int) -> None:
        """See Filesystem; what was made before there was a clock is made now."""
        super().attach(kernel, device)
        fresh: list[Inode] = [self.root]
        for inode in fresh:
            inode.atime_ns = inode.mtime_ns = inode.ctime_ns = inode.btime_ns = self.now()
            if isinstance(inode, TmpDir):
                fresh += inode.names.values()

    def new_inode(self, new: New) -> Inode:
        """An inode of the type `new` asks for. Raises: SysError(ENOSPC)."""
        if self.inodes >= self.inode_limit:
            raise SysError(Errno.ENOSPC)
        self.inodes += 1
        kind = new.mode & fcntl.S_IFMT
        if kind == fcntl.S_IFDIR:
            return self.new_directory(new.mode, new.uid, new.gid)
        if kind == fcntl.S_IFREG:
            return self.new_file(new.mode, new.uid, new.gid)
        return TmpNode(self, new)

    def new_directory(self, mode: int, uid: int, gid: int) -> TmpDir:
        """A directory; the overlay makes its own kind."""
        return TmpDir(self, mode, uid, gid)

    def new_file(self, mode: int, uid: int, gid: int) -> TmpFile:
        """A regular file; the overlay makes its own kind."""
        return TmpFile(self, mode, uid, gid)

    def statfs(self) -> Space:
        """See Filesystem."""
        account = self.account
        return Space(account.limit, account.free, self.inode_limit, self.inode_limit - self.inodes)

    def scaffold(self, names: tuple[bytes, ...], directory: bool) -> Inode:
        """See Filesystem."""
        node: Inode = self.root
        for position, name in enumerate(names):
            assert isinstance(node, TmpDir)
            found = node.names.get(name)
            if found is None:
                last = position == len(names) - 1
                kind = fcntl.S_IFDIR | 0o755 if directory or not last else fcntl.S_IFREG | 0o644
                found = self.new_inode(New(kind, 0, 0))
                node.scaffold(name, found)
            node = found
        return node


assert BLOCK % PAGE == 0
