# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Machine code: made by sealed compile workers, kept by digest, never taken from one program for another."""

from __future__ import annotations

import time
from hashlib import sha256
from pathlib import Path

import pytest
from tests.unit.box.wasm import assemble

from skerry.box import codecache
from skerry.box.codecache import CodeCache
from skerry.box.loop import Loop

PROGRAM = assemble('(module (memory (export "memory") 1) (func (export "_start")))')
OTHER = assemble('(module (memory (export "memory") 2) (func (export "_start")))')


class Cache:
    """A cache in a folder of its own."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.codes = CodeCache(self.loop)
        self.answers: list[tuple[bytes, str]] = []

    def compile(self, wasm: bytes, digest: bytes | None = None) -> None:
        digest = sha256(wasm).digest() if digest is None else digest
        self.codes.compile(wasm, digest, lambda code, error: self.answers.append((code, error)))

    def wait(self, count: int = 1) -> list[tuple[bytes, str]]:
        end = time.monotonic() + 60
        while len(self.answers) < count:
            assert time.monotonic() < end
            self.loop.step(0.2)
        return self.answers


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    monkeypatch.setenv("SKERRY_CACHE", str(tmp_path))
    return Cache()


def test_code_is_made_once_and_kept(cache: Cache) -> None:
    digest = sha256(PROGRAM).digest()
    assert cache.codes.find(digest) is None
    cache.compile(PROGRAM)
    ((code, error),) = cache.wait()
    assert code.startswith(b"\x7fELF") and error == ""
    assert cache.codes.find(digest) == code
    assert cache.codes.find(sha256(OTHER).digest()) is None


def test_a_program_under_a_wrong_name_is_not_compiled(cache: Cache) -> None:
    cache.compile(OTHER, sha256(PROGRAM).digest())
    ((code, error),) = cache.wait()
    assert code == b"" and "not the one" in error
    assert cache.codes.find(sha256(PROGRAM).digest()) is None


@pytest.mark.parametrize(
    ("wasm", "reason"),
    [
        (b"", "not a WebAssembly module"),
        (PROGRAM[:-3], "truncated"),
        (PROGRAM[:8] + b"\x01\x04\x01\x60\xff\xff" + PROGRAM[8:], ""),
        (assemble("(module)"), "no memory"),
    ],
)
def test_what_does_not_compile_says_why(cache: Cache, wasm: bytes, reason: str) -> None:
    cache.compile(wasm)
    ((code, error),) = cache.wait()
    assert code == b"" and error and reason in error and "\n" not in error


def test_a_compiler_that_dies_is_told(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skerry.box.launch.engine_library", lambda: "/nonexistent")
    cache.compile(PROGRAM)
    ((code, error),) = cache.wait()
    assert code == b"" and error == "the compiler died on it"


def test_few_compile_at_once_and_few_may_wait(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codecache, "WAITING_MAX", 2)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    for _ in range(5):
        cache.compile(PROGRAM)
    assert [error for _, error in cache.answers] == ["too many programs are being compiled"] * 2
    answers = cache.wait(5)
    assert sum(1 for code, _ in answers if code) == 3


def test_a_box_cannot_fill_the_disk(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codecache, "KEPT_MAX", 1000)
    cache.compile(PROGRAM)
    ((code, _),) = cache.wait()
    assert code and cache.codes.find(sha256(PROGRAM).digest()) is None


def test_ending_in_the_middle(cache: Cache) -> None:
    for _ in range(4):
        cache.compile(PROGRAM)
    cache.codes.close()
    cache.loop.step(0)
    assert cache.answers == []
