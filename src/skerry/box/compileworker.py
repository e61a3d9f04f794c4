# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The compile worker: one program in, its machine code out, sealed like a box.

A compiler is big and its input is an attacker's. This process sees one program and nothing else, so
the worst it can do is spoil the code of that very program, which runs sealed as well: the cache of
code cannot be poisoned from one program to another.

On descriptor 0: the program until end of file; back a byte 0 and the code, or 1 and the reason.
"""

from __future__ import annotations

import os
import resource

from . import seal
from .engines.engine import Refused
from .engines.wasmtime.capi import Library
from .engines.wasmtime.compiler import compile_wasm, make_engine

DESCRIPTOR = 0
CPU_SECONDS = 600
DATA_BYTES = 4 << 30


def main(library_path: str, parent: int) -> None:
    """Be a compile worker. Never returns."""
    seal.tie_to_parent()
    if os.getppid() != parent:
        os._exit(0)
    library = Library(library_path)
    engine = make_engine(library, compiling=True)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    seal.close_others(DESCRIPTOR)
    seal.limit(DATA_BYTES)
    seal.seal(DESCRIPTOR)
    untrusted_wasm = _read()
    try:
        answer = b"\0" + compile_wasm(library, engine, untrusted_wasm)
    except Refused as refused:
        answer = b"\1" + str(refused).encode()
    data = memoryview(answer)
    try:
        while data:
            data = data[os.write(DESCRIPTOR, data) :]
    except OSError:  # nobody waits for it any more
        pass
    os._exit(0)


def _read() -> bytes:
    parts = []
    while part := os.read(DESCRIPTOR, 1 << 20):
        parts.append(part)
    return b"".join(parts)
