# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A folder of the host, live: what is changed here is changed there.

What the host said about a name is trusted for `FRESH_NS`; content is asked for when a file
is opened. Files of the person who runs the box belong to the box's user, all others to nobody.

Standard: none; the freshness rule is that of NFS (nfs(5), "Data And Metadata Coherence").
Units:    times of trust are nanoseconds of the monotonic clock.
Errors:   what the host answers; EPERM for FIFOs, sockets and changes of ownership.
Blocking: names raise `Cold`, changes are Steps.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from skerry.abi import hostfs
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from skerry.abi.limits import NAME_MAX
from skerry.kernel.fs.hostask import ask, read_whole
from skerry.kernel.fs.hosttree import FOLDER
from skerry.kernel.vfs import RENAME_EXCHANGE, UNCHANGED, Cold, Filesystem, Inode, New, Space
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.file import File
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.task import Task

FRESH_NS = 100_000_000
NEVER = -FRESH_NS - 1
NOBODY = 65534
PLAIN_STOP = (b"", b".", b"..")


class HostInode(Inode):
    """Any file there; `parent` and `name` are where it was seen last."""

    __slots__ = ("content", "handles", "head", "seen_ns", "spare", "stored", "target", "version")

    fs: HostFs
    parent: HostDir | None

    def __init__(self, fs: HostFs, st: hostfs.Stat) -> None:
        super().__init__(fs, st.mode)
        self.content: bytes | None = None  # all of it, for programs
        self.head = b""  # its first bytes, as of the last opening
        self.version = 0  # counts changes of the content
        self.handles: list[int] = []  # of the open files here
        self.spare = 0  # a handle that making the file gave, for the opening that follows
        self.target: bytes | None = None
        self.seen_ns = NEVER
        self.stored = 0
        self.update(st)

    def update(self, st: hostfs.Stat) -> None:
        """The host told how it is now."""
        if (st.mtime_ns, st.size) != (self.mtime_ns, self.size):
            self.changed()
            self.target = None
        self.mode, self.nlink, self.size, self.stored = st.mode, st.nlink, st.size, st.blocks
        self.uid = self.fs.uid if st.uid == 0 else NOBODY
        self.gid = self.fs.gid if st.gid == 0 else NOBODY
        self.atime_ns, self.mtime_ns, self.ctime_ns = st.atime_ns, st.mtime_ns, st.ctime_ns
        self.btime_ns = min(st.mtime_ns, st.ctime_ns)
        self.seen_ns = self.fs.clock()

    def changed(self) -> None:
        """Its content is another now."""
        self.content = self.module = None
        self.head = b""
        self.version += 1

    @property
    def path(self) -> hostfs.Path:
        """Where it is in the tree."""
        names: list[bytes] = []
        node: HostInode = self
        while node.parent is not None:
            names.append(node.name)
            node = node.parent
        return tuple(reversed(names))

    @property
    def fresh(self) -> bool:
        """Whether its attributes are still trusted."""
        return self.fs.clock() - self.seen_ns <= FRESH_NS

    def refresh(self) -> Step[None]:
        """Ask for its attributes, by an open handle where there is one."""
        if self.handles:
            found = yield from ask(self.fs, hostfs.Fstat(self.handles[-1]), hostfs.Found)
            self.update(found.stat)

    def blocks(self) -> int:
        """See Inode."""
        return self.stored

    def readlink(self) -> bytes:
        """See Inode."""
        if self.mode & S_IFMT != S_IFLNK:
            raise SysError(Errno.EINVAL)
        if self.target is None:
            raise Cold(self._fill_target)
        return self.target

    def _fill_target(self, rest: tuple[bytes, ...]) -> Step[None]:
        request = hostfs.Readlink(self.fs.tree, self.path)
        self.target = (yield from ask(self.fs, request, hostfs.Data)).data

    def whole(self) -> bytes:
        """See Inode."""
        if self.content is None:
            raise Cold(self._fill_content)
        return self.content

    def _fill_content(self, rest: tuple[bytes, ...]) -> Step[None]:
        self.content = yield from read_whole(self.fs, self.fs.tree, self.path)

    def setattr(
        self, mode: int = UNCHANGED, uid: int = UNCHANGED, gid: int = UNCHANGED,
        atime_ns: int | None = None, mtime_ns: int | None = None,
    ) -> Step[None] | None:  # fmt: skip
        """See Inode."""
        if uid not in (UNCHANGED, self.uid) or gid not in (UNCHANGED, self.gid):
            raise SysError(Errno.EPERM)
        if self.nlink == 0 and not self.handles:  # a removed directory: only its openers can tell
            return super().setattr(mode, uid, gid, atime_ns, mtime_ns)
        return self._set(None if mode == UNCHANGED else mode, None, atime_ns, mtime_ns)

    def truncate(self, size: int) -> Step[None]:
        """See Inode."""
        self.changed()
        return self._set(None, size, None, None)

    def _set(
        self, mode: int | None, size: int | None, atime_ns: int | None, mtime_ns: int | None
    ) -> Step[None]:
        handle = self.handles[-1] if self.handles else 0
        request = hostfs.Setattr(self.fs.tree, self.path, handle, mode, size, atime_ns, mtime_ns)
        self.update((yield from ask(self.fs, request, hostfs.Found)).stat)

    def open(self, task: Task, flags: int) -> File | Step[File]:
        """See Inode."""
        if self.mode & S_IFMT == S_IFREG:
            from skerry.kernel.fs.hostfile import open_file  # needs this module first

            return open_file(self, flags)
        return super().open(task, flags)


