# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Inodes and file systems: what every kind of tree must answer.

An operation answers at once, or raises `Cold` when the monitor must be asked first: then
nothing has changed yet, `settle` runs `Cold.fill` and tries the whole call again. Only a
change of the host's own files (fs/hostfs.py) is a Step.

Standard: POSIX.1-2024 "file", "directory"; inode(7).
Units:    sizes and offsets are bytes, times nanoseconds since the epoch.
Invariant: a directory has one `parent` and `name`, kept up to date by rename; a file system
           is mounted at one place at most. `mounted` is the root that covers an inode.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from types import GeneratorType
from typing import TYPE_CHECKING, TypeVar

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.stat import Stat
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.fifo import Fifo
    from skerry.kernel.file import Buffer, File
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.process import Credentials
    from skerry.kernel.task import Task

T = TypeVar("T")
READ, WRITE, SEARCH = 4, 2, 1  # the bits of a permission class
UNCHANGED = -1  # for the fields of `Inode.setattr`
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2
FIRST_DEVICE = 20  # minor number of the first file system's st_dev; below are Linux' own


class Cold(Exception):
    """The answer is not in memory; `fill` fetches it. `rest` are the names a walk wants next."""

    def __init__(self, fill: Callable[[tuple[bytes, ...]], Step[None]]) -> None:
        super().__init__()
        self.fill = fill
        self.rest: tuple[bytes, ...] = ()


def settle(function: Callable[..., T | Step[T]], *args: object) -> T | Step[T]:
    """Call `function`, fetching what is cold; a Step only when something was or is to wait for."""
    try:
        return function(*args)
    except Cold as cold:
        return _settle_later(cold, function, args)


def _settle_later(cold: Cold, function: Callable[..., T | Step[T]], args: tuple[object, ...]) -> Step[T]:
    while True:
        yield from cold.fill(cold.rest)
        try:
            result = function(*args)
        except Cold as again:
            cold = again
            continue
        if isinstance(result, GeneratorType):
            result = yield from result
        return result  # type: ignore[return-value]  # a Step has been run, only T is left


def settled(function: Callable[..., T | Step[T]]) -> Callable[..., T | Step[T]]:
    """Make a system call try again after each `Cold`."""

    @wraps(function)
    def call(task: Task, *args: int) -> T | Step[T]:
        try:
            return function(task, *args)
        except Cold as cold:
            return _settle_later(cold, function, (task, *args))

    return call


