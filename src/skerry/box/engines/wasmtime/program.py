# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""One compiled program: its machine code, what it imports, how to make instances of it.

Errors: Refused when it imports what Skerry does not have.
"""

from __future__ import annotations

import ctypes

from skerry.box.engines.engine import Refused
from skerry.box.engines.safepoints import POLL, POLL_SIZE, interruptible, poll_address
from skerry.box.engines.wasmfile import FUNC_KIND, GLOBAL_KIND, I32, MEMORY_KIND, WasmFile

from .capi import CALLBACK, EXTERN_SHARED_MEMORY, EXTERN_WORDS, Library, words
from .imports import Provider

PAGE = 65_536

_CALLED = {  # functions of a program that the engine calls: how many i32 they take; all return nothing
    "_start": 0,
    "__skerry_thread_start": 1,
    "asyncify_start_unwind": 1,
    "asyncify_stop_unwind": 0,
    "asyncify_start_rewind": 1,
    "asyncify_stop_rewind": 0,
}


class Linker:
    """wasmtime's linker, filled as programs ask; shared by all programs of a machine."""

    def __init__(self, library: Library, engine: int, providers: dict[str, Provider]) -> None:
        self.library = library
        self.engine = engine
        self.pointer: int = library.wasmtime_linker_new(engine)
        self._providers = providers
        self._defined: set[tuple[str, str]] = set()
        self._callbacks: list[object] = []  # ctypes closures must outlive the linker

    def require(self, module: str, name: str, types: tuple[bytes, bytes]) -> None:
        """Make sure a function is there, of the types the program thinks it has. Raises: Refused."""
        provider = self._providers.get(module)
        signature = provider.signature(name) if provider is not None else None
        if provider is None or signature is None:
            raise Refused(f"module imports {module}.{name}, which Skerry does not have")
        if signature != types:
            raise Refused(f"module imports {module}.{name} with other arguments than Skerry's")
        if (module, name) not in self._defined:
            self._define(module, name, signature, provider)

    def _define(self, module: str, name: str, signature: tuple[bytes, bytes], provider: Provider) -> None:
        callback = CALLBACK(provider.callback(name))
        self._callbacks.append(callback)
        kind = self._function_type(signature)
        where, what = module.encode(), name.encode()
        self.library.check(
            self.library.wasmtime_linker_define_func_unchecked(
                self.pointer, where, len(where), what, len(what), kind, callback, 0, 0
            )
        )
        self.library.wasm_functype_delete(kind)
        self._defined.add((module, name))

    def _function_type(self, signature: tuple[bytes, bytes]) -> int:
        vectors = []
        for types in signature:
            kinds = (ctypes.c_size_t * len(types))(
                *[self.library.wasm_valtype_new(0x7F - one) for one in types]
            )
            vector = words(2)
            self.library.wasm_valtype_vec_new(ctypes.addressof(vector), len(types), ctypes.addressof(kinds))
            vectors.append(vector)
        return int(
            self.library.wasm_functype_new(ctypes.addressof(vectors[0]), ctypes.addressof(vectors[1]))
        )


class Program:
    """A module and the one way it is instantiated."""

    def __init__(self, linker: Linker, outside: WasmFile, code: bytes) -> None:
        self._linker = linker
        self._library = library = linker.library
        assert outside.memory is not None
        self.memory = outside.memory
        self.memory_import = next((one for one in outside.imports if one.kind == MEMORY_KIND), None)
        self.poll = poll_address(outside)
        self.interruptible = interruptible(outside)
        if self.poll + POLL_SIZE > self.memory.minimum * PAGE:
            raise Refused(f"module's {POLL} lies outside its memory")
        self.exports = _called(outside)
        self.begins = outside.start is not None
        self.variables = tuple(  # what a copy of an image must take along besides the memory
            name.encode()
            for name, (kind, index) in outside.exports.items()
            if kind == GLOBAL_KIND and index in outside.mutable
        )
        for one in outside.imports:
            if one.kind == FUNC_KIND:
                linker.require(one.module, one.name, outside.types[one.signature])
            elif one.kind != MEMORY_KIND or not self.memory.shared:
                raise Refused(f"module imports {one.module}.{one.name}, which Skerry does not have")
        module = words(1)
        library.check(
            library.wasmtime_module_deserialize(linker.engine, code, len(code), ctypes.addressof(module))
        )
        self._module: int = module[0]
        self._pre = self._prepare(linker.pointer) if self.memory_import is None else 0

    def prepared(self) -> int:
        """The instance_pre of a program with a memory of its own."""
        return self._pre

    def prepare_shared(self, context: int, memory: int) -> int:
        """An instance_pre bound to one shared memory; the caller deletes it."""
        assert self.memory_import is not None
        library = self._library
        linker = library.wasmtime_linker_clone(self._linker.pointer)
        extern = words(EXTERN_WORDS)
        extern[0], extern[1] = EXTERN_SHARED_MEMORY, memory
        where, what = self.memory_import.module.encode(), self.memory_import.name.encode()
        library.check(
            library.wasmtime_linker_define(
                linker, context, where, len(where), what, len(what), ctypes.addressof(extern)
            )
        )
        try:
            return self._prepare(linker)
        finally:
            library.wasmtime_linker_delete(linker)

    def close(self) -> None:
        """Free the machine code; instances that still run keep theirs."""
        if self._pre:
            self._library.wasmtime_instance_pre_delete(self._pre)
        self._library.wasmtime_module_delete(self._module)
        self._pre = self._module = 0

    def __del__(self) -> None:
        if getattr(self, "_module", 0):
            self.close()

    def _prepare(self, linker: int) -> int:
        pre = words(1)
        self._library.check(
            self._library.wasmtime_linker_instantiate_pre(linker, self._module, ctypes.addressof(pre))
        )
        return int(pre[0])


def _called(outside: WasmFile) -> frozenset[bytes]:
    """Which functions the engine can call here. Raises: Refused for one of another type.

    The types matter: arguments and results are passed without a check by wasmtime.
    """
    found = set()
    for name, count in _CALLED.items():
        function = outside.exported(name, FUNC_KIND)
        if function is None:
            continue
        if outside.signature(function) != (bytes([I32]) * count, b""):
            raise Refused(f"module's function {name} has other arguments than Skerry's")
        found.add(name.encode())
    return frozenset(found)
