# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""WASI: arguments, environment, clocks, random numbers, exit and signals; what the table holds."""
from __future__ import annotations

import pytest
from tests.unit.kernel.harness import MILLISECOND, PARKED
from tests.unit.kernel.wasi_program import HERE_FD, ROOT_FD, E, WasiProgram

from skerry.abi import wasi as w
from skerry.abi.errno import ERESTARTSYS, Errno
from skerry.abi.signal import Signo
from skerry.kernel.wasi import CALLS


@pytest.fixture
def program() -> WasiProgram:
    return WasiProgram()


def strings_of(program: WasiProgram, sizes: str, strings: str) -> list[bytes]:
    """What args_* or environ_* tell."""
    program.done(sizes, program.out, program.out + 4)
    count, size = program.told, program.task.mem.u32(program.out + 4)
    pointers, buf = program.room(4 * count), program.room(size)
    program.done(strings, pointers, buf)
    found = program.strings(pointers, count)
    assert sum(len(text) + 1 for text in found) == size
    return found


def environment(program: WasiProgram, *env: bytes) -> list[bytes]:
    """The environment a program is told that was given `env`."""
    program.task.process.env = env
    return strings_of(program, "environ_sizes_get", "environ_get")


# --- the table


def test_all_functions_are_there() -> None:
    assert len(CALLS) == len(w.FUNCTIONS) == 46
    assert {name for _, name in CALLS} == set(w.FUNCTIONS)


def test_the_kernel_knows_them(program: WasiProgram) -> None:
    kernel = program.h.kernel
    assert kernel.call(w.MODULE, "fd_write") is CALLS[w.MODULE, "fd_write"]
    assert kernel.call(w.MODULE, "fd_frobnicate") is None
    assert kernel.call("linux", "fd_write") is None


def test_error_numbers() -> None:
    assert [w.error_of(errno) for errno in (Errno.E2BIG, Errno.EXDEV, Errno.EOPNOTSUPP)] == [1, 75, 58]
    assert w.error_of(w.ENOTCAPABLE) == 76
    assert w.error_of(ERESTARTSYS) == w.error_of(Errno.EINTR) == 27
    assert w.error_of(Errno.ENOMEDIUM) == w.IO
    assert sorted({w.error_of(errno) for errno in Errno}) == list(range(1, 76))


# --- arguments and environment


def test_arguments() -> None:
    program = WasiProgram((b"prog", b"", b"two words", b"\xff"))
    assert strings_of(program, "args_sizes_get", "args_get") == [b"prog", b"", b"two words", b"\xff"]


def test_no_environment(program: WasiProgram) -> None:
    assert environment(program) == []


def test_environment(program: WasiProgram) -> None:
    assert environment(program, b"A=1", b"B=", b"odd") == [b"A=1", b"B=", b"odd"]


def test_pwd_tells_the_working_directory(program: WasiProgram) -> None:
    program.done("path_create_directory", ROOT_FD, b"d")
    program.done("path_symlink", b"d", ROOT_FD, b"l")
    fs = program.task.process.fs
    assert environment(program, b"PWD=/d") == [b"PWD=/"]
    inode = fs.root.lookup(b"d")
    assert inode is not None
    fs.cwd = inode
    assert environment(program, b"A=1") == [b"A=1", b"PWD=/d"]
    assert environment(program, b"PWD=/nowhere", b"A=1") == [b"A=1", b"PWD=/d"]
    assert environment(program, b"PWD=/l") == [b"PWD=/l"]  # by another name, as a shell tells it


def test_a_removed_working_directory_has_no_name(program: WasiProgram) -> None:
    program.done("path_create_directory", ROOT_FD, b"d")
    inode = program.task.process.fs.root.lookup(b"d")
    assert inode is not None
    program.task.process.fs.cwd = inode
    program.done("path_remove_directory", ROOT_FD, b"d")
    assert environment(program, b"A=1") == [b"A=1"]
    assert environment(program, b"PWD=/d") == [b"PWD=/d"]


# --- clocks and random numbers


def test_clocks(program: WasiProgram) -> None:
    clock, task = program.h.clock, program.task
    clock.used_ns[task.thread] = 5 * MILLISECOND
    expected = (clock.realtime_ns(), clock.monotonic_ns(), 5 * MILLISECOND, 5 * MILLISECOND)
    for number, value in enumerate(expected):
        program.done("clock_time_get", number, 1000, program.out)
        assert program.told64 == value
        program.done("clock_res_get", number, program.out)
        assert program.told64 == 1
    for number in (4, -1, 7):
        assert program.call("clock_time_get", number, 0, program.out) == E.EINVAL
        assert program.call("clock_res_get", number, program.out) == E.EINVAL


def test_random(program: WasiProgram) -> None:
    buf = program.room(100_000)
    program.done("random_get", buf, 100_000)
    assert program.get(buf, 100_000) == bytes(i & 0xFF for i in range(100_000))
    program.done("random_get", 0, 0)
    assert program.call("random_get", buf, -1) == E.EFAULT


def test_yield(program: WasiProgram) -> None:
    program.done("sched_yield")


# --- the end


@pytest.mark.parametrize(("status", "told"), [(0, 0), (7, 7), (255, 255), (256, 0), (-1, 255)])
def test_exit(program: WasiProgram, status: int, told: int) -> None:
    assert program.call("proc_exit", status) is PARKED
    assert program.h.stopped(program.task)
    assert program.task.process.status == told << 8


@pytest.mark.parametrize(("number", "signo"), [(6, Signo.SIGABRT), (15, Signo.SIGTERM), (30, Signo.SIGSYS)])
def test_raise(program: WasiProgram, number: int, signo: Signo) -> None:
    assert program.call("proc_raise", number) is PARKED
    assert (program.task.process.status or 0) & 0x7F == signo


def test_raise_what_does_nothing(program: WasiProgram) -> None:
    for number in (0, 16, 17, 22, 27):  # none, CHLD, CONT, URG, WINCH
        program.done("proc_raise", number)
    for number in (31, -1):
        assert program.call("proc_raise", number) == E.EINVAL


def test_raise_stop_waits_for_continue(program: WasiProgram) -> None:
    assert program.call("proc_raise", 18) is PARKED
    assert program.task.process.stopped
    assert program.h.call(program.h.process(), "kill", program.task.process.pid, Signo.SIGCONT) == 0
    assert program.resumed() == 0


def test_ignored_signals_stay_ignored(program: WasiProgram) -> None:
    program.h.handle(program.task, Signo.SIGTERM, handler=1)
    program.done("proc_raise", 15)


def test_execve_forgets_the_state(program: WasiProgram) -> None:
    process = program.task.process
    program.make(b"p", b"\0asm\1\0\0\0")
    found = process.fs.root.lookup(b"p")
    assert found is not None
    found.mode |= 0o111
    program.h.call(program.task, "execve", b"/p", 0, 0)
    assert process.wasi is None
    assert not {ROOT_FD, HERE_FD} & set(process.fds.files)
