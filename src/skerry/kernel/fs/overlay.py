# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A writable file system that begins as a read-only one.

It is a tmpfs whose directories take over the names of the lower tree when they are first
looked at, and whose files read through to the lower ones until they are written (copy-up).
Removing a name removes it here: there are no whiteouts to hide, and a new directory under
an old name is empty. So, unlike Linux' overlayfs, directories can be renamed, hard links
survive copy-up, and an open file sees what is written through another.

Units:    copied-up content is charged to the limit of this file system.
Blocking: a directory or link raises `Cold` the first time, and so does opening a lower file
          for writing; reading one is what the lower file system makes of it.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import S_IFDIR, S_IFMT, S_IFREG
from skerry.kernel.file import Buffer
from skerry.kernel.fs.content import PAGE
from skerry.kernel.fs.tmpfs import DEFAULT_LIMIT, TmpDir, TmpFile, Tmpfs, TmpNode
from skerry.kernel.vfs import Filesystem, Inode, New
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel


class OverlayFile(TmpFile):
    """A file whose content is `lower`'s until it is written."""

    __slots__ = ("lower",)

    fs: Overlay

    def __init__(self, fs: Overlay, mode: int, uid: int, gid: int) -> None:
        super().__init__(fs, mode, uid, gid)
        self.lower: Inode | None = None

    def read_at(self, offset: int, size: int) -> Buffer | Step[Buffer]:  # type: ignore[override]  # the host may be asked
        """See Inode."""
        if self.lower is not None:
            return self.lower.read_at(offset, size)
        return self.content.read(offset, size)

    def whole(self) -> bytes:
        """See Inode."""
        return self.lower.whole() if self.lower is not None else super().whole()

    def prepare_write(self, truncate: bool) -> None:
        """See Inode: copy up."""
        lower = self.lower
        if lower is None:
            return
        if not truncate:
            if lower.size > self.content.account.free * PAGE:
                raise SysError(Errno.ENOSPC)
            data = lower.whole()
            self.content.write(0, data)
        self.lower = None
        self.size = self.content.size

    def next_data(self, offset: int) -> int:
        """See Inode."""
        return offset if self.lower is not None else super().next_data(offset)

    def next_hole(self, offset: int) -> int:
        """See Inode."""
        return self.size if self.lower is not None else super().next_hole(offset)

    def blocks(self) -> int:
        """See Inode."""
        return self.lower.blocks() if self.lower is not None else super().blocks()

    def forget(self) -> None:
        """See Inode."""
        super().forget()
        if self.lower is not None and self.opened == 0:
            self.lower.forget()


class OverlayNode(TmpNode):
    """A link or FIFO of the lower tree."""

    __slots__ = ("lower",)

    def __init__(self, fs: Overlay, lower: Inode) -> None:
        super().__init__(fs, New(lower.mode, lower.uid, lower.gid))
        self.lower = lower

    def readlink(self) -> bytes:
        """See Inode."""
        return self.lower.readlink()


class OverlayDir(TmpDir):
    """A directory; `lower` is one whose names have not been taken over yet."""

    __slots__ = ("lower",)

    fs: Overlay

    def __init__(self, fs: Overlay, mode: int, uid: int, gid: int) -> None:
        super().__init__(fs, mode, uid, gid)
        self.lower: Inode | None = None

    def lookup(self, name: bytes) -> Inode | None:
        """See Inode."""
        if self.lower is not None:
            self._load()
        return self.names.get(name)

    def entries(self) -> Iterable[tuple[bytes, int, int]]:
        """See Inode."""
        self._load()
        return super().entries()

    def _load(self) -> None:
        """Take over the names of the lower directory; the ones here were made to mount on."""
        lower = self.lower
        if lower is None:
            return
        names: dict[bytes, Inode] = {}
        for name, _, _ in lower.entries():
            below = lower.lookup(name)
            here = self.names.pop(name, None)
            if below is not None:
                names[name] = inode = self.fs.adopt(below, here)
                if inode.is_dir:
                    inode.parent, inode.name = self, name
        names.update(self.names)
        self.names = names
        self.nlink = 2 + sum(inode.is_dir for inode in names.values())
        self.lower = None


class Overlay(Tmpfs):
    """One such file system, `limit` bytes of changes at most."""

    kind = b"overlay"
    magic = 0x794C7630

    root: OverlayDir

    def __init__(self, lower: Filesystem, limit: int = DEFAULT_LIMIT) -> None:
        self.lower = lower
        self._linked: dict[Inode, Inode] = {}  # lower files with several names -> ours
        super().__init__(limit, mode=0o755)
        self.source = b"overlay"
        self.root.lower = lower.root

    def attach(self, kernel: Kernel, device: int) -> None:
        """See Filesystem."""
        super().attach(kernel, device)
        self.lower.attach(kernel, device)

    def new_directory(self, mode: int, uid: int, gid: int) -> OverlayDir:
        """See Tmpfs."""
        return OverlayDir(self, mode, uid, gid)

    def new_file(self, mode: int, uid: int, gid: int) -> OverlayFile:
        """See Tmpfs."""
        return OverlayFile(self, mode, uid, gid)

    def adopt(self, below: Inode, here: Inode | None) -> Inode:
        """The inode that stands for a lower one; `here` was made as a place to mount on."""
        if here is not None:
            if isinstance(here, OverlayDir) and below.is_dir:
                here.lower = below
                _inherit(here, below)
            return here
        found = self._linked.get(below)
        if found is not None:
            return found
        self.inodes += 1
        kind = below.mode & S_IFMT
        inode: Inode
        if kind == S_IFDIR:
            inode = directory = self.new_directory(below.mode, below.uid, below.gid)
            directory.lower = below
        elif kind == S_IFREG:
            inode = file = self.new_file(below.mode, below.uid, below.gid)
            file.lower = below
        else:
            inode = OverlayNode(self, below)
        _inherit(inode, below)
        if below.nlink > 1 and not inode.is_dir:
            self._linked[below] = inode
        return inode


def _inherit(inode: Inode, below: Inode) -> None:
    """Begin with the attributes of the lower file."""
    inode.mode, inode.uid, inode.gid = below.mode, below.uid, below.gid
    inode.nlink, inode.size, inode.rdev = below.nlink, below.size, below.rdev
    inode.atime_ns, inode.mtime_ns = below.atime_ns, below.mtime_ns
    inode.ctime_ns, inode.btime_ns = below.ctime_ns, below.btime_ns
