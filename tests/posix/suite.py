# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The distribution's posixtestsuite: fetch, build for both sides, run, compare.

Every case is a program whose exit status is a PTS verdict. Each is compiled for the host and
for wasm and run on Linux first: a case counts only where Linux (glibc) passes it. Wasm runs
in one box, several cases at a time because many of them sleep.

Units: seconds. Results are cached with the programs, keyed by the toolchain.
"""
from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from skerry.toolchain import apt, sysroot
from skerry.toolchain.cache import cache_dir

PACKAGE = "posixtestsuite"
TARBALL = "posixtestsuite_1.5.2.orig.tar.gz"
SHA256 = "15a2185672127cba851d35ec9d538ff6148defdbb75f99c7e9c50aeba0f94757"

FAMILIES = (
    "fork", "getpid", "kill", "killpg", "raise", "sig", "signal", "pthread_", "mmap", "munmap", "fsync",
    "timer_", "clock", "nanosleep", "sched_", "sem_", "time", "difftime", "mktime", "strftime",
)  # fmt: skip
"""Interfaces that are run; aio_*, mq_* and shm_* need services a box does not have."""

VERDICTS = {0: "pass", 1: "fail", 2: "unresolved", 4: "unsupported", 5: "untested", 124: "timeout"}
TIMEOUT = 20
PARALLEL = 4


def source() -> Path:
    """The unpacked suite."""
    place = cache_dir() / "posix" / "source"
    if not place.is_dir():
        tarball = apt.source(PACKAGE, "trixie", TARBALL, SHA256)
        work = place.with_name(f"source.{os.getpid()}")
        with tarfile.open(tarball) as archive:
            archive.extractall(work, filter="data")
        work.rename(place)
    return place / "posixtestsuite"


def cases() -> list[str]:
    """Names of all cases, `interface/number-part`, sorted."""
    folder = source() / "conformance" / "interfaces"
    found = []
    for path in sorted(folder.glob("*/*.c")):
        interface, stem = path.parent.name, path.stem
        if interface.startswith(FAMILIES) and stem[0].isdigit() and "buildonly" not in stem:
            found.append(f"{interface}/{stem}")
    return found


def _compile(argv: list[str], case: str, out: Path) -> bool:
    """Compile one case; False when it does not build."""
    target = out / case.replace("/", "__")
    if target.exists():
        return True
    code = source() / "conformance" / "interfaces" / f"{case}.c"
    done = subprocess.run(
        [*argv, "-O1", "-w", "-std=gnu99", f"-I{source() / 'include'}", f"-I{code.parent}", str(code),
         "-o", str(target), "-pthread", "-lrt", "-lm"],
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


def build(argv: list[str], out: Path, names: list[str]) -> list[str]:
    """Compile all cases into `out`; returns those that built."""
    out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        built = pool.map(lambda case: _compile(argv, case, out), names)
    return [case for case, good in zip(names, built, strict=True) if good]


def script(names: list[str]) -> str:
    """A shell script that runs cases in a few lanes and prints `case status` lines."""
    lanes = [names[lane::PARALLEL] for lane in range(PARALLEL)]
    text = []
    for lane in lanes:
        runs = "\n".join(
            f"timeout -k 2 {TIMEOUT} ./{case.replace('/', '__')} >/dev/null 2>&1 </dev/null; echo {case} $?"
            for case in lane
        )
        text.append(f"(\n{runs}\n) &")
    return "\n".join([*text, "wait"])


def verdicts(output: str) -> dict[str, str]:
    """Parse what `script` printed; a death by signal is `signal N`."""
    found = {}
    for line in output.splitlines():
        case, _, status = line.partition(" ")
        if status.isdigit():
            code = int(status)
            found[case] = VERDICTS.get(code, f"signal {code - 128}" if code > 128 else f"status {code}")
    return found


def run_native(names: list[str]) -> dict[str, str]:
    """Verdicts of Linux, kept with the programs: they do not depend on Skerry."""
    out = cache_dir() / "posix" / "native"
    built = build(["gcc"], out, names)
    key = hashlib.sha256("\n".join([str(TIMEOUT), *built]).encode()).hexdigest()[:16]
    record = out / f"verdicts-{key}"
    if not record.exists():
        done = subprocess.run(["dash", "-c", script(built)], cwd=out, capture_output=True, text=True, check=False)
        record.write_text(done.stdout)
    return verdicts(record.read_text())


def run_skerry(names: list[str]) -> dict[str, str]:
    """Verdicts of Skerry, all cases in one box."""
    out = cache_dir() / "posix" / f"wasm-{sysroot.digest()[:16]}"
    skerry = [sys.executable, "-m", "skerry"]
    built = build([*skerry, "cc"], out, names)
    (out / "lanes.sh").write_text(script(built))
    done = subprocess.run(
        [*skerry, "sh", "--mount", f"{out}:/posix", "--cwd", "/posix", "-c", ". ./lanes.sh"],
        capture_output=True, text=True, timeout=3000, check=False,
    )  # fmt: skip
    found = verdicts(done.stdout)
    return {case: found.get(case, "lost" if case in built else "does not build") for case in names}
