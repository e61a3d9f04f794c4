# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Writing eStargz layers, the same bytes from the same files every time.

A layer is: prioritized files, a landmark, all other files, the TOC, the footer. Each chunk begins
a gzip member of its own, so that it can be fetched and inflated alone.

Standard:  eStargz (containerd/stargz-snapshotter, docs/estargz.md); POSIX pax for long names.
Units:     offsets and sizes are bytes.
Errors:    none of its own; `write` may raise what it likes.
Invariant: no clock, no environment, no iteration over sets: the output depends on the calls made
           and on the zlib this Python is linked with, nothing else.
"""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from skerry.abi.oci import Digest
from skerry.delivery.entry import Entry, Kind
from skerry.delivery.estargz import (
    BLOCK_SIZE,
    GZIP_WBITS,
    LANDMARK_CONTENT,
    NO_PREFETCH_LANDMARK,
    PREFETCH_LANDMARK,
    TOC_NAME,
)
from skerry.delivery.manifest import canonical_json
from skerry.delivery.verify import digest_of

CHUNK_SIZE = 1 << 20  # a fourth of stargz-snapshotter's: less to fetch for one page of a large file
COMPRESSION_LEVEL = 6

_TAR_TYPES = {
    Kind.DIRECTORY: tarfile.DIRTYPE,
    Kind.FILE: tarfile.REGTYPE,
    Kind.SYMLINK: tarfile.SYMTYPE,
    Kind.HARDLINK: tarfile.LNKTYPE,
    Kind.FIFO: tarfile.FIFOTYPE,
}


@dataclass(frozen=True, slots=True)
class Written:
    """What a finished layer is known by."""

    digest: Digest
    size: int
    diff_id: Digest  # of the tar file inside
    plain_size: int  # of the tar file inside
    toc_digest: Digest
    toc_offset: int
    prefetch_size: int  # bytes from the layer's beginning to the prefetch landmark; 0 without one


class LayerWriter:
    """Takes entries in order and writes one layer through `write`."""

    def __init__(self, write: Callable[[bytes], object], chunk_size: int = CHUNK_SIZE) -> None:
        self._write = write
        self._chunk_size = chunk_size
        self._member = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, GZIP_WBITS)
        self._offset = 0
        self._blob_hash = hashlib.sha256()
        self._plain_hash = hashlib.sha256()
        self._plain_size = 0
        self._rows: list[dict[str, object]] = []
        self._prefetch_size = 0

    def add(self, entry: Entry, pieces: Iterable[bytes] = ()) -> None:
        """Append one entry; `pieces` are a file's bytes, together exactly `entry.size`."""
        self._plain(_tar_header(entry))
        row = toc_row(entry)
        self._rows.append(row)
        if entry.kind is not Kind.FILE or not entry.size:
            return
        whole = hashlib.sha256()
        position = 0
        for chunk in _rechunk(pieces, self._chunk_size):
            whole.update(chunk)
            self._begin_member()
            part = row if position == 0 else {"name": row["name"], "type": "chunk", "chunkOffset": position}
            part |= {"offset": self._offset, "chunkDigest": digest_of(chunk)}
            if position + len(chunk) < entry.size:
                part["chunkSize"] = len(chunk)
            if position:
                self._rows.append(part)
            self._plain(chunk)
            position += len(chunk)
        if position != entry.size:
            raise ValueError(f"{entry.name}: {entry.size} bytes were announced, {position} came")
        row["digest"] = f"sha256:{whole.hexdigest()}"
        self._plain(bytes(-entry.size % BLOCK_SIZE))

    def landmark(self, has_prioritized: bool) -> None:
        """End the prioritized files; must be called once, even if there are none."""
        name = PREFETCH_LANDMARK if has_prioritized else NO_PREFETCH_LANDMARK
        self.add(Entry(name, Kind.FILE, size=len(LANDMARK_CONTENT)), [LANDMARK_CONTENT])
        offset = self._rows[-1]["offset"]
        assert isinstance(offset, int)
        self._prefetch_size = offset if has_prioritized else 0

    def finish(self) -> Written:
        """Write TOC and footer, and return what the layer is known by."""
        toc = canonical_json({"version": 1, "entries": self._rows})
        self._begin_member()
        toc_offset = self._offset
        self._plain(_tar_header(Entry(TOC_NAME, Kind.FILE, mode=0o444, size=len(toc))))
        self._plain(toc + bytes(-len(toc) % BLOCK_SIZE) + bytes(2 * BLOCK_SIZE))
        self._out(self._member.flush())
        self._out(_footer(toc_offset))
        return Written(
            Digest(f"sha256:{self._blob_hash.hexdigest()}"),
            self._offset,
            Digest(f"sha256:{self._plain_hash.hexdigest()}"),
            self._plain_size,
            digest_of(toc),
            toc_offset,
            self._prefetch_size,
        )

    def _begin_member(self) -> None:
        self._out(self._member.flush())
        self._member = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, GZIP_WBITS)

    def _plain(self, data: bytes) -> None:
        self._plain_hash.update(data)
        self._plain_size += len(data)
        self._out(self._member.compress(data))

    def _out(self, data: bytes) -> None:
        self._blob_hash.update(data)
        self._offset += len(data)
        self._write(data)


def _tar_header(entry: Entry) -> bytes:
    info = tarfile.TarInfo(entry.name)  # TarInfo adds the slash of a folder itself
    info.type = _TAR_TYPES[entry.kind]
    info.mode, info.mtime, info.uid, info.gid = entry.mode, entry.mtime, entry.uid, entry.gid
    info.size, info.linkname = entry.size, entry.link
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def toc_row(entry: Entry) -> dict[str, object]:
    """Return the TOC's row for an entry, without its chunks."""
    name = f"{entry.name}/" if entry.kind is Kind.DIRECTORY else entry.name
    row: dict[str, object] = {
        "name": name,
        "type": entry.kind.value,
        "mode": entry.mode,
        "uid": entry.uid,
        "gid": entry.gid,
    }
    if entry.mtime:
        row["modtime"] = datetime.fromtimestamp(entry.mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if entry.size:
        row["size"] = entry.size
    if entry.link:
        row["linkName"] = entry.link
    return row


def _rechunk(pieces: Iterable[bytes], size: int) -> Iterable[bytes]:
    pending = bytearray()
    for piece in pieces:
        pending += piece
        while len(pending) >= size:
            yield bytes(pending[:size])
            del pending[:size]
    if pending:
        yield bytes(pending)


def _footer(toc_offset: int) -> bytes:
    """Return an empty gzip member whose extra field tells where the TOC is."""
    extra = b"SG" + (22).to_bytes(2, "little") + f"{toc_offset:016x}STARGZ".encode()
    header = b"\x1f\x8b\x08\x04" + bytes(5) + b"\xff" + len(extra).to_bytes(2, "little") + extra
    stored_empty_block = b"\x01\x00\x00\xff\xff"
    return header + stored_empty_block + bytes(8)  # CRC and length of nothing
