# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Many cases in one program: a fraction of the work of linking and rewriting a program for each.

A case is compiled as it stands. In its object all symbols are then made local, so that cases do not meet,
but for main, which gets a name of its own; a table of these, asked with argv[0], makes the program.
Cases share a program only if they need the same of it: threads (shared memory), fork (asyncify).

Standard: WebAssembly object file linking, github.com/WebAssembly/tool-conventions, Linking.md.
"""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from skerry.toolchain import wasm

_IMPORT, _FUNCTION, _DATA, _SECTION, _SYMBOL_TABLE = 2, 0, 1, 3, 8
_WEAK, _LOCAL, _UNDEFINED, _EXPLICIT_NAME = 0x1, 0x2, 0x10, 0x40
_MAINS = {"__main_void": "void", "__main_argc_argv": "int, char **"}
_THREADS = {"pthread_create", "timer_create", "aio_read", "aio_write", "aio_fsync", "lio_listio", "mq_notify"}

_PROGRAM = """\
#include <string.h>
{declarations}
static const struct {{ const char *name; int (*run)(); int words; }} cases[] = {{
{rows}
}};
int main(int argc, char **argv)
{{
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {{
        if (strcmp(cases[i].name, argv[0])) continue;
        if (cases[i].words) return ((int (*)(int, char **))cases[i].run)(argc, argv);
        return ((int (*)(void))cases[i].run)();
    }}
    return 126;
}}
"""


class Object(NamedTuple):
    """A case, compiled: its object file, the parameters of its main, and what it needs from elsewhere."""

    case: str
    path: Path
    parameters: str
    undefined: frozenset[str]

    @property
    def entry(self) -> str:
        """The name its main was given."""
        return entry_name(self.case)

    @property
    def needs(self) -> tuple[bool, bool]:
        """Whether it creates threads, and whether it forks."""
        return bool(self.undefined & _THREADS), "fork" in self.undefined


def entry_name(case: str) -> str:
    """The symbol of a case's main."""
    return "case_" + case.replace("/", "_").replace("-", "_")


def _leb(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


class _Cursor:
    """A place in bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def number(self) -> int:
        result = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result
            shift += 7

    def take(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def name(self) -> bytes:
        return self.take(self.number())


def _symbols(table: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Yield kind, flags, name, and the numbers that follow or (not for data) go before the name."""
    cursor = _Cursor(table)
    for _ in range(cursor.number()):
        kind, flags = cursor.take(1)[0], cursor.number()
        name = b""
        if kind == _DATA:
            name = cursor.name()
        start = cursor.at
        if kind != _DATA or not flags & _UNDEFINED:
            for _ in range(3 if kind == _DATA else 1):
                cursor.number()
        numbers = cursor.data[start : cursor.at]
        if kind not in (_DATA, _SECTION) and (not flags & _UNDEFINED or flags & _EXPLICIT_NAME):
            name = cursor.name()
        yield kind, flags, name, numbers


def _localized(table: bytes, entry: bytes) -> tuple[bytes, str]:
    """The symbol table with everything defined made local but main, and the parameters of main."""
    symbols = list(_symbols(table))
    parameters = ""
    out = bytearray(_leb(len(symbols)))
    for kind, flags, given, numbers in symbols:
        name = given
        if not flags & _UNDEFINED and kind != _SECTION:
            if kind == _FUNCTION and name.decode() in _MAINS:
                parameters, name = _MAINS[name.decode()], entry
            else:
                flags = flags & ~_WEAK | _LOCAL
        out += bytes([kind]) + _leb(flags)
        named = kind != _SECTION and (not flags & _UNDEFINED or bool(flags & _EXPLICIT_NAME))
        text = _leb(len(name)) + name
        if kind == _DATA:
            out += text + numbers
        else:
            out += numbers + (text if named else b"")
    return bytes(out), parameters


def _undefined(code: bytes) -> frozenset[str]:
    return frozenset(entry.name for entry in wasm.imports(code) if entry.module == "env" and entry.kind == "func")


def localize(case: str, path: Path) -> Object:
    """Rewrite the symbol table of a case's object file."""
    code = path.read_bytes()
    parts, parameters = [wasm.MAGIC], ""
    for section in wasm.sections(code):
        if section.name != "linking":
            parts.append(code[section.start : section.end])
            continue
        cursor = _Cursor(section.data)
        body = bytearray(_leb(7) + b"linking" + _leb(cursor.number()))
        while cursor.at < len(cursor.data):
            kind, data = cursor.take(1), cursor.take(cursor.number())
            if kind[0] == _SYMBOL_TABLE:
                data, parameters = _localized(data, entry_name(case).encode())
            body += kind + _leb(len(data)) + data
        parts.append(b"\0" + _leb(len(body)) + bytes(body))
    path.write_bytes(b"".join(parts))
    return Object(case, path, parameters, _undefined(code))


def program(objects: list[Object]) -> str:
    """The C source of a program that runs the case its argv[0] names."""
    declared = "\n".join(f"int {each.entry}({each.parameters});" for each in objects)
    rows = "\n".join(
        f'    {{ "{each.case}", (int (*)()){each.entry}, {int(each.parameters != "void")} }},' for each in objects
    )
    return _PROGRAM.format(declarations=declared, rows=rows)


def grouped(objects: list[Object], size: int) -> list[list[Object]]:
    """Cases that may share a program, at most `size` in each."""
    groups: dict[tuple[bool, bool], list[Object]] = {}
    for each in objects:
        groups.setdefault(each.needs, []).append(each)
    return [group[start : start + size] for group in groups.values() for start in range(0, len(group), size)]
