# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Messages as bytes: how box and monitor write them down.

A frame is a u32 size of the payload, a u16 message number, the payload. A payload is the fields of
the message's class in order: an int is 8 bytes signed, a bool one byte, bytes and text a u32 size
and the bytes (text is UTF-8), a tuple a u32 count and the items, `int | None` a bool and perhaps an
int, a payload of `Asked` or `Answered` its u16 number and its fields. All little endian.

Decoding is strict: it is done on bytes an attacker wrote.
Errors: ProtocolError for anything but exactly one valid message.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from struct import Struct
from struct import error as struct_error
from typing import Any

from skerry.abi import hostfs
from skerry.abi.errors import ProtocolError
from skerry.abi.record import Record

from . import messages

HEADER = Struct("<IH")
_I64 = Struct("<q")
_U32 = Struct("<I")
_U16 = Struct("<H")
COUNT_MAX = 65_536
"""The most items a tuple may have."""

Encode = Callable[[Any, list[bytes]], None]
Decode = Callable[[bytes, int], tuple[Any, int]]


def encode(message: object) -> bytes:
    """One frame."""
    kind: Any = type(message)
    number, limit = _numbers()[kind]
    parts: list[bytes] = []
    _codec(kind)[0](message, parts)
    size = sum(map(len, parts))
    if size > limit:
        raise ProtocolError(f"{type(message).__name__} of {size} bytes is over its limit")
    return b"".join((HEADER.pack(size, number), *parts))


def decode(table: dict[int, tuple[type, int]], number: int, untrusted_payload: bytes) -> object:
    """The message in a payload; `table` says which may come from that side."""
    kind, _ = table[number]
    try:
        message, end = _codec(kind)[1](untrusted_payload, 0)
    except (struct_error, UnicodeDecodeError, KeyError):
        raise ProtocolError(f"malformed {kind.__name__}") from None
    if end != len(untrusted_payload):
        raise ProtocolError(f"malformed {kind.__name__}: {len(untrusted_payload) - end} bytes too many")
    return message


class Frames:
    """Cuts a byte stream into messages; for a reader that must not block."""

    def __init__(self, table: dict[int, tuple[type, int]]) -> None:
        self._table = table
        self._buffer = bytearray()

    def feed(self, untrusted_data: bytes) -> list[object]:
        """Take bytes as they came; return the messages that are complete now."""
        buffer = self._buffer
        buffer += untrusted_data
        found, at = [], 0
        while len(buffer) - at >= HEADER.size:
            size, number = self.header(buffer, at)
            start = at + HEADER.size
            if len(buffer) - start < size:
                break
            found.append(decode(self._table, number, bytes(buffer[start : start + size])))
            at = start + size
        del buffer[:at]
        return found

    def header(self, untrusted_buffer: bytes | bytearray, at: int = 0) -> tuple[int, int]:
        """Size and number of the frame at `at`."""
        size, number = HEADER.unpack_from(untrusted_buffer, at)
        if number not in self._table:
            raise ProtocolError(f"unknown message {number}")
        kind, limit = self._table[number]
        if size > limit:
            raise ProtocolError(f"{kind.__name__} of {size} bytes is over its limit")
        return size, number


@cache
def _numbers() -> dict[type, tuple[int, int]]:
    tables = {**messages.TO_WORKER, **messages.TO_MONITOR}
    return {kind: (number, limit) for number, (kind, limit) in tables.items()}


# --- codecs, by the text of a field's annotation


@cache
def _codec(kind: type[Record]) -> tuple[Encode, Decode]:
    """How to write and read one data class."""
    names = [name for name, _ in kind.FIELDS]
    types = [annotation for _, annotation in kind.FIELDS]
    if types and all(one == "int" for one in types):
        return _integers(kind, names)
    codecs = [_field(one) for one in types]

    def write(value: Any, parts: list[bytes]) -> None:
        for name, (put, _) in zip(names, codecs, strict=True):
            put(getattr(value, name), parts)

    def read(data: bytes, at: int) -> tuple[Any, int]:
        values = []
        for _, get in codecs:
            value, at = get(data, at)
            values.append(value)
        return kind(*values), at

    return write, read


