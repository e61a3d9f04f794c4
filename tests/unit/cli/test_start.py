# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Starting costs little: a verb loads what it uses and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"asyncio", "ctypes", "hashlib", "importlib.metadata", "inspect", "pathlib", "subprocess", "wasmtime"}
LOADED = "import sys; from skerry.cli import main; main({argv!r}); print('\\n'.join(sys.modules))"


def modules_after(argv: list[str]) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(argv=argv)], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_version_loads_no_verb_and_nothing_heavy() -> None:
    loaded = modules_after(["--version"])
    assert not loaded & HEAVY
    assert not {name for name in loaded if name.startswith("skerry.box")}


def test_the_compiler_is_reached_without_a_parser() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, skerry.cli.cc; print('argparse' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize("verb", ["cc", "ar"])
def test_compiler_help_loads_no_compiler(verb: str) -> None:
    loaded = modules_after([verb, "--help"])
    assert not {name for name in loaded if name.startswith(("skerry.box", "skerry.toolchain"))}


def test_the_help_of_run_loads_no_engine() -> None:
    loaded = modules_after(["run", "--help"])
    assert "skerry.box.config" in loaded
    assert not loaded & {"wasmtime", "asyncio", "ctypes", "skerry.box.monitor", "skerry.kernel"}
