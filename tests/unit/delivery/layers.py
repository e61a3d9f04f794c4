# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Small layers for tests: made by our writer, or damaged by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping

from skerry.abi.oci import Digest
from skerry.delivery.entry import Chunk, Entry, Kind, parents
from skerry.delivery.estargz import inflate_chunk, parse_footer, parse_toc, read_toc
from skerry.delivery.estargz_writer import LayerWriter, Written
from skerry.delivery.verify import digest_of

BLOB = Digest("sha256:" + "00" * 32)


def write_layer(
    files: Mapping[str, bytes],
    first: tuple[str, ...] = (),
    extra: tuple[Entry, ...] = (),
    chunk_size: int = 1000,
) -> tuple[bytes, Written]:
    """Return a layer with these files (`first` prioritized) and its description."""
    blob = bytearray()
    writer = LayerWriter(blob.extend, chunk_size)
    for folder in sorted(parents(files)):
        writer.add(Entry(folder, Kind.DIRECTORY, mode=0o755))
    for name in first:
        writer.add(Entry(name, Kind.FILE, size=len(files[name])), [files[name]])
    writer.landmark(bool(first))
    for name in sorted(set(files) - set(first)):
        writer.add(Entry(name, Kind.FILE, size=len(files[name])), [files[name]])
    for entry in extra:
        writer.add(entry)
    written = writer.finish()
    return bytes(blob), written


def entries_of(blob: bytes, written: Written) -> list[Entry]:
    """Read a layer's entries as a client does: footer, TOC, entries."""
    toc_offset = parse_footer(blob[-51:], len(blob))
    assert toc_offset == written.toc_offset
    return parse_toc(read_toc(blob[toc_offset:], written.toc_digest), written.digest, toc_offset)


def reader_of(blob: bytes, asked: list[Chunk] | None = None):  # type: ignore[no-untyped-def]
    """Return a chunk reader on a layer in memory, which notes what it was asked for."""

    def read_chunk(chunk: Chunk) -> bytes:
        if asked is not None:
            asked.append(chunk)
        return inflate_chunk(blob[chunk.offset : chunk.end], chunk, "a chunk")

    return read_chunk


def toc(*rows: Mapping[str, object]) -> bytes:
    """Return a TOC with these rows, each completed with what every row needs."""
    return json.dumps({"version": 1, "entries": [{"mode": 0o644} | dict(row) for row in rows]}).encode()


def file_row(name: str, content: bytes = b"x", /, **changes: object) -> dict[str, object]:
    """Return the row of a file in one chunk."""
    row = {"name": name, "type": "reg", "size": len(content), "offset": 1, "chunkDigest": digest_of(content)}
    return row | changes
