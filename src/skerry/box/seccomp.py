# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The filter of system calls a sealed process may still make, as BPF.

Written out here rather than with libseccomp: 60 instructions, no dependency, made in under a
millisecond. What is not named kills the process: guests cannot make host calls at all, so one that
comes is an attack under way or a bug of ours, and neither may go on. Refused with an errno are only
calls that Python or libc make by themselves and survive without (to print a traceback, say).

Standard: seccomp(2); struct seccomp_data; Linux call numbers of x86_64 and of the generic table.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack

EPERM, ENOSYS = 1, 38

KILL_PROCESS = 0x80000000
ALLOW = 0x7FFF0000
ERRNO = 0x00050000

_LOAD, _EQUAL, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
_NR, _ARCH, _ARGS = 0, 4, 16

CLONE_THREAD_FLAGS = 0x003D0F00
"""What pthread_create passes: VM FS FILES SIGHAND THREAD SYSVSEM SETTLS PARENT_SETTID CHILD_CLEARTID."""

MAP_ANONYMOUS = 0x20


Instruction = tuple[int, int, int, int]
"""code, jump if true, jump if false, operand"""


@dataclass(frozen=True, slots=True)
class Arg:
    """Argument `index` must be `value`, in the bits of `mask`; the upper half must be 0."""

    index: int
    value: int
    mask: int = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Rule:
    """A call that may be made when all conditions hold."""

    name: str
    when: tuple[Arg, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """A processor architecture: its audit number and its call numbers."""

    audit: int
    numbers: dict[str, int]


_X86_64 = """
    read 0, write 1, open 2, close 3, stat 4, fstat 5, lstat 6, lseek 8, mmap 9, mprotect 10, munmap 11,
    brk 12, rt_sigaction 13, rt_sigprocmask 14, rt_sigreturn 15, ioctl 16, access 21, sched_yield 24,
    mremap 25, madvise 28, nanosleep 35, getpid 39, clone 56, exit 60, uname 63, fcntl 72, getcwd 79,
    readlink 89, sysinfo 99, getuid 102, getppid 110, sigaltstack 131, prctl 157, gettid 186, futex 202,
    sched_getaffinity 204, clock_gettime 228, clock_getres 229, clock_nanosleep 230, exit_group 231,
    tgkill 234, openat 257, newfstatat 262, readlinkat 267, set_robust_list 273, prlimit64 302,
    getrandom 318, membarrier 324, statx 332, rseq 334, clone3 435, faccessat2 439, getdents64 217, dup 32,
    pipe2 293, statfs 137
"""
_GENERIC = """
    read 63, write 64, openat 56, close 57, newfstatat 79, fstat 80, lseek 62, mmap 222, mprotect 226,
    munmap 215, brk 214, rt_sigaction 134, rt_sigprocmask 135, rt_sigreturn 139, ioctl 29, sched_yield 124,
    mremap 216, madvise 233, nanosleep 101, getpid 172, clone 220, exit 93, uname 160, fcntl 25, getcwd 17,
    sysinfo 179, getuid 174, getppid 173, sigaltstack 132, prctl 167, gettid 178, futex 98,
    sched_getaffinity 123, clock_gettime 113, clock_getres 114, clock_nanosleep 115, exit_group 94,
    tgkill 131, readlinkat 78, set_robust_list 99, prlimit64 261, getrandom 278, membarrier 283, statx 291,
    rseq 293, clone3 435, faccessat2 439, getdents64 61, dup 23, pipe2 59, statfs 43
"""


def _numbers(text: str) -> dict[str, int]:
    """Read "name number, name number, ..."."""
    pairs = (entry.split() for entry in text.split(","))
    return {name: int(number) for name, number in pairs}


MACHINES = {"x86_64": Machine(0xC000003E, _numbers(_X86_64)), "aarch64": Machine(0xC00000B7, _numbers(_GENERIC))}

REFUSED = (
    "open", "openat", "stat", "fstat", "lstat", "newfstatat", "statx", "lseek", "ioctl", "access",
    "faccessat2", "fcntl", "getcwd", "readlink", "readlinkat", "getdents64", "uname", "sysinfo", "getuid",
    "getppid", "prctl", "prlimit64", "close", "dup", "pipe2", "statfs",
)  # fmt: skip
"""Answered with EPERM: made by Python or libc on their own, of no use here."""


def rules(descriptor: int, pid: int) -> tuple[Rule, ...]:
    """What a worker needs once everything is loaded: memory, threads, time, and its one descriptor."""
    plain = (
        "futex", "munmap", "brk", "mremap", "madvise", "mprotect", "rt_sigaction", "rt_sigprocmask",
        "rt_sigreturn", "sigaltstack", "sched_yield", "nanosleep", "clock_nanosleep", "clock_gettime",
        "clock_getres", "getpid", "gettid", "exit", "exit_group", "set_robust_list", "rseq", "getrandom",
        "membarrier", "sched_getaffinity",
    )  # fmt: skip
    return (
        Rule("read", (Arg(0, descriptor),)),
        Rule("write", (Arg(0, descriptor),)),
        Rule("mmap", (Arg(3, MAP_ANONYMOUS, MAP_ANONYMOUS),)),
        Rule("clone", (Arg(0, CLONE_THREAD_FLAGS),)),
        Rule("tgkill", (Arg(0, pid),)),
        *(Rule(name) for name in plain),
    )


def program(machine: Machine, allowed: tuple[Rule, ...]) -> bytes:
    """The filter, as an array of struct sock_filter."""
    code = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, KILL_PROCESS),
        (_LOAD, 0, 0, _NR),
    ]
    for rule in allowed:
        code += _block(machine.numbers[rule.name], _checks(rule.when), ALLOW)
    code += _block(machine.numbers["clone3"], [], ERRNO | ENOSYS)  # libc then uses clone: that is checked
    for name in REFUSED:
        if name in machine.numbers:
            code += _block(machine.numbers[name], [], ERRNO | EPERM)
    code.append((_RETURN, 0, 0, KILL_PROCESS))
    return b"".join(pack("<HBBI", *instruction) for instruction in code)


def _block(number: int, checks: list[Instruction], action: int) -> list[Instruction]:
    """If the call is `number` and the checks pass: `action`; when a check fails: kill."""
    body = [*checks, (_RETURN, 0, 0, action)]
    return [(_EQUAL, 0, len(body), number), *body]


def _checks(conditions: tuple[Arg, ...]) -> list[Instruction]:
    code: list[Instruction] = []
    for one in conditions:
        low = _ARGS + 8 * one.index
        code += [(_LOAD, 0, 0, low + 4), (_EQUAL, 1, 0, 0), (_RETURN, 0, 0, KILL_PROCESS), (_LOAD, 0, 0, low)]
        if one.mask != 0xFFFFFFFF:
            code.append((_AND, 0, 0, one.mask))
        code += [(_EQUAL, 1, 0, one.value), (_RETURN, 0, 0, KILL_PROCESS)]
    return code
