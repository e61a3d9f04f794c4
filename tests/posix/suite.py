# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The distribution's posixtestsuite: fetch, build for both sides, run, compare.

Every case is a program whose exit status is a verdict. Each is compiled for the host and run on
Linux (glibc) first: a case counts only where Linux passes it. Those that count are compiled for wasm,
many in one program (`bundle`), and run in one box, several at a time because most of them sleep.

Programs and the verdicts of Linux are cached by what they are made of; those of Skerry never.
"""
from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from skerry.box.precompile import precompile
from skerry.toolchain import apt, tools
from skerry.toolchain.cache import Recipe, publish
from tests.posix import bundle

PACKAGE = "posixtestsuite"
TARBALL = "posixtestsuite_1.5.2.orig.tar.gz"
SHA256 = "15a2185672127cba851d35ec9d538ff6148defdbb75f99c7e9c50aeba0f94757"

FAMILIES = (
    "fork", "getpid", "kill", "killpg", "raise", "sig", "signal", "pthread_", "mmap", "munmap", "fsync",
    "timer_", "clock", "nanosleep", "sched_", "sem_", "time", "difftime", "mktime", "strftime",
)  # fmt: skip
"""Interfaces that are run; aio_*, mq_* and shm_* need services a box does not have."""
THINNED = {"sigaction": 5}
"""Of these only every nth case: the 527 are some twenty checks, repeated for each signal."""

OPTIONS = ("-O1", "-w", "-std=gnu99")
LIBRARIES = ("-pthread", "-lrt", "-lm")
TIMEOUT_S = 20
HOPELESS_S = 4
"""For a case that is expected to fail, perhaps by hanging."""
LANES = 10
PER_BUNDLE = 16
BOX_TIMEOUT_S = 900
CASTS = "--fpcast-emu -O2"
"""Options of wasm-opt for cases that have functions called as if they were of another type."""
VERDICTS = {0: "pass", 1: "fail", 2: "unresolved", 4: "unsupported", 5: "untested"}
HERE = Path(__file__).parent
RUNNER = HERE / "runner.c"
_LINE = re.compile(r"(\S+/\S+) (exit|signal|timeout) (\d+) (\d+)")


class Verdict(NamedTuple):
    """What a case came to: a word, how long it took, and if it is not `pass` the end of what it wrote."""

    word: str
    milliseconds: int = 0
    output: str = ""


def source() -> Path:
    """The unpacked suite."""
    tarball = apt.fetch_source(PACKAGE, "trixie", TARBALL, SHA256)

    def unpack(target: Path) -> None:
        with tarfile.open(tarball) as archive:
            archive.extractall(target, filter="data")

    return publish("posix-source", SHA256[:16], unpack) / "posixtestsuite"


def cases() -> list[str]:
    """Names of the cases to run, `interface/number-part`, sorted."""
    found: dict[str, list[str]] = {}
    for path in sorted((source() / "conformance" / "interfaces").glob("*/*.c")):
        interface, stem = path.parent.name, path.stem
        if interface.startswith(FAMILIES) and stem[0].isdigit() and "buildonly" not in stem:
            found.setdefault(interface, []).append(f"{interface}/{stem}")
    return [case for interface, names in found.items() for case in names[:: THINNED.get(interface, 1)]]


def file_name(case: str) -> str:
    """A file name for a case."""
    return case.replace("/", "__")


def _compile(argv: list[str], case: str, target: Path) -> bool:
    """Compile one case; False when it does not build."""
    code = source() / "conformance" / "interfaces" / f"{case}.c"
    command = [*argv, *OPTIONS, f"-I{source() / 'include'}", f"-I{code.parent}", str(code), "-o", str(target)]
    libraries = () if "-c" in argv else LIBRARIES
    return subprocess.run([*command, *libraries], capture_output=True, check=False, timeout=300).returncode == 0


def _recipe(side: str, names: list[str]) -> Recipe:
    recipe = Recipe(f"posix {side}")
    recipe.add_file("runner", RUNNER)
    recipe.add("source", SHA256)
    recipe.add("options", " ".join([*OPTIONS, *LIBRARIES]))
    recipe.add("names", " ".join(names))
    return recipe


def _parallel() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1)


def verdicts(output: str) -> dict[str, Verdict]:
    """Parse what the runner printed."""
    found: dict[str, Verdict] = {}
    case = ""
    for line in output.splitlines():
        if match := _LINE.fullmatch(line):
            case, kind, number, milliseconds = match.groups()
            word = VERDICTS.get(int(number), f"exit {number}") if kind == "exit" else f"signal {number}"
            found[case] = Verdict("timeout" if kind == "timeout" else word, int(milliseconds))
        elif line.startswith("| ") and case:
            old = found[case]
            found[case] = old._replace(output=f"{old.output}{line[2:]}\n")
    return found


def run_native(names: list[str]) -> dict[str, Verdict]:
    """Verdicts of Linux, kept with the programs."""
    recipe = _recipe("native", names)
    recipe.add("lanes", f"{LANES} {TIMEOUT_S}")

    def build(target: Path) -> None:
        with _parallel() as pool:
            built = list(pool.map(lambda case: _compile(["gcc"], case, target / file_name(case)), names))
        runner = target / "runner"
        subprocess.run(["gcc", "-O1", str(RUNNER), "-o", str(runner)], check=True)
        todo = [f"{case} {file_name(case)} {TIMEOUT_S}\n" for case, good in zip(names, built, strict=True) if good]
        with tempfile.TemporaryDirectory() as scratch:
            os.chmod(scratch, 0o777)
            done = subprocess.run(
                [str(runner), str(target), str(LANES)],
                input="".join(todo), cwd=scratch, stdout=subprocess.PIPE, text=True, errors="replace", check=True,
            )  # fmt: skip
        (target / "verdicts").write_text(done.stdout)

    return verdicts((publish("posix-native", recipe.digest(), build) / "verdicts").read_text())


def _objects(names: list[str], folder: Path) -> list[bundle.Object]:
    """Compile cases to objects that can be linked together; those that do not compile are left out."""
    compiler = [sys.executable, "-m", "skerry.toolchain.cc", "-c"]

    def one(case: str) -> bundle.Object | None:
        target = folder / f"{file_name(case)}.o"
        return bundle.localize(case, target) if _compile(compiler, case, target) else None

    with _parallel() as pool:
        return [each for each in pool.map(one, names) if each and each.parameters]


def _link(objects: list[bundle.Object], folder: Path, target: Path, casts: bool) -> list[bundle.Object]:
    """Link cases into one program; returns those in it, the others lack a function."""
    main = folder / f"{target.name}.c"
    command = [sys.executable, "-m", "skerry.toolchain.cc", *OPTIONS, str(main), "-o", str(target), *LIBRARIES]
    env = {**os.environ, "SKERRY_WASM_OPT": CASTS} if casts else None
    while objects:
        main.write_text(bundle.program(objects))
        done = subprocess.run(
            [*command, *(str(each.path) for each in objects)],
            env=env, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        if done.returncode == 0:
            return objects
        missing = set(re.findall(r"undefined symbol: (\S+)", done.stderr))
        rest = [each for each in objects if not each.undefined & missing]
        if len(rest) == len(objects):
            raise RuntimeError(f"cannot link {target.name}: {done.stderr[-2000:]}")
        objects = rest
    return []


def build_wasm(names: list[str], casts: frozenset[str]) -> Path:
    """A folder with `runner`, programs, and `list`, which says for each case in which program it is."""
    recipe = _recipe("wasm", names)
    recipe.add_file("bundle", HERE / "bundle.py")
    recipe.add("bundles", f"{PER_BUNDLE} {CASTS} {' '.join(sorted(casts))}")
    recipe.add("tools", tools.digest())

    def build(target: Path) -> None:
        compiler = [sys.executable, "-m", "skerry.toolchain.cc", "-O1", str(RUNNER), "-o", str(target / "runner")]
        subprocess.run(compiler, check=True)
        with tempfile.TemporaryDirectory() as place, _parallel() as pool:
            folder = Path(place)
            objects = _objects(names, folder)
            jobs: list[tuple[Path, Future[list[bundle.Object]]]] = []
            for casting in (False, True):
                some = [each for each in objects if (each.case in casts) == casting]
                for group in bundle.grouped(some, PER_BUNDLE):
                    path = target / f"program-{len(jobs)}"
                    jobs.append((path, pool.submit(_link, group, folder, path, casting)))
            programs = {each.case: path.name for path, linked in jobs for each in linked.result()}
        lines = (f"{case} {programs[case]}\n" for case in names if case in programs)
        (target / "list").write_text("".join(lines))

    return publish("posix-wasm", recipe.digest(), build)


def run_skerry(
    names: list[str], casts: frozenset[str], hopeless: frozenset[str], only: set[str] | None = None
) -> dict[str, Verdict]:
    """Verdicts of Skerry for `names`, or for `only` some of them, in one box; `hopeless` ones get less time."""
    folder = build_wasm(names, casts)
    failures = precompile(str(folder), lambda done, total, name: None)
    if failures:
        raise RuntimeError("\n".join(failures))
    built = [line.split() for line in (folder / "list").read_text().splitlines()]
    built = [[case, name] for case, name in built if only is None or case in only]
    todo = [f"{case} {name} {HOPELESS_S if case in hopeless else TIMEOUT_S}\n" for case, name in built]
    found = _run_box(folder, "".join(todo))
    lost = {case: Verdict("lost") for case, _ in built}
    return {case: found.get(case) or lost.get(case) or Verdict("does not build") for case in only or names}


def _run_box(folder: Path, todo: str) -> dict[str, Verdict]:
    command = [sys.executable, "-m", "skerry", "run", "--mount", f"{folder}:/posix:ro", "--cwd", "/tmp"]
    command += ["/posix/runner", "/posix", str(LANES)]
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        try:
            subprocess.run(command, input=todo, stdout=output, text=True, check=False, timeout=BOX_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            print(f"posixtestsuite: the box did not end in {BOX_TIMEOUT_S} s", file=sys.stderr)
        output.seek(0)
        return verdicts(output.read())
