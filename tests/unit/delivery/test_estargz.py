# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Layers: what we write we read back, others can read it, and lies are refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import tarfile
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.abi.errors import VerifyError
from skerry.delivery import tree as t
from skerry.delivery.entry import Chunk, Entry, Kind
from skerry.delivery.estargz import (
    NO_PREFETCH_LANDMARK,
    PREFETCH_LANDMARK,
    compressed_size_max,
    inflate_chunk,
    parse_footer,
    parse_toc,
    read_toc,
)
from skerry.delivery.estargz_writer import LayerWriter
from skerry.delivery.verify import digest_of

from .layers import BLOB, entries_of, file_row, reader_of, toc, write_layer

NOISE = random.Random(3).randbytes(3500)
FILES = {
    "bin/tool": NOISE,
    "etc/empty": b"",
    "etc/conf": b"a=b\n",
    "usr/" + "long/" * 40 + "name": b"deep",
    "ä": b"1",
}
EXTRA = (
    Entry("bin/link", Kind.SYMLINK, link="tool"),
    Entry("bin/hard", Kind.HARDLINK, link="bin/tool"),
    Entry("pipe", Kind.FIFO),
)


def printable(refusal: VerifyError) -> None:
    assert str(refusal).isprintable()


def test_what_is_written_is_read_back() -> None:
    blob, written = write_layer(FILES, ("etc/conf",), EXTRA)
    tree = t.build([entries_of(blob, written)])
    for name, content in FILES.items():
        node = tree.lookup(name)
        assert node is not None
        assert t.read(node, 0, node.size + 10, reader_of(blob)) == content
    hard = tree.lookup("bin/hard")
    assert hard is tree.lookup("bin/tool") is tree.lookup("/bin/link")
    assert hard is not None and hard.link_count == 2 and len(hard.chunks) == 4
    assert t.read(hard, 999, 1002, reader_of(blob)) == NOISE[999:2001]


def test_the_same_files_give_the_same_bytes() -> None:
    assert write_layer(FILES, ("bin/tool",), EXTRA) == write_layer(FILES, ("bin/tool",), EXTRA)


def test_any_tar_reads_it() -> None:
    blob, written = write_layer(FILES, (), EXTRA)
    plain = gzip.decompress(blob)
    assert (digest_of(blob), len(blob)) == (written.digest, written.size)
    assert (digest_of(plain), len(plain)) == (written.diff_id, written.plain_size)
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        assert tar.getnames()[-1] == "stargz.index.json"
        for name, content in FILES.items():
            member = tar.extractfile(name)
            assert member is not None and member.read() == content
        assert tar.getmember("bin/hard").islnk()


def test_prioritized_files_come_first_and_end_at_the_landmark() -> None:
    blob, written = write_layer(FILES, ("etc/conf", "bin/tool"))
    entries = {entry.name: entry for entry in entries_of(blob, written)}
    ends = [chunk.end for name in ("etc/conf", "bin/tool") for chunk in entries[name].chunks]
    assert entries["etc/conf"].chunks[0].offset < entries["bin/tool"].chunks[0].offset
    assert max(ends) == written.prefetch_size == entries[PREFETCH_LANDMARK].chunks[0].offset
    assert entries["ä"].chunks[0].offset > written.prefetch_size
    blob, written = write_layer(FILES)
    assert written.prefetch_size == 0 and NO_PREFETCH_LANDMARK in {e.name for e in entries_of(blob, written)}


def test_small_files_in_one_member_are_read_by_their_inner_offset() -> None:
    member = gzip.compress(b"first" + b"second")
    chunk = Chunk(digest_of(b"second"), 6, 0, BLOB, 0, len(member), inner_offset=5)
    assert inflate_chunk(member, chunk, "it") == b"second"


def test_a_member_followed_by_headers_is_not_fetched_whole() -> None:
    chunk = Chunk(digest_of(b"x"), 1000, 0, BLOB, 10, 10_000_000)
    assert compressed_size_max(chunk) < 6000


def test_a_writer_that_was_told_another_size_fails() -> None:
    with pytest.raises(ValueError, match="5 bytes were announced, 2 came"):
        LayerWriter(lambda data: None).add(Entry("a", Kind.FILE, size=5), [b"12"])


