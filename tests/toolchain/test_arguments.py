# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What the compiler driver keeps, drops, and sends to the linker."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.toolchain.arguments import is_source, sort_arguments


def test_compile_job() -> None:
    job = sort_arguments(["-c", "-O2", "-g", "-Wall", "-I", "inc", "-DX=1", "a.c", "-o", "a.o"])
    assert not job.links
    assert job.compiler == ["-c", "-O2", "-Wall", "-I", "inc", "-DX=1"]
    assert job.inputs == ["a.c"]
    assert job.output == "a.o"
    assert job.debug


def test_link_job_keeps_the_order_of_inputs() -> None:
    job = sort_arguments(
        ["a.o", "-Lx", "-lfoo", "-Wl,--whole-archive", "b.a", "-Wl,--no-whole-archive", "-L", "y"]
    )
    assert job.links
    assert job.inputs == ["a.o", "-Lx", "-lfoo", "--whole-archive", "b.a", "--no-whole-archive", "-Ly"]


GNU_ONLY = [
    "-fPIC",
    "-pie",
    "-static",
    "-rdynamic",
    "-march=native",
    "-m64",
    "-flto=auto",
    "-fcf-protection=none",
    "-pipe",
    "-fuse-ld=gold",
    "-Wl,--as-needed",
    "-Wl,-z,relro,-z,now",
    "-Wl,--start-group",
    "-Wl,-Map=x.map",
    "-Wa,--noexecstack",
    "-Wl,-rpath,/usr/lib",
    "-Wl,--version-script=v.map",
    "-Wl,-soname,libx.so.1",
]


@pytest.mark.parametrize("word", GNU_ONLY)
def test_options_of_gnu_tools_are_dropped(word: str) -> None:
    job = sort_arguments([word, "a.c"])
    assert job.compiler == []
    assert job.linker == []
    assert job.inputs == ["a.c"]


@pytest.mark.parametrize(
    ("words", "linker"),
    [
        (["-Wl,-z,stack-size=65536"], ["-z", "stack-size=65536"]),
        (["-z", "stack-size=65536"], ["-z", "stack-size=65536"]),
        (["-Wl,-u,symbol"], ["-u", "symbol"]),
        (["-usymbol"], ["-usymbol"]),
        (["-Xlinker", "--export=f"], []),
    ],
)
def test_options_of_the_linker_are_kept(words: list[str], linker: list[str]) -> None:
    job = sort_arguments(words)
    assert job.linker == linker
    if not linker:
        assert job.inputs == ["--export=f"]


@pytest.mark.parametrize("word", ["-s", "-Wl,-s", "-Wl,--strip-all"])
def test_strip(word: str) -> None:
    assert sort_arguments([word, "a.o"]).strip


@pytest.mark.parametrize(
    "word", ["-E", "-S", "-M", "-MM", "--version", "-print-file-name=libc.a", "-dumpmachine"]
)
def test_jobs_that_do_not_link(word: str) -> None:
    assert not sort_arguments([word, "a.c"]).links


def test_shared_libraries_are_noticed() -> None:
    assert sort_arguments(["-shared", "a.o", "-o", "liba.so"]).shared


def test_dependency_options_keep_their_values() -> None:
    job = sort_arguments(["-MD", "-MF", ".deps/a.Tpo", "-MT", "a.o", "-c", "a.c"])
    assert job.compiler == ["-MD", "-MF", ".deps/a.Tpo", "-MT", "a.o", "-c"]


def test_response_file(tmp_path: Path) -> None:
    (tmp_path / "r").write_text('a.o "b c.o"\n-lfoo')
    assert sort_arguments([f"@{tmp_path}/r", "-o", "x"]).inputs == ["a.o", "b c.o", "-lfoo"]
    assert sort_arguments(["@absent"]).inputs == ["@absent"]


def test_sources_are_known_by_suffix_or_language() -> None:
    job = sort_arguments(["a.c", "b.o", "-lx"])
    assert [name for name in job.inputs if is_source(name, job)] == ["a.c"]
    job = sort_arguments(["-x", "c", "-", "plain", "b.o", "-lx"])
    assert [name for name in job.inputs if is_source(name, job)] == ["-", "plain"]
