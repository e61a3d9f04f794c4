# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The programs of tests/wasi: compiled for this machine and for WASI, by `zig cc`.

src    portable C: what it says here is what it must say in a box
raw    WASI calls by name: says "ok"
pipe   filters and the like, for pipelines
go     a Go program, where there is a compiler

Compiled programs are cached outside the tree, named by their sources.
"""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from skerry.toolchain.cache import Recipe, cache_dir, root_dir

HERE = Path(__file__).parent
OPTIONS = ("-O1", "-w", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64")
WASI = (sys.executable, "-m", "ziglang", "cc", "--target=wasm32-wasi")
TIMEOUT_S = 60
BUILDERS = 2

Outcome = tuple[str, int]
"""What a program wrote on stdout, and its exit status, minus the number of a signal."""


def names(folder: str) -> list[str]:
    """The programs of a folder."""
    return sorted(path.stem for path in (HERE / folder).glob("*.c"))


def arguments(name: str, cwd: str) -> list[str]:
    """What a program of `src` is called with."""
    return ["first", "two words", "", "é"] if name == "arguments" else [cwd]


def has_shell() -> bool:
    """Whether the box has the Linux-ABI programs that pipelines need."""
    return all((root_dir() / "bin" / program).exists() for program in ("sh", "sed", "wc", "head"))


def has_go() -> bool:
    """Whether a Go program can be tested."""
    return shutil.which("go") is not None


def run_go(scratch: Path) -> Outcome:
    """Compile go/main.go for WASI as `main.wasm`; run it on this machine."""
    for target, system in (("main", {}), ("main.wasm", {"GOOS": "wasip1", "GOARCH": "wasm"})):
        settings = {"GO111MODULE": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "", **system}
        subprocess.run(
            ["go", "build", "-o", str(scratch / target), str(HERE / "go" / "main.go")],
            env={**os.environ, **settings}, check=True, timeout=300,
        )  # fmt: skip
    done = subprocess.run(
        [str(scratch / "main"), str(scratch)],
        cwd=scratch, input=b"one\ntwo\n", stdout=subprocess.PIPE, timeout=TIMEOUT_S,
    )  # fmt: skip
    return done.stdout.decode(), done.returncode


def build_all() -> Path:
    """Compile what is not there yet; returns the folder with native/, src/, raw/ and pipe/."""
    recipe = Recipe("wasi tests")
    for folder in ("src", "raw", "pipe"):
        recipe.add_tree(HERE / folder)
    recipe.add("options", " ".join(OPTIONS))
    path = cache_dir() / "wasi-tests" / recipe.digest()
    jobs = [(folder, name, folder) for folder in ("src", "raw", "pipe") for name in names(folder)]
    jobs += [("src", name, "native") for name in names("src")]
    with ThreadPoolExecutor(BUILDERS) as builders:
        for problem in builders.map(lambda job: _build(path, *job), jobs):
            assert not problem, problem
    return path


def _build(path: Path, folder: str, name: str, side: str) -> str:
    """Compile one program; returns what the compiler complained of."""
    target = path / side / name
    if target.exists():
        return ""
    target.parent.mkdir(parents=True, exist_ok=True)
    compiler = (os.environ.get("CC", "cc"),) if side == "native" else WASI
    with tempfile.TemporaryDirectory(dir=path) as scratch:
        output = Path(scratch) / name
        command = [*compiler, *OPTIONS, str(HERE / folder / f"{name}.c"), "-o", str(output)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode:
            return f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        output.chmod(0o755)
        os.replace(output, target)
    return ""


def run_native(programs: Path, name: str, scratch: Path) -> Outcome:
    """Run a program on this machine."""
    done = subprocess.run(
        [str(programs / "native" / name), *arguments(name, str(scratch))],
        cwd=scratch, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TIMEOUT_S,
    )  # fmt: skip
    return done.stdout.decode(), done.returncode
