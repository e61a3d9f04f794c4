# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Safepoints: make every loop of a wasm program interruptible, almost for free.

The file is rewritten before it is compiled. Each loop header and each entry of a function that
calls others gets a poll: a load of one byte of libc's `__skerry_poll` and a branch that is never
taken until the engine sets those bytes; then `__skerry_deliver` runs the pending handlers in an
ordinary wasm frame. Engine epochs do the same for 1.36 times the time of CPU-bound code (a float
loop 3.5 times); this costs 1.05 (docs/box-interface.md, "Busy loops").

Why it is shaped so:
* A call clobbers every register, even in a branch never taken, so the locals a call-free loop
  uses are saved on the C stack round the call: nothing lives across it, all stays in registers.
* Each loop of a function polls a byte of its own: an optimiser may merge two loads of one byte.
* The branch is marked unlikely (custom section `metadata.code.branch_hint`).
* A program without these exports (WASI) only loads a byte at address 0, whatever it has there: it
  cannot be interrupted, but killed, by taking that page away.

A start section becomes an export, BEGIN: the engine calls it when it can interrupt it.

Invariant: index spaces do not change; nothing is added but code in function bodies and that export.
Errors:    WasmError for an instruction this reader does not know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .wasmfile import (
    CODE,
    CUSTOM,
    EXPORT,
    FUNC_KIND,
    GLOBAL_KIND,
    MAGIC,
    START,
    WasmError,
    WasmFile,
    read_uleb,
    sections,
    skip_value_type,
    uleb,
)

DELIVER, POLL, STACK = "__skerry_deliver", "__skerry_poll", "__stack_pointer"
BEGIN = "__skerry_begin"
POLL_SIZE = 256
"""Bytes at `__skerry_poll`: one for each loop of a function, the last for its entry."""

_BLOCK, _LOOP, _IF, _END, _CALL, _CALL_INDIRECT = 0x02, 0x03, 0x04, 0x0B, 0x10, 0x11
_DROP = b"\x1a"
_CALLS = (0x10, 0x11, 0x12, 0x13, 0x14, 0x15)
_BR_TABLE, _SELECT_TYPED, _TRY_TABLE = 0x0E, 0x1C, 0x1F
_LOCALS = (0x20, 0x21, 0x22)
_MISC, _VECTOR, _ATOMIC = 0xFC, 0xFD, 0xFE

_LEB = rb"[\x80-\xff]*[\x00-\x7f]"
_MEMARG = rb"(?:[\x00-\x3f]|[\x40-\x7f]" + _LEB + rb")" + _LEB
_PLAIN = re.compile(  # runs of instructions of no interest, at C speed
    rb"(?:[\x00\x01\x05\x0a\x0f\x1a\x1b\x45-\xc4\xd1\xd3\xd4]"  # no immediate
    rb"|[\x08\x0c\x0d\x23-\x26\x3f-\x42\xd0\xd2\xd5\xd6]" + _LEB +
    rb"|[\x28-\x3e]" + _MEMARG +
    rb"|\x43.{4}|\x44.{8})*+",
    re.DOTALL,
)  # fmt: skip
_BLOCK_TYPE = re.compile(rb"[\x63\x64]" + _LEB + rb"|" + _LEB, re.DOTALL)
_MISC_IMMEDIATES = {8: 2, 9: 1, 10: 2, 11: 1, 12: 2, 13: 1, 14: 2, 15: 1, 16: 1, 17: 1}
_SAVE = {  # value type: (store, load, size); opcodes with their alignment
    0x7F: (b"\x36\x02", b"\x28\x02", 4),
    0x7E: (b"\x37\x03", b"\x29\x03", 8),
    0x7D: (b"\x38\x02", b"\x2a\x02", 4),
    0x7C: (b"\x39\x03", b"\x2b\x03", 8),
    0x7B: (b"\xfd\x0b\x04", b"\xfd\x00\x04", 16),
}


