# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The measured programs, built for both sides."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from skerry.toolchain.cache import cache_dir

SKERRY = [sys.executable, "-m", "skerry"]
SOURCE = Path(__file__).parent / "src" / "hbench.c"


def bench_dir() -> Path:
    """Where measured programs and inputs are kept."""
    folder = cache_dir() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def build_hbench() -> tuple[Path, Path]:
    """hbench for the host and for wasm."""
    native, wasm = bench_dir() / "hbench-native", bench_dir() / "hbench"
    subprocess.run(["gcc", "-O2", str(SOURCE), "-o", str(native)], check=True)
    subprocess.run([*SKERRY, "cc", "-O2", str(SOURCE), "-o", str(wasm)], check=True)
    return native, wasm
