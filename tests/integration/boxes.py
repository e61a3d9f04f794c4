# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Running `skerry` as a person does, and looking at what it leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SKERRY = [sys.executable, "-m", "skerry"]
TIMEOUT_S = 60


def skerry(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `skerry WORDS`; text in and out, nothing on stdin unless given."""
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(
        [*SKERRY, *words], capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S, check=False, **options
    )


def shell(line: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run one line in a box's shell."""
    return skerry("sh", *words, "-c", line)


def compile_c(source: str, target: Path, *options: str) -> Path:
    """Make a program for a box."""
    text = target.with_suffix(".c")
    text.write_text(source)
    command = [*SKERRY, "cc", "-O1", "-w", "-D_GNU_SOURCE", *options, str(text), "-o", str(target)]
    subprocess.run(command, check=True, timeout=120)
    return target


def compile_native(source: str, target: Path, *options: str) -> Path:
    """Make the same program for this machine."""
    text = target.with_suffix(".c")
    text.write_text(source)
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, "-O1", "-w", "-D_GNU_SOURCE", *options, str(text), "-o", str(target)], check=True)
    return target


def children(pid: int) -> list[int]:
    """The processes that a process of this machine has started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(word) for word in task.read_text().split()]
    return found


def alive(pid: int) -> bool:
    """Whether a process of this machine still runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def eventually(true: Callable[[], object], seconds: float = 10) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
