# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Whatever a WASI program passes, it gets an error number, and nothing is lost or broken."""
from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.kernel.harness import MEMORY_SIZE, PARKED
from tests.unit.kernel.wasi_program import HERE_FD, E, WasiProgram

from skerry.abi import fcntl
from skerry.abi import wasi as w
from skerry.kernel.pipe import Pipe, PipeEnd

BAD = (MEMORY_SIZE - 1, MEMORY_SIZE, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
CALMER = sorted(set(w.FUNCTIONS) - {"proc_exit", "proc_raise"})

words = st.one_of(
    st.integers(-4, 12), st.sampled_from(BAD), st.sampled_from((-100, 4096, 8192, 1 << 16, 1 << 20)),
    st.integers(0, 0xFFFFFFFF),
)  # fmt: skip
longs = st.one_of(words, st.integers(-(1 << 63), (1 << 64) - 1))


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, tuple[int, ...]]:
    name = draw(st.sampled_from(CALMER))
    return name, tuple(draw(words if kind == "i" else longs) for kind in w.FUNCTIONS[name])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(calls(), min_size=1, max_size=12))
def test_any_arguments(made: list[tuple[str, tuple[int, ...]]]) -> None:
    program = WasiProgram()
    program.make(b"f", b"data")
    program.task.mem.write(4096, b"\1\0\0\0" + b"name/../f\0" * 100)
    for name, arguments in made:
        value = program.call(name, *arguments)
        if value is PARKED:  # it waits, as it may: for a poll, an empty pipe
            return
        assert isinstance(value, int) and 0 <= value <= w.NOTCAPABLE


def test_every_pointer_of_every_function() -> None:
    """With each pointer in turn outside memory: EFAULT, or an error that is found earlier."""
    for name, kinds in w.FUNCTIONS.items():
        if name in ("proc_exit", "proc_raise", "sched_yield"):
            continue
        for place in range(len(kinds)):
            for bad in BAD:
                program = WasiProgram()
                arguments = [program.room(64) if kind == "i" else 0 for kind in kinds]
                if name.startswith(("fd_", "path_", "sock_")):
                    arguments[0] = HERE_FD
                arguments[place] = bad
                value = program.call(name, *arguments)
                assert value is PARKED or (isinstance(value, int) and value <= w.NOTCAPABLE), name


def test_a_bad_result_pointer_costs_no_data() -> None:
    program = WasiProgram()
    program.make(b"f")
    pipe = Pipe()
    reader = program.give(PipeEnd(program.task, pipe, fcntl.O_RDONLY))
    writer = program.give(PipeEnd(program.task, pipe, fcntl.O_WRONLY))
    program.write(writer, b"precious")
    buf = program.room(8)
    for bad in BAD:
        assert program.call("fd_read", reader, program.vector((buf, 8)), 1, bad) == E.EFAULT
        assert program.call("fd_read", reader, program.vector((buf, 4), (bad, 4)), 2, program.out) == E.EFAULT
        assert program.call("fd_read", reader, bad, 1, program.out) == E.EFAULT
        assert program.call("fd_write", writer, program.vector((buf, 8)), 1, bad) == E.EFAULT
        assert program.call("fd_write", writer, program.vector((bad, 8)), 1, program.out) == E.EFAULT
        assert program.call("path_open", HERE_FD, 0, b"new", w.OFLAG_CREAT, 0, 0, 0, bad) == E.EFAULT
    assert program.read(reader) == b"precious"
    assert program.call("path_filestat_get", HERE_FD, 0, b"new", program.out) == E.ENOENT


def test_vectors_that_are_too_much() -> None:
    program = WasiProgram()
    fd = program.open(b"f", w.OFLAG_CREAT)
    assert program.call("fd_write", fd, program.vector(), 1025, program.out) == E.EINVAL
    assert program.call("fd_write", fd, program.vector(), -1, program.out) == E.EINVAL
    huge = program.vector((4096, 0x7FFFFFFF), (4096, 0x7FFFFFFF))
    assert program.call("fd_read", fd, huge, 2, program.out) == E.EINVAL


def test_many_subscriptions() -> None:
    program = WasiProgram()
    for count in (1 << 16, (1 << 16) + 1, 1 << 31, 0xFFFFFFFF):
        assert program.call("poll_oneoff", 4096, 4096, count, program.out) in (E.EINVAL, E.EFAULT)
