# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Each program does one real thing in a box, and prints what it prints on Linux."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

from skerry.toolchain.place import cache_path
from tests.integration.boxes import SKERRY
from tests.ports.cases import CASES, Case

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TIMEOUT_S = 120


def run(argv: list[str], folder: Path) -> str:
    """Run it in a folder; return what it printed. Complaints go to the test's own stderr."""
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC0", "HOME": str(folder)}
    environment["SKERRY_CACHE"] = cache_path()
    done = subprocess.run(
        argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TIMEOUT_S,
        check=False,
    )  # fmt: skip
    return done.stdout.decode(errors="replace")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_does_in_a_box_what_it_does_on_linux(case: Case, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(dedent(case.script))
    if case.native != "-" and shutil.which("dash") and all(shutil.which(name) for name in case.native.split()):
        native = tmp_path / "native"
        native.mkdir()
        assert run(["dash", str(script)], native) == case.output, "this is not what Linux prints"
    boxed = tmp_path / "boxed"
    boxed.mkdir()
    words = ["--env", "LC_ALL=C.UTF-8", "--env", "TZ=UTC0", "--mount", f"{script}:/script:ro", "--cwd", "/tmp"]
    assert run([*SKERRY, "run", *words, "sh", "/script"], boxed) == case.output
