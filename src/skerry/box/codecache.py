# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Machine code of programs, kept on the monitor's side.

A box names a program by its SHA-256. What is not in the cache is compiled from the program the box
then sends, after its digest has been checked here, by a compile worker of its own.

Invariant: a file of the cache holds what one compile worker made of the one program it is named by.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable
from hashlib import sha256

from skerry.toolchain.place import cache_path

from .engines.fingerprint import FINGERPRINT
from .launch import Worker
from .loop import READ, WRITE, Loop

Done = Callable[[bytes, str], None]
"""Called with the code and "", or with b"" and why there is none."""

CODE_MAX = 512 << 20
KEPT_MAX = 1 << 30  # what one box may add to the cache
WAITING_MAX = 64  # programs that wait for a compile worker


class CodeCache:
    """The cache and the compilations under way."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._folder = os.path.join(cache_path(), "code", FINGERPRINT)
        self._jobs: set[Compilation] = set()
        self._waiting: deque[Callable[[], None]] = deque()
        self._kept = 0

    def find(self, digest: bytes) -> bytes | None:
        """The code of a program, when it is there."""
        try:
            with open(self._path(digest), "rb") as file:
                return file.read()
        except OSError:
            return None

    def has(self, digest: bytes) -> bool:
        """Whether the code of a program is there."""
        return os.path.exists(self._path(digest))

    def compile(self, untrusted_wasm: bytes, digest: bytes, done: Done) -> None:
        """Compile a program and keep the code."""
        if sha256(untrusted_wasm).digest() != digest:
            done(b"", "the program is not the one that was named")
            return

        if len(self._waiting) >= WAITING_MAX:
            done(b"", "too many programs are being compiled")
            return

        def start() -> None:
            self._jobs.add(job := Compilation(self._loop, untrusted_wasm, finished))
            started.append(job)

        def finished(code: bytes, error: str) -> None:
            self._jobs.discard(started[0])
            if code:
                self._keep(digest, code)
            if self._waiting:
                self._waiting.popleft()()
            done(code, error)

        started: list[Compilation] = []
        if len(self._jobs) < (os.cpu_count() or 1):
            start()
        else:
            self._waiting.append(start)

    def close(self) -> None:
        """End the compilations under way."""
        for job in tuple(self._jobs):
            job.close()
        self._jobs.clear()
        self._waiting.clear()

    def _path(self, digest: bytes) -> str:
        return os.path.join(self._folder, digest.hex())

    def _keep(self, digest: bytes, code: bytes) -> None:
        self._kept += len(code)
        if self._kept > KEPT_MAX:
            return
        path = self._path(digest)
        temporary = f"{path}.{os.getpid()}.new"
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            with open(temporary, "wb") as file:
                file.write(code)
            os.replace(temporary, path)
        except OSError:  # a cache that cannot be written is only slow
            return


class Compilation:
    """One compile worker at work."""

    def __init__(self, loop: Loop, wasm: bytes, done: Done) -> None:
        self._loop, self._done = loop, done
        self._rest = memoryview(wasm)
        self._answer = bytearray()
        self._worker = Worker("compileworker")
        self._fd = self._worker.socket.fileno()
        self._worker.socket.setblocking(False)
        loop.watch(self._fd, WRITE, self._write)
        loop.watch(self._fd, READ, self._read)

    def close(self) -> None:
        """Stop; the worker ends as its connection does."""
        self._loop.forget(self._fd, WRITE)
        self._loop.forget(self._fd, READ)
        self._worker.kill()
        self._worker.close()

    def _write(self) -> None:
        try:
            self._rest = self._rest[self._worker.socket.send(self._rest) :]
        except BlockingIOError:
            return
        except OSError:  # it died; the reading side tells
            self._rest = self._rest[:0]
        if not self._rest:
            self._loop.forget(self._fd, WRITE)
            try:
                self._worker.socket.shutdown(socket.SHUT_WR)
            except OSError:
                return

    def _read(self) -> None:
        try:
            data = self._worker.socket.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._answer += data
        if data and len(self._answer) <= CODE_MAX:
            return
        self.close()
        code, error = _judge(bytes(self._answer))
        self._done(code, error)


def _judge(untrusted_answer: bytes) -> tuple[bytes, str]:
    if untrusted_answer[:1] == b"\0" and 1 < len(untrusted_answer) <= CODE_MAX:
        return untrusted_answer[1:], ""
    if untrusted_answer[:1] == b"\1":
        return b"", untrusted_answer[1:1000].decode(errors="replace")
    return b"", "the compiler died on it"
