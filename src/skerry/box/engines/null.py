# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Guests that are Python functions: no wasm, no copies, nothing to install. For tests.

A program is a function of one argument, its NullGuest; it makes calls with `guest.call` and returns
its exit status. A busy one must `guest.poll()`, as wasm has safepoints.
"""

from __future__ import annotations

import _thread
from collections.abc import Callable
from typing import TYPE_CHECKING

from .engine import Refused, Trap, Unwind

if TYPE_CHECKING:
    from skerry.kernel.commands import Image

    from .host import Carrier

SIGILL = 4
MEMORY = 1 << 16

Program = Callable[["NullGuest"], int]


class NullGuest:
    """One run of a function."""

    def __init__(self, carrier: Carrier, program: Program, memory: bytearray) -> None:
        self.carrier = carrier
        self.program = program
        self.bytes = memory
        self.interrupted = False
        self._on_child: Program | None = None

    # --- what a program does

    def call(self, name: str, *args: int, module: str = "linux") -> int:
        """Make a system call."""
        call = self.carrier.host.kernel.call(module, name)
        if call is None:
            raise Trap(SIGILL, f"no call {module}.{name}")
        return self.carrier.syscall(call, *args)

    def fork(self, child: Program) -> int:
        """Make a child that runs `child` on a copy of this memory."""
        self._on_child = child
        try:
            return self.call("fork", 0)
        finally:
            self._on_child = None

    def poll(self) -> bool:
        """Whether somebody wants this guest's attention. Raises: Unwind when it must go."""
        if self.carrier.inbox:
            raise Unwind
        asked, self.interrupted = self.interrupted, False
        return asked

    # --- Guest

    def memory(self) -> memoryview:
        return memoryview(self.bytes)

    def run(self) -> int:
        return self.program(self)

    def interrupt(self) -> None:
        self.interrupted = True

    def kill(self, hard: bool) -> None:
        self.interrupted = True

    def thread(self, carrier: Carrier, stack: int) -> NullGuest:
        return NullGuest(carrier, self.program, self.bytes)

    def adopt(self, child: Carrier) -> None:
        assert self._on_child is not None
        child.attach(NullGuest(child, self._on_child, bytearray(self.bytes)))
        child.start()

    def close(self) -> None:
        self.bytes = bytearray()


class NullEngine:
    """Runs functions; `programs` are what a file's bytes can name."""

    def __init__(self, programs: dict[bytes, Program] | None = None) -> None:
        self.programs = programs if programs is not None else {}

    def image(self, carrier: Carrier, image: Image) -> NullGuest:
        """See Engine."""
        program: Program = image.module  # type: ignore[assignment]
        return NullGuest(carrier, program, bytearray(MEMORY))

    def load(self, name: bytes, untrusted_code: bytes, done: Callable[[object | None, str], None]) -> None:
        """See Engine. A program is named by all bytes of its file."""

        def later() -> None:
            try:
                program = self.find(untrusted_code)
            except Refused as refused:
                done(None, str(refused))
            else:
                done(program, "")

        _thread.start_new_thread(later, ())

    def find(self, untrusted_code: bytes) -> Program:
        """The program a file names. Raises: Refused."""
        if untrusted_code not in self.programs:
            raise Refused("no such function")
        return self.programs[untrusted_code]
