# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""One name in a layer, and the chunks its bytes come in.

Both kinds of layer (eStargz and plain tar) are read into these; a tree is made of nothing else.

Units:     sizes, offsets and positions are bytes.
Errors:    `VerifyError`, naming the entry.
Invariant: the name of an `Entry` has passed `clean_name`: no "..", no leading slash, bounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from skerry.abi.errors import VerifyError
from skerry.abi.oci import Digest
from skerry.delivery.document import shown

NAME_SIZE_MAX = 255  # Linux NAME_MAX
PATH_SIZE_MAX = 4095  # Linux PATH_MAX without its NUL
DEPTH_MAX = 256  # folders inside folders; deeper trees break tools that recurse
CHUNK_SIZE_MAX = 64 << 20  # one chunk is held in memory while it is checked
INNER_OFFSET_MAX = 64 << 20
FILE_SIZE_MAX = 1 << 40
ENTRY_COUNT_MAX = 2_000_000


class Kind(Enum):
    """What a name is."""

    DIRECTORY = "dir"
    FILE = "reg"
    SYMLINK = "symlink"
    HARDLINK = "hardlink"
    CHARACTER = "char"
    BLOCK = "block"
    FIFO = "fifo"


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a file: what it must hash to, and where in which layer it lies compressed."""

    digest: Digest  # of the piece itself, uncompressed
    size: int  # uncompressed
    position: int  # in the file
    blob: Digest  # the layer it is in
    offset: int = -1  # of its gzip member in the layer; -1: the layer must be unpacked whole
    end: int = -1  # where the next gzip member begins
    inner_offset: int = 0  # uncompressed bytes of the member that stand before it


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of one layer, as that layer tells it."""

    name: str  # "usr/bin/env"; empty for the root folder itself
    kind: Kind
    mode: int = 0o644  # permission bits, set-id and sticky bits
    mtime: int = 0  # seconds since 1970
    uid: int = 0
    gid: int = 0
    size: int = 0
    link: str = ""  # SYMLINK: its text; HARDLINK: a clean name in the same tree
    chunks: tuple[Chunk, ...] = ()


def clean_name(untrusted_name: str, what: str = "the name") -> str:
    """Return a name of a layer in its one clean form.

    Raises:
        VerifyError: it climbs, is too long or too deep, or cannot be a file name.
    """
    _check_text(untrusted_name, 2 * PATH_SIZE_MAX, what)
    name = untrusted_name
    while name.startswith(("./", "/")):
        name = name[2:] if name[0] == "." else name[1:]
    name = name.removesuffix("/")
    if name in ("", "."):
        return ""
    parts = name.split("/")
    if len(parts) > DEPTH_MAX:
        got = f"{len(parts)}: {shown(name)}"
        raise VerifyError(what, wanted=f"at most {DEPTH_MAX} folders deep", got=got)
    _check_text(name, PATH_SIZE_MAX, what)
    for part in parts:
        if part in ("", ".", ".."):
            raise VerifyError(what, wanted="a path without '..', '.' and empty parts", got=shown(name))
        if len(part) > NAME_SIZE_MAX // 4 and len(part.encode()) > NAME_SIZE_MAX:
            raise VerifyError(what, wanted=f"names of at most {NAME_SIZE_MAX} bytes", got=shown(part))
    return name


def clean_symlink(name: str, untrusted_link: str) -> str:
    """Return the text of a symbolic link that cannot lead out of its tree.

    An absolute link is kept: it means the root of the tree, in which alone it is ever followed.

    Raises:
        VerifyError: it is empty, too long, or climbs above the root.
    """
    what = f"the symbolic link {shown(name)}"
    if not untrusted_link:
        raise VerifyError(what, wanted="a target", got="nothing")
    _check_text(untrusted_link, PATH_SIZE_MAX, what)
    depth = 0 if untrusted_link.startswith("/") else name.count("/")
    for part in untrusted_link.split("/"):
        depth += -1 if part == ".." else 0 if part in ("", ".") else 1
        if depth < 0:
            raise VerifyError(what, wanted="a target inside the tree", got=shown(untrusted_link))
    return untrusted_link


def check_chunks(entry: Entry) -> Entry:
    """Return the entry if its chunks make up exactly its size.

    Raises:
        VerifyError: a gap, an overlap, or a chunk too large to check in memory.
    """
    position = 0
    for chunk in entry.chunks:
        what = f"the chunk at {chunk.position} of {shown(entry.name)}"
        if chunk.position != position:
            raise VerifyError(what, wanted=f"a chunk at {position}", got=f"one at {chunk.position}")
        if not 0 < chunk.size <= CHUNK_SIZE_MAX:
            raise VerifyError(what, wanted=f"1 to {CHUNK_SIZE_MAX} bytes", got=f"{chunk.size} bytes")
        position += chunk.size
    if position != entry.size:
        what = f"the chunks of {shown(entry.name)}"
        raise VerifyError(what, wanted=f"{entry.size} bytes", got=f"{position} bytes")
    return entry


def parents(names: Iterable[str]) -> set[str]:
    """Return every folder above the names, without the root."""
    found: set[str] = set()
    for name in names:
        folder = name.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


def _check_text(untrusted_text: str, size_max: int, what: str) -> None:
    try:
        size = len(untrusted_text.encode())
    except UnicodeEncodeError:
        raise VerifyError(what, wanted="UTF-8 text", got=shown(untrusted_text)) from None
    if size > size_max:
        got = f"{size} bytes: {shown(untrusted_text)}"
        raise VerifyError(what, wanted=f"at most {size_max} bytes", got=got)
    if "\0" in untrusted_text:
        raise VerifyError(what, wanted="text without NUL", got=shown(untrusted_text))
