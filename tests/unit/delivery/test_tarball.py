# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Plain layers: taken apart, told again as a TOC, and never trusted in what they say."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.abi.errors import VerifyError
from skerry.abi.oci import Digest
from skerry.delivery import tree as t
from skerry.delivery.entry import Entry, Kind
from skerry.delivery.estargz import parse_toc
from skerry.delivery.tarball import gunzip, read_tar, write_toc
from skerry.delivery.verify import digest_of

BLOB = Digest("sha256:" + "00" * 32)
SIZE_MAX = 10_000_000


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, kind, data in (
            ("dir", tarfile.DIRTYPE, b""),
            ("dir/file", tarfile.REGTYPE, b"content"),
            ("long/" * 30 + "ä", tarfile.REGTYPE, b"x" * 600),
            ("link", tarfile.SYMTYPE, b""),
            ("hard", tarfile.LNKTYPE, b""),
            ("pipe", tarfile.FIFOTYPE, b""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(data), "dir/file"
            info.mtime = 1_700_000_000
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


TAR = tar()


def entries_of(data: bytes, kept: dict[Digest, bytes] | None = None) -> list[Entry]:
    def keep(chunk: bytes) -> Digest:
        digest = digest_of(chunk)
        if kept is not None:
            kept[digest] = chunk
        return digest

    return read_tar([data], digest_of(data), SIZE_MAX, BLOB, keep)


def test_a_layer_is_taken_apart_and_told_again() -> None:
    kept: dict[Digest, bytes] = {}
    entries = entries_of(TAR, kept)
    assert [entry.kind for entry in entries] == [
        Kind.DIRECTORY, Kind.FILE, Kind.FILE, Kind.SYMLINK, Kind.HARDLINK, Kind.FIFO,
    ]  # fmt: skip
    node = t.build([entries]).lookup("hard")
    assert node is not None
    assert t.read(node, 2, 3, lambda chunk: kept[chunk.digest]) == b"nte"
    assert parse_toc(write_toc(entries), BLOB, 0) == entries


def test_large_files_come_in_chunks() -> None:
    info = tarfile.TarInfo("big")
    info.size = 3_000_000
    data = info.tobuf() + bytes(info.size)
    entries = entries_of(data)
    assert [chunk.size for chunk in entries[0].chunks] == [1 << 20, 1 << 20, 3_000_000 - (2 << 20)]
    assert parse_toc(write_toc(entries), BLOB, 0) == entries


def test_odd_numbers_are_brought_into_range() -> None:
    info = tarfile.TarInfo("odd")
    info.uid, info.gid, info.mtime = 1 << 40, -5, 1 << 60
    (entry,) = entries_of(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    assert parse_toc(write_toc([entry]), BLOB, 0) == [entry]


def test_gzip_is_inflated_in_bounded_pieces() -> None:
    data = gzip.compress(bytes(5_000_000)) + gzip.compress(b"end")
    pieces = list(gunzip([data[:7], data[7:2000], data[2000:]]))
    assert max(map(len, pieces)) <= 1 << 18
    assert b"".join(pieces) == bytes(5_000_000) + b"end"
    for damaged in (data[:-4], b"nonsense", data + b"more", data[:100] + b"xxxx" + data[104:]):
        with pytest.raises(VerifyError):
            list(gunzip([damaged]))


def test_more_than_was_promised_is_refused() -> None:
    with pytest.raises(VerifyError, match="at most 1000 bytes"):
        read_tar([TAR], digest_of(TAR), 1000, BLOB, digest_of)


@given(st.lists(st.tuples(st.integers(0, len(TAR) - 1), st.integers(0, 255)), max_size=6), st.booleans())
def test_any_tar_is_a_tree_or_is_refused(changes: list[tuple[int, int]], mends_checksums: bool) -> None:
    data = bytearray(TAR)
    for at, value in changes:
        data[at] = value
        if mends_checksums:
            mend(data, at // 512 * 512)
    try:
        entries = entries_of(bytes(data))
        t.build([entries])
        assert parse_toc(write_toc(entries), BLOB, 0) == entries
    except VerifyError as refusal:
        printable(refusal)


def mend(data: bytearray, at: int) -> None:
    """Make the checksum of a header right again, so that the change gets past it."""
    data[at + 148 : at + 156] = b" " * 8
    data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + 512])


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_gzip_or_are_refused(data: bytes, is_compressed: bool) -> None:
    try:
        found = b"".join(gunzip([zlib.compress(data, wbits=31) if is_compressed else data]))
    except VerifyError as refusal:
        printable(refusal)
    else:
        assert not is_compressed or found == data


def printable(refusal: VerifyError) -> None:
    assert str(refusal).isprintable()
