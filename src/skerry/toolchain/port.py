# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""One port: fetch and unpack its source, run its script, check and record what came out.

The result is a folder with `usr/...` and a manifest of every file's digest.

Blocking: everything here; the script runs as a subprocess of its own session.
Errors:   UserError with the path of the build log and its last lines.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from skerry.abi.errors import UserError
from skerry.abi.syscalls import LIBC_ONLY, START_IMPORTS, SYSCALLS
from skerry.toolchain import apt, cache, tools, wasm
from skerry.toolchain.recipe import PORTS, Recipe

MANIFEST = ".manifest.json"
SUITE = "trixie"  # of the binary packages that give data files
_GRACE_S = 5.0
_TAIL_LINES, _TAIL_WIDTH = 15, 200  # of a log, in an error

_running: set[subprocess.Popen[bytes]] = set()
_stopping = threading.Event()


def support() -> Iterator[tuple[str, bytes]]:
    """Yield the files every build reads besides its recipe: name and content."""
    for name in ("prelude.sh", "config.site", "nothread.c"):
        yield name, (PORTS / name).read_bytes()


def build(recipe: Recipe, place: Path, needs: dict[str, Path], jobs: int) -> None:
    """Build the port so that its result appears at `place` in one rename. Raises: UserError."""
    lacking = sorted(tool for tool in recipe.native if not shutil.which(tool))
    if lacking:
        raise UserError(f"{recipe.name} is built with {', '.join(lacking)}; `make setup` installs what is missing")

    def into(dest: Path) -> None:
        run_script(recipe, dest, needs, jobs, {})
        _strip(dest)
        problems = list(check_programs(recipe, dest))
        if problems:
            raise UserError("\n    ".join([f"{recipe.name}: the build made programs that cannot run", *problems]))
        (dest / MANIFEST).write_text(json.dumps(record(dest), indent=1) + "\n")

    cache.publish(place.parent.name, place.name, into)


def run_script(recipe: Recipe, dest: Path, needs: dict[str, Path], jobs: int, extra: dict[str, str]) -> None:
    """Run the recipe's script on fresh sources, with `extra` variables. Raises: UserError."""
    with tempfile.TemporaryDirectory(prefix=f"build-{recipe.name}-", dir=cache.cache_dir()) as name:
        work = Path(name)
        sources = _unpack(recipe, work)
        _run(recipe, work, _environment(recipe, work, sources, dest, needs, jobs) | extra)


def _unpack(recipe: Recipe, work: Path) -> list[Path]:
    """Return the source folders: each tarball's top folder."""
    tops: list[Path] = []
    for index, source in enumerate(recipe.source):
        tarball = apt.fetch_source(source.package, source.suite, source.tarball, source.sha256)
        into = work / f"source{index}"
        into.mkdir()
        with tarfile.open(tarball) as archive:
            archive.extractall(into, filter="tar")
        inside = sorted(into.iterdir())
        tops.append(inside[0] if len(inside) == 1 and inside[0].is_dir() else into)
    for package in recipe.packages:
        apt.unpack_package(apt.fetch_package(package, SUITE), work / "packages")
    return tops


def _environment(
    recipe: Recipe, work: Path, sources: list[Path], dest: Path, needs: dict[str, Path], jobs: int
) -> dict[str, str]:
    """Return the variables the script sees; of this machine's own, only what names places."""
    (work / "build").mkdir()
    (work / "tmp").mkdir()
    machine = "x86_64-pc-linux-gnu" if os.uname().machine == "x86_64" else "aarch64-unknown-linux-gnu"
    found = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    found |= {"TMPDIR": str(work / "tmp"), "BUILD": machine, "JOBS": str(jobs), "DEST": str(dest)}
    found |= {"PORT": str(PORTS / recipe.name), "PACKAGES": str(work / "packages"), "SITE": str(PORTS / "config.site")}
    found |= {f"SRC{index}": str(top) for index, top in enumerate(sources)}
    found["SRC"] = str(sources[0] if sources else work)
    if recipe.source:
        found |= tools.environment()
    found |= {"CFLAGS": "-O2", "CXXFLAGS": "-O2", "SKERRY": f"{sys.executable} -m skerry"}
    libraries = [needs[name] / "usr" for name in recipe.needs]
    found["CPPFLAGS"] = " ".join(f"-I{prefix}/include" for prefix in libraries)
    found["LDFLAGS"] = " ".join(f"-L{prefix}/lib" for prefix in libraries)
    return found | {f"NEED_{name.translate(_VARIABLE)}": str(needs[name]) for name in recipe.needs}


