# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The wasmtime engine under a kernel of a dozen calls: running, dying, forking, sharing, refusing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.unit.box.stub_kernel import StubKernel, StubTask
from tests.unit.box.wasm import assemble, library

from skerry.box.engines.engine import Refused
from skerry.box.engines.host import Host
from skerry.box.engines.wasmfile import read
from skerry.box.engines.wasmtime.compiler import NATIVE_STACK, compile_wasm, make_engine
from skerry.box.engines.wasmtime.machine import Machine
from skerry.kernel import commands as c

LINUX = """(import "linux" "write" (func $write (param i32 i32 i32) (result i32)))
 (import "linux" "exit_group" (func $exit_group (param i32) (result i32)))
 (import "linux" "exit" (func $exit (param i32) (result i32)))
 (import "linux" "getpid" (func $getpid (result i32)))
 (import "linux" "sched_yield" (func $park (result i32)))
 (import "linux" "fork" (func $fork (param i32) (result i32)))
 (import "linux" "clone" (func $clone (param i32 i32 i32 i32 i32) (result i32)))
 (import "skerry" "start" (func $begin (param i32 i32)))
 (import "skerry" "sigfetch" (func $fetch (param i32) (result i32)))
"""
GLOBALS = """(global $sp (export "__stack_pointer") (mut i32) (i32.const 65536))
 (global (export "__skerry_poll") i32 (i32.const 1024))
 (func (export "__skerry_deliver") (loop (br_if 0
   (if (result i32) (i32.gt_s (call $fetch (i32.const 2048)) (i32.const 0))
   (then (i32.store8 (i32.const 3000) (i32.const 72)) (drop (call $write (i32.const 1) (i32.const 3000) (i32.const 1)))
   (i32.const 1)) (else (i32.const 0))))))
"""
MEMORY = '(memory (export "memory") 2)'
SAY = "(drop (call $write (i32.const 1) (i32.const {0}) (i32.const {1})))"


def program(body: str, memory: str = MEMORY, more: str = "") -> str:
    return f'(module {LINUX} {memory} {GLOBALS} {more} (func (export "_start") {body}))'


class Outside:
    """Keeps what leaves the engine."""

    def __init__(self) -> None:
        self.commands: list[c.Command] = []
        self.crash: BaseException | None = None

    def command(self, command: c.Command) -> None:
        self.commands.append(command)

    def crashed(self, error: BaseException) -> None:
        self.crash = error


class Rig:
    """Engine, host and stub kernel."""

    def __init__(self, budget: int = 1 << 32) -> None:
        self.compiler = make_engine(library(), compiling=True)
        self.machine = Machine(library(), self.compile, budget)
        self.kernel = StubKernel()
        self.outside = Outside()
        self.host = Host(self.machine, self.outside, NATIVE_STACK)
        kernel: Any = self.kernel
        self.host.attach(kernel)
        self.machine.attach(self.host)
        self.fresh: list[bool] = []

    def compile(self, name: bytes, wasm: bytes, fresh: bool, done: Callable[[bytes | None, str], None]) -> None:
        self.fresh.append(fresh)
        code = compile_wasm(library(), self.compiler, wasm) if fresh or name != b"stale" else b"rubbish"
        self.host.pool.run(lambda: done(code, ""))

    def program(self, text: str) -> object:
        wasm = assemble(text)
        self.machine.check(read(wasm))
        return self.machine.program(wasm, compile_wasm(library(), self.compiler, wasm))

    def start(self, text: str) -> StubTask:
        module = self.program(text)
        with self.host.lock:
            task = self.kernel.spawn(module)
            self.host.dispatch(self.kernel.take())
        self.host.ring()
        return task

    def run(self, text: str) -> StubTask:
        task = self.start(text)
        self.wait()
        return task

    def wait(self, done: Callable[[], bool] | None = None) -> None:
        """Until no carrier is left, or `done`; a crash of ours fails the test."""
        end = time.monotonic() + 20
        while not (done() if done is not None else self.host.idle()):
            assert time.monotonic() < end, "the guest does not come to an end"
            time.sleep(0.001)
        if self.outside.crash is not None:
            raise self.outside.crash

    def act(self, function: Callable[[], None]) -> None:
        """Do something inside the kernel."""
        with self.host.lock:
            function()
            self.host.dispatch(self.kernel.take())
        self.host.ring()


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    for task in list(made.kernel.tasks.values()):
        made.act(lambda task=task: made.kernel.end(task, 9))  # type: ignore[misc]
    made.wait()


