# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Reading eStargz layers: footer, table of contents (TOC), and one chunk.

Order: footer -> TOC bytes, whose digest the manifest names -> entries -> chunks, whose digests
the TOC names. Offsets are only hints where to look: a lie about them ends at a digest.

Standard:  eStargz (containerd/stargz-snapshotter, docs/estargz.md), with `innerOffset`.
Units:     offsets and sizes are bytes.
Errors:    `VerifyError`.
Invariant: nothing is inflated beyond a bound that is known before.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from datetime import datetime
from functools import lru_cache

from skerry.abi.errors import VerifyError
from skerry.abi.oci import Digest, is_digest
from skerry.delivery.document import read_object, shown
from skerry.delivery.entry import (
    CHUNK_SIZE_MAX,
    ENTRY_COUNT_MAX,
    FILE_SIZE_MAX,
    INNER_OFFSET_MAX,
    Chunk,
    Entry,
    Kind,
    check_chunks,
    clean_name,
    clean_symlink,
)
from skerry.delivery.verify import check

TOC_NAME = "stargz.index.json"
PREFETCH_LANDMARK = ".prefetch.landmark"
NO_PREFETCH_LANDMARK = ".no.prefetch.landmark"
LANDMARKS = frozenset({PREFETCH_LANDMARK, NO_PREFETCH_LANDMARK})
LANDMARK_CONTENT = b"\x0f"
FOOTER_SIZE = 51
TOC_SIZE_MAX = 128 << 20  # some 400,000 entries
GZIP_WBITS = 31  # zlib: expect a gzip header and trailer
BLOCK_SIZE = 512  # of a tar file

_EXTRA = rb"\x1a\x00SG\x16\x00([0-9a-f]{16})STARGZ"
_FOOTER = re.compile(rb"\x1f\x8b\x08\x04.{6}" + _EXTRA + rb"\x01\x00\x00\xff\xff\x00{8}", re.DOTALL)
_KINDS = {kind.value: kind for kind in Kind}


def parse_footer(untrusted_tail: bytes, blob_size: int) -> int:
    """Return the offset of the TOC from the last bytes of a layer.

    Raises:
        VerifyError: no footer, or one that points outside the layer.
    """
    found = _FOOTER.fullmatch(untrusted_tail[-FOOTER_SIZE:])
    if not found:
        raise VerifyError("the layer's footer", wanted="an eStargz footer", got=untrusted_tail[-8:].hex())
    offset = int(found[1], 16)
    if not 0 < offset < blob_size - FOOTER_SIZE:
        wanted = f"less than {blob_size - FOOTER_SIZE}"
        raise VerifyError("the layer's TOC offset", wanted=wanted, got=str(offset))
    return offset


def read_toc(untrusted_member: bytes, digest: Digest) -> bytes:
    """Return the TOC, verified, from the gzip member that begins at its offset.

    Raises:
        VerifyError: not a TOC, larger than we take, or not the one the manifest names.
    """
    inflater = zlib.decompressobj(GZIP_WBITS)
    header = _inflate(inflater, untrusted_member, BLOCK_SIZE, "the TOC's header")
    try:
        info = tarfile.TarInfo.frombuf(header, "utf-8", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError) as error:
        raise VerifyError("the TOC's header", wanted="a tar header", got=str(error)) from None
    if info.name != TOC_NAME or not 0 < info.size <= TOC_SIZE_MAX:
        got = f"{shown(info.name)} of {info.size} bytes"
        raise VerifyError("the TOC", wanted=f"{TOC_NAME} of at most {TOC_SIZE_MAX} bytes", got=got)
    toc = _inflate(inflater, inflater.unconsumed_tail, info.size, "the TOC")
    return check(toc, digest, info.size, "the TOC")


def inflate_chunk(untrusted_member: bytes, chunk: Chunk, what: str) -> bytes:
    """Return a chunk, verified, from the beginning of its gzip member.

    Raises:
        VerifyError: not gzip, too short, or not the chunk the TOC names.
    """
    inflater = zlib.decompressobj(GZIP_WBITS)
    data = _inflate(inflater, untrusted_member, chunk.inner_offset + chunk.size, what)
    return check(data[chunk.inner_offset :] if chunk.inner_offset else data, chunk.digest, chunk.size, what)


