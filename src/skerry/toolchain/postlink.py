# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What happens to a module after linking: asyncify for fork, exceptions in their final form, strip.

Objects are compiled with the older exception instructions, because asyncify knows those alone; every
engine we run on has the newer ones (exnref), so a module that throws is translated last.
"""

from __future__ import annotations

import os

from skerry.toolchain import wasm

FORK_IMPORT = wasm.Import("linux", "fork", "func")
_ASYNCIFY = ("--asyncify", "--pass-arg=asyncify-imports@linux.fork")
_FORK_POINTERS = "SKERRY_FORK_POINTERS"
"""A variable of ports: the functions (space between) whose calls through a pointer can lead to fork. When it is
set, perhaps empty, other such calls are taken not to, and whoever makes them is not rewritten and slowed."""
_START = "__libc_start_main,libc_start_main_stage2"  # main is called through pointers


def passes(module: bytes) -> list[list[str]]:
    """Return the wasm-opt runs (options of each) that the module needs."""
    runs = []
    extra = os.environ.get("SKERRY_WASM_OPT", "").split()
    if FORK_IMPORT in wasm.imports(module):
        runs.append([*_ASYNCIFY, *_precise(os.environ.get(_FORK_POINTERS)), *(extra or ["-O2"])])
    elif extra:
        runs.append(extra)
    if wasm.has_tags(module):
        runs.append(["--translate-to-exnref"])
    return runs


def _precise(pointers: str | None) -> list[str]:
    """Return asyncify's options for a program whose calls through pointers are known."""
    if pointers is None:
        return []
    functions = ",".join([_START, *pointers.split()])
    words = ("ignore-indirect", "propagate-addlist", f"addlist@{functions}")
    return [f"--pass-arg=asyncify-{word}" for word in words]


def finish(path: str, strip: bool) -> None:
    """Rewrite the linked module in place."""
    with open(path, "rb") as handle:
        module = handle.read()
    runs = passes(module)
    if runs:
        from skerry.toolchain.binaryen import optimize

        for options in runs:
            optimize(path, path, options)
    if strip:
        with open(path, "rb") as handle:
            module = handle.read()
        with open(path, "wb") as handle:
            handle.write(wasm.without_custom(module))
