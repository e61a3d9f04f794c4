# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Whole commands: the same input, natively and in a box.

Both sides see the same host folder (mounted at /bench in the box), so file content is equal.
Units: seconds of wall time. The box's own start is measured by the row `start` and is part of
every other row, because a person waits for it too; rows take long enough to show the work.
"""
from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from bench import tex
from bench.programs import SKERRY, bench_dir

LOOP = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo $i"
MAKEFILE = "all: a b c d e f g h\n%:\n\t@seq 1 20000 | sort -n | tail -n 1 | sed s/2/x/ > $@.out\n"


class Command:
    """One row: a shell command run on both sides."""

    def __init__(
        self,
        script: str,
        aim: str,
        make_input: Callable[[Path], None] | None = None,
        native_environment: Callable[[Path], dict[str, str]] | None = None,
        result: Callable[[Path], object] | None = None,
    ) -> None:
        self.script = script
        self.aim = aim
        self.make_input = make_input
        self.native_environment = native_environment
        self.result = result  # what both sides must agree on, read after each run
        self.agreed: object = None

    def native(self) -> float:
        """Seconds on the host, by dash."""
        extra = self.native_environment(bench_dir()) if self.native_environment else {}
        return self._time(["dash", "-c", f"cd {bench_dir()}; {self.script}"], extra)

    def skerry(self) -> float:
        """Seconds in a box."""
        return self._time([*SKERRY, "sh", "--mount", f"{bench_dir()}:/bench", "-c", f"cd /bench; {self.script}"])

    def _time(self, argv: list[str], extra: dict[str, str] | None = None) -> float:
        start = time.monotonic()
        environment = os.environ | (extra or {})
        done = subprocess.run(
            argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=600, check=False
        )
        took = time.monotonic() - start
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace").strip()[-300:] or str(done.returncode))
        if self.result is not None:
            found = self.result(bench_dir())
            self.agreed = self.agreed or found
            if not found or found != self.agreed:
                raise RuntimeError("the two sides made different things")
        return took


def _zeros(folder: Path) -> None:
    with (folder / "hundred").open("wb") as file:
        for index in range(100):
            file.write(bytes([index]) * (1 << 20))


def _many(folder: Path) -> None:
    many = folder / "many"
    many.mkdir(exist_ok=True)
    for index in range(2000):
        (many / f"file{index:04}").touch()


def _lines(folder: Path) -> None:
    numbers = random.Random(7)  # a fixed input, not a secret
    with (folder / "lines").open("w") as file:
        file.writelines(f"{numbers.randrange(10**9)}\n" for _ in range(1_000_000))


def _project(folder: Path) -> None:
    project = folder / "project"
    project.mkdir(exist_ok=True)
    (project / "Makefile").write_text(MAKEFILE)


COMMANDS = {
    "start": Command("true", "<= 0.150 s"),
    "sha1sum_100M": Command("sha1sum hundred", "<= 1.2x", _zeros),
    "ls_2000": Command("ls -l many | tail -n 1", "", _many),
    "sort_1M": Command("LC_ALL=C sort lines | tail -n 1", "<= 1.2x", _lines),
    "shell_loop": Command(LOOP, ""),
    "make_j2": Command("make -s -j2 -C project", "", _project),
    "pdflatex_bibtex": Command(tex.SCRIPT, "<= 1.2x", tex.make_input, tex.native_environment, tex.page_text),
}


def prepare_commands(rows: list[str]) -> None:
    """Make the inputs the wanted rows read, once."""
    for row in rows:
        if row in COMMANDS:
            make_input = COMMANDS[row].make_input
            marker = bench_dir() / f".{row}.ready"
            if make_input is not None and not marker.exists():
                make_input(bench_dir())
                marker.touch()
