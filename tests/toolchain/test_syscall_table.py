# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The table of system calls, and the header made from it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from skerry.abi.syscalls import LIBC_ONLY, SYSCALL_NAMES, SYSCALLS
from skerry.toolchain import musl

TOP = Path(__file__).resolve().parents[2]
SOURCES = {path.name for path in (TOP / "libc/src").glob("*.c")}


def test_numbers_are_unique_and_words_fit_a_call() -> None:
    assert len(SYSCALL_NAMES) == len(SYSCALLS)
    assert all(0 <= words <= 6 for _, words in SYSCALLS.values())
    assert not LIBC_ONLY & set(SYSCALLS)


def test_header_is_up_to_date() -> None:
    tool = TOP / "tools/gen_syscall_arch.py"
    env = {"PYTHONPATH": str(TOP / "src")}
    assert subprocess.run([sys.executable, str(tool), "--check"], env=env, check=False).returncode == 0


def test_every_replaced_file_has_its_reason_and_its_replacement() -> None:
    for name, reason in musl.REPLACED.items():
        assert name.endswith(".c") and len(reason) > 10
        assert all(mentioned in SOURCES or "as " in reason for mentioned in re.findall(r"\w+\.c\b", reason))