class Inode:
    """A file, of whatever type `mode` says. The base refuses everything."""

    __slots__ = (
        "atime_ns", "btime_ns", "ctime_ns", "fifo", "fs", "gid", "ino", "mode", "module", "mounted",
        "mtime_ns", "name", "nlink", "opened", "parent", "rdev", "size", "socket", "uid", "watches",
    )  # fmt: skip

    def __init__(self, fs: Filesystem, mode: int, uid: int = 0, gid: int = 0) -> None:
        self.fs = fs
        self.ino = fs.new_ino()
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.nlink = 1
        self.size = 0
        self.rdev = 0
        self.atime_ns = self.mtime_ns = self.ctime_ns = self.btime_ns = fs.now()
        self.module: object | None = None  # the engine's compiled program; gone when the content changes
        self.parent: Inode | None = None  # of a directory; None at the root of a file system
        self.name = b""  # of a directory in its parent
        self.mounted: Inode | None = None  # the root of the file system mounted here
        self.fifo: Fifo | None = None  # the pipe behind a FIFO
        self.socket: object | None = None  # what is bound to a socket
        self.opened = 0  # open files of it; what has no name lives as long
        self.watches: list[Watch] | None = None  # of inotify

    linkable: bool = False  # has no name yet, but may be given one
    named: bool = True  # files opened through it may be known by the name it was found under

    # --- directories

    def lookup(self, name: bytes) -> Inode | None:
        """The inode under `name`; None when there is none. Never asked for "." and ".."."""
        raise SysError(Errno.ENOTDIR)

    def entries(self) -> Iterable[tuple[bytes, int, int]]:
        """(name, ino, mode) of everything in it but "." and ".."."""
        raise SysError(Errno.ENOTDIR)

    def make(self, name: bytes, new: New) -> Inode | Step[Inode]:
        """Make a file of any type under a free name."""
        raise SysError(Errno.EPERM)

    def make_nameless(self, new: New, linkable: bool) -> Inode:
        """Make a regular file without a name (O_TMPFILE); `linkable`: linkat(2) may give it one."""
        raise SysError(Errno.EOPNOTSUPP)

    def link(self, name: bytes, inode: Inode) -> Step[None] | None:
        """Give `inode` of the same file system one more name."""
        raise SysError(Errno.EPERM)

    def unlink(self, name: bytes, inode: Inode) -> Step[None] | None:
        """Take the name of anything but a directory away."""
        raise SysError(Errno.EPERM)

    def rmdir(self, name: bytes, inode: Inode) -> Step[None] | None:
        """Remove an empty directory. Raises: SysError(ENOTEMPTY)."""
        raise SysError(Errno.EPERM)

    def rename(self, name: bytes, to: Inode, new_name: bytes, flags: int) -> Step[None] | None:
        """Move a name; what stood at the new one goes, or with RENAME_EXCHANGE comes here."""
        raise SysError(Errno.EPERM)

    # --- all types

    def readlink(self) -> bytes:
        """The text of a symbolic link."""
        raise SysError(Errno.EINVAL)

    def readlink_for(self, task: Task) -> bytes:
        """The same; a link of /proc such as `self` depends on who asks."""
        return self.readlink()

    def jump(self, task: Task) -> Place | None:
        """Where a link of /proc leads without a path; None: go by its text."""
        return None

    def setattr(
        self, mode: int = UNCHANGED, uid: int = UNCHANGED, gid: int = UNCHANGED,
        atime_ns: int | None = None, mtime_ns: int | None = None,
    ) -> Step[None] | None:  # fmt: skip
        """Change attributes; `mode` has no type bits. Checks are the caller's."""
        if mode != UNCHANGED:
            self.mode = self.mode & fcntl.S_IFMT | mode
        if uid != UNCHANGED:
            self.uid = uid
        if gid != UNCHANGED:
            self.gid = gid
        if atime_ns is not None:
            self.atime_ns = atime_ns
        if mtime_ns is not None:
            self.mtime_ns = mtime_ns
        self.ctime_ns = self.fs.now()
        return None

    def stat(self) -> Stat:
        """What stat(2) says."""
        return Stat(
            self.mode, self.ino, self.nlink, self.uid, self.gid, self.size, self.fs.device, self.rdev, 4096,
            self.blocks(), self.atime_ns, self.mtime_ns, self.ctime_ns, self.btime_ns,
        )  # fmt: skip

    def blocks(self) -> int:
        """Space used, in units of 512 bytes."""
        return 0

    def open(self, task: Task, flags: int) -> File | Step[File]:
        """A new open file; permissions have been checked."""
        from skerry.kernel.regular import open_inode  # regular.py needs this module first

        return open_inode(self, task, flags)

    # --- content of regular files

    def read_at(self, offset: int, size: int) -> Buffer | Step[Buffer]:
        """Up to `size` bytes; fewer only at the end. A view is valid until the file changes."""
        raise SysError(Errno.EINVAL)

    def whole(self) -> bytes:
        """All of the content. May raise Cold."""
        return bytes(self.read_at(0, self.size))  # type: ignore[arg-type]  # in memory: no Step

    def write_at(self, offset: int, data: Buffer) -> int | Step[int]:
        """Put `data`; returns how much of it found space. Raises: SysError(ENOSPC) for none."""
        raise SysError(Errno.EINVAL)

    def truncate(self, size: int) -> Step[None] | None:
        """Set the size."""
        raise SysError(Errno.EINVAL)

    def prepare_write(self, truncate: bool) -> None:
        """The file will be written: the moment to copy up. `truncate`: the content is not wanted."""

    def allocate(self, offset: int, size: int) -> None:
        """Reserve space, so that writes there cannot fail (fallocate(2))."""
        raise SysError(Errno.EOPNOTSUPP)

    def punch(self, offset: int, size: int) -> None:
        """Make a hole."""
        raise SysError(Errno.EOPNOTSUPP)

    def next_data(self, offset: int) -> int:
        """Where data begins at or after `offset` (SEEK_DATA)."""
        return offset

    def next_hole(self, offset: int) -> int:
        """Where a hole begins at or after `offset` (SEEK_HOLE)."""
        return self.size

    def forget(self) -> None:
        """The last name and the last open file may be gone: give space back if they are."""

    # --- words

    @property
    def is_dir(self) -> bool:
        """Whether it is a directory."""
        return self.mode & fcntl.S_IFMT == fcntl.S_IFDIR

    @property
    def removed(self) -> bool:
        """Whether no name leads to it any more."""
        return self.nlink == 0