def test_a_program_writes_and_exits(rig: Rig) -> None:
    body = f"{SAY.format(1100, 2)} (drop (call $exit_group (i32.const 3)))"
    task = rig.run(program(body, more='(data (i32.const 1100) "hi")'))
    assert rig.kernel.output == b"hi"
    assert task.process.status == 3 << 8


def test_returning_from_start_is_an_exit(rig: Rig) -> None:
    task = rig.run(program("(nop)"))
    assert rig.kernel.returned == [task.tid] and task.process.status == 0


@pytest.mark.parametrize(
    ("body", "signo", "reason"),
    [
        ("(unreachable)", 4, "unreachable"),
        ("(drop (i32.load (i32.const 0x7fffff00)))", 11, "outside memory"),
        ("(drop (i32.div_s (i32.const 1) (i32.load (i32.const 0))))", 8, "division by zero"),
        ("(drop (i32.div_s (i32.const 0x80000000) (i32.sub (i32.load (i32.const 0)) (i32.const 1))))", 8, "overflow"),
        ("(call $deep (i64.const 1))", 11, "stack"),
        ("(throw $oops)", 6, ""),
        ("(drop (i32.atomic.load (i32.const 2)))", 7, "unaligned"),
        ("(drop (i32.trunc_f64_s (f64.const nan)))", 8, "float"),
        ("(call_indirect (i32.const 0))", 11, "null"),
        ("(call_indirect (i32.const 99))", 11, "table"),
        ("(call_indirect (param i64) (i64.const 0) (i32.const 1))", 4, "another type"),
    ],
)
def test_traps_are_signals(rig: Rig, body: str, signo: int, reason: str) -> None:
    more = """(tag $oops) (table 2 funcref) (elem (i32.const 1) $nothing) (func $nothing)
      (func $deep (param i64) (call $deep (i64.add (local.get 0) (i64.const 1)))
        (i64.store (i32.const 0) (local.get 0)))"""
    task = rig.run(program(body, more=more))
    assert [trap.signo for trap in rig.kernel.traps] == [signo], rig.kernel.traps
    assert reason in rig.kernel.traps[0].reason and "\n" not in rig.kernel.traps[0].reason
    assert task.process.status == signo


def test_the_engine_lives_on_after_a_trap(rig: Rig) -> None:
    for _ in range(20):
        rig.run(program("(drop (i32.load (i32.const 0x7fffff00)))"))
    assert len(rig.kernel.traps) == 20
    assert rig.run(program("(drop (call $exit_group (i32.const 1)))")).process.status == 256


def test_a_parked_call_returns_what_the_kernel_says(rig: Rig) -> None:
    task = rig.start(program("(drop (call $exit_group (call $park)))"))
    rig.wait(lambda: bool(rig.kernel.parked))
    rig.act(lambda: rig.kernel.commands.append(c.Resume(task.tid, 42)))
    rig.wait()
    assert task.process.status == 42 << 8


def test_a_parked_task_can_be_stopped(rig: Rig) -> None:
    task = rig.start(program("(drop (call $park))"))
    rig.wait(lambda: bool(rig.kernel.parked))
    rig.act(lambda: rig.kernel.end(task, 9))
    rig.wait()
    assert not rig.kernel.traps


SPIN = "(call $begin (i32.const 4096) (i32.const 3500)) {} (loop (br 0))"


@pytest.mark.parametrize("loop", [
    "(loop (br 0))",
    "(loop (br_if 0 (i32.const 1)))",
    "(loop (i32.store (i32.const 4000) (i32.const 1)) (br 0))",
    "(drop (call $fib (i32.const 99)))",
])  # fmt: skip
def test_busy_loops_die(rig: Rig, loop: str) -> None:
    fib = """(func $fib (param i32) (result i32) (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
      (then (i32.const 1)) (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
      (call $fib (i32.sub (local.get 0) (i32.const 2)))))))"""
    task = rig.start(program(SAY.format(0, 1) + loop, more=fib))
    rig.wait(lambda: bool(rig.kernel.output))
    rig.act(lambda: rig.kernel.end(task, 9))
    rig.wait()
    assert not rig.kernel.traps


