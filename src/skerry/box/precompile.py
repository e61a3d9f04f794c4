# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Compiling all programs of a tree ahead, so that nobody waits when one is first run.

Each is compiled by a sealed worker of its own, as a box would have it done.
Blocking: until all are compiled; a big program takes seconds.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from hashlib import sha256

from .codecache import CodeCache
from .loop import Loop

WASM_MAGIC = b"\0asm"


def precompile(root: str, tell: Callable[[int, int, str], None]) -> list[str]:
    """Compile what is not in the cache yet; `tell` gets (done, total, name) after each.

    Returns a line for each program that does not compile.
    """
    loop = Loop()
    codes = CodeCache(loop)
    waiting = deque((path, data, digest) for path, data, digest in _programs(root) if not codes.has(digest))
    total, failures = len(waiting), list[str]()
    running: set[str] = set()
    done = 0

    def start() -> None:
        path, data, digest = waiting.popleft()
        running.add(path)

        def finished(code: bytes, error: str) -> None:
            nonlocal done
            running.discard(path)
            done += 1
            if error:
                failures.append(f"{path}: {error}")
            tell(done, total, os.path.basename(path))

        codes.compile(data, digest, finished)

    try:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                start()
            loop.step()
    finally:
        codes.close()
    return failures


def _programs(root: str) -> Iterator[tuple[str, bytes, bytes]]:
    """Every wasm file below `root` once, with its digest."""
    seen: set[bytes] = set()
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.access(path, os.X_OK):
                continue
            with open(path, "rb") as file:
                if file.read(4) != WASM_MAGIC:
                    continue
                data = WASM_MAGIC + file.read()
            digest = sha256(data).digest()
            if digest not in seen:
                seen.add(digest)
                yield path, data, digest