Place = tuple[Inode, bytes, Inode | None, bool]
"""Where a walk ended: (directory, last name, what is there or None, whether a slash followed).

The name is b"" for the root itself, and may be b"." or b".."."""


class Watch:
    """One inotify watch, as the file system sees it; kernel/inotify.py has the real one."""

    __slots__ = ()

    def tell(self, mask: int, cookie: int, name: bytes) -> None:
        """Something happened to the inode, or to `name` in it."""

    def end(self) -> None:
        """The inode is gone."""


class New:
    """What a file is made with: mode with type, owner, device number or link text."""

    __slots__ = ("gid", "mode", "rdev", "target", "uid")

    def __init__(self, mode: int, uid: int, gid: int, rdev: int = 0, target: bytes = b"") -> None:
        self.mode, self.uid, self.gid, self.rdev, self.target = mode, uid, gid, rdev, target


class Space:
    """How full a file system is, as statfs(2): counts in blocks of `block_size`."""

    __slots__ = ("block_size", "blocks", "blocks_free", "files", "files_free")

    def __init__(
        self, blocks: int = 0, blocks_free: int = 0, files: int = 0, files_free: int = 0,
        block_size: int = 4096,
    ) -> None:  # fmt: skip
        self.blocks, self.blocks_free = blocks, blocks_free
        self.files, self.files_free = files, files_free
        self.block_size = block_size


class Filesystem:
    """One mounted tree."""

    kind = b"none"  # its name in /proc/mounts
    magic = 0  # f_type of statfs(2)
    root_cold = False  # the attributes of the root must be asked for, by `fill_root`

    root: Inode

    def __init__(self, read_only: bool = False) -> None:
        self.read_only = read_only
        self.kernel: Kernel | None = None
        self.covered: Inode | None = None  # the inode it is mounted on; None for the root of all
        self.path = b"/"  # where it is mounted, for /proc/mounts
        self.source = self.kind
        self.device = 1
        self.watched = False  # has an inode with `watches`, or had one
        self.last_cookie = 0  # of inotify: pairs the two halves of a rename
        self._last_ino = 0

    def attach(self, kernel: Kernel, device: int) -> None:
        """It is mounted now: `device` is its st_dev, the kernel gives time and requests."""
        self.kernel = kernel
        self.device = device

    def now(self) -> int:
        """The time for st_*time."""
        kernel = self.kernel
        return kernel.clock.realtime_ns() if kernel is not None else 0

    def new_ino(self) -> int:
        """A number no inode of this file system has had."""
        self._last_ino += 1
        return self._last_ino

    def fill_root(self, rest: tuple[bytes, ...]) -> Step[None]:
        """Fetch the attributes of the root."""
        yield from ()

    def statfs(self) -> Space | Step[Space]:
        """How full it is."""
        return Space()

    def scaffold(self, names: tuple[bytes, ...], directory: bool) -> Inode:
        """A place to mount on, made if need be, without asking anyone.

        Raises: SysError(EPERM) when this file system cannot grow one.
        """
        raise SysError(Errno.EPERM)


def allowed(inode: Inode, cred: Credentials, want: int) -> bool:
    """Whether the effective ids may do all of `want` (READ | WRITE | SEARCH)."""
    mode = inode.mode
    if cred.euid == 0:
        return not want & SEARCH or mode & 0o111 != 0 or inode.is_dir
    if cred.euid == inode.uid:
        mode >>= 6
    elif cred.egid == inode.gid or inode.gid in cred.groups:
        mode >>= 3
    return mode & want == want


def require(inode: Inode, cred: Credentials, want: int) -> None:
    """Raise EACCES unless allowed, EROFS for a change of a read-only file system."""
    if want & WRITE and inode.fs.read_only and inode.mode & fcntl.S_IFMT in _ON_DISK:
        raise SysError(Errno.EROFS)
    if not allowed(inode, cred, want):
        raise SysError(Errno.EACCES)


_ON_DISK = frozenset((fcntl.S_IFREG, fcntl.S_IFDIR, fcntl.S_IFLNK))


def owns(inode: Inode, cred: Credentials) -> bool:
    """Whether the caller may change modes and times: the owner, or root."""
    return cred.euid in (0, inode.uid)


def drop_setuid(inode: Inode, cred: Credentials) -> None:
    """The content changes: what someone but root wrote must not run as its owner."""
    if inode.mode & (fcntl.S_ISUID | fcntl.S_ISGID) and cred.euid != 0:
        inode.mode &= ~fcntl.S_ISUID
        if inode.mode & 0o010:
            inode.mode &= ~fcntl.S_ISGID