def bomb(size: int) -> bytes:
    return zlib.compress(bytes(size), wbits=31)


CHUNK_LIES = {
    "not gzip": (b"plain text, not gzip", "a gzip member"),
    "empty": (b"", "wanted 5 bytes inflated, got 0"),
    "cut off": (gzip.compress(b"hello")[:12], "inflated"),
    "too short": (gzip.compress(b"hell"), "wanted 5 bytes inflated, got 4"),
    "other bytes": (gzip.compress(b"hellO"), f"wanted {digest_of(b'hello')}, got {digest_of(b'hellO')}"),
    "a bomb of 100 MB": (bomb(100_000_000), f"got {digest_of(bytes(5))}"),
}


@pytest.mark.parametrize(("member", "reason"), CHUNK_LIES.values(), ids=CHUNK_LIES.keys())
def test_a_chunk_that_lies_is_refused(member: bytes, reason: str) -> None:
    with pytest.raises(VerifyError, match=reason):
        inflate_chunk(member, Chunk(digest_of(b"hello"), 5, 0, BLOB, 0, 1), "it")


def toc_member(name: str, content: bytes, size: int = 0) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size or len(content)
    return gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + content)


TOC_MEMBER_LIES = {
    "not gzip": (b"nonsense", "gzip"),
    "no tar header": (gzip.compress(bytes(512)), "tar header"),
    "another name": (toc_member("other.json", b"{}"), "stargz.index.json"),
    "a size of 8 GiB": (toc_member("stargz.index.json", b"{}", 1 << 33), "at most 134217728 bytes"),
    "less than it says": (toc_member("stargz.index.json", b"{}", 5000), "wanted 5000 bytes inflated, got 2"),
    "cut off": (toc_member("stargz.index.json", random.Random(1).randbytes(9000))[:900], "inflated"),
    "another TOC": (toc_member("stargz.index.json", b'{"version":2}'), "wanted sha256"),
}


@pytest.mark.parametrize(("member", "reason"), TOC_MEMBER_LIES.values(), ids=TOC_MEMBER_LIES.keys())
def test_a_toc_that_is_not_the_promised_one_is_refused(member: bytes, reason: str) -> None:
    with pytest.raises(VerifyError, match=reason):
        read_toc(member, digest_of(b'{"version":1}'))


def test_a_footer_that_lies_is_refused() -> None:
    blob, written = write_layer(FILES)
    assert parse_footer(blob[-60:], len(blob)) == written.toc_offset
    for untrusted in (b"", bytes(51), blob[-51:-1] + b"x", blob[-51:].replace(b"STARGZ", b"stargz")):
        with pytest.raises(VerifyError, match="eStargz footer"):
            parse_footer(untrusted, len(blob))
    with pytest.raises(VerifyError, match="TOC offset"):
        parse_footer(blob[-51:], written.toc_offset)


TOC_LIES = {
    "a name that climbs": (file_row("a/../../etc/passwd"), "without '..'"),
    "a name with an empty part": (file_row("a//b"), "without '..'"),
    "a name with NUL": (file_row("a\0b"), "without NUL"),
    "a name that is half a letter": (file_row("\ud800"), "UTF-8"),
    "a name of 300 letters": (file_row("a" * 300), "at most 255 bytes"),
    "a path of 5,000 letters": (file_row("abcd/" * 1000 + "a"), "folders deep"),
    "10,000 folders deep": (file_row("a/" * 10_000 + "a"), "at most 8190 bytes"),
    "a name that is a number": (file_row("a", name=7), "wanted a text"),
    "an unknown type": (file_row("a", type="whale"), "a known type"),
    "no digest": (file_row("a", chunkDigest=None), "a chunkDigest"),
    "an offset beyond the layer": (file_row("a", offset=5000), "0 to 999"),
    "a negative offset": (file_row("a", offset=-1), "0 to 999"),
    "an offset with a fraction": (file_row("a", offset=1.5), "0 to 999"),
    "a size of a petabyte": (file_row("a", size=1 << 50), "whole number"),
    "one chunk of a terabyte": (file_row("a", size=1 << 39), "1 to 67108864 bytes"),
    "chunks that do not fill the file": (file_row("a", size=10, chunkSize=5), "wanted 10 bytes, got 5"),
    "an inner offset of 1 GiB": (file_row("a", innerOffset=1 << 30), "whole number"),
    "a time before time": (file_row("a", modtime="yesterday"), "RFC 3339"),
    "a symbolic link without a target": ({"name": "a", "type": "symlink"}, "a target"),
    "a symbolic link that climbs out": (
        {"name": "a/b", "type": "symlink", "linkName": "../../x"},
        "inside the tree",
    ),
    "an absolute link that climbs out": (
        {"name": "a", "type": "symlink", "linkName": "/../x"},
        "inside the tree",
    ),
    "a hard link that climbs out": ({"name": "a", "type": "hardlink", "linkName": "../x"}, "without '..'"),
}


