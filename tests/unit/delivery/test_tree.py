# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Trees: layers over layers, links that stay inside, hostile names, many files."""

from __future__ import annotations

import time

import pytest

from skerry.abi.errors import VerifyError
from skerry.abi.oci import Digest
from skerry.delivery import tree as t
from skerry.delivery.entry import Chunk, Entry, Kind, clean_name

BLOB = Digest("sha256:" + "00" * 32)


def folder(name: str, mode: int = 0o755) -> Entry:
    return Entry(name, Kind.DIRECTORY, mode=mode)


def file(name: str, size: int = 0) -> Entry:
    chunks = (Chunk(BLOB, size, 0, BLOB, 1, 2),) if size else ()
    return Entry(name, Kind.FILE, size=size, chunks=chunks)


def symlink(name: str, link: str) -> Entry:
    return Entry(name, Kind.SYMLINK, link=link)


def hard(name: str, link: str) -> Entry:
    return Entry(name, Kind.HARDLINK, link=link)


def paths(tree: t.Tree) -> list[str]:
    return [path for path, _ in tree.walk()]


MERGED = {
    "folders above a file are made": ([[file("a/b/c")]], ["a", "a/b", "a/b/c"]),
    "an upper layer adds": ([[file("a")], [file("b")]], ["a", "b"]),
    "an upper file replaces a folder": ([[file("a/b")], [file("a")]], ["a"]),
    "an upper folder replaces a file": ([[file("a")], [file("a/b")]], "refused"),
    "an upper folder, told first, replaces a file": ([[file("a")], [folder("a"), file("a/b")]], ["a", "a/b"]),
    "a folder told twice keeps its files": ([[folder("a"), file("a/b"), folder("a")]], ["a", "a/b"]),
    "a whiteout hides": ([[file("a"), file("b")], [file(".wh.a")]], ["b"]),
    "a whiteout hides a folder": ([[file("a/b/c")], [file("a/.wh.b")]], ["a"]),
    "a whiteout of nothing is nothing": ([[file("a")], [file("x/.wh.y")]], ["a"]),
    "a whiteout leaves its own layer alone": ([[file("a")], [file("a"), file(".wh.a")]], ["a"]),
    "an opaque folder hides what was there": (
        [[file("a/b")], [file("a/.wh..wh..opq"), file("a/c")]],
        ["a", "a/c"],
    ),
    "a whiteout through a link touches nothing": (
        [[symlink("l", "a"), file("a/b")], [file("l/.wh.b")]],
        ["a", "a/b", "l"],
    ),
    "landmarks and the TOC are not files": (
        [[file(".prefetch.landmark", 1), file("stargz.index.json", 1)]],
        [],
    ),
    "devices are left out": ([[Entry("dev/sda", Kind.BLOCK), file("a")]], ["a"]),
    "a hard link may come first": ([[hard("b", "a"), file("a")]], ["a", "b"]),
    "a hard link into a lower layer": ([[file("a")], [hard("b", "a")]], ["a", "b"]),
}
REFUSED = {
    "a file twice": ([[file("a"), file("a")]], "'a' twice"),
    "a file and a folder of one name": ([[file("a"), folder("a")]], "'a' twice"),
    "a file below a file": ([[file("a"), file("a/b")]], "to be a folder"),
    "a file through a link": ([[symlink("a", "/etc"), file("a/passwd")]], "to be a folder"),
    "a file through a lower layer's link": ([[symlink("a", "etc")], [file("a/passwd")]], "to be a folder"),
    "a hard link to nothing": ([[hard("a", "b")]], "a file that is there"),
    "hard links in a ring": ([[hard("a", "b"), hard("b", "a")]], "a file that is there"),
    "a hard link to itself": ([[file("a"), hard("a", "a")]], "linked to itself"),
    "a hard link to a folder": ([[folder("a"), hard("b", "a")]], "the folder 'a'"),
    "a hard link over a file": ([[file("a"), file("b"), hard("b", "a")]], "'b' twice"),
    "a whiteout of the folder above": ([[file("a/.wh...")]], "something to hide"),
    "a long chain of hard links": (
        [[*(hard(f"{n:03}", f"{n + 1:03}") for n in range(100)), file("100")]],
        "a file that is there",
    ),
}


@pytest.mark.parametrize(("layers", "expected"), MERGED.values(), ids=MERGED.keys())
def test_merged(layers: list[list[Entry]], expected: list[str] | str) -> None:
    if expected == "refused":
        with pytest.raises(VerifyError):
            t.build(layers)
    else:
        assert paths(t.build(layers)) == expected


@pytest.mark.parametrize(("layers", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(layers: list[list[Entry]], reason: str) -> None:
    with pytest.raises(VerifyError, match=reason):
        t.build(layers)


def test_lookups_never_leave_the_tree() -> None:
    tree = t.build(
        [
            [
                file("etc/passwd"),
                symlink("up", "etc/../etc/passwd"),
                symlink("abs", "/etc"),
                symlink("loop", "loop"),
                symlink("deep/rel", "../etc/passwd"),
            ]
        ]
    )
    passwd = tree.lookup("/etc/passwd")
    assert passwd is not None
    for path in (
        "../../etc/passwd",
        "up",
        "abs/passwd",
        "deep/rel",
        "deep/../abs/../etc/./passwd",
        "//etc//passwd",
    ):
        assert tree.lookup(path) is passwd
    for path in ("loop", "etc/passwd/x", "nothing", "etc/passwd/.."):
        assert tree.lookup(path) is None
    link = tree.lookup("up", follow=False)
    assert link is not None and link.kind is Kind.SYMLINK
    assert tree.lookup("..") is tree.root


def test_reading_asks_only_for_the_chunks_it_needs() -> None:
    chunks = tuple(Chunk(BLOB, 10, position, BLOB, 1, 2) for position in range(0, 100, 10))
    node = t.Node(Kind.FILE, size=100, chunks=chunks)
    asked: list[int] = []

    def reader(chunk: Chunk) -> bytes:
        asked.append(chunk.position)
        return bytes(range(chunk.position, chunk.position + chunk.size))

    assert t.read(node, 35, 10, reader) == bytes(range(35, 45)) and asked == [30, 40]
    assert t.read(node, 95, 100, reader) == bytes(range(95, 100))
    assert t.read(node, 100, 1, reader) == b"" and t.read(node, -1, 5, reader) == b""


def test_names_are_cleaned() -> None:
    assert [clean_name(name) for name in ("./a/b/", "/a", "././a", "./", "", ".")] == [
        "a/b",
        "a",
        "a",
        "",
        "",
        "",
    ]


def test_100_000_files_are_no_strain() -> None:
    entries = [file(f"usr/share/{n % 300}/{n}", 1) for n in range(100_000)]
    began = time.perf_counter()
    tree = t.build([entries])
    node = tree.lookup("usr/share/99/99999")
    assert node is not None and tree.node_count == 100_303
    assert time.perf_counter() - began < 5  # 0.4 s when this was written; the bound is for a loaded machine
