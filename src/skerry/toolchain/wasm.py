# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The sections of a WebAssembly module: what it imports, exports, and whether it throws.

Standard: WebAssembly core specification, binary format.
Errors: `FormatError` for bytes that are not a module.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

MAGIC = b"\0asm\x01\0\0\0"
KINDS = ("func", "table", "memory", "global", "tag")
_CUSTOM, _IMPORT, _MEMORY, _EXPORT, _TAG = 0, 2, 5, 7, 13


class FormatError(Exception):
    """The bytes are not a well-formed WebAssembly module."""


class Section(NamedTuple):
    """One section: its number, its name if custom, its bytes after the name, and where it begins and ends."""

    number: int
    name: str
    data: bytes
    start: int
    end: int


class Import(NamedTuple):
    """One import: module, name, kind (one of `KINDS`)."""

    module: str
    name: str
    kind: str


class _Reader:
    """A cursor over bytes."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    def number(self) -> int:
        """Read an unsigned LEB128 number."""
        result = shift = 0
        while True:
            if self.position >= len(self.data) or shift > 63:
                raise FormatError(f"bad number at {self.position}")
            byte = self.data[self.position]
            self.position += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result
            shift += 7

    def take(self, size: int) -> bytes:
        """Read `size` bytes."""
        if self.position + size > len(self.data):
            raise FormatError(f"{size} bytes wanted at {self.position}, the end is nearer")
        chunk = self.data[self.position : self.position + size]
        self.position += size
        return chunk

    def text(self) -> str:
        """Read a name."""
        return self.take(self.number()).decode(errors="replace")

    def limits(self) -> tuple[int, int, int | None]:
        """Read limits: flags, minimum, maximum."""
        flags = self.number()
        low = self.number()
        return flags, low, self.number() if flags & 1 else None


def sections(module: bytes) -> Iterator[Section]:
    """Yield the module's sections in order. Raises: FormatError."""
    if module[:8] != MAGIC:
        raise FormatError("no WebAssembly module: the first 8 bytes are wrong")
    reader = _Reader(module, 8)
    while reader.position < len(module):
        start = reader.position
        number = reader.number()
        size = reader.number()
        body = _Reader(reader.take(size))
        name = body.text() if number == _CUSTOM else ""
        yield Section(number, name, body.data[body.position :], start, reader.position)


def _find(module: bytes, number: int) -> _Reader | None:
    """Return a reader of the section with that number, or None."""
    for section in sections(module):
        if section.number == number:
            return _Reader(section.data)
    return None


def imports(module: bytes) -> list[Import]:
    """Return the module's imports in order. Raises: FormatError."""
    reader = _find(module, _IMPORT)
    result = []
    for _ in range(reader.number() if reader else 0):
        assert reader
        origin, name, kind = reader.text(), reader.text(), reader.number()
        if kind >= len(KINDS):
            raise FormatError(f"import {origin}.{name} has the unknown kind {kind}")
        if kind == 0:
            reader.number()
        elif kind == 2:
            reader.limits()
        elif kind == 1:
            reader.take(1)
            reader.limits()
        else:
            reader.take(2)
        result.append(Import(origin, name, KINDS[kind]))
    return result


def exports(module: bytes) -> dict[str, str]:
    """Return name -> kind of the module's exports. Raises: FormatError."""
    reader = _find(module, _EXPORT)
    result = {}
    for _ in range(reader.number() if reader else 0):
        assert reader
        name, kind = reader.text(), reader.number()
        reader.number()
        result[name] = KINDS[kind] if kind < len(KINDS) else "unknown"
    return result


def has_tags(module: bytes) -> bool:
    """Say whether the module defines exception tags, so whether its code throws or catches."""
    return _find(module, _TAG) is not None


def without_custom(module: bytes, keep: tuple[str, ...] = ()) -> bytes:
    """Return the module without custom sections except those named: what `strip` does."""
    parts = [MAGIC]
    for section in sections(module):
        if section.number != _CUSTOM or section.name in keep:
            parts.append(module[section.start : section.end])
    return b"".join(parts)
