# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Small scripts `skerry-cc`, `skerry-c++`, `skerry-ar`, ... that start faster than the `skerry` command.

They name this sysroot, this interpreter and these sources, so they are made anew for each combination.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from skerry.toolchain.binutils import TOOLS
from skerry.toolchain.cache import Recipe, publish
from skerry.toolchain.sysroot import sysroot
from skerry.toolchain.zig import zig_dir

_START = (
    "import sys; sys.path[:0] = {paths!r}; from skerry.toolchain.{module} import {name}; sys.exit({call})"
)


def _script(root: Path, code: str) -> str:
    """Return a shell script that runs `code` without site start-up."""
    return (
        f"#!/bin/sh\nSKERRY_SYSROOT={shlex.quote(str(root))} export SKERRY_SYSROOT\n"
        f'exec {shlex.quote(sys.executable)} -I -S -c {shlex.quote(code)} "$@"\n'
    )


def _scripts(root: Path) -> dict[str, str]:
    """Return name -> text of the scripts."""
    paths = [str(Path(__file__).resolve().parents[2]), str(Path(zig_dir()).parent)]

    def code(module: str, name: str, call: str) -> str:
        return _START.format(paths=paths, module=module, name=name, call=call)

    texts = {
        "skerry-cc": code("cc", "main", "main(sys.argv[1:])"),
        "skerry-c++": code("cc", "main", "main(sys.argv[1:], cxx=True)"),
    }
    for tool in TOOLS:
        texts[f"skerry-{tool}"] = code("binutils", tool, f"{tool}(sys.argv[1:])")
    return {name: _script(root, text) for name, text in texts.items()}


def bin_dir() -> Path:
    """Return the folder with the scripts, building the sysroot first when there is none."""
    scripts = _scripts(sysroot())
    recipe = Recipe("wrappers")
    for name, text in scripts.items():
        recipe.add(name, text)

    def build(target: Path) -> None:
        for name, text in scripts.items():
            (target / name).write_text(text)
            (target / name).chmod(0o755)

    return publish("bin", recipe.digest(), build)