_VARIABLE = str.maketrans("-.+", "___")


def _run(recipe: Recipe, work: Path, environment: dict[str, str]) -> None:
    """Run the script, its output going to a log. Raises: UserError."""
    logs = cache.cache_dir() / "logs"
    logs.mkdir(exist_ok=True)
    log = logs / f"{recipe.name}.log"
    if _stopping.is_set():
        raise UserError("stopped")
    script = work / "build.sh"
    script.write_text(f". {PORTS}/prelude.sh\n{recipe.build}")
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", str(script)], cwd=work / "build", env=environment, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        _running.add(process)
        try:
            status = process.wait()
        finally:
            _running.discard(process)
    if status:
        lines = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        tail = "\n".join("    " + line[:_TAIL_WIDTH] for line in lines)
        raise UserError(f"building {recipe.name} failed; the log is {log}\n{tail}")


def stop() -> None:
    """End the scripts under way, and let no other begin: the person pressed Ctrl-C."""
    _stopping.set()
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in tuple(_running):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
        for process in tuple(_running):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_S)


def programs(tree: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield each WebAssembly module below `tree` with its content."""
    for path in sorted(tree.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(len(wasm.MAGIC)) == wasm.MAGIC:
                    yield path, wasm.MAGIC + file.read()


def _strip(tree: Path) -> None:
    """Remove names and notes from the programs (not from objects, whose linker notes are custom sections)."""
    for path, module in programs(tree):
        if path.suffix != ".o" and not os.environ.get("SKERRY_DEBUG"):
            path.write_bytes(wasm.without_custom(module))


def check_programs(recipe: Recipe, tree: Path) -> Iterator[str]:
    """Yield what is wrong with the programs: imports nobody gives, or memory shared without need."""
    allowed = {("linux", name) for name in SYSCALLS if name not in LIBC_ONLY}
    allowed |= {("skerry", name) for name in START_IMPORTS}
    if recipe.threads:
        allowed.add(("env", "memory"))
    for path, module in programs(tree):
        if path.suffix == ".o":
            continue
        name = path.relative_to(tree)
        try:
            found = {(entry.module, entry.name) for entry in wasm.imports(module)}
        except wasm.FormatError as error:
            yield f"{name}: {error}"
            continue
        for origin, what in sorted(found - allowed):
            yield f"{name} imports {origin}.{what}"
    for path in sorted((tree / "usr/bin").glob("*")):
        if path.is_file() and not path.is_symlink():
            interpreter = _interpreter(path)
            if interpreter not in ("", "/bin/sh"):
                yield f"{path.relative_to(tree)} is a script of {interpreter}, which no box has"


def _interpreter(path: Path) -> str:
    """Return what a script's first line names, or nothing."""
    with path.open("rb") as file:
        line = file.readline(256)
    return line[2:].decode(errors="replace").strip() if line.startswith(b"#!") else ""


def record(tree: Path) -> dict[str, str]:
    """Return every file of the tree with its digest, and every link with `-> target`."""
    found: dict[str, str] = {}
    for path in sorted(tree.rglob("*")):
        name = path.relative_to(tree).as_posix()
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif path.is_file() and name != MANIFEST:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def recorded(tree: Path) -> dict[str, str]:
    """Return the manifest written when the port was built."""
    found: dict[str, str] = json.loads((tree / MANIFEST).read_text())
    return found
