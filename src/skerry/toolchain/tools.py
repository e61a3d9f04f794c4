# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The compiler as builds see it: CC and its relatives, and a digest of all that makes code."""

from __future__ import annotations

from pathlib import Path

from skerry.toolchain import cache
from skerry.toolchain.sysroot import sysroot_digest
from skerry.toolchain.wrappers import bin_dir

_DRIVER = ("arguments.py", "cc.py", "link.py", "postlink.py", "binaryen.py", "npm/package-lock.json")
_COMMANDS = {"CC": "cc", "CXX": "c++", "AR": "ar", "RANLIB": "ranlib", "STRIP": "strip"}


def digest() -> str:
    """Return the digest of sysroot and driver: what a compiled program depends on besides its source."""
    recipe = cache.Recipe("tools")
    recipe.add("sysroot", sysroot_digest())
    for name in _DRIVER:
        recipe.add_file(name, Path(__file__).parent / name)
    return recipe.digest()


def environment() -> dict[str, str]:
    """Return CC and its relatives for a build script, building the sysroot when there is none."""
    folder = bin_dir()
    return {variable: str(folder / f"skerry-{tool}") for variable, tool in _COMMANDS.items()}
