# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The filter's program, run by a BPF interpreter of four instructions."""

from __future__ import annotations

from struct import iter_unpack, pack, unpack_from

import pytest

from skerry.box import seccomp as s

X86, ARM = s.MACHINES["x86_64"], s.MACHINES["aarch64"]
PID = 4242
MMAP_ANONYMOUS = (0, 4096, 3, 0x22, -1, 0)


def decide(machine: s.Machine, number: int, *args: int, audit: int | None = None) -> int:
    """What the kernel would do with a call."""
    words = [arg & (1 << 64) - 1 for arg in (*args, 0, 0, 0, 0, 0, 0)][:6]
    data = pack("<iIQ6Q", number, machine.audit if audit is None else audit, 0, *words)
    program = list(iter_unpack("<HBBI", s.program(machine, s.rules(0, PID))))
    at = accumulator = 0
    while True:
        code, yes, no, operand = program[at]
        at += 1
        if code == 0x20:
            accumulator = unpack_from("<I", data, operand)[0]
        elif code == 0x54:
            accumulator &= operand
        elif code == 0x15:
            at += yes if accumulator == operand else no
        elif code == 0x06:
            return int(operand)
        else:
            raise AssertionError(f"instruction {code:#x}")


@pytest.mark.parametrize("machine", [X86, ARM], ids=["x86_64", "aarch64"])
def test_what_a_worker_needs_is_allowed(machine: s.Machine) -> None:
    n = machine.numbers
    assert decide(machine, n["read"], 0) == s.ALLOW
    assert decide(machine, n["write"], 0, 1 << 40) == s.ALLOW
    assert decide(machine, n["mmap"], *MMAP_ANONYMOUS) == s.ALLOW
    assert decide(machine, n["clone"], s.CLONE_THREAD_FLAGS) == s.ALLOW
    assert decide(machine, n["tgkill"], PID, 7, 11) == s.ALLOW
    assert decide(machine, n["futex"]) == s.ALLOW


@pytest.mark.parametrize("machine", [X86, ARM], ids=["x86_64", "aarch64"])
@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("read", (1,)),
        ("write", (1,)),
        ("write", (1 << 32,)),  # only the low half is a descriptor for the kernel, we check both
        ("mmap", (0, 4096, 3, 0x02, 5, 0)),
        ("clone", (17,)),
        ("clone", (s.CLONE_THREAD_FLAGS | 0x10000000,)),
        ("tgkill", (PID + 1, 7, 0)),
    ],
)
def test_allowed_calls_with_other_arguments_kill(machine: s.Machine, name: str, args: tuple[int, ...]) -> None:
    assert decide(machine, machine.numbers[name], *args) == s.KILL_PROCESS


@pytest.mark.parametrize("number", [41, 59, 57, 58, 62, 101, 165, 310, 319, 425, 427, 1000])
def test_everything_else_kills(number: int) -> None:
    assert decide(X86, number) == s.KILL_PROCESS


def test_calls_python_makes_by_itself_fail_softly() -> None:
    assert decide(X86, X86.numbers["openat"]) == s.ERRNO | s.EPERM
    assert decide(X86, X86.numbers["clone3"]) == s.ERRNO | s.ENOSYS


def test_other_tables_of_the_kernel_kill() -> None:
    assert decide(X86, X86.numbers["read"], 0, audit=0x40000003) == s.KILL_PROCESS  # i386
    assert decide(X86, 0x40000000 | X86.numbers["read"], 0) == s.KILL_PROCESS  # x32


def test_no_call_is_both_allowed_and_refused() -> None:
    assert not {rule.name for rule in s.rules(0, 1)} & set(s.REFUSED)
