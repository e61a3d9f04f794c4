# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Reading a wasm file's outside: sections, types, imports, exports, memory.

Enough to say what a program wants before it is compiled, and to rewrite its code section
(safepoints.py). Function bodies are not decoded here; wasmtime validates the file as a whole.

Standard: WebAssembly core specification 3.0, chapter "Binary Format".
Errors:   WasmError for anything malformed or not supported; the text is for a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

MAGIC = b"\0asm\1\0\0\0"
CUSTOM, TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, START, ELEMENT, CODE = range(11)
FUNC_KIND, TABLE_KIND, MEMORY_KIND, GLOBAL_KIND, TAG_KIND = range(5)
I32 = 0x7F
_FUNC_TYPE = 0x60
_TYPED_REF = (0x63, 0x64)  # (ref null ht), (ref ht): a heap type follows
_SHIFT_MAX = 63  # of a LEB128 number's last byte
_LIMIT_MAX, _LIMIT_SHARED, _LIMIT_64 = 1, 2, 4


class WasmError(Exception):
    """The file is no program Skerry can run, and why."""


@dataclass(frozen=True, slots=True)
class Import:
    """One import; `signature` indexes `WasmFile.types` when it is a function."""

    module: str
    name: str
    kind: int
    signature: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """The linear memory; sizes are pages of 64 KiB."""

    minimum: int
    maximum: int | None
    shared: bool
    imported: bool


@dataclass(slots=True)
class WasmFile:
    """What the sections before the code say."""

    types: list[tuple[bytes, bytes]] = field(default_factory=list)  # parameters, results
    imports: list[Import] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)  # type of each function the file defines
    memory: Memory | None = None
    constants: dict[int, int] = field(default_factory=dict)  # immutable i32 globals by index
    mutable: set[int] = field(default_factory=set)  # indexes of globals that can change
    exports: dict[str, tuple[int, int]] = field(default_factory=dict)  # name -> (kind, index)
    start: int | None = None  # the function an instance begins with

    def count(self, kind: int) -> int:
        """How many imports are of this kind."""
        return sum(1 for one in self.imports if one.kind == kind)

    def exported(self, name: str, kind: int) -> int | None:
        """The index of an export of this kind."""
        found = self.exports.get(name)
        return found[1] if found is not None and found[0] == kind else None

    def signature(self, function: int) -> tuple[bytes, bytes]:
        """Parameter and result types of a function, by its index."""
        imported = [one.signature for one in self.imports if one.kind == FUNC_KIND]
        return self.types[[*imported, *self.functions][function]]


def uleb(value: int) -> bytes:
    """Encode an unsigned LEB128 number."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_uleb(data: bytes, at: int) -> tuple[int, int]:
    """Decode an unsigned LEB128 number; returns it and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > _SHIFT_MAX:  # or a file of continuation bytes would take for ever
            raise WasmError("malformed WebAssembly module")


def sections(untrusted_wasm: bytes) -> Iterator[tuple[int, bytes]]:
    """Each section's number and contents."""
    if untrusted_wasm[:8] != MAGIC:
        raise WasmError("not a WebAssembly module")
    at = 8
    while at < len(untrusted_wasm):
        try:
            size, start = read_uleb(untrusted_wasm, at + 1)
        except IndexError:
            raise WasmError("truncated WebAssembly module") from None
        if start + size > len(untrusted_wasm):
            raise WasmError("truncated WebAssembly module")
        yield untrusted_wasm[at], untrusted_wasm[start : start + size]
        at = start + size


def read(untrusted_wasm: bytes) -> WasmFile:
    """Read everything but code and data."""
    found = WasmFile()
    readers = {
        TYPE: _types, IMPORT: _imports, FUNCTION: _functions,
        MEMORY: _memories, GLOBAL: _globals, EXPORT: _exports, START: _start,
    }  # fmt: skip
    try:
        for number, body in sections(untrusted_wasm):
            if number in readers:
                readers[number](found, body)
    except (IndexError, UnicodeDecodeError):
        raise WasmError("malformed WebAssembly module") from None
    return found


def skip_value_type(data: bytes, at: int) -> int:
    """Step over one value type."""
    return read_uleb(data, at + 1)[1] if data[at] in _TYPED_REF else at + 1


def _name(data: bytes, at: int) -> tuple[str, int]:
    size, at = read_uleb(data, at)
    if at + size > len(data):
        raise IndexError
    return data[at : at + size].decode(), at + size


