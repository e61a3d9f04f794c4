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
# A port that knows which of its functions can lead to fork says so in SKERRY_ASYNCIFY, in binaryen's words
# without their `asyncify-`: by default every call through a pointer can, and all who might make one are slowed.
_VARIABLE = "SKERRY_ASYNCIFY"


def passes(module: bytes) -> list[list[str]]:
    """Return the wasm-opt runs (options of each) that the module needs."""
    runs = []
    extra = os.environ.get("SKERRY_WASM_OPT", "").split()
    if FORK_IMPORT in wasm.imports(module):
        words = os.environ.get(_VARIABLE, "").split()
        runs.append([*_ASYNCIFY, *(f"--pass-arg=asyncify-{word}" for word in words), *(extra or ["-O2"])])
    elif extra:
        runs.append(extra)
    if wasm.has_tags(module):
        runs.append(["--translate-to-exnref"])
    return runs


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
