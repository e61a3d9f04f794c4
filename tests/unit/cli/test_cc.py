# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry cc` and its kin: words pass as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from skerry.cli import main
from skerry.toolchain import cc


@pytest.mark.parametrize(("verb", "cxx"), [("cc", False), ("c++", True)])
def test_the_compiler_gets_every_word(verb: str, cxx: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[list[str], bool]] = []

    def compile_it(argv: list[str], cxx: bool = False) -> int:
        calls.append((argv, cxx))
        return 1

    monkeypatch.setattr(cc, "main", compile_it)
    words = ["-O2", "-h", "--version", "--", "a b.c", ""]
    assert main([verb, *words]) == 1
    assert calls == [(words, cxx)]


def test_ar_and_ranlib_make_a_library(tmp_path: Path) -> None:
    (tmp_path / "one.o").write_bytes(b"\0asm\1\0\0\0")
    for words in (["ar", "rcs", "lib.a", "one.o"], ["ranlib", "lib.a"], ["ar", "t", "lib.a"]):
        done = subprocess.run(
            [sys.executable, "-m", "skerry", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"one.o{os.linesep}"
