# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Where the compiler is: the `zig` binary of the PyPI wheel `ziglang` (clang, wasm-ld and ar in one file)."""

from __future__ import annotations

import os
import sys


def zig_dir() -> str:
    """Return the wheel's directory, found without importing it: a compiler wrapper must start fast."""
    for entry in sys.path:
        path = os.path.join(entry, "ziglang")
        if os.path.exists(os.path.join(path, "zig")):
            return path
    from skerry.abi.errors import UserError

    raise UserError("the package ziglang is not installed: pip install 'skerry[toolchain]'")


def zig_binary() -> str:
    """Return the path of the zig binary."""
    return os.path.join(zig_dir(), "zig")


def zig_version() -> str:
    """Return the wheel's version from its metadata, without running the binary."""
    parent = os.path.dirname(zig_dir())
    for name in sorted(os.listdir(parent)):
        if name.startswith("ziglang-") and name.endswith(".dist-info"):
            return name[len("ziglang-") : -len(".dist-info")]
    return "unknown"
