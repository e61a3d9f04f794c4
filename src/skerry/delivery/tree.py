# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The tree of an image: layers laid over each other, each file's bytes verified when first read.

Standard:  OCI image-spec layer.md (whiteouts), path_resolution(7) for symbolic links.
Units:     sizes and offsets are bytes.
Blocking:  `read` calls the given chunk reader, which may fetch; nothing else blocks.
Errors:    `VerifyError` for a layer no honest tool makes; a missing path is None.
Invariant: every lookup ends inside the tree: ".." stops at the root, an absolute symbolic link
           begins at the root, and at most 40 links are followed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from skerry.abi.errors import VerifyError
from skerry.delivery.document import shown
from skerry.delivery.entry import ENTRY_COUNT_MAX, Chunk, Entry, Kind
from skerry.delivery.estargz import LANDMARKS, TOC_NAME

SYMLINK_COUNT_MAX = 40  # Linux: include/linux/namei.h, MAXSYMLINKS
LINK_PASSES_MAX = 4  # honest layers need one; a chain of links to links needs one for each
WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"

ChunkReader = Callable[[Chunk], bytes]  # returns the chunk, verified


@dataclass(slots=True, eq=False)
class Node:
    """One file, folder or link of the merged tree; shared by all its hard links."""

    kind: Kind
    mode: int = 0o755
    mtime: int = 0
    uid: int = 0
    gid: int = 0
    size: int = 0
    link: str = ""
    chunks: tuple[Chunk, ...] = ()
    children: dict[str, Node] = field(default_factory=dict)
    link_count: int = 1
    layer: int = -1  # the layer it came from; -1: made because something below it needed it


class Tree:
    """A read-only file tree."""

    def __init__(self) -> None:
        self.root = Node(Kind.DIRECTORY)
        self.node_count = 1

    def lookup(self, path: str, follow: bool = True) -> Node | None:
        """Return the node at a path; a final symbolic link is followed if `follow`."""
        trail = [self.root]
        parts = _parts(path)
        links_left = SYMLINK_COUNT_MAX
        while parts:
            part = parts.pop()
            if part == "..":
                del trail[max(1, len(trail) - 1) :]
                continue
            node = trail[-1].children.get(part)
            if node is None:
                return None
            if node.kind is Kind.SYMLINK and (parts or follow):
                links_left -= 1
                if links_left < 0:
                    return None
                if node.link.startswith("/"):
                    trail = [self.root]
                parts += _parts(node.link)
            elif parts and node.kind is not Kind.DIRECTORY:
                return None
            else:
                trail.append(node)
        return trail[-1]

    def walk(self) -> Iterator[tuple[str, Node]]:
        """Yield every path below the root with its node, folders before what is in them."""
        pending = [("", self.root)]
        while pending:
            folder, node = pending.pop()
            if folder:
                yield folder, node
            prefix = f"{folder}/" if folder else ""
            for name in sorted(node.children, reverse=True):
                pending.append((prefix + name, node.children[name]))


def read(node: Node, offset: int, size: int, reader: ChunkReader) -> bytes:
    """Return up to `size` bytes of a file from `offset`; fewer at its end."""
    end = min(node.size, offset + size)
    if offset < 0 or offset >= end:
        return b""
    first = bisect_right(node.chunks, offset, key=lambda chunk: chunk.position) - 1
    pieces = []
    for chunk in node.chunks[first:]:
        if chunk.position >= end:
            break
        data = reader(chunk)
        pieces.append(data[max(0, offset - chunk.position) : end - chunk.position])
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def build(layers: Iterable[Iterable[Entry]]) -> Tree:
    """Lay the layers over each other, lowest first.

    Raises:
        VerifyError: a name stands twice in one layer, goes through a file or a link, or a hard
            link leads nowhere.
    """
    tree = Tree()
    for number, entries in enumerate(layers):
        _Layer(tree, number).apply(entries)
    return tree