@dataclass(slots=True)
class _Loop:
    """A loop in a function body: where its first instruction is, what it touches."""

    start: int
    locals: set[int] = field(default_factory=set)
    calls: bool = False


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a program offers for its polls; -1 is nothing."""

    poll: int = 0
    deliver: int = -1
    stack: int = -1
    fetch: int = -1  # index of the import skerry.sigfetch: who calls it must not be polled


def insert(wasm: bytes, outside: WasmFile) -> bytes:
    """Return a valid module with polls; `outside` is what `wasmfile.read` said of it."""
    plan = _plan(outside)
    parameters = [outside.types[signature][0] for signature in outside.functions]
    first = outside.count(FUNC_KIND)
    out = bytearray(MAGIC)
    for number, body in sections(wasm):
        if number == CODE:
            try:
                body, hints = _code(body, parameters, first, plan)
            except (IndexError, KeyError):
                raise WasmError("the module uses an instruction Skerry does not know") from None
            if hints:
                out += _section(CUSTOM, hints)
        elif number == EXPORT and outside.start is not None:
            body = _with_begin(body, outside.start)
        elif number == START or (number == CUSTOM and not _keep(body)):
            continue
        out += _section(number, body)
    return bytes(out)


def interruptible(outside: WasmFile) -> bool:
    """Whether a poll runs handlers; else it is a bare load."""
    return _plan(outside).deliver >= 0


def poll_address(outside: WasmFile) -> int:
    """Where the engine writes POLL_SIZE ones to make polls fire."""
    return _plan(outside).poll


def _plan(outside: WasmFile) -> _Plan:
    deliver = outside.exported(DELIVER, FUNC_KIND)
    stack = outside.exported(STACK, GLOBAL_KIND)
    address = outside.constants.get(outside.exports.get(POLL, (-1, -1))[1])
    functions = [one for one in outside.imports if one.kind == FUNC_KIND]
    names = [(one.module, one.name) for one in functions]
    if deliver is None or stack is None or address is None or ("skerry", "sigfetch") not in names:
        return _Plan()
    return _Plan(address, deliver, stack, names.index(("skerry", "sigfetch")))


def _section(number: int, body: bytes) -> bytes:
    return bytes([number]) + uleb(len(body)) + body


def _with_begin(exports: bytes, start: int) -> bytes:
    """The export section with the start function in it."""
    count, at = read_uleb(exports, 0)
    name = BEGIN.encode()
    entry = uleb(len(name)) + name + bytes([FUNC_KIND]) + uleb(start)
    return uleb(count + 1) + exports[at:] + entry


def _keep(custom: bytes) -> bool:
    """Only function names survive: everything else would be wrong or useless after this."""
    return custom.startswith(b"\x04name")


def _code(
    body: bytes, parameters: list[bytes], first: int, plan: _Plan
) -> tuple[bytes, bytes]:
    """Rewrite all function bodies; returns the section and the branch hints for it."""
    count, at = read_uleb(body, 0)
    out, hints, hinted = bytearray(uleb(count)), bytearray(), 0
    for index in range(count):
        size, at = read_uleb(body, at)
        function, places = _function(body[at : at + size], parameters[index], first + index, plan)
        at += size
        out += uleb(len(function)) + function
        if places:
            hinted += 1
            hints += uleb(first + index) + uleb(len(places))
            hints += b"".join(uleb(place) + b"\x01\x00" for place in places)
    if not hinted:
        return bytes(out), b""
    name = b"metadata.code.branch_hint"
    return bytes(out), uleb(len(name)) + name + uleb(hinted) + bytes(hints)


def _function(
    body: bytes, parameters: bytes, index: int, plan: _Plan
) -> tuple[bytes, list[int]]:
    """Rewrite one body; returns it and the offsets of its unlikely branches."""
    types, start = _local_types(body, parameters)
    loops, leaf, fetches = _scan(body, start, plan.fetch)
    if fetches or index == plan.deliver or (leaf and not loops):
        return body, []
    out, done, places = bytearray(body[:start]), start, []
    call = bytes([_CALL]) + uleb(plan.deliver) if plan.deliver >= 0 else b""
    if not leaf:
        places += _poll(out, plan.poll + POLL_SIZE - 1, False, call)
    for number, loop in enumerate(loops):
        out += body[done : loop.start]
        done = loop.start
        cold = call if loop.calls or plan.stack < 0 else _saved(loop.locals, types, plan.stack, call)
        slot, many = number % (POLL_SIZE - 1), number >= POLL_SIZE - 1
        places += _poll(out, plan.poll + slot, many, cold)
    return bytes(out + body[done:]), places


def _poll(out: bytearray, address: int, shared_byte: bool, cold: bytes) -> list[int]:
    """Append one poll; returns the offset of its branch, if any. A byte used twice is read atomically."""
    load = b"\xfe\x12\x00" if shared_byte else b"\x2d\x00"
    out += b"\x41\x00" + load + uleb(address)
    if not cold:
        out += _DROP
        return []
    out += b"\x04\x40" + cold + b"\x0b"
    return [len(out) - len(cold) - 3]


def _saved(used: set[int], types: bytes, stack: int, call: bytes) -> bytes:
    """The call, with the locals in `used` kept in a frame on the C stack meanwhile."""
    kept = sorted((one for one in used if types[one] in _SAVE), key=lambda one: -_SAVE[types[one]][2])
    if not kept:
        return call
    pointer = b"\x23" + uleb(stack)
    saves, loads, offset = bytearray(), bytearray(), 0
    for one in kept:
        store, load, size = _SAVE[types[one]]
        saves += pointer + b"\x20" + uleb(one) + store + uleb(offset)
        loads += pointer + load + uleb(offset) + b"\x21" + uleb(one)
        offset += size
    frame = (offset + 15) & ~15
    move = pointer + b"\x41" + _sleb(frame)
    set_pointer = b"\x24" + uleb(stack)
    return bytes(move + b"\x6b" + set_pointer + saves + call + loads + move + b"\x6a" + set_pointer)


def _sleb(value: int) -> bytes:
    """Encode a positive number as signed LEB128."""
    data = uleb(value)
    if data[-1] & 0x40:  # would read as negative
        return data[:-1] + bytes([data[-1] | 0x80, 0])
    return data


def _local_types(body: bytes, parameters: bytes) -> tuple[bytes, int]:
    """The type of each local, and where the instructions begin."""
    types = bytearray(parameters)
    count, at = read_uleb(body, 0)
    for _ in range(count):
        number, at = read_uleb(body, at)
        if number > 50_000:  # as engines limit it
            raise WasmError("a function of the module has too many locals")
        types += body[at : at + 1] * number
        at = skip_value_type(body, at)
    return bytes(types), at


def _scan(body: bytes, at: int, fetch: int) -> tuple[list[_Loop], bool, bool]:
    """Find the loops; returns them, whether the function calls nothing, and whether it calls `fetch`."""
    loops: list[_Loop] = []
    nest: list[_Loop | None] = []  # enclosing blocks, loops among them
    inner: _Loop | None = None  # the innermost loop
    leaf, fetches = True, False
    end = len(body)
    match_plain, match_type = _PLAIN.match, _BLOCK_TYPE.match
    while True:
        at = match_plain(body, at).end()  # type: ignore[union-attr]  # matches the empty run too
        if at >= end:
            return loops, leaf, fetches
        opcode = body[at]
        at += 1
        if opcode in _LOCALS:
            number, at = read_uleb(body, at)
            if inner is not None:
                inner.locals.add(number)
        elif opcode == _END:
            block = nest.pop() if nest else None
            if block is not None:
                inner = next((one for one in reversed(nest) if one is not None), None)
                if inner is not None:
                    inner.locals |= block.locals
                    inner.calls |= block.calls
        elif opcode in (_BLOCK, _IF, _LOOP, _TRY_TABLE):
            at = match_type(body, at).end()  # type: ignore[union-attr]
            if opcode == _LOOP:
                inner = _Loop(at)
                loops.append(inner)
            elif opcode == _TRY_TABLE:
                at = _skip_catches(body, at)
            nest.append(inner if opcode == _LOOP else None)
        elif opcode in _CALLS:
            number, at = read_uleb(body, at)
            if opcode in (_CALL_INDIRECT, _CALL_INDIRECT + 2):
                at = read_uleb(body, at)[1]
            leaf = False
            fetches |= opcode == _CALL and number == fetch
            if inner is not None:
                inner.calls = True
        else:
            at = _skip_rare(body, at, opcode)


def _skip_catches(body: bytes, at: int) -> int:
    count, at = read_uleb(body, at)
    for _ in range(count):
        kind = body[at]
        at += 1
        for _ in range(2 if kind < 2 else 1):
            at = read_uleb(body, at)[1]
    return at


def _skip_rare(body: bytes, at: int, opcode: int) -> int:
    """Step over the immediates of the instructions whose length takes some counting."""
    number, at = read_uleb(body, at)
    if opcode == _BR_TABLE:
        return _skip_lebs(body, at, number + 1)
    if opcode == _SELECT_TYPED:
        for _ in range(number):
            at = skip_value_type(body, at)
        return at
    if opcode == _MISC:
        return _skip_lebs(body, at, 0 if number < 8 else _MISC_IMMEDIATES[number])
    if opcode == _ATOMIC:
        return at + 1 if number == 3 else _skip_memarg(body, at)
    if opcode == _VECTOR:
        return _skip_vector(body, at, number)
    raise WasmError(f"the module uses instruction 0x{opcode:02x}, which Skerry does not know")


def _skip_vector(body: bytes, at: int, number: int) -> int:
    if number <= 11 or number in (92, 93):  # loads and stores
        return _skip_memarg(body, at)
    if number in (12, 13):  # v128.const, i8x16.shuffle
        return at + 16
    if 21 <= number <= 34:  # a lane
        return at + 1
    if 84 <= number <= 91:  # a load or store of one lane
        return _skip_memarg(body, at) + 1
    return at


def _skip_memarg(body: bytes, at: int) -> int:
    alignment, at = read_uleb(body, at)
    return _skip_lebs(body, at, 2 if alignment & 0x40 else 1)


def _skip_lebs(body: bytes, at: int, count: int) -> int:
    for _ in range(count):
        at = read_uleb(body, at)[1]
    return at