def test_a_busy_loop_runs_its_handler_and_goes_on(rig: Rig) -> None:
    task = rig.start(program(SPIN.format(SAY.format(0, 1))))
    rig.wait(lambda: bool(rig.kernel.output))
    for expected in (b"\0H", b"\0HH"):
        task.handler = 10
        rig.act(lambda: rig.kernel.commands.append(c.Poke(task.tid)))
        rig.wait(lambda expected=expected: rig.kernel.output == expected)  # type: ignore[misc]
    assert not rig.host.idle()


def test_a_guest_that_hides_from_kill_is_killed(rig: Rig) -> None:
    """Its deliver does nothing, and it clears the polled bytes all the time."""
    text = f"""(module {LINUX} {MEMORY} (global $sp (export "__stack_pointer") (mut i32) (i32.const 65536))
      (global (export "__skerry_poll") i32 (i32.const 1024)) (func (export "__skerry_deliver"))
      (func (export "_start") {SAY.format(0, 1)}
      (loop (i64.store (i32.const 1024) (i64.const 0)) (i64.store (i32.const 1032) (i64.const 0)) (br 0))))"""
    task = rig.start(text)
    rig.wait(lambda: bool(rig.kernel.output))
    rig.act(lambda: rig.kernel.end(task, 9))
    rig.wait()


def test_a_foreign_program_without_libc_is_killed(rig: Rig) -> None:
    task = rig.start(f"""(module {LINUX} {MEMORY} (func (export "_start") {SAY.format(0, 1)} (loop (br 0))))""")
    rig.wait(lambda: bool(rig.kernel.output))
    rig.act(lambda: rig.kernel.end(task, 9))
    rig.wait()


FORK = """(func (export "asyncify_start_unwind") (param i32) (global.set $state (i32.const 1)))
 (func (export "asyncify_stop_unwind") (global.set $state (i32.const 0)))
 (func (export "asyncify_start_rewind") (param i32) (global.set $state (i32.const 2)))
 (func (export "asyncify_stop_rewind") (global.set $state (i32.const 0)))
 (global $state (mut i32) (i32.const 0)) (global $kept (export "kept") (mut i64) (i64.const 5))
"""
FORKING = """(local i32)
 (if (i32.ne (global.get $state) (i32.const 2)) (then
   (i32.store8 (i32.const 200000) (i32.const 65)) (drop (memory.grow (i32.const 3)))
   (i32.store8 (i32.const 300000) (i32.const 66)) (global.set $kept (i64.const 67))
   (i32.store8 (i32.const 1100) (i32.const 0))))
 (local.set 0 (call $fork (i32.const 512)))
 (if (i32.eq (global.get $state) (i32.const 1)) (then (return)))
 (if (local.get 0) (then (drop (call $exit_group (i32.const 9)))))
 (i32.store8 (i32.const 5000) (i32.load8_u (i32.const 200000)))
 (i32.store8 (i32.const 5001) (i32.load8_u (i32.const 300000)))
 (i64.store8 (i32.const 5002) (global.get $kept))
 (i32.store8 (i32.const 5003) (i32.add (i32.const 48) (i32.load8_u (i32.const 1100))))
 (drop (call $write (i32.const 1) (i32.const 5000) (i32.const 4))) (drop (call $exit_group (i32.const 1)))
"""


def test_fork_copies_memory_and_variables(rig: Rig) -> None:
    memory = '(memory (export "memory") 4) (data (i32.const 1100) "\\07")'
    task = rig.run(program(FORKING, memory=memory, more=FORK))
    assert rig.kernel.output == b"ABC0", "a zero the parent wrote over its data is a zero in the child"
    assert task.process.status == 9 << 8


def test_fork_without_asyncify_is_enosys(rig: Rig) -> None:
    task = rig.run(program("(drop (call $exit_group (i32.sub (i32.const 0) (call $fork (i32.const 0)))))"))
    assert task.process.status == 38 << 8


def test_fork_with_no_memory_left_is_enomem() -> None:
    rig = Rig(budget=10 * 65_536)
    memory = '(memory (export "memory") 6)'
    body = FORKING.replace("(i32.const 9)", "(i32.sub (i32.const 0) (local.get 0))")
    task = rig.run(program(body, memory=memory, more=FORK))
    assert task.process.status is not None and task.process.status >> 8 == 12