class _Layer:
    """Applies one layer: whiteouts (which mean lower layers only), names, then hard links."""

    def __init__(self, tree: Tree, number: int) -> None:
        self._tree = tree
        self._number = number
        self._folders: dict[str, Node] = {"": tree.root}

    def apply(self, entries: Iterable[Entry]) -> None:
        names: list[Entry] = []
        hard_links: list[Entry] = []
        for entry in entries:
            base = entry.name.rpartition("/")[2]
            if base.startswith(WHITEOUT):
                self._whiteout(entry.name)
            elif entry.kind is Kind.HARDLINK:
                hard_links.append(entry)
            elif entry.name not in LANDMARKS and entry.name != TOC_NAME:
                names.append(entry)
        self._folders = {"": self._tree.root}  # whiteouts may have removed what was remembered
        for entry in names:
            self._place(entry)
        self._link(hard_links)

    def _whiteout(self, name: str) -> None:
        folder, _, base = name.rpartition("/")
        hidden = base.removeprefix(WHITEOUT)
        if hidden in ("", ".", ".."):
            raise VerifyError("a whiteout", wanted="the name of something to hide", got=shown(name))
        parent = self._tree.lookup(folder, follow=False)
        if parent is None:
            return
        if base == OPAQUE:
            parent.children.clear()
        else:
            parent.children.pop(hidden, None)

    def _place(self, entry: Entry) -> None:
        if entry.kind in (Kind.CHARACTER, Kind.BLOCK):
            return  # a box has its own devices; those of an image are never made
        node = Node(
            entry.kind,
            entry.mode,
            entry.mtime,
            entry.uid,
            entry.gid,
            entry.size,
            entry.link,
            entry.chunks,
            layer=self._number,
        )
        if not entry.name:
            node.children, self._tree.root = self._tree.root.children, node
            self._folders[""] = node
            return
        self._insert(entry.name, node)

    def _insert(self, name: str, node: Node) -> None:
        folder, _, base = name.rpartition("/")
        parent = self._folder(folder)
        old = parent.children.get(base)
        both_folders = old is not None and old.kind is Kind.DIRECTORY and node.kind is Kind.DIRECTORY
        if old is not None and old.layer == self._number and not both_folders:
            raise VerifyError("the layer", wanted="each name once", got=f"{shown(name)} twice")
        if old is not None and both_folders:
            node.children = old.children
        else:
            self._tree.node_count += 1
            if self._tree.node_count > ENTRY_COUNT_MAX:
                raise VerifyError("the tree", wanted=f"at most {ENTRY_COUNT_MAX} names", got="more")
        parent.children[base] = node
        if node.kind is Kind.DIRECTORY:
            self._folders[name] = node

    def _folder(self, name: str) -> Node:
        """Return a folder by its name, made if missing; never through a link."""
        known = self._folders.get(name)
        if known is not None:
            return known
        node = self._tree.root
        walked = ""
        for part in name.split("/"):
            walked = f"{walked}/{part}" if walked else part
            child = node.children.get(part)
            if child is None:
                child = node.children[part] = Node(Kind.DIRECTORY)
                self._tree.node_count += 1
            elif child.kind is not Kind.DIRECTORY:
                wanted = f"{shown(walked)} to be a folder"
                raise VerifyError(f"the layer's {shown(name)}", wanted=wanted, got=f"a {child.kind.value}")
            self._folders[walked] = node = child
        return node

    def _link(self, hard_links: list[Entry]) -> None:
        waiting = hard_links
        for _ in range(LINK_PASSES_MAX):
            missing: list[Entry] = []
            for entry in waiting:
                target = self._tree.lookup(entry.link, follow=False)
                if target is None:
                    missing.append(entry)
                elif target.kind is Kind.DIRECTORY:
                    what = f"the hard link {shown(entry.name)}"
                    raise VerifyError(what, wanted="a file to link to", got=f"the folder {shown(entry.link)}")
                else:
                    self._hard_link(entry.name, target)
            waiting = missing
        if waiting:
            what = f"the hard link {shown(waiting[0].name)}"
            raise VerifyError(what, wanted="a file that is there", got=shown(waiting[0].link))

    def _hard_link(self, name: str, target: Node) -> None:
        folder, _, base = name.rpartition("/")
        old = self._folder(folder).children.get(base)
        if old is target:
            raise VerifyError("the layer", wanted="each name once", got=f"{shown(name)} linked to itself")
        if old is not None and old.layer == self._number:
            raise VerifyError("the layer", wanted="each name once", got=f"{shown(name)} twice")
        target.link_count += 1
        self._folder(folder).children[base] = target


def _parts(path: str) -> list[str]:
    """Return the parts of a path, last one first, ready to be popped."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]
