# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The guest programs of tests/guest/src: compiled for both sides once, then run anywhere.

Programs are cached outside the tree, named by their sources and the toolchain, so that a
second run of the tests compiles nothing.
"""
from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from skerry.toolchain import sysroot
from skerry.toolchain.cache import Recipe, cache_dir, root_dir

SOURCES = Path(__file__).parent / "src"
NAMES = sorted(path.stem for path in SOURCES.glob("*.c"))
OPTIONS = ("-O1", "-w", "-D_GNU_SOURCE", "-pthread")
TIMEOUT_S = 60
BUILDERS = 2

Outcome = tuple[str, int]
"""What a program wrote on stdout, and its exit status, 128 plus the number for a signal."""


def needs(name: str) -> set[str]:
    """Programs of the box that a test uses, from its `needs:` comment."""
    for line in (SOURCES / f"{name}.c").read_text().splitlines()[:6]:
        if "needs:" in line:
            return set(line.partition("needs:")[2].replace("*/", "").split())
    return set()


def missing(name: str) -> set[str]:
    """Those of them that are not built."""
    root = root_dir()
    return {program for program in needs(name) if not (root / "bin" / program).exists()}


class Program:
    """One program, compiled for both sides."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.problem = ""  # what a compiler complained of
        self.native = folder / "native" / name
        self.wasm = folder / "wasm" / name


def build_all() -> dict[str, Program]:
    """Compile what is not there yet."""
    root = str(sysroot.sysroot())
    with ThreadPoolExecutor(BUILDERS) as builders:
        return dict(zip(NAMES, builders.map(lambda name: _build(name, root), NAMES), strict=True))


def _build(name: str, root: str) -> Program:
    recipe = Recipe("guest test")
    recipe.add_file("source", SOURCES / f"{name}.c")
    recipe.add_file("header", SOURCES / "guest.h")
    recipe.add("options", " ".join(OPTIONS))
    recipe.add("sysroot", root)
    program = Program(name, cache_dir() / "guest-tests" / recipe.digest())
    program.problem = _compile(program.native, [os.environ.get("CC", "cc")])
    program.problem += _compile(program.wasm, [sys.executable, "-m", "skerry.toolchain.cc"])
    return program


def _compile(target: Path, compiler: list[str]) -> str:
    """Run a compiler, unless its result is there; returns its complaint."""
    if target.exists():
        return ""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        output = Path(scratch) / target.name
        command = [*compiler, *OPTIONS, str(SOURCES / f"{target.name}.c"), "-o", str(output)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode:
            return f"{' '.join(command)}\n{done.stdout}{done.stderr}\n"
        os.replace(output, target)
    return ""


def run_native(program: Program, scratch: Path) -> Outcome:
    """Run a program on this machine's Linux."""
    scratch.chmod(0o777)
    done = subprocess.run(
        [str(program.native)],
        cwd=scratch, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TIMEOUT_S,
    )  # fmt: skip
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return done.stdout.decode(errors="backslashreplace"), status


def run_wasm(program: Program, *options: str) -> Outcome:
    """Run a program in a box of its own, in the box's /tmp."""
    done = subprocess.run(
        [
            sys.executable, "-m", "skerry", "run", *options,
            "--mount", f"{program.wasm.parent}:/guest:ro", "--cwd", "/tmp", f"/guest/{program.name}",
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TIMEOUT_S,
    )  # fmt: skip
    return done.stdout.decode(errors="backslashreplace"), done.returncode