THREADS = """(func (export "__skerry_thread_start") (param i32)
   (drop (i32.atomic.rmw.add (i32.const 5000) (global.get $sp)))
   (drop (memory.atomic.notify (i32.const 5000) (i32.const 1)))
   (drop (call $exit (i32.const 0))))"""


def test_threads_share_memory(rig: Rig) -> None:
    body = f"""(drop (call $clone (i32.const 0) (i32.const 7168) (i32.const 0) (i32.const 0) (i32.const 0)))
      (drop (call $clone (i32.const 0) (i32.const 1024) (i32.const 0) (i32.const 0) (i32.const 0)))
      (loop (br_if 0 (i32.ne (i32.atomic.load (i32.const 5000)) (i32.const 8192))))
      (i32.store8 (i32.const 4000) (i32.const 33)) {SAY.format(4000, 1)} (drop (call $exit_group (i32.const 0)))"""
    memory = '(import "env" "memory" (memory 2 100 shared)) (export "memory" (memory 0))'
    text = program(body, memory="", more=THREADS).replace("(module", f"(module {memory}", 1)
    task = rig.run(text)
    assert rig.kernel.output == b"!"
    assert task.process.shared_memory


def test_all_threads_die_together(rig: Rig) -> None:
    body = """(drop (call $clone (i32.const 0) (i32.const 7168) (i32.const 0) (i32.const 0) (i32.const 0)))
      (i32.atomic.store (i32.const 6000) (i32.const 1)) (loop (br 0))"""
    start = f'(func (export "__skerry_thread_start") (param i32) {SAY.format(0, 1)} (loop (br 0)))'
    memory = '(import "env" "memory" (memory 2 100 shared)) (export "memory" (memory 0))'
    task = rig.start(program(body, memory="", more=start).replace("(module", f"(module {memory}", 1))
    rig.wait(lambda: bool(rig.kernel.output))
    rig.act(lambda: rig.kernel.end(task, 9))
    rig.wait()


def test_threads_that_hide_from_kill_are_killed(rig: Rig) -> None:
    """Neither answers a poke; one memory, whose page is taken away under both."""
    spin = "(loop (br 0))"
    memory = '(import "env" "memory" (memory 2 100 shared)) (export "memory" (memory 0))'
    text = f"""(module {memory} {LINUX} (global $sp (export "__stack_pointer") (mut i32) (i32.const 65536))
      (global (export "__skerry_poll") i32 (i32.const 1024)) (func (export "__skerry_deliver"))
      (func (export "__skerry_thread_start") (param i32) {SAY.format(0, 1)} {spin})
      (func (export "_start") (drop (call $clone (i32.const 0) (i32.const 7168) (i32.const 0) (i32.const 0)
      (i32.const 0))) {SAY.format(0, 1)} {spin}))"""
    task = rig.start(text)
    rig.wait(lambda: len(rig.kernel.output) == 2)
    rig.act(lambda: rig.kernel.end(task, 9))
    rig.wait()
    assert not rig.machine.spaces


def test_memory_grows_to_the_budget_only() -> None:
    rig = Rig(budget=20 * 65_536)
    body = """(local i32) (loop (br_if 0 (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))))
      (drop (call $exit_group (memory.size)))"""
    assert rig.run(program(body)).process.status == 20 << 8


def test_an_image_that_does_not_fit_dies() -> None:
    rig = Rig(budget=20 * 65_536)
    task = rig.run(program("(nop)", memory='(memory (export "memory") 21)'))
    assert task.process.status == 9 and "memory" in rig.kernel.traps[0].reason


def test_no_more_images_than_memory() -> None:
    rig = Rig(budget=5 * 65_536)
    body = "(drop (call $park))"
    tasks = [rig.start(program(body)) for _ in range(3)]
    rig.wait(lambda: len(rig.kernel.parked) + len(rig.kernel.traps) == 3)
    assert len(rig.kernel.traps) == 1
    for task in tasks:
        rig.act(lambda task=task: rig.kernel.end(task, 9))  # type: ignore[misc]
    rig.wait()
    assert rig.machine.room(5 * 65_536), "what the dead had is free again"


