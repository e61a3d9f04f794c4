# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What it costs to make busy loops interruptible: nothing, the engine's epochs, our safepoints.

    python bench/engine_safepoints.py

Prints best processor times in milliseconds and their ratio to the first row.
"""

from __future__ import annotations

import ctypes
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from skerry.box.engines import safepoints, wasmfile
from skerry.box.engines.wasmtime import capi
from skerry.box.engines.wasmtime.capi import ByteVector, Library, words
from skerry.box.launch import engine_library

LOOPS = {
    "sha1": 50, "quicksort": 2_000_000, "fib": 35, "sieve": 30, "bytes": 150, "matrix": 12,
    "interpreter": 40_000_000, "list": 30_000_000, "strlen_": 150,
}  # fmt: skip
ROUNDS = 5
FLAGS = ["-O2", "-fno-builtin", "-matomics", "-mbulk-memory", "-msign-ext", "-mnontrapping-fptoint"]


def build(folder: Path) -> bytes:
    """Compile engine_cpu.c without a libc."""
    zig = [sys.executable, "-m", "ziglang"]
    source = Path(__file__).with_name("engine_cpu.c")
    target = ["--target=wasm32-unknown-unknown", *FLAGS]
    subprocess.run([*zig, "clang", *target, "-c", str(source), "-o", str(folder / "o")], check=True)
    exports = ["--export=__stack_pointer", "--export=__skerry_poll"]
    link = ["--no-entry", *exports, "--no-check-features", str(folder / "o"), "-o", str(folder / "wasm")]
    subprocess.run([*zig, "wasm-ld", *link], check=True)
    return (folder / "wasm").read_bytes()


class Instance:
    """One flavour of the program, instantiated."""

    def __init__(self, library: Library, wasm: bytes, epochs: bool) -> None:
        self.library = library
        native = ctypes.CDLL(library.path)
        config = library.wasm_config_new()
        library.wasmtime_config_wasm_threads_set(config, True)
        library.wasmtime_config_wasm_branch_hinting_set(config, True)
        if epochs:
            native.wasmtime_config_epoch_interruption_set(ctypes.c_size_t(config), ctypes.c_bool(True))
        engine = library.wasm_engine_new_with_config(config)
        module, pre, trap = words(1), words(1), words(1)
        library.check(library.wasmtime_module_new(engine, wasm, len(wasm), ctypes.addressof(module)))
        linker = library.wasmtime_linker_new(engine)
        self._callback = capi.CALLBACK(_no_signal)
        signature = self._signature()
        library.check(
            library.wasmtime_linker_define_func_unchecked(
                linker, b"skerry", 6, b"sigfetch", 8, signature, self._callback, 0, 0
            )
        )
        library.check(library.wasmtime_linker_instantiate_pre(linker, module[0], ctypes.addressof(pre)))
        self.context = library.wasmtime_store_context(library.wasmtime_store_new(engine, 0, 0))
        if epochs:
            native.wasmtime_context_set_epoch_deadline(ctypes.c_size_t(self.context), ctypes.c_uint64(1 << 40))
        self.handle = words(2)
        library.check(
            library.wasmtime_instance_pre_instantiate(
                pre[0], self.context, ctypes.addressof(self.handle), ctypes.addressof(trap)
            )
        )

    def _signature(self) -> int:
        vectors: list[Any] = []
        for _ in range(2):
            one = (ctypes.c_size_t * 1)(self.library.wasm_valtype_new(0))
            vectors.append(ByteVector())
            self.library.wasm_valtype_vec_new(ctypes.addressof(vectors[-1]), 1, ctypes.addressof(one))
        return int(self.library.wasm_functype_new(*(ctypes.addressof(vector) for vector in vectors)))

    def time(self, name: str, argument: int) -> float:
        """Processor seconds of one call."""
        function, raw, trap = words(4), words(2), words(1)
        self.library.wasmtime_instance_export_get(
            self.context, ctypes.addressof(self.handle), name.encode(), len(name), ctypes.addressof(function)
        )
        raw[0] = argument
        begin = time.thread_time()
        self.library.check(
            self.library.wasmtime_func_call_unchecked(
                self.context, ctypes.addressof(function) + 8, ctypes.addressof(raw), 1, ctypes.addressof(trap)
            )
        )
        return time.thread_time() - begin


def _no_signal(env: int, caller: int, address: int, size: int) -> int:
    ctypes.c_int32.from_address(address).value = 0
    return 0


def main() -> None:
    """Measure and print."""
    library = Library(engine_library())
    with tempfile.TemporaryDirectory() as folder:
        wasm = build(Path(folder))
    outside = wasmfile.read(wasm)
    foreign = wasmfile.read(wasm)
    del foreign.exports[safepoints.POLL]
    flavours = {
        "not interruptible": Instance(library, wasm, False),
        "epochs": Instance(library, wasm, True),
        "safepoints": Instance(library, safepoints.insert(wasm, outside), False),
        "bare safepoints": Instance(library, safepoints.insert(wasm, foreign), False),
    }
    best = {flavour: dict.fromkeys(LOOPS, math.inf) for flavour in flavours}
    for _ in range(ROUNDS):
        for flavour, instance in flavours.items():
            for name, argument in LOOPS.items():
                best[flavour][name] = min(best[flavour][name], instance.time(name, argument))
    first = next(iter(best.values()))
    print(f"{'':18}", *(f"{name:>12}" for name in LOOPS), "    mean")
    for flavour, times in best.items():
        print(f"{flavour:18}", *(f"{times[name] * 1e3:12.1f}" for name in LOOPS))
        ratios = [times[name] / first[name] for name in LOOPS]
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        print(f"{'':18}", *(f"{ratio:12.2f}" for ratio in ratios), f"{mean:8.2f}")


if __name__ == "__main__":
    main()
