# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The part of wasmtime's C API that Skerry uses, straight over ctypes.

The `wasmtime` wheel's own Python package is not imported: it costs 40 to 70 ms and keeps a
pending exception per OS process, which is wrong with one thread per guest. Only its shared
library is opened.

Every pointer is a plain int (0 is NULL). `slow` releases the interpreter lock during the call
and is used for what runs guest code, compiles or copies; `quick` keeps it.
Invariant: structures are the arrays of 64-bit words below; sizes as in wasmtime/*.h, version 50.
"""

from __future__ import annotations

import ctypes
from ctypes import c_bool, c_char_p, c_int64, c_size_t, c_uint8, c_uint32, c_uint64
from typing import Any

EXTERN_FUNC, EXTERN_GLOBAL, EXTERN_TABLE, EXTERN_MEMORY, EXTERN_SHARED_MEMORY = range(5)
KIND_I32, KIND_I64 = 0, 1

FUNC_WORDS = 2  # wasmtime_func_t: store id, private
INSTANCE_WORDS = 2  # wasmtime_instance_t
MEMORY_WORDS = 3  # wasmtime_memory_t: store id, two private 32-bit, one more
EXTERN_WORDS = 4  # wasmtime_extern_t: kind, then a union of 24 bytes
VALUE_WORDS = 4  # wasmtime_val_t: kind, then a union of 24 bytes
RAW_WORDS = 2  # wasmtime_val_raw_t: 16 bytes, room for a v128

CALLBACK = ctypes.CFUNCTYPE(c_size_t, c_size_t, c_size_t, c_size_t, c_size_t)
"""wasmtime_func_unchecked_callback_t: (env, caller, args_and_results, count) -> trap."""

_P = c_size_t

_QUICK: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "wasm_config_new": (_P, ()),
    "wasm_engine_new_with_config": (_P, (_P,)),
    "wasm_engine_delete": (None, (_P,)),
    "wasm_byte_vec_delete": (None, (_P,)),
    "wasm_valtype_new": (_P, (c_uint8,)),
    "wasm_valtype_kind": (c_uint8, (_P,)),
    "wasm_valtype_vec_new": (None, (_P, c_size_t, _P)),
    "wasm_functype_new": (_P, (_P, _P)),
    "wasm_functype_delete": (None, (_P,)),
    "wasm_trap_message": (None, (_P, _P)),
    "wasm_trap_delete": (None, (_P,)),
    "wasmtime_config_wasm_threads_set": (None, (_P, c_bool)),
    "wasmtime_config_shared_memory_set": (None, (_P, c_bool)),
    "wasmtime_config_wasm_exceptions_set": (None, (_P, c_bool)),
    "wasmtime_config_wasm_branch_hinting_set": (None, (_P, c_bool)),
    "wasmtime_config_parallel_compilation_set": (None, (_P, c_bool)),
    "wasmtime_config_memory_init_cow_set": (None, (_P, c_bool)),
    "wasmtime_config_native_unwind_info_set": (None, (_P, c_bool)),
    "wasmtime_config_max_wasm_stack_set": (None, (_P, c_size_t)),
    "wasmtime_config_async_stack_size_set": (None, (_P, c_size_t)),
    "wasmtime_error_message": (None, (_P, _P)),
    "wasmtime_error_delete": (None, (_P,)),
    "wasmtime_trap_new": (_P, (c_char_p, c_size_t)),
    "wasmtime_trap_code": (c_bool, (_P, _P)),
    "wasmtime_linker_new": (_P, (_P,)),
    "wasmtime_linker_clone": (_P, (_P,)),
    "wasmtime_linker_delete": (None, (_P,)),
    "wasmtime_linker_define": (_P, (_P, _P, c_char_p, c_size_t, c_char_p, c_size_t, _P)),
    "wasmtime_linker_define_func_unchecked": (
        _P,
        (_P, c_char_p, c_size_t, c_char_p, c_size_t, _P, CALLBACK, _P, _P),
    ),
    "wasmtime_linker_instantiate_pre": (_P, (_P, _P, _P)),
    "wasmtime_instance_pre_delete": (None, (_P,)),
    "wasmtime_instance_export_get": (c_bool, (_P, _P, c_char_p, c_size_t, _P)),
    "wasmtime_store_new": (_P, (_P, _P, _P)),
    "wasmtime_store_context": (_P, (_P,)),
    "wasmtime_store_limiter": (None, (_P, c_int64, c_int64, c_int64, c_int64, c_int64)),
    "wasmtime_global_get": (None, (_P, _P, _P)),
    "wasmtime_global_set": (_P, (_P, _P, _P)),
    "wasmtime_memory_data": (_P, (_P, _P)),
    "wasmtime_memory_data_size": (c_size_t, (_P, _P)),
    "wasmtime_memorytype_new": (_P, (c_uint64, c_bool, c_uint64, c_bool, c_bool, c_uint8, _P)),
    "wasm_memorytype_delete": (None, (_P,)),
    "wasmtime_sharedmemory_data": (_P, (_P,)),
    "wasmtime_sharedmemory_data_size": (c_size_t, (_P,)),
    "wasmtime_sharedmemory_delete": (None, (_P,)),
}

_SLOW: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "wasmtime_module_new": (_P, (_P, c_char_p, c_size_t, _P)),
    "wasmtime_module_validate": (_P, (_P, c_char_p, c_size_t)),
    "wasmtime_module_serialize": (_P, (_P, _P)),
    "wasmtime_module_deserialize": (_P, (_P, c_char_p, c_size_t, _P)),
    "wasmtime_module_delete": (None, (_P,)),
    "wasmtime_instance_pre_instantiate": (_P, (_P, _P, _P, _P)),
    "wasmtime_func_call_unchecked": (_P, (_P, _P, _P, c_size_t, _P)),
    "wasmtime_memory_grow": (_P, (_P, _P, c_uint64, _P)),
    "wasmtime_sharedmemory_new": (_P, (_P, _P, _P)),
    "wasmtime_sharedmemory_grow": (_P, (_P, c_uint64, _P)),
    "wasmtime_store_delete": (None, (_P,)),
    "wasmtime_wat2wasm": (_P, (c_char_p, c_size_t, _P)),
}


class WasmtimeError(Exception):
    """wasmtime refused something; the text is its own."""


class ByteVector(ctypes.Structure):
    """wasm_byte_vec_t, owned by whoever asked for it."""

    _fields_ = (("size", c_size_t), ("data", _P))


class Library:
    """The opened shared library: one attribute per function of the tables above."""

    def __init__(self, path: str) -> None:
        self.path = path
        for loader, table in ((ctypes.PyDLL, _QUICK), (ctypes.CDLL, _SLOW)):
            library = loader(path)
            for name, (result, arguments) in table.items():
                function = getattr(library, name)
                function.restype, function.argtypes = result, arguments
                setattr(self, name, function)
        libc = ctypes.CDLL(None)
        self.memcmp = _declared(libc.memcmp, ctypes.c_int, _P, _P, c_size_t)
        self.memmove = _declared(libc.memmove, _P, _P, _P, c_size_t)
        self.mprotect = _declared(libc.mprotect, ctypes.c_int, _P, c_size_t, ctypes.c_int)
        self._first = CALLBACK(lambda *words: 0)  # libffi reads /proc for the first: before the seal

    def __getattr__(self, name: str) -> Any:  # for the type checker; every real one is set above
        raise AttributeError(name)

    def take(self, vector: ByteVector) -> bytes:
        """Copy a byte vector out and free it."""
        data = ctypes.string_at(vector.data, vector.size) if vector.size else b""
        self.wasm_byte_vec_delete(ctypes.addressof(vector))
        return data

    def check(self, error: int) -> None:
        """Raise WasmtimeError when a call returned an error."""
        if error:
            vector = ByteVector()
            self.wasmtime_error_message(error, ctypes.addressof(vector))
            self.wasmtime_error_delete(error)
            raise WasmtimeError(self.take(vector).decode(errors="replace"))

    def trap_text(self, trap: int) -> str:
        """The message of a trap, without its backtrace."""
        vector = ByteVector()
        self.wasm_trap_message(trap, ctypes.addressof(vector))
        return self.take(vector).rstrip(b"\0").decode(errors="replace")

    def trap_code(self, trap: int) -> int | None:
        """The code of a trap that guest code made; None for one the host made."""
        code = c_uint32()
        return code.value if self.wasmtime_trap_code(trap, ctypes.addressof(code)) else None


def words(count: int) -> Any:
    """Zeroed room for a structure of `count` 64-bit words."""
    return (c_uint64 * count)()


def _declared(function: Any, result: Any, *arguments: Any) -> Any:
    function.restype, function.argtypes = result, arguments
    return function
