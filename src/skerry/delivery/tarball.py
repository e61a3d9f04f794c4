# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Reading plain layers: a tar file, gzip'd or not, taken apart into entries and chunks.

Such a layer has no table of contents, so it must come whole; one is made of it here, in the form
of eStargz, so that it need not be taken apart again.

Standard:  POSIX ustar and pax, GNU long names; OCI image-spec layer.md.
Units:     sizes are bytes.
Errors:    `VerifyError`.
Invariant: one chunk and one header are in memory at a time, whatever the tar file says.
"""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator

from skerry.abi.errors import VerifyError
from skerry.abi.oci import Digest
from skerry.delivery.document import shown
from skerry.delivery.entry import (
    ENTRY_COUNT_MAX,
    FILE_SIZE_MAX,
    Chunk,
    Entry,
    Kind,
    clean_name,
    clean_symlink,
)
from skerry.delivery.estargz import BLOCK_SIZE, GZIP_WBITS
from skerry.delivery.estargz_writer import CHUNK_SIZE, toc_row
from skerry.delivery.manifest import canonical_json

HEADER_SIZE_MAX = 1 << 20  # of a pax header or a GNU long name
EXPANSION_MAX = 1100  # deflate cannot do better than 1032:1
INFLATE_SIZE = 1 << 18
MTIME_MAX = 253_402_300_799  # the last second of the year 9999, which RFC 3339 can still write
ID_MAX = 0xFFFFFFFF

_KINDS = {
    tarfile.REGTYPE: Kind.FILE,
    tarfile.AREGTYPE: Kind.FILE,
    tarfile.CONTTYPE: Kind.FILE,
    tarfile.DIRTYPE: Kind.DIRECTORY,
    tarfile.SYMTYPE: Kind.SYMLINK,
    tarfile.LNKTYPE: Kind.HARDLINK,
    tarfile.CHRTYPE: Kind.CHARACTER,
    tarfile.BLKTYPE: Kind.BLOCK,
    tarfile.FIFOTYPE: Kind.FIFO,
}

Keep = Callable[[bytes], Digest]  # stores one chunk and returns its digest


def read_tar(
    pieces: Iterable[bytes], diff_id: Digest, plain_size_max: int, blob: Digest, keep: Keep
) -> list[Entry]:
    """Take a plain tar file apart, giving each chunk of each file to `keep`.

    Raises:
        VerifyError: not a tar file, or not the one the image's configuration names.
    """
    stream = _Stream(pieces, plain_size_max, hashlib.new(diff_id.partition(":")[0]))
    entries: list[Entry] = []
    while (entry := _next_entry(stream, blob, keep)) is not None:
        entries.append(entry)
        if len(entries) > ENTRY_COUNT_MAX:
            raise VerifyError("the layer", wanted=f"at most {ENTRY_COUNT_MAX} names", got="more")
    stream.drain()
    got = f"{diff_id.partition(':')[0]}:{stream.hash.hexdigest()}"
    if got != diff_id:
        raise VerifyError("the layer, unpacked", wanted=diff_id, got=got)
    return entries


def gunzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Inflate a stream of gzip members, a bounded piece at a time.

    Raises:
        VerifyError: not gzip, or cut off.
    """
    inflater = zlib.decompressobj(GZIP_WBITS)
    is_between_members = True
    try:
        for piece in pieces:
            pending = piece
            while pending:
                if inflater.eof:
                    inflater = zlib.decompressobj(GZIP_WBITS)
                yield inflater.decompress(pending, INFLATE_SIZE)
                pending = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
                is_between_members = inflater.eof
        while not inflater.eof and (rest := inflater.decompress(b"", INFLATE_SIZE)):
            yield rest
    except zlib.error as error:
        raise VerifyError("the layer", wanted="gzip", got=str(error)) from None
    if not (is_between_members or inflater.eof):
        raise VerifyError("the layer", wanted="whole gzip members", got="one that is cut off")


def write_toc(entries: Iterable[Entry]) -> bytes:
    """Return a TOC for the entries of a plain layer; its chunks have no offsets."""
    rows: list[dict[str, object]] = []
    for entry in entries:
        row = toc_row(entry)
        rows.append(row)
        for chunk in entry.chunks:
            part = row if not chunk.position else {"name": row["name"], "type": "chunk"}
            part |= {"chunkOffset": chunk.position, "chunkSize": chunk.size, "chunkDigest": chunk.digest}
            if chunk.position:
                rows.append(part)
    return canonical_json({"version": 1, "entries": rows})