def compressed_size_max(chunk: Chunk) -> int:
    """Return how many bytes from `chunk.offset` on hold the chunk, whatever else the member holds."""
    # zlib's deflateBound: stored blocks of 16 KiB cost 5 bytes each; the gzip header is small.
    plain_size = chunk.inner_offset + chunk.size
    return min(chunk.end - chunk.offset, plain_size + plain_size // 1000 + 4096)


def _inflate(inflater: zlib._Decompress, untrusted_data: bytes, size: int, what: str) -> bytes:
    """Inflate exactly `size` bytes, never more."""
    try:
        data = inflater.decompress(untrusted_data, size)
        # zlib may stop early at an inner boundary; ask on until full or out of input.
        while len(data) < size and inflater.unconsumed_tail and not inflater.eof:
            data += inflater.decompress(inflater.unconsumed_tail, size - len(data))
    except zlib.error as error:
        raise VerifyError(what, wanted="a gzip member", got=f"{untrusted_data[:8].hex()} ({error})") from None
    if len(data) != size:
        raise VerifyError(what, wanted=f"{size} bytes inflated", got=f"{len(data)} bytes")
    return data


def parse_toc(toc: bytes, blob: Digest, toc_offset: int) -> list[Entry]:
    """Turn a verified TOC into entries, in the order of the layer.

    Args:
        blob: the layer's digest, for its chunks.
        toc_offset: where the last member before the TOC must end; 0 for the TOC we make of a
            plain layer, whose chunks lie nowhere but in the store.
    Raises:
        VerifyError: an entry that no honest writer makes.
    """
    fields = read_object(toc, "the TOC", TOC_SIZE_MAX)
    fields.number("version", 1, 1)
    rows = [each.values for each in fields.objects("entries", ENTRY_COUNT_MAX)]
    return _Reader(rows, blob, toc_offset).entries()


class _Reader:
    """Reads the rows of one TOC; plain dictionaries, for 100,000 of them must be quick."""

    def __init__(self, rows: list[dict[str, object]], blob: Digest, toc_offset: int) -> None:
        self._rows = rows
        self._blob = blob
        self._toc_offset = toc_offset
        stated = {self._number(row, "offset", toc_offset - 1) for row in rows if "offset" in row}
        offsets = sorted(stated)
        self._ends = dict(zip(offsets, [*offsets[1:], toc_offset], strict=False))

    def entries(self) -> list[Entry]:
        """Return the entries; rows of kind `chunk` are gathered into the file before them."""
        found: list[Entry] = []
        position = 0
        while position < len(self._rows):
            row = self._rows[position]
            first = position
            position += 1
            while position < len(self._rows) and self._rows[position].get("type") == "chunk":
                position += 1
            found.append(self._entry(row, self._rows[first:position]))
        return found

    def _entry(self, row: dict[str, object], rows: list[dict[str, object]]) -> Entry:
        name = clean_name(self._text(row, "name"), "a name in the TOC")
        kind = _KINDS.get(self._text(row, "type"))
        if kind is None:
            raise VerifyError(f"the TOC's {shown(name)}", wanted="a known type", got=shown(row.get("type")))
        if len(rows) > 1 and kind is not Kind.FILE:
            raise VerifyError(f"the TOC's {shown(name)}", wanted="chunks only after a file", got=kind.value)
        size = self._number(row, "size", FILE_SIZE_MAX) if kind is Kind.FILE else 0
        link = ""
        if kind is Kind.SYMLINK:
            link = clean_symlink(name, self._text(row, "linkName"))
        elif kind is Kind.HARDLINK:
            link = clean_name(self._text(row, "linkName"), f"the hard link {shown(name)}")
        return check_chunks(
            Entry(
                name,
                kind,
                mode=self._number(row, "mode", 0o7777777) & 0o7777,
                mtime=_seconds(self._text(row, "modtime")),
                uid=self._number(row, "uid", 0xFFFFFFFF),
                gid=self._number(row, "gid", 0xFFFFFFFF),
                size=size,
                link=link,
                chunks=self._chunks(name, size, rows) if size else (),
            )
        )

    def _chunks(self, name: str, size: int, rows: list[dict[str, object]]) -> tuple[Chunk, ...]:
        chunks: list[Chunk] = []
        for row in rows:
            untrusted_digest = row.get("chunkDigest") or (row.get("digest") if len(rows) == 1 else None)
            if not isinstance(untrusted_digest, str) or not is_digest(untrusted_digest):
                what = f"the TOC's {shown(name)}"
                raise VerifyError(what, wanted="a chunkDigest", got=shown(untrusted_digest))
            position = self._number(row, "chunkOffset", FILE_SIZE_MAX)
            chunk_size = self._number(row, "chunkSize", CHUNK_SIZE_MAX) or size - position
            if not self._toc_offset:
                chunks.append(Chunk(untrusted_digest, chunk_size, position, self._blob))
                continue
            offset = self._number(row, "offset", self._toc_offset - 1)
            chunks.append(
                Chunk(
                    untrusted_digest,
                    chunk_size,
                    position,
                    self._blob,
                    offset,
                    self._ends.get(offset, self._toc_offset),
                    self._number(row, "innerOffset", INNER_OFFSET_MAX),
                )
            )
        return tuple(chunks)

    def _text(self, row: dict[str, object], key: str) -> str:
        value = row.get(key, "")
        if not isinstance(value, str):
            raise VerifyError(f"the TOC's {key}", wanted="a text", got=shown(value))
        return value

    def _number(self, row: dict[str, object], key: str, high: int) -> int:
        value = row.get(key, 0)
        if type(value) is not int or not 0 <= value <= high:
            name = f"the TOC's {key} of {shown(row.get('name'))}"
            raise VerifyError(name, wanted=f"a whole number from 0 to {high}", got=shown(value))
        return value


@lru_cache(maxsize=1024)  # most files of a layer have the same few times
def _seconds(untrusted_time: str) -> int:
    """Return RFC 3339 text as seconds since 1970; 0 for none."""
    if not untrusted_time:
        return 0
    try:
        moment = datetime.fromisoformat(untrusted_time.replace("Z", "+00:00"))
        return max(0, int(moment.timestamp()))
    except (ValueError, OverflowError):
        raise VerifyError(
            "a modtime in the TOC", wanted="an RFC 3339 time", got=shown(untrusted_time)
        ) from None
