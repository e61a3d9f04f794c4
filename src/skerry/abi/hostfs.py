# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What the kernel may ask of the host's file trees, and what comes back.

The kernel sends one request in `Ask.payload` and gets one answer in `Answer.payload`; any
request may be answered by `Failed`. The monitor carries them out. `docs/box-interface.md`
lists the same messages as they travel.

Trees: tree 0 is the read-only root tree, tree n is the n-th mount of the box (from 1).
Paths: a tuple of names from the top of the tree; () is the top itself. A name is 1..255 bytes,
    without "/" and NUL, never "." or "..". No symbolic link is ever followed on the host:
    namei (in the kernel) resolves them, and a path through one is ELOOP.
Handles: a number > 0 that the monitor gave for an open file; it lives until `Close`, also when
    the file is renamed or unlinked. Handle 0 means there is none.
Units: sizes, offsets and counts of data are bytes; times end in _ns (since 1970).
Errors: `errno` values are Linux' generic numbers, whatever the host is.
"""

from __future__ import annotations

from enum import IntFlag
from typing import ClassVar, TypeAlias

from skerry.abi.record import Record

Path: TypeAlias = tuple[bytes, ...]

BLOCK_MAX = 262_144
"""The most data one `Read`, `Write` or `Opened` carries."""

DEPTH_MAX = 1024
"""The most names in a path."""


class How(IntFlag):
    """How to open a file."""

    READ = 1
    WRITE = 2
    CREATE = 4
    EXCLUSIVE = 8
    TRUNCATE = 16
    APPEND = 32


class Stat(Record):
    """What is known of one file. `uid` and `gid` are 0 for the person who runs the box, else 65534."""

    mode: int
    """Type and permissions, as st_mode."""
    size: int
    ino: int
    dev: int
    """Tells apart equal `ino`s below one tree; has no other meaning."""
    nlink: int
    uid: int
    gid: int
    blocks: int
    """Units of 512 bytes, as st_blocks."""
    atime_ns: int
    mtime_ns: int
    ctime_ns: int


class Entry(Record):
    """One name in a directory. There is no entry for "." or ".."."""

    name: bytes
    stat: Stat


# ---- requests: names


class Walk(Record):
    """Stat each name of `path` in turn, as far as it goes. Answer: `Walked`."""

    code: ClassVar[int] = 1
    tree: int
    path: Path


class List(Record):
    """List a directory from `cookie` (0 at first). Answer: `Listing`."""

    code: ClassVar[int] = 2
    tree: int
    path: Path
    cookie: int


class Readlink(Record):
    """Read a symbolic link. Answer: `Data`."""

    code: ClassVar[int] = 3
    tree: int
    path: Path


class Mkdir(Record):
    """Make a directory. Answer: `Found`."""

    code: ClassVar[int] = 4
    tree: int
    path: Path
    mode: int


class Symlink(Record):
    """Make a symbolic link that holds `target`. Answer: `Found`."""

    code: ClassVar[int] = 5
    tree: int
    path: Path
    target: bytes


class Link(Record):
    """Give the file at `path` a second name in the same tree. Answer: `Found`."""

    code: ClassVar[int] = 6
    tree: int
    path: Path
    new_path: Path


class Rename(Record):
    """Rename within one tree; `flags` as renameat2(2): 1 NOREPLACE, 2 EXCHANGE. Answer: `Done`."""

    code: ClassVar[int] = 7
    tree: int
    path: Path
    new_path: Path
    flags: int


class Unlink(Record):
    """Remove the name of anything but a directory. Answer: `Done`."""

    code: ClassVar[int] = 8
    tree: int
    path: Path


class Rmdir(Record):
    """Remove an empty directory. Answer: `Done`."""

    code: ClassVar[int] = 9
    tree: int
    path: Path


class Setattr(Record):
    """Change what is not None, of the open `handle` or, when that is 0, of `path`. Answer: `Found`."""

    code: ClassVar[int] = 10
    tree: int
    path: Path
    handle: int
    mode: int | None
    size: int | None
    atime_ns: int | None
    mtime_ns: int | None


class Statfs(Record):
    """How full the tree's file system is. Answer: `Space`."""

    code: ClassVar[int] = 11
    tree: int


# ---- requests: open files


class Open(Record):
    """Open a regular file and read its first `size` bytes in the same trip. Answer: `Opened`.

    `mode` counts only when the file is made. Anything but a regular file is refused (EISDIR for a
    directory, ELOOP for a symbolic link, ENXIO for devices, pipes and sockets of the host).
    """

    code: ClassVar[int] = 12
    tree: int
    path: Path
    how: int
    mode: int
    size: int


class Read(Record):
    """Read at `offset`. Answer: `Data`, short only at the end of the file."""

    code: ClassVar[int] = 13
    handle: int
    offset: int
    size: int


class Write(Record):
    """Write at `offset` (ignored when opened with APPEND). Answer: `Count`."""

    code: ClassVar[int] = 14
    handle: int
    offset: int
    data: bytes


class Fstat(Record):
    """Stat an open file. Answer: `Found`."""

    code: ClassVar[int] = 15
    handle: int


class Fsync(Record):
    """Wait until the file is on the disk. Answer: `Done`."""

    code: ClassVar[int] = 16
    handle: int


class Close(Record):
    """Forget a handle. Answer: `Done`."""

    code: ClassVar[int] = 17
    handle: int


# ---- answers


class Failed(Record):
    """The request was not carried out."""

    code: ClassVar[int] = 64
    errno: int


class Done(Record):
    """It was carried out; there is nothing to tell."""

    code: ClassVar[int] = 65


class Walked(Record):
    """One stat for each name that exists, in order; `errno` says why it ended early (0: it did not).

    A walk ends after a symbolic link (ELOOP) or a file (ENOTDIR) that is not the last name; that
    link or file is the last of `stats`. Shorter than `path` with ENOENT: the next name is missing.
    """

    code: ClassVar[int] = 66
    stats: tuple[Stat, ...]
    errno: int


class Listing(Record):
    """Part of a directory; `cookie` asks for the next part, 0 says this was the last."""

    code: ClassVar[int] = 67
    entries: tuple[Entry, ...]
    cookie: int


class Found(Record):
    """The file as it is now."""

    code: ClassVar[int] = 68
    stat: Stat


class Opened(Record):
    """An open file and its first bytes.

    `handle` is 0 when the file was opened for READ alone in a read-only tree and `data` is all of
    it: then there is nothing to close.
    """

    code: ClassVar[int] = 69
    handle: int
    stat: Stat
    data: bytes


class Data(Record):
    """Bytes of a file, or the text of a symbolic link."""

    code: ClassVar[int] = 70
    data: bytes


class Count(Record):
    """How many bytes were written."""

    code: ClassVar[int] = 71
    count: int


class Space(Record):
    """As statvfs(3), in units of `block_size` bytes."""

    code: ClassVar[int] = 72
    block_size: int
    blocks: int
    blocks_free: int
    blocks_available: int
    files: int
    files_free: int
    read_only: bool


Request: TypeAlias = (
    Walk | List | Readlink | Mkdir | Symlink | Link | Rename | Unlink | Rmdir | Setattr | Statfs
    | Open | Read | Write | Fstat | Fsync | Close
)
Reply: TypeAlias = Failed | Done | Walked | Listing | Found | Opened | Data | Count | Space