def _integers(kind: type, names: list[str]) -> tuple[Encode, Decode]:
    """A class of ints alone, such as Stat: one call of struct."""
    layout = Struct(f"<{len(names)}q")

    def write(value: Any, parts: list[bytes]) -> None:
        parts.append(layout.pack(*[getattr(value, name) for name in names]))

    def read(data: bytes, at: int) -> tuple[Any, int]:
        return kind(*layout.unpack_from(data, at)), at + layout.size

    return write, read


def _field(annotation: str) -> tuple[Encode, Decode]:
    known = _FIELDS.get(annotation)
    if known is not None:
        return known
    if annotation.startswith("tuple[") and annotation.endswith(", ...]"):
        return _tuple(_field(annotation[6:-6]))
    return _codec(_CLASSES[annotation])


def _write_int(value: int, parts: list[bytes]) -> None:
    parts.append(_I64.pack(value))


def _read_int(data: bytes, at: int) -> tuple[int, int]:
    return int(_I64.unpack_from(data, at)[0]), at + 8


def _write_bool(value: bool, parts: list[bytes]) -> None:
    parts.append(b"\x01" if value else b"\x00")


def _read_bool(data: bytes, at: int) -> tuple[bool, int]:
    byte = data[at : at + 1]
    if byte not in (b"\x00", b"\x01"):
        raise KeyError
    return byte == b"\x01", at + 1


def _write_bytes(value: bytes, parts: list[bytes]) -> None:
    parts.append(_U32.pack(len(value)))
    parts.append(value)


def _read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    start = at + 4
    end = start + int(_U32.unpack_from(data, at)[0])
    if end > len(data):
        raise KeyError
    return data[start:end], end


def _write_text(value: str, parts: list[bytes]) -> None:
    _write_bytes(value.encode("utf-8", "surrogateescape"), parts)


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    text, at = _read_bytes(data, at)
    return text.decode("utf-8", "surrogateescape"), at


def _write_maybe(value: int | None, parts: list[bytes]) -> None:
    _write_bool(value is not None, parts)
    if value is not None:
        _write_int(value, parts)


def _read_maybe(data: bytes, at: int) -> tuple[int | None, int]:
    there, at = _read_bool(data, at)
    return _read_int(data, at) if there else (None, at)


def _write_three(value: tuple[str, str, str], parts: list[bytes]) -> None:
    for one in value:
        _write_text(one, parts)


def _read_three(data: bytes, at: int) -> tuple[tuple[str, str, str], int]:
    first, at = _read_text(data, at)
    second, at = _read_text(data, at)
    third, at = _read_text(data, at)
    return (first, second, third), at


def _write_payload(value: Any, parts: list[bytes]) -> None:
    kind: Any = type(value)
    parts.append(_U16.pack(kind.code))
    _codec(kind)[0](value, parts)


def _read_payload(data: bytes, at: int) -> tuple[Any, int]:
    kind = messages.PAYLOADS[int(_U16.unpack_from(data, at)[0])]
    return _codec(kind)[1](data, at + 2)


def _tuple(item: tuple[Encode, Decode]) -> tuple[Encode, Decode]:
    put, get = item

    def write(value: tuple[Any, ...], parts: list[bytes]) -> None:
        parts.append(_U32.pack(len(value)))
        for one in value:
            put(one, parts)

    def read(data: bytes, at: int) -> tuple[tuple[Any, ...], int]:
        count = int(_U32.unpack_from(data, at)[0])
        at += 4
        if count > COUNT_MAX:
            raise KeyError
        values = []
        for _ in range(count):
            value, at = get(data, at)
            values.append(value)
        return tuple(values), at

    return write, read


_BYTES: tuple[Encode, Decode] = (_write_bytes, _read_bytes)
_FIELDS: dict[str, tuple[Encode, Decode]] = {
    "int": (_write_int, _read_int),
    "bool": (_write_bool, _read_bool),
    "bytes": _BYTES,
    "str": (_write_text, _read_text),
    "int | None": (_write_maybe, _read_maybe),
    "tuple[str, str, str]": (_write_three, _read_three),
    "Path": _tuple(_BYTES),
    "hostfs.Request | hostnet.Connect | hostnet.Resolve": (_write_payload, _read_payload),
    "hostfs.Reply": (_write_payload, _read_payload),
}
_CLASSES: dict[str, type] = {
    "Place": messages.Place,
    "Stat": hostfs.Stat,
    "Entry": hostfs.Entry,
}
