# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A bench for small wasm modules in tests: from text, straight on the engine's binding."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from skerry.box.engines.wasmtime import capi
from skerry.box.engines.wasmtime.capi import ByteVector, Library, words
from skerry.box.engines.wasmtime.compiler import make_engine
from skerry.box.launch import engine_library

_library: Library | None = None


def library() -> Library:
    """The engine's library, opened once."""
    global _library
    if _library is None:
        _library = Library(engine_library())
    return _library


def assemble(text: str) -> bytes:
    """Wasm from its text form."""
    source = text.encode()
    out = ByteVector()
    library().check(library().wasmtime_wat2wasm(source, len(source), ctypes.addressof(out)))
    return library().take(out)


class Bench:
    """An engine with one import: skerry.sigfetch, which says there is no signal."""

    def __init__(self) -> None:
        self.library = library()
        self.engine = make_engine(self.library, compiling=True)
        self.linker = self.library.wasmtime_linker_new(self.engine)
        self._callback = capi.CALLBACK(self._fetch)
        kinds = []
        for _ in range(2):
            one = (ctypes.c_size_t * 1)(self.library.wasm_valtype_new(0))
            vector = words(2)
            self.library.wasm_valtype_vec_new(ctypes.addressof(vector), 1, ctypes.addressof(one))
            kinds.append(vector)
        signature = self.library.wasm_functype_new(*(ctypes.addressof(kind) for kind in kinds))
        self.library.check(
            self.library.wasmtime_linker_define_func_unchecked(
                self.linker, b"skerry", 6, b"sigfetch", 8, signature, self._callback, 0, 0
            )
        )

    @staticmethod
    def _fetch(env: int, caller: int, address: int, size: int) -> int:
        ctypes.c_int32.from_address(address).value = 0
        return 0

    def wat(self, text: str) -> bytes:
        return assemble(text)

    def instance(self, wasm: bytes) -> Instance:
        return Instance(self, wasm)


class Instance:
    """One instance of a module."""

    def __init__(self, bench: Bench, wasm: bytes) -> None:
        self.library = bench.library
        module, pre, trap = words(1), words(1), words(1)
        check = self.library.check
        check(self.library.wasmtime_module_new(bench.engine, wasm, len(wasm), ctypes.addressof(module)))
        check(self.library.wasmtime_linker_instantiate_pre(bench.linker, module[0], ctypes.addressof(pre)))
        self.store = self.library.wasmtime_store_new(bench.engine, 0, 0)
        self.context = self.library.wasmtime_store_context(self.store)
        self.handle = words(2)
        check(
            self.library.wasmtime_instance_pre_instantiate(
                pre[0], self.context, ctypes.addressof(self.handle), ctypes.addressof(trap)
            )
        )
        assert not trap[0]

    def export(self, name: str) -> Any:
        extern = words(4)
        found = self.library.wasmtime_instance_export_get(
            self.context, ctypes.addressof(self.handle), name.encode(), len(name), ctypes.addressof(extern)
        )
        assert found, name
        return extern

    def call(self, name: str, *args: int) -> int:
        function = self.export(name)
        raw, trap = words(2 * max(1, len(args))), words(1)
        for index, arg in enumerate(args):
            raw[2 * index] = arg & 0xFFFFFFFF
        error = self.library.wasmtime_func_call_unchecked(
            self.context, ctypes.addressof(function) + 8, ctypes.addressof(raw), len(raw) // 2, ctypes.addressof(trap)
        )
        self.library.check(error)
        assert not trap[0], self.library.trap_text(trap[0])
        return int(raw[0]) & 0xFFFFFFFF

    def variable(self, name: str) -> int:
        value, variable = words(4), self.export(name)
        self.library.wasmtime_global_get(self.context, ctypes.addressof(variable) + 8, ctypes.addressof(value))
        return int(value[1]) & 0xFFFFFFFF

    def _address(self, address: int) -> int:
        memory = self.export("memory")
        return int(self.library.wasmtime_memory_data(self.context, ctypes.addressof(memory) + 8)) + address

    def read(self, address: int, size: int) -> bytes:
        return ctypes.string_at(self._address(address), size)

    def write(self, address: int, data: bytes) -> None:
        ctypes.memmove(self._address(address), data, len(data))


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()
