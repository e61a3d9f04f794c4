# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The wasmtime engine: programs, images and the box's memory budget.

Units:     sizes are bytes.
Invariant: when an image is made, all memories together are within the budget; it may then grow
           up to what the others left. Memories that grow at the same time can pass it together,
           the operating system's limit stands behind (seal.py).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import TYPE_CHECKING

from skerry.abi.wasi import MODULE as WASI
from skerry.box.engines.engine import NoMemory, Refused
from skerry.box.engines.wasmfile import FUNC_KIND, MEMORY_KIND, WasmError, WasmFile, read
from skerry.kernel.commands import Image

from .capi import EXTERN_MEMORY, Library, WasmtimeError, words
from .compiler import make_engine
from .guest import WasmGuest, pages
from .imports import Linux, Provider
from .program import PAGE, Linker, Program
from .space import OwnSpace, SharedSpace, Space
from .wasi import Wasi

if TYPE_CHECKING:
    from skerry.box.engines.host import Carrier, Host

RESERVE = 32 << 20
"""Beyond the budget, for what the monitor itself starts: a box full of bombs can still be looked into."""

GROWTH = 4 << 20
"""How far such an image may grow when nothing but the reserve is left."""

SHARED_MAXIMUM = 32_768
"""Pages a shared memory may have at most; as the linker declares it."""

Compile = Callable[[bytes, bytes, bool, Callable[[bytes | None, str], None]], None]
"""Ask for a program's machine code: (name, wasm, fresh, done). `fresh`: what was given does not load.
`done` is called on another thread."""


class Machine:
    """Makes images of wasm programs."""

    def __init__(self, library: Library, compile_code: Compile, budget: int) -> None:
        self.library = library
        self.engine = make_engine(library, compiling=False)
        self.budget = budget
        self.spaces: set[Space] = set()
        self._compile = compile_code
        self._linker: Linker
        self._host: Host

    def attach(self, host: Host) -> None:
        """Bind the imports to a host; its kernel must be attached already."""
        providers: dict[str, Provider] = {
            module: Linux(host, self.library, module) for module in ("linux", "skerry")
        }
        providers[WASI] = Wasi(host, self.library)
        self._linker = Linker(self.library, self.engine, providers)
        self._host = host

    # --- Engine

    def load(self, name: bytes, untrusted_code: bytes, done: Callable[[object | None, str], None]) -> None:
        """Compile a program, or take it from the cache."""

        try:
            outside = read(untrusted_code)
            self.check(outside)
        except (Refused, WasmError) as refused:
            reason = str(refused)
            self._host.pool.run(lambda: done(None, reason))  # never at once: the kernel is busy
            return

        def compiled(code: bytes | None, error: str) -> None:
            if code is None:
                done(None, error)
                return
            try:
                program = Program(self._linker, outside, code)
            except WasmtimeError as stale:
                if fresh_too:
                    done(None, str(stale).splitlines()[0])
                else:
                    fresh_too.append(True)
                    self._compile(name, untrusted_code, True, compiled)
            except Refused as refused:
                done(None, str(refused))
            else:
                done(program, "")

        fresh_too: list[bool] = []
        self._compile(name, untrusted_code, False, compiled)

    def program(self, untrusted_wasm: bytes, code: bytes) -> Program:
        """A program from its file and its machine code. Raises: Refused, WasmError, WasmtimeError."""
        outside = read(untrusted_wasm)
        self.check(outside)
        return Program(self._linker, outside, code)

    def check(self, outside: WasmFile) -> None:
        """Refuse a program by what it wants, before it is compiled. Raises: Refused."""
        for one in outside.imports:
            if one.kind == FUNC_KIND:
                self._linker.require(one.module, one.name, outside.types[one.signature])
        if outside.memory is None or outside.exported("memory", MEMORY_KIND) is None:
            raise Refused("module exports no memory")
        if outside.exported("_start", FUNC_KIND) is None:
            raise Refused("module has no function _start")
        if outside.memory.shared != outside.memory.imported:
            raise Refused("module's memory must be its own, or imported and shared")

    def image(self, carrier: Carrier, image: Image) -> WasmGuest:
        """An image that starts from the beginning."""
        program = image.module
        assert isinstance(program, Program)
        return self._make(program, carrier, program.memory.minimum * PAGE)

    # --- for guests

    def thread(self, parent: WasmGuest, carrier: Carrier, stack: int) -> WasmGuest:
        """A second image on the parent's shared memory."""
        space = parent.space
        assert isinstance(space, SharedSpace)
        guest = WasmGuest(self, parent.program, carrier, self.budget)
        guest.space = space
        guest.instantiate(space.prepared)
        space.join(guest)
        pointer = words(4)
        pointer[1] = stack & 0xFFFFFFFF
        guest.set_variable(b"__stack_pointer", pointer)
        guest.begin_at(b"__skerry_thread_start", stack)
        return guest

    def copy(self, parent: WasmGuest, carrier: Carrier) -> WasmGuest:
        """A copy of an unwound image, for a child."""
        program, size = parent.program, parent.space.size()
        guest = self._make(program, carrier, size)
        initial = guest.space.size()
        if size > initial and not guest.space.grow(size - initial):
            guest.abandon()
            raise NoMemory("no memory for a copy of the process")
        parent.space.copy_to(guest.space, initial)
        for name in program.variables:
            value = parent.variable(name)
            if value is not None:
                guest.set_variable(name, value)
        return guest

    def room(self, size: int) -> bool:
        """Whether the budget has `size` bytes left."""
        return self._used() + size <= self.budget

    def _used(self) -> int:
        with self._host.lock:  # a space that another thread frees may not be asked any more
            return sum(space.size() for space in self.spaces)

    def _make(self, program: Program, carrier: Carrier, size: int) -> WasmGuest:
        left = self.budget - self._used()
        if carrier.task.process.tag is not None and size <= left + RESERVE:
            left = max(left, size + GROWTH)
        if size > left:
            raise NoMemory("the box has no memory left")
        guest = WasmGuest(self, program, carrier, left)
        if program.memory_import is None:
            guest.instantiate(program.prepared())
            guest.space = self._own_space(guest)
        else:
            guest.space = self._shared_space(guest, size, left)
            guest.instantiate(guest.space.prepared)
        guest.space.join(guest)
        with self._host.lock:
            self.spaces.add(guest.space)
        carrier.task.process.shared_memory = program.memory.shared
        return guest

    def _own_space(self, guest: WasmGuest) -> OwnSpace:
        extern = guest.export(b"memory")
        assert extern is not None and extern[0] & 0xFF == EXTERN_MEMORY
        return OwnSpace(self.library, guest.context, extern, guest.program.poll)

    def _shared_space(self, guest: WasmGuest, size: int, left: int) -> SharedSpace:
        declared = guest.program.memory.maximum or SHARED_MAXIMUM
        maximum = max(min(declared, left // PAGE), pages(size))
        kind, memory = words(1), words(1)
        library = self.library
        library.check(
            library.wasmtime_memorytype_new(
                guest.program.memory.minimum, True, maximum, False, True, 16, ctypes.addressof(kind)
            )
        )
        try:
            error = library.wasmtime_sharedmemory_new(self.engine, kind[0], ctypes.addressof(memory))
            library.check(error)
        except WasmtimeError as refused:
            raise NoMemory(str(refused).splitlines()[0]) from None
        finally:
            library.wasm_memorytype_delete(kind[0])
        prepared = guest.program.prepare_shared(guest.context, memory[0])
        return SharedSpace(library, memory[0], prepared, guest.program.poll)
