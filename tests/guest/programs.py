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


def folder() -> Path:
    """Where the programs of these sources and this toolchain are."""
    recipe = Recipe("guest tests")
    recipe.add_tree(SOURCES)
    recipe.add("options", " ".join(OPTIONS))
    recipe.add("sysroot", str(sysroot.sysroot()))
    path = cache_dir() / "guest-tests" / recipe.digest()
    path.mkdir(parents=True, exist_ok=True)
    return path


def build_all() -> Path:
    """Compile what is not there yet; returns the folder with native/ and wasm/."""
    path = folder()
    for side in ("native", "wasm"):
        (path / side).mkdir(exist_ok=True)
    with ThreadPoolExecutor(BUILDERS) as builders:
        for problem in builders.map(lambda name: _build(path, name), NAMES):
            assert not problem, problem
    return path


def _build(path: Path, name: str) -> str:
    """Compile one program for both sides; returns what the compiler complained of."""
    compilers = {
        "native": [os.environ.get("CC", "cc")],
        "wasm": [sys.executable, "-m", "skerry.toolchain.cc"],
    }
    for side, compiler in compilers.items():
        target = path / side / name
        if target.exists():
            continue
        with tempfile.TemporaryDirectory(dir=path) as scratch:
            output = Path(scratch) / name
            command = [*compiler, *OPTIONS, str(SOURCES / f"{name}.c"), "-o", str(output)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=300)
            if done.returncode:
                return f"{' '.join(command)}\n{done.stdout}{done.stderr}"
            os.replace(output, target)
    return ""


def run_native(programs: Path, name: str, scratch: Path) -> Outcome:
    """Run a program on this machine's Linux."""
    scratch.chmod(0o777)
    done = subprocess.run(
        [str(programs / "native" / name)],
        cwd=scratch, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TIMEOUT_S,
    )  # fmt: skip
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return done.stdout.decode(errors="backslashreplace"), status


def run_wasm(programs: Path, name: str, *options: str) -> Outcome:
    """Run a program in a box of its own, in the box's /tmp."""
    done = subprocess.run(
        [
            sys.executable, "-m", "skerry", "run", *options,
            "--mount", f"{programs / 'wasm'}:/guest:ro", "--cwd", "/tmp", f"/guest/{name}",  # noqa: S108
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TIMEOUT_S,
    )  # fmt: skip
    return done.stdout.decode(errors="backslashreplace"), done.returncode
