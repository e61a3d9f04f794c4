# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry ar`, `ranlib`, `ld` and `strip`: the archive and linker tools beside the compiler driver."""

from __future__ import annotations

import os
import sys

from skerry.toolchain.zig import zig_binary


def _become(tool: str, argv: list[str]) -> int:
    """Replace this process by a tool of the zig binary."""
    binary = zig_binary()
    sys.stdout.flush()
    os.execv(binary, [binary, tool, *argv])


def ar(argv: list[str]) -> int:
    """Run ar."""
    return _become("ar", argv)


def ranlib(argv: list[str]) -> int:
    """Run ranlib."""
    return _become("ranlib", argv)


def ld(argv: list[str]) -> int:
    """Run the linker itself, without start files or libraries."""
    return _become("wasm-ld", argv)


def strip(argv: list[str]) -> int:
    """Remove names and debug information from modules, in place or into the file after -o."""
    from skerry.toolchain import wasm

    target = argv[argv.index("-o") + 1] if "-o" in argv else None
    names = [name for name in argv if not name.startswith("-") and name != target]
    for name in names:
        with open(name, "rb") as handle:
            module = handle.read()
        if module[:8] != wasm.MAGIC or any(s.name == "linking" for s in wasm.sections(module)):
            continue  # archives and objects keep what the linker needs
        with open(target or name, "wb") as handle:
            handle.write(wasm.without_custom(module))
    return 0


TOOLS = {"ar": ar, "ranlib": ranlib, "ld": ld, "strip": strip}


if __name__ == "__main__":
    sys.exit(TOOLS[sys.argv[1]](sys.argv[2:]))