class _Stream:
    """Reads exact sizes from pieces, hashing all that passes."""

    def __init__(self, pieces: Iterable[bytes], size_max: int, new_hash: hashlib._Hash) -> None:
        self._pieces = iter(pieces)
        self._pending = bytearray()
        self._size_left = size_max
        self._size_max = size_max
        self.hash = new_hash

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        while len(self._pending) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._take(piece)
            self._pending += piece
        data = bytes(self._pending[:size])
        del self._pending[:size]
        return data

    def drain(self) -> None:
        """Read what is behind the archive's end; it belongs to the digest."""
        self._pending.clear()
        for piece in self._pieces:
            self._take(piece)

    def _take(self, piece: bytes) -> None:
        self._size_left -= len(piece)
        if self._size_left < 0:
            raise VerifyError("the layer, unpacked", wanted=f"at most {self._size_max} bytes", got="more")
        self.hash.update(piece)


def _next_entry(stream: _Stream, blob: Digest, keep: Keep) -> Entry | None:
    overrides: dict[str, str] = {}
    while True:
        block = stream.read(BLOCK_SIZE)
        if not block.strip(b"\0"):
            return None
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise VerifyError("the layer", wanted="a tar header", got=str(error)) from None
        if info.type in (
            tarfile.XHDTYPE,
            tarfile.XGLTYPE,
            tarfile.GNUTYPE_LONGNAME,
            tarfile.GNUTYPE_LONGLINK,
        ):
            _read_extension(stream, info, overrides)
        else:
            return _entry(stream, info, overrides, blob, keep)


def _read_extension(stream: _Stream, info: tarfile.TarInfo, overrides: dict[str, str]) -> None:
    """Read a header that only adds to the next one."""
    if not 0 <= info.size <= HEADER_SIZE_MAX:
        raise VerifyError(
            "a header of the layer", wanted=f"at most {HEADER_SIZE_MAX} bytes", got=str(info.size)
        )
    data = stream.read(-(-info.size // BLOCK_SIZE) * BLOCK_SIZE)[: info.size]
    if info.type == tarfile.GNUTYPE_LONGNAME:
        overrides["path"] = data.rstrip(b"\0").decode("utf-8", "surrogateescape")
    elif info.type == tarfile.GNUTYPE_LONGLINK:
        overrides["linkpath"] = data.rstrip(b"\0").decode("utf-8", "surrogateescape")
    elif info.type == tarfile.XHDTYPE:
        overrides.update(_pax(data))


def _pax(data: bytes) -> dict[str, str]:
    """Parse "<length> <key>=<value>\\n" records."""
    found: dict[str, str] = {}
    while data:
        length, space, _ = data[:20].partition(b" ")
        size = int(length) if length.isdigit() else 0
        record, data = data[len(length) + 1 : size], data[size:]
        key, equals, value = record.partition(b"=")
        if not (space and equals and value.endswith(b"\n")):
            raise VerifyError(
                "a pax header of the layer", wanted="length, key and value", got=shown(record[:40])
            )
        found[key.decode("utf-8", "replace")] = value[:-1].decode("utf-8", "surrogateescape")
    return found


def _entry(
    stream: _Stream, info: tarfile.TarInfo, overrides: dict[str, str], blob: Digest, keep: Keep
) -> Entry:
    name = clean_name(overrides.get("path", info.name), "a name in the layer")
    kind = _KINDS.get(info.type)
    if kind is None or any(key.startswith("GNU.sparse") for key in overrides):
        raise VerifyError(f"the layer's {shown(name)}", wanted="a kind of file we know", got=shown(info.type))
    if kind is Kind.FILE and info.name.endswith("/") and info.type == tarfile.AREGTYPE:
        kind = Kind.DIRECTORY  # as tar of 1979 wrote folders
    untrusted_size = overrides.get("size", str(info.size)) if kind is Kind.FILE else "0"
    size = int(untrusted_size) if untrusted_size.isdecimal() and len(untrusted_size) < 16 else -1
    if not 0 <= size <= FILE_SIZE_MAX:
        raise VerifyError(f"the layer's {shown(name)}", wanted="a size", got=shown(untrusted_size))
    untrusted_link = overrides.get("linkpath", info.linkname)
    link = ""
    if kind is Kind.SYMLINK:
        link = clean_symlink(name, untrusted_link)
    elif kind is Kind.HARDLINK:
        link = clean_name(untrusted_link, f"the hard link {shown(name)}")
    return Entry(
        name,
        kind,
        mode=info.mode & 0o7777,
        mtime=min(max(0, int(info.mtime)), MTIME_MAX),
        uid=min(max(0, info.uid), ID_MAX),
        gid=min(max(0, info.gid), ID_MAX),
        size=size,
        link=link,
        chunks=tuple(_chunks(stream, size, blob, keep)),
    )


def _chunks(stream: _Stream, size: int, blob: Digest, keep: Keep) -> Iterator[Chunk]:
    position = 0
    while position < size:
        data = stream.read(min(CHUNK_SIZE, size - position))
        if not data:
            raise VerifyError("the layer", wanted=f"a file of {size} bytes", got=f"{position} bytes")
        yield Chunk(keep(data), len(data), position, blob)
        position += len(data)
    stream.read(-size % BLOCK_SIZE)