@pytest.mark.parametrize(("row", "reason"), TOC_LIES.values(), ids=TOC_LIES.keys())
def test_a_row_no_honest_writer_makes_is_refused(row: dict[str, object], reason: str) -> None:
    with pytest.raises(VerifyError, match=reason) as refusal:
        parse_toc(toc(row), BLOB, 1000)
    assert len(str(refusal.value)) < 300 and str(refusal.value).isprintable()


def test_chunks_with_gaps_and_chunks_of_nothing_are_refused() -> None:
    first = file_row("a", size=10, chunkSize=5)
    second = {"name": "a", "type": "chunk", "chunkOffset": 6, "offset": 2, "chunkDigest": digest_of(b"x")}
    with pytest.raises(VerifyError, match="wanted a chunk at 5, got one at 6"):
        parse_toc(toc(first, second), BLOB, 1000)
    with pytest.raises(VerifyError, match="chunks only after a file"):
        parse_toc(toc({"name": "a", "type": "dir"}, second), BLOB, 1000)
    with pytest.raises(VerifyError, match="a known type"):
        parse_toc(toc(second), BLOB, 1000)
    with pytest.raises(VerifyError, match="from 1 to 1"):
        parse_toc(b'{"version":2,"entries":[]}', BLOB, 1000)


VALUES = st.one_of(
    st.integers(-2, 10),
    st.sampled_from(["a", "a/b", "..", "reg", "dir", "chunk", "symlink", "hardlink", BLOB, 1 << 70]),
    st.none(),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=1),
)
ROWS = st.dictionaries(
    st.sampled_from(
        [
            "name",
            "type",
            "size",
            "offset",
            "chunkOffset",
            "chunkSize",
            "chunkDigest",
            "digest",
            "linkName",
            "mode",
            "modtime",
            "innerOffset",
            "uid",
        ]
    ),
    VALUES,
)


@given(st.lists(ROWS, max_size=4))
def test_any_toc_is_a_tree_or_is_refused(rows: list[dict[str, object]]) -> None:
    try:
        tree = t.build([parse_toc(toc(*rows), BLOB, 1000)])
    except VerifyError as refusal:
        printable(refusal)
        return
    for path, node in tree.walk():
        assert ".." not in path.split("/") and sum(chunk.size for chunk in node.chunks) == node.size


@given(
    st.dictionaries(st.sampled_from(["a", "b/c", "b/d", "e/f/g"]), st.binary(max_size=40)), st.integers(1, 50)
)
def test_any_files_come_back(files: dict[str, bytes], chunk_size: int) -> None:
    blob, written = write_layer(files, chunk_size=chunk_size)
    tree = t.build([entries_of(blob, written)])
    found = {
        path: t.read(node, 0, 99, reader_of(blob)) for path, node in tree.walk() if node.kind is Kind.FILE
    }
    assert found == files
    assert digest_of(blob) == written.digest == f"sha256:{hashlib.sha256(blob).hexdigest()}"


def test_a_toc_of_100_000_files_is_no_strain() -> None:
    rows = [file_row(f"usr/share/{n % 300}/{n}", b"x", offset=n + 1) for n in range(100_000)]
    data = toc(*rows)
    began_s = time.perf_counter()
    tree = t.build([parse_toc(data, BLOB, 200_000)])
    assert tree.node_count == 100_303
    assert (
        time.perf_counter() - began_s < 10
    )  # 1.3 s when this was written; the bound is for a loaded machine