EMPTY = hostfs.Listing((), 0)


class HostDir(HostInode):
    """A directory; `names` maps a name to what it was and when that was said."""

    __slots__ = ("listed_ns", "listing", "made", "names", "places")

    def __init__(self, fs: HostFs, st: hostfs.Stat) -> None:
        self.names: dict[bytes, tuple[HostInode | None, int]] = {}
        self.places: dict[bytes, HostInode] = {}  # made to mount on, whether the host has them or not
        self.made = False  # itself one of these
        self.listing: list[tuple[bytes, int, int]] = []
        self.listed_ns = NEVER
        super().__init__(fs, st)

    def lookup(self, name: bytes) -> Inode | None:
        """See Inode."""
        found, said_ns = self.names.get(name, (None, NEVER))
        if self.fs.clock() - said_ns > FRESH_NS:
            if name in self.places or len(name) > NAME_MAX:
                return self.places.get(name)
            raise Cold(lambda rest: self._fill((name, *rest)))
        if found is not None:
            found.parent, found.name = self, name  # of several names, the one that is used now
        return found

    def _fill(self, names: tuple[bytes, ...]) -> Step[None]:
        """Ask about a name, and in the same trip about those a walk wants below it."""
        wanted: list[bytes] = []
        for name in names[: hostfs.DEPTH_MAX // 2]:
            if name in PLAIN_STOP or len(name) > NAME_MAX:
                break
            wanted.append(name)
        walk = hostfs.Walk(self.fs.tree, (*self.path, *wanted))
        walked = yield from ask(self.fs, walk, hostfs.Walked)
        self._learn(wanted, walked.stats[len(self.path) :], walked.errno)

    def _learn(self, wanted: list[bytes], stats: tuple[hostfs.Stat, ...], errno: int) -> None:
        """Keep what a walk said about `wanted`, as far as it went."""
        if not stats and errno != Errno.ENOENT:
            raise SysError(errno or Errno.EIO)
        node = self
        for name, st in zip(wanted, stats, strict=False):
            inode = self.fs.inode(node, name, st)
            if not isinstance(inode, HostDir):
                return
            node = inode
        if errno == Errno.ENOENT and len(stats) < len(wanted):
            node.names[wanted[len(stats)]] = (None, self.fs.clock())

    def entries(self) -> Iterable[tuple[bytes, int, int]]:
        """See Inode."""
        if self.fs.clock() - self.listed_ns > FRESH_NS:
            raise Cold(self._list)
        hidden = [(name, inode.ino, inode.mode) for name, inode in self.places.items()]
        return [*hidden, *(entry for entry in self.listing if entry[0] not in self.places)]

    def _list(self, rest: tuple[bytes, ...]) -> Step[None]:
        listing: list[tuple[bytes, int, int]] = []
        cookie = 0
        while True:
            request = hostfs.List(self.fs.tree, self.path, cookie)
            part = yield from ask(self.fs, request, hostfs.Listing, EMPTY if self.made else None)
            for entry in part.entries:
                inode = self.fs.inode(self, entry.name, entry.stat)
                listing.append((entry.name, inode.ino, inode.mode))
            cookie = part.cookie
            if cookie == 0:
                break
        self.listing, self.listed_ns = listing, self.fs.clock()

    # --- changes

    def _touched(self, name: bytes, inode: HostInode | None) -> None:
        """`name` means `inode` now; this directory's own times and listing are old."""
        now = self.fs.clock()
        self.names[name] = (inode, now)
        self.listed_ns = NEVER
        self.mtime_ns = self.ctime_ns = self.fs.now()
        if inode is not None:
            inode.parent, inode.name = self, name

    def make(self, name: bytes, new: New) -> Step[Inode]:
        """See Inode."""
        path = (*self.path, name)
        tree, mode = self.fs.tree, new.mode & 0o7777
        kind = new.mode & S_IFMT
        if kind == S_IFREG:
            return self._make_file(name, hostfs.Open(tree, path, MAKE, mode, 0))
        if kind == S_IFDIR:
            return self._make(name, hostfs.Mkdir(tree, path, mode))
        if kind == S_IFLNK:
            return self._make(name, hostfs.Symlink(tree, path, new.target))
        raise SysError(Errno.EPERM)

    def _make(self, name: bytes, request: hostfs.Request) -> Step[Inode]:
        found = yield from ask(self.fs, request, hostfs.Found)
        inode = self.fs.inode(self, name, found.stat)
        self._touched(name, inode)
        return inode

    def _make_file(self, name: bytes, request: hostfs.Open) -> Step[Inode]:
        opened = yield from ask(self.fs, request, hostfs.Opened)
        inode = self.fs.inode(self, name, opened.stat)
        inode.spare = opened.handle
        self._touched(name, inode)
        return inode

    def link(self, name: bytes, inode: Inode) -> Step[None]:
        """See Inode."""
        assert isinstance(inode, HostInode)
        found = yield from ask(
            self.fs, hostfs.Link(self.fs.tree, inode.path, (*self.path, name)), hostfs.Found
        )
        inode.update(found.stat)
        self._touched(name, inode)

    def unlink(self, name: bytes, inode: Inode) -> Step[None]:
        """See Inode."""
        yield from ask(self.fs, hostfs.Unlink(self.fs.tree, (*self.path, name)), hostfs.Done)
        self._touched(name, None)
        inode.nlink = max(inode.nlink - 1, 0)

    def rmdir(self, name: bytes, inode: Inode) -> Step[None]:
        """See Inode."""
        yield from ask(self.fs, hostfs.Rmdir(self.fs.tree, (*self.path, name)), hostfs.Done)
        self._touched(name, None)
        inode.nlink = 0

    def rename(self, name: bytes, to: Inode, new_name: bytes, flags: int) -> Step[None]:
        """See Inode."""
        assert isinstance(to, HostDir)
        inode, other = self.names[name][0], to.names.get(new_name, (None, 0))[0]
        request = hostfs.Rename(self.fs.tree, (*self.path, name), (*to.path, new_name), flags)
        yield from ask(self.fs, request, hostfs.Done)
        self._touched(name, other if flags & RENAME_EXCHANGE else None)
        if other is not None and not flags & RENAME_EXCHANGE:
            other.nlink = 0 if other.is_dir else max(other.nlink - 1, 0)
        to._touched(new_name, inode)


MAKE = hostfs.How.READ | hostfs.How.WRITE | hostfs.How.CREATE | hostfs.How.EXCLUSIVE


class HostFs(Filesystem):
    """One such folder (or a single file); tree numbers begin at 1."""

    kind = b"host"
    magic = 0x01021997  # V9FS_MAGIC, what files of a host look like in a virtual machine

    root: HostInode

    def __init__(self, tree: int, read_only: bool = False, top: hostfs.Stat = FOLDER) -> None:
        super().__init__(read_only)
        self.tree = tree
        self.source = b"tree%d" % tree
        self._inodes: dict[tuple[int, int], HostInode] = {}  # by host identity
        folder = top.mode & S_IFMT == S_IFDIR
        self.root = HostDir(self, top) if folder else HostInode(self, top)

    @property
    def root_cold(self) -> bool:  # type: ignore[override]  # others need no clock for it
        """See Filesystem."""
        return not self.root.fresh

    def fill_root(self, rest: tuple[bytes, ...]) -> Step[None]:
        """See Filesystem; a box cannot replace the folder, but its times change."""
        walked = yield from ask(self, hostfs.Walk(self.tree, ()), hostfs.Walked)
        if not walked.stats:
            raise SysError(walked.errno or Errno.EIO)
        self.root.update(walked.stats[0])

    @property
    def uid(self) -> int:
        """Who owns the person's files here."""
        return self.kernel.namespace.user.uid if self.kernel is not None else 0

    @property
    def gid(self) -> int:
        """Their group."""
        return self.kernel.namespace.user.gid if self.kernel is not None else 0

    def attach(self, kernel: Kernel, device: int) -> None:
        """See Filesystem."""
        super().attach(kernel, device)
        self.root.uid, self.root.gid = self.uid, self.gid

    def clock(self) -> int:
        """The time trust is measured in."""
        return self.kernel.clock.monotonic_ns() if self.kernel is not None else 0

    def inode(self, parent: HostDir, name: bytes, st: hostfs.Stat) -> HostInode:
        """The inode of a file the host told about; the same file keeps its inode."""
        key = (st.dev, st.ino)
        inode = self._inodes.get(key)
        if inode is None or (inode.mode ^ st.mode) & S_IFMT or (st.nlink == 1 and inode.nlink == 0):
            inode = HostDir(self, st) if st.mode & S_IFMT == S_IFDIR else HostInode(self, st)
            self._inodes[key] = inode
        else:
            inode.update(st)
        inode.parent, inode.name = parent, name
        parent.names[name] = (inode, self.clock())
        return inode

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
        node: HostInode = self.root
        for position, name in enumerate(names):
            assert isinstance(node, HostDir)
            found = node.places.get(name)
            if found is None:
                is_dir = directory or position < len(names) - 1
                mode, nlink = (S_IFDIR | 0o755, 2) if is_dir else (S_IFREG | 0o644, 1)
                st = hostfs.Stat(mode, 0, 0, 0, nlink, 0, 0, 0, 0, 0, 0)
                found = node.places[name] = HostDir(self, st) if is_dir else HostInode(self, st)
                found.parent, found.name = node, name
                if isinstance(found, HostDir):
                    found.made = True
            node = found
        return node
