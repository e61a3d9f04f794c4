# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A tree of the host that never changes: the root tree of a box, or a read-only mount.

What has been looked at once is kept: a directory with the attributes of everything in it,
the text of a link, the content of a file up to `FILE_MAX`. Longer files are read in pieces
through a handle.

Units:  sizes are bytes.
Errors: what the host answers; a change on the host may stay unseen.
Blocking: names and attributes raise `Cold` the first time, content is a Step then.
"""
from __future__ import annotations

from collections.abc import Iterable

from skerry.abi import hostfs
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from skerry.kernel.file import Buffer
from skerry.kernel.fs.hostask import ask, read_range, read_whole
from skerry.kernel.vfs import Cold, Filesystem, Inode, Space
from skerry.kernel.wait import Step

FILE_MAX = 64 << 20  # longer files are not kept
CACHE_MAX = 256 << 20  # all kept content together


class TreeInode(Inode):
    """Anything in the tree."""

    __slots__ = ("path", "stored")

    fs: HostTree

    def __init__(self, fs: HostTree, path: hostfs.Path, st: hostfs.Stat) -> None:
        super().__init__(fs, st.mode)
        self.path = path
        self.learn(st)

    def learn(self, st: hostfs.Stat) -> None:
        """Take the attributes the host told."""
        self.mode = st.mode
        self.nlink = st.nlink
        self.size = st.size
        self.stored = st.blocks
        self.atime_ns, self.mtime_ns, self.ctime_ns = st.atime_ns, st.mtime_ns, st.ctime_ns
        self.btime_ns = min(st.mtime_ns, st.ctime_ns)

    def blocks(self) -> int:
        """See Inode."""
        return self.stored


EMPTY = hostfs.Listing((), 0)


class TreeDir(TreeInode):
    """A directory; `names` is None until it has been listed."""

    __slots__ = ("made", "names", "places")

    def __init__(self, fs: HostTree, path: hostfs.Path, st: hostfs.Stat) -> None:
        super().__init__(fs, path, st)
        self.names: dict[bytes, Inode] | None = None
        self.places: dict[bytes, Inode] = {}  # made to mount on, whether the host has them or not
        self.made = False  # itself one of these

    def lookup(self, name: bytes) -> Inode | None:
        """See Inode."""
        if self.names is None:
            raise Cold(self.fill)
        return self.names.get(name)

    def entries(self) -> Iterable[tuple[bytes, int, int]]:
        """See Inode."""
        if self.names is None:
            raise Cold(self.fill)
        return [(name, inode.ino, inode.mode) for name, inode in self.names.items()]

    def fill(self, rest: tuple[bytes, ...] = ()) -> Step[None]:
        """List it, with the attributes of everything in it."""
        names: dict[bytes, Inode] = dict(self.places)
        cookie = 0
        while True:
            request = hostfs.List(self.fs.tree, self.path, cookie)
            listing = yield from ask(self.fs, request, hostfs.Listing, EMPTY if self.made else None)
            for entry in listing.entries:
                if entry.name not in names:
                    names[entry.name] = self.fs.inode(self, entry.name, entry.stat)
            cookie = listing.cookie
            if cookie == 0:
                break
        self.names = names


class TreeFile(TreeInode):
    """A regular file; `data` is its content once it has been read."""

    __slots__ = ("data", "handle")

    def __init__(self, fs: HostTree, path: hostfs.Path, st: hostfs.Stat) -> None:
        super().__init__(fs, path, st)
        self.data: bytes | None = None
        self.handle = 0

    def read_at(self, offset: int, size: int) -> Buffer | Step[Buffer]:
        """See Inode."""
        if offset >= self.size:
            return b""
        if self.data is not None:
            return memoryview(self.data)[offset : offset + size]
        if self.size > FILE_MAX:
            return self._read_piece(offset, size)
        return self._read_later(offset, size)

    def _read_later(self, offset: int, size: int) -> Step[Buffer]:
        data = yield from self._load()
        return memoryview(data)[offset : offset + size]

    def _read_piece(self, offset: int, size: int) -> Step[Buffer]:
        if not self.handle:
            request = hostfs.Open(self.fs.tree, self.path, hostfs.How.READ, 0, 0)
            opened = yield from ask(self.fs, request, hostfs.Opened)
            self.forget()  # another task may have been faster
            self.handle = opened.handle
        return (yield from read_range(self.fs, self.handle, offset, size))

    def whole(self) -> bytes:
        """All of it. May raise Cold."""
        if self.data is None:
            raise Cold(self._fill)
        return self.data

    def _fill(self, rest: tuple[bytes, ...]) -> Step[None]:
        yield from self._load()

    def _load(self) -> Step[bytes]:
        """Read everything and keep it."""
        data = yield from read_whole(self.fs, self.fs.tree, self.path)
        self.size = len(data)
        self.data = data
        self.fs.keep(self)
        return data

    def forget(self) -> None:
        """Nobody has it open."""
        if self.handle:
            self.fs.close_handle(self.handle)
            self.handle = 0


class TreeLink(TreeInode):
    """A symbolic link."""

    __slots__ = ("target",)

    def __init__(self, fs: HostTree, path: hostfs.Path, st: hostfs.Stat) -> None:
        super().__init__(fs, path, st)
        self.target: bytes | None = None

    def readlink(self) -> bytes:
        """See Inode."""
        if self.target is None:
            raise Cold(self._fill)
        return self.target

    def _fill(self, rest: tuple[bytes, ...]) -> Step[None]:
        request = hostfs.Readlink(self.fs.tree, self.path)
        self.target = (yield from ask(self.fs, request, hostfs.Data)).data


FOLDER = hostfs.Stat(S_IFDIR | 0o755, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0)
"""The top of a tree of which nothing else is known yet."""


class HostTree(Filesystem):
    """One such tree. Everything in it belongs to root, whoever owns it on the host."""

    kind = b"host"
    magic = 0x01021997  # V9FS_MAGIC, what files of a host look like in a virtual machine

    def __init__(self, tree: int = 0, top: hostfs.Stat = FOLDER) -> None:
        super().__init__(read_only=True)
        self.tree = tree
        self.source = b"tree%d" % tree
        self.root_cold = top is FOLDER
        self._linked: dict[tuple[int, int], Inode] = {}  # files with several names, by host identity
        self._kept: dict[TreeFile, int] = {}  # oldest first
        self._kept_size = 0
        folder = top.mode & S_IFMT == S_IFDIR
        self.root: TreeFile | TreeDir = TreeDir(self, (), top) if folder else TreeFile(self, (), top)

    def fill_root(self, rest: tuple[bytes, ...]) -> Step[None]:
        """See Filesystem."""
        walked = yield from ask(self, hostfs.Walk(self.tree, ()), hostfs.Walked)
        if not walked.stats:
            raise SysError(walked.errno or Errno.EIO)
        self.root.learn(walked.stats[0])
        self.root_cold = False

    def inode(self, parent: TreeDir, name: bytes, st: hostfs.Stat) -> Inode:
        """The inode of an entry; names of one file share theirs."""
        key = (st.dev, st.ino)
        kind = st.mode & S_IFMT
        shared = st.nlink > 1 and kind != S_IFDIR
        if shared and key in self._linked:
            return self._linked[key]
        path = (*parent.path, name)
        inode: TreeInode
        if kind == S_IFDIR:
            inode = TreeDir(self, path, st)
            inode.parent, inode.name = parent, name
        elif kind == S_IFREG:
            inode = TreeFile(self, path, st)
        elif kind == S_IFLNK:
            inode = TreeLink(self, path, st)
        else:
            inode = TreeInode(self, path, st)
        if shared:
            self._linked[key] = inode
        return inode

    def keep(self, file: TreeFile) -> None:
        """Content was read: make room for it by forgetting the oldest."""
        if file in self._kept:
            self._kept_size -= self._kept.pop(file)
        self._kept[file] = file.size
        self._kept_size += file.size
        while self._kept_size > CACHE_MAX and len(self._kept) > 1:
            oldest = next(iter(self._kept))
            self._kept_size -= self._kept.pop(oldest)
            oldest.data = None

    def close_handle(self, handle: int) -> None:
        """Tell the monitor that a handle is not wanted any more."""
        if handle:
            assert self.kernel is not None
            self.kernel.requests.tell(hostfs.Close(handle))

    def statfs(self) -> Step[Space]:
        """See Filesystem."""
        space = yield from ask(self, hostfs.Statfs(self.tree), hostfs.Space)
        return Space(space.blocks, space.blocks_free, space.files, space.files_free, space.block_size)

    def scaffold(self, names: tuple[bytes, ...], directory: bool) -> Inode:
        """See Filesystem; below a place that was made, the host is not seen."""
        node: Inode = self.root
        for position, name in enumerate(names):
            assert isinstance(node, TreeDir)
            found = node.places.get(name)
            if found is None:
                is_dir = directory or position < len(names) - 1
                mode, nlink = (S_IFDIR | 0o755, 2) if is_dir else (S_IFREG | 0o644, 1)
                found = self.inode(node, name, hostfs.Stat(mode, 0, 0, 0, nlink, 0, 0, 0, 0, 0, 0))
                node.places[name] = found
                if isinstance(found, TreeDir):
                    found.made = True
            node = found
        return node
