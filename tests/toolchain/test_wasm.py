# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The section reader, on modules made by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.toolchain import postlink, wasm


def number(value: int) -> bytes:
    """Encode an unsigned LEB128 number."""
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def name(text: str) -> bytes:
    """Encode a name."""
    return number(len(text.encode())) + text.encode()


def section(kind: int, body: bytes) -> bytes:
    """Encode a section."""
    return bytes([kind]) + number(len(body)) + body


IMPORTS = section(
    2,
    number(5)
    + name("linux") + name("fork") + b"\x00" + number(300)
    + name("env") + name("memory") + b"\x02\x03" + number(2) + number(32768)
    + name("env") + name("table") + b"\x01\x70\x00" + number(1)
    + name("env") + name("g") + b"\x03\x7f\x01"
    + name("linux") + name("read") + b"\x00\x01",
)  # fmt: skip
EXPORTS = section(7, number(2) + name("_start") + b"\x00\x05" + name("memory") + b"\x02\x00")
TAGS = section(13, b"\x01\x00\x00")
NAMES = section(0, name("name") + b"whatever")


def test_imports_of_every_kind() -> None:
    found = wasm.imports(wasm.MAGIC + IMPORTS)
    assert [(entry.module, entry.name, entry.kind) for entry in found] == [
        ("linux", "fork", "func"),
        ("env", "memory", "memory"),
        ("env", "table", "table"),
        ("env", "g", "global"),
        ("linux", "read", "func"),
    ]


def test_exports() -> None:
    assert wasm.exports(wasm.MAGIC + IMPORTS + EXPORTS) == {"_start": "func", "memory": "memory"}


def test_module_without_sections_has_nothing() -> None:
    assert wasm.imports(wasm.MAGIC) == []
    assert wasm.exports(wasm.MAGIC) == {}
    assert not wasm.has_tags(wasm.MAGIC)


def test_custom_sections_are_stripped_but_those_kept() -> None:
    module = wasm.MAGIC + NAMES + EXPORTS
    assert wasm.without_custom(module) == wasm.MAGIC + EXPORTS
    assert wasm.without_custom(module, keep=("name",)) == module


@pytest.mark.parametrize("module", [b"", b"\x7fELF....", wasm.MAGIC[:4], wasm.MAGIC + b"\x02\x10abc"])
def test_other_bytes_are_refused(module: bytes) -> None:
    with pytest.raises(wasm.FormatError):
        wasm.imports(module)


@given(st.binary(max_size=60))
def test_no_bytes_make_it_crash(tail: bytes) -> None:
    try:
        wasm.imports(wasm.MAGIC + tail)
        wasm.exports(wasm.MAGIC + tail)
    except wasm.FormatError:
        pass


@pytest.mark.parametrize(
    ("module", "first_options"),
    [
        (wasm.MAGIC, []),
        (wasm.MAGIC + IMPORTS, ["--asyncify"]),
        (wasm.MAGIC + TAGS, ["--translate-to-exnref"]),
        (wasm.MAGIC + IMPORTS + TAGS, ["--asyncify", "--translate-to-exnref"]),
    ],
)
def test_only_modules_that_need_it_are_rewritten(
    module: bytes, first_options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SKERRY_WASM_OPT", raising=False)
    assert [run[0] for run in postlink.passes(module)] == first_options
