# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Compiling: from a wasm file to machine code, with safepoints.

Both sides of a cache build the same engine here, so that code compiled by one loads in the other.
What changes the code here changes `FINGERPRINT` (engines/fingerprint.py) too.
Errors: Refused, whose text says what is wrong with the file.
"""

from __future__ import annotations

import ctypes

from skerry.box.engines.engine import Refused
from skerry.box.engines.safepoints import insert
from skerry.box.engines.wasmfile import WasmError, read

from .capi import ByteVector, Library, WasmtimeError, words

WASM_STACK = 8 << 20
"""Native stack a guest's calls may fill; past it, SIGSEGV."""

NATIVE_STACK = WASM_STACK + (2 << 20)
"""Native stack of a carrier: the guest's and what our callbacks need on top."""


def make_engine(library: Library, compiling: bool) -> int:
    """A wasm_engine_t with the one configuration Skerry uses. `compiling` may use all cores."""
    config = library.wasm_config_new()
    library.wasmtime_config_wasm_threads_set(config, True)
    library.wasmtime_config_shared_memory_set(config, True)
    library.wasmtime_config_wasm_exceptions_set(config, True)
    library.wasmtime_config_wasm_branch_hinting_set(config, True)
    library.wasmtime_config_parallel_compilation_set(config, compiling)
    library.wasmtime_config_native_unwind_info_set(config, False)
    # Copying the data segments costs 30 us an image; copy-on-write would need memfd_create.
    library.wasmtime_config_memory_init_cow_set(config, False)
    library.wasmtime_config_async_stack_size_set(config, NATIVE_STACK)  # must exceed the next
    library.wasmtime_config_max_wasm_stack_set(config, WASM_STACK)
    engine = library.wasm_engine_new_with_config(config)
    if not engine:
        raise WasmtimeError("wasmtime does not accept its configuration")
    return int(engine)


def compile_wasm(library: Library, engine: int, untrusted_wasm: bytes) -> bytes:
    """Validate, insert safepoints, compile; returns what `wasmtime_module_deserialize` takes."""
    try:
        outside = read(untrusted_wasm)
        if outside.memory is None or not outside.memory.minimum:
            raise Refused("the module has no memory")
        # The original must be valid by itself: inserted code may not give it new things to name.
        library.check(library.wasmtime_module_validate(engine, untrusted_wasm, len(untrusted_wasm)))
        wasm = insert(untrusted_wasm, outside)
        module = words(1)
        library.check(library.wasmtime_module_new(engine, wasm, len(wasm), ctypes.addressof(module)))
    except (WasmError, WasmtimeError) as error:
        raise Refused(str(error).splitlines()[0]) from None
    code = ByteVector()
    library.check(library.wasmtime_module_serialize(module[0], ctypes.addressof(code)))
    library.wasmtime_module_delete(module[0])
    return library.take(code)