def test_what_the_monitor_starts_has_a_reserve() -> None:
    rig = Rig(budget=65_536)
    module = rig.program(program("(drop (call $exit_group (i32.const 1)))"))

    def spawn() -> None:
        rig.kernel.spawn(module).process.tag = 1

    rig.act(spawn)
    rig.wait()
    assert not rig.kernel.traps


def test_a_start_section_runs_once_and_can_be_killed(rig: Rig) -> None:
    more = f"(func $s {SAY.format(0, 1)} (loop (br 0))) (start $s)"
    task = rig.start(program("(nop)", more=more))
    rig.wait(lambda: bool(rig.kernel.output))
    rig.act(lambda: rig.kernel.end(task, 9))
    rig.wait()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('(module (import "linux" "frobnicate" (func)) (memory (export "memory") 1) (func (export "_start")))',
         "module imports linux.frobnicate, which Skerry does not have"),
        ('(module (import "env" "f" (func)) (memory (export "memory") 1) (func (export "_start")))',
         "module imports env.f, which Skerry does not have"),
        ('(module (import "linux" "write" (func (param i32))) (memory (export "memory") 1) (func (export "_start")))',
         "module imports linux.write with other arguments than Skerry's"),
        ('(module (import "linux" "g" (global i32)) (memory (export "memory") 1) (func (export "_start")))',
         "module imports linux.g, which Skerry does not have"),
        ('(module (func (export "_start")))', "module exports no memory"),
        ('(module (memory 1) (func (export "memory")) (func (export "_start")))', "module exports no memory"),
        ('(module (memory (export "memory") 1))', "module has no function _start"),
        ('(module (memory (export "memory") 1) (func (export "_start") (param i32)))',
         "module's function _start has other arguments than Skerry's"),
        ('(module (memory (export "memory") 1) (func (export "_start") (result i64) (i64.const 0)))',
         "module's function _start has other arguments than Skerry's"),
        ('(module (memory (export "memory") 1) (func (export "_start")) (func (export "asyncify_start_unwind")))',
         "module's function asyncify_start_unwind has other arguments than Skerry's"),
        ('(module (memory (export "memory") 1 2 shared) (func (export "_start")))',
         "module's memory must be its own, or imported and shared"),
        (program("(nop)").replace("i32.const 1024", "i32.const 131000"),
         "module's __skerry_poll lies outside its memory"),
        (program("(nop)").replace("i32.const 1024", "i32.const -8"),
         "module's __skerry_poll lies outside its memory"),
    ],
)  # fmt: skip
def test_programs_that_are_refused(rig: Rig, text: str, why: str) -> None:
    with pytest.raises(Refused) as refused:
        rig.program(text)
    assert str(refused.value) == why


@pytest.mark.parametrize("wasm", [b"", b"\0asm\1\0\0\0", b"\0asm\1\0\0\0\x0a\xff", b"#!/bin/sh\n", bytes(1000)])
def test_what_is_no_program_is_refused_by_load(rig: Rig, wasm: bytes) -> None:
    rig.act(lambda: rig.kernel.commands.append(c.Load(1, b"x", wasm)))
    rig.wait(lambda: bool(rig.kernel.loaded))
    assert rig.kernel.loaded[0].module is None and rig.kernel.loaded[0].error


def test_code_that_does_not_load_is_made_anew(rig: Rig) -> None:
    rig.act(lambda: rig.kernel.commands.append(c.Load(1, b"stale", assemble(program("(nop)")))))
    rig.wait(lambda: bool(rig.kernel.loaded))
    assert rig.kernel.loaded[0].module is not None
    assert rig.fresh == [False, True]


def test_many_at_once(rig: Rig) -> None:
    body = f"(call $begin (i32.const 4096) (i32.const 3500)) {SAY.format(0, 1)} (drop (call $exit_group (i32.const 0)))"
    module = rig.program(program(body))

    def spawn() -> None:
        for _ in range(60):
            rig.kernel.spawn(module)

    rig.act(spawn)
    rig.wait()
    assert len(rig.kernel.output) == 60


def test_a_process_without_a_thread_dies(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(job: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    def spawn() -> None:
        rig.kernel.spawn(module)

    module = rig.program(program("(nop)"))
    monkeypatch.setattr(rig.host.pool, "run", refuse)
    rig.act(spawn)
    rig.wait()
    assert [trap.signo for trap in rig.kernel.traps] == [9]