def _value_types(data: bytes, at: int) -> tuple[bytes, int]:
    """A vector of value types, one byte each; a typed reference keeps its first byte."""
    count, at = read_uleb(data, at)
    out = bytearray()
    for _ in range(count):
        out.append(data[at])
        at = skip_value_type(data, at)
    return bytes(out), at


def _types(found: WasmFile, data: bytes) -> None:
    count, at = read_uleb(data, 0)
    for _ in range(count):
        if data[at] != _FUNC_TYPE:
            raise WasmError("the module uses garbage-collected types, which Skerry does not run")
        parameters, at = _value_types(data, at + 1)
        results, at = _value_types(data, at)
        found.types.append((parameters, results))


def _limits(data: bytes, at: int) -> tuple[int, int | None, int, int]:
    flags = data[at]
    minimum, at = read_uleb(data, at + 1)
    maximum = None
    if flags & _LIMIT_MAX:
        maximum, at = read_uleb(data, at)
    return minimum, maximum, flags, at


def _memory(found: WasmFile, data: bytes, at: int, imported: bool) -> int:
    minimum, maximum, flags, at = _limits(data, at)
    if flags & ~(_LIMIT_MAX | _LIMIT_SHARED):
        raise WasmError("the module has a 64-bit or odd-paged memory, which Skerry does not run")
    if found.memory is not None:
        raise WasmError("the module has more than one memory, which Skerry does not run")
    found.memory = Memory(minimum, maximum, bool(flags & _LIMIT_SHARED), imported)
    return at


def _imports(found: WasmFile, data: bytes) -> None:
    count, at = read_uleb(data, 0)
    for _ in range(count):
        module, at = _name(data, at)
        name, at = _name(data, at)
        kind, at = data[at], at + 1
        signature = 0
        if kind == FUNC_KIND:
            signature, at = read_uleb(data, at)
        elif kind == TABLE_KIND:
            at = _limits(data, skip_value_type(data, at))[3]
        elif kind == MEMORY_KIND:
            at = _memory(found, data, at, imported=True)
        elif kind == GLOBAL_KIND:
            at = skip_value_type(data, at) + 1
        elif kind == TAG_KIND:
            signature, at = read_uleb(data, at + 1)
        else:
            raise WasmError(f"the module imports a thing of unknown kind {kind}")
        found.imports.append(Import(module, name, kind, signature))


def _functions(found: WasmFile, data: bytes) -> None:
    count, at = read_uleb(data, 0)
    for _ in range(count):
        signature, at = read_uleb(data, at)
        found.functions.append(signature)


def _memories(found: WasmFile, data: bytes) -> None:
    count, at = read_uleb(data, 0)
    for _ in range(count):
        at = _memory(found, data, at, imported=False)


def _globals(found: WasmFile, data: bytes) -> None:
    """Note constant i32 globals (how a linker exports an address) and which globals can change."""
    count, at = read_uleb(data, 0)
    first = found.count(GLOBAL_KIND)
    for index in range(first, first + count):
        kind = data[at]
        at = skip_value_type(data, at)
        mutable, opcode = data[at], data[at + 1]
        at += 2
        if mutable:
            found.mutable.add(index)
        if opcode == 0x41:  # i32.const
            value, end = read_uleb(data, at)
            if data[end - 1] & 0x40:  # negative: an address in the upper half
                value -= 1 << 7 * (end - at)
            at = end
            if kind == I32 and not mutable:
                found.constants[index] = value & 0xFFFFFFFF
        else:
            at = _skip_constant(data, at, opcode)
        if data[at] != 0x0B:
            return  # an extended constant expression: nothing after it is known
        at += 1


def _skip_constant(data: bytes, at: int, opcode: int) -> int:
    """Step over the immediate of a constant instruction."""
    if opcode == 0x43:
        return at + 4
    if opcode == 0x44:
        return at + 8
    if opcode == 0xFD:
        return at + 17
    return read_uleb(data, at)[1]


def _exports(found: WasmFile, data: bytes) -> None:
    count, at = read_uleb(data, 0)
    for _ in range(count):
        name, at = _name(data, at)
        kind = data[at]
        index, at = read_uleb(data, at + 1)
        found.exports[name] = (kind, index)


def _start(found: WasmFile, data: bytes) -> None:
    found.start = read_uleb(data, 0)[0]
