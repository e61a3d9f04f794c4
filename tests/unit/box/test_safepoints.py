# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The rewriting keeps programs valid and their results; every loop has a poll."""

from __future__ import annotations

import pytest
from tests.unit.box.wasm import Bench, bench  # noqa: F401

from skerry.box.engines import safepoints, wasmfile
from skerry.box.engines.wasmfile import WasmError

HEAD = """(import "skerry" "sigfetch" (func $fetch (param i32) (result i32)))
 (memory (export "memory") 1)
 (global $sp (export "__stack_pointer") (mut i32) (i32.const 4096))
 (global (export "__skerry_poll") i32 (i32.const 1024))
 (global $delivered (export "delivered") (mut i32) (i32.const 0))
 (func $deliver (export "__skerry_deliver")
   (global.set $delivered (i32.add (global.get $delivered) (i32.const 1)))
   (loop (br_if 0 (i32.gt_s (call $fetch (i32.const 2048)) (i32.const 0)))))
"""

PROGRAMS = {
    "sum": "(func (export \"f\") (param i32) (result i32) (local i32)"
           " (loop (local.set 1 (i32.add (local.get 1) (local.get 0)))"
           " (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 1))",
    "float": "(func (export \"f\") (param i32) (result i32) (local f64 f32 i64)"
             " (loop (local.set 1 (f64.add (local.get 1) (f64.const 0.5)))"
             " (local.set 2 (f32.add (local.get 2) (f32.const 1))) (local.set 3 (i64.add (local.get 3) (i64.const 3)))"
             " (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))"
             " (i32.add (i32.trunc_f64_s (local.get 1)) (i32.add (i32.trunc_f32_s (local.get 2))"
             " (i32.wrap_i64 (local.get 3)))))",
    "vector": "(func (export \"f\") (param i32) (result i32) (local v128)"
              " (loop (local.set 1 (i32x4.add (local.get 1) (v128.const i32x4 1 2 3 4)))"
              " (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (i32x4.extract_lane 2 (local.get 1)))",
    "nested": "(func (export \"f\") (param i32) (result i32) (local i32 i32)"
              " (loop $a (local.set 1 (i32.const 10))"
              " (loop $b (local.set 2 (i32.add (local.get 2) (i32.const 1)))"
              " (br_if $b (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))"
              " (br_if $a (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 2))",
    "calls": "(func $fib (export \"f\") (param i32) (result i32)"
             " (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))"
             " (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))"
             " (call $fib (i32.sub (local.get 0) (i32.const 2)))))))",
    "tables": "(table funcref (elem $one $two)) (type $t (func (result i32)))"
              " (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))"
              " (func (export \"f\") (param i32) (result i32) (local i32)"
              " (loop (local.set 1 (i32.add (local.get 1)"
              " (call_indirect (type $t) (i32.and (local.get 0) (i32.const 1)))))"
              " (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 1))",
    "switch": "(func (export \"f\") (param i32) (result i32) (local i32)"
              " (loop $top (block $c (block $b (block $a"
              " (br_table $a $b $c (i32.rem_u (local.get 0) (i32.const 3))))"
              " (local.set 1 (i32.add (local.get 1) (i32.const 1))) (br $c))"
              " (local.set 1 (i32.add (local.get 1) (i32.const 10))))"
              " (br_if $top (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 1))",
    "exceptions": "(tag $e (param i32)) (func $thrower (param i32) (throw $e (local.get 0)))"
                  " (func (export \"f\") (param i32) (result i32) (local i32)"
                  " (loop $top (local.set 1 (i32.add (local.get 1)"
                  " (block $caught (result i32) (try_table (catch $e $caught) (call $thrower (local.get 0)))"
                  " (unreachable))))"
                  " (br_if $top (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 1))",
    "bulk": "(data $d \"abcdef\") (func (export \"f\") (param i32) (result i32)"
            " (loop (memory.init $d (i32.const 0) (i32.const 0) (i32.const 6))"
            " (memory.copy (i32.const 8) (i32.const 0) (i32.const 4))"
            " (memory.fill (i32.const 16) (i32.const 7) (i32.const 4))"
            " (drop (i32.atomic.rmw.add (i32.const 24) (i32.const 1))) (atomic.fence)"
            " (drop (select (result i32) (i32.const 1) (i32.const 2) (i32.const 0)))"
            " (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))"
            " (i32.add (i32.load (i32.const 8)) (i32.load (i32.const 24))))",
    "operands": "(func (export \"f\") (param i32) (result i32) (i32.const 5)"
                " (loop (result i32) (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))"
                " (if (param) (then)) (local.get 0)"
                " (br_if 1 (i32.eqz (local.get 0))) (br_if 0 (local.get 0))) (i32.add))",
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("flagged", [False, True], ids=["quiet", "poked"])
def test_results_do_not_change(bench: Bench, name: str, flagged: bool) -> None:  # noqa: F811
    original = bench.wat(f"(module {HEAD} {PROGRAMS[name]})")
    outside = wasmfile.read(original)
    assert safepoints.interruptible(outside) and safepoints.poll_address(outside) == 1024
    polled = safepoints.insert(original, outside)
    expected = bench.instance(original).call("f", 9)
    instance = bench.instance(polled)
    if flagged:
        instance.write(1024, b"\1" * safepoints.POLL_SIZE)
    assert instance.call("f", 9) == expected
    assert (instance.variable("delivered") > 0) == flagged
    assert instance.variable("__stack_pointer") == 4096


def test_each_loop_polls_a_byte_of_its_own(bench: Bench) -> None:  # noqa: F811
    original = bench.wat(f"(module {HEAD} {PROGRAMS['nested']})")
    polled = safepoints.insert(original, wasmfile.read(original))
    instance = bench.instance(polled)
    instance.write(1025, b"\1")  # the second loop's
    instance.call("f", 3)
    assert instance.variable("delivered") == 30


def test_more_loops_than_bytes(bench: Bench) -> None:  # noqa: F811
    loops = "(loop (nop))" * 600
    original = bench.wat(f'(module {HEAD} (func (export "f") (param i32) (result i32) {loops} (i32.const 1)))')
    instance = bench.instance(safepoints.insert(original, wasmfile.read(original)))
    instance.write(1024, b"\1" * 255)
    assert instance.call("f", 1) == 1
    assert instance.variable("delivered") == 600


def test_the_delivering_functions_are_left_alone(bench: Bench) -> None:  # noqa: F811
    original = bench.wat(f"(module {HEAD} {PROGRAMS['sum']})")
    instance = bench.instance(safepoints.insert(original, wasmfile.read(original)))
    instance.write(1024, b"\1" * safepoints.POLL_SIZE)
    instance.call("__skerry_deliver")
    assert instance.variable("delivered") == 1


def test_a_start_section_becomes_an_export(bench: Bench) -> None:  # noqa: F811
    source = f"(module {HEAD} {PROGRAMS['sum']} (func $s (i32.store (i32.const 64) (i32.const 77))) (start $s))"
    original = bench.wat(source)
    outside = wasmfile.read(original)
    assert outside.start is not None
    instance = bench.instance(safepoints.insert(original, outside))
    assert instance.read(64, 4) == bytes(4)
    instance.call(safepoints.BEGIN)
    assert instance.read(64, 1) == b"M"


def test_foreign_programs_get_bare_loads(bench: Bench) -> None:  # noqa: F811
    original = bench.wat(f'(module (memory (export "memory") 1) {PROGRAMS["nested"]})')
    outside = wasmfile.read(original)
    assert not safepoints.interruptible(outside)
    polled = safepoints.insert(original, outside)
    assert len(polled) > len(original)
    assert bench.instance(polled).call("f", 4) == 40


@pytest.mark.parametrize(
    "wasm",
    [
        b"", b"\0asm", b"\0asm\2\0\0\0", b"\0asm\1\0\0\0\x01\x7f",
        b"\0asm\1\0\0\0\x01\x04\x01\x5f\x00\x00", b"\0asm\1\0\0\0\x05\x03\x01\x04\x00",
        b"\0asm\1\0\0\0\x02\x05\x01\x01\xff\x00\x00", b"\0asm\1\0\0\0\x01\x02\xff\xff",
    ],
)  # fmt: skip
def test_broken_files_are_refused(wasm: bytes) -> None:
    with pytest.raises(WasmError):
        safepoints.insert(wasm, wasmfile.read(wasm))


def test_instructions_it_does_not_know(bench: Bench) -> None:  # noqa: F811
    original = bench.wat('(module (memory (export "memory") 1) (func (export "f") (nop)))')
    for unknown in (b"\x06", b"\x27", b"\xfb\x00", b"\xff"):
        body = b"\x00" + unknown + b"\x0b"
        code = b"\x01" + bytes([len(body)]) + body
        at = original.index(b"\x0a", 20)
        broken = original[:at] + b"\x0a" + bytes([len(code)]) + code
        with pytest.raises(WasmError):
            safepoints.insert(broken, wasmfile.read(original))
