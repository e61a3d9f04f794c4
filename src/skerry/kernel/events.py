# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Events: everything that can happen to the kernel from outside.

The mirror of commands.py. An engine turns what it sees (a system call, a trap, bytes from
the person) into one of these and hands it to `Kernel.step`.
Units: times are nanoseconds; ids are those of an earlier command.
"""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Start:
    """The monitor asks for a new process, a child of init.

    `stdio` names what descriptors 0, 1 and 2 are: "console", "null", or a stream number of
    the monitor as "stream:N". `session` makes it a session leader with the console.
    `tag` comes back in `Exited`.
    """

    tag: int
    argv: tuple[bytes, ...]
    env: tuple[bytes, ...]
    cwd: bytes
    stdio: tuple[str, str, str]
    session: bool


@dataclass(frozen=True, slots=True)
class Syscall:
    """Task `tid` calls `module.name(args)`; args are signed 32-bit words."""

    tid: int
    module: str
    name: str
    args: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Answer to `Load`: a handle of the engine's, or why the file is no program."""

    request: int
    module: object | None
    error: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer to `Ask`: a data class of abi (hostfs, hostnet), never interpreted here."""

    request: int
    payload: object


@dataclass(frozen=True, slots=True)
class Timer:
    """The deadline of the last `SetTimer` has passed."""


@dataclass(frozen=True, slots=True)
class Trapped:
    """The image of task `tid` did something impossible; `signo` says which signal it earns."""

    tid: int
    signo: int
    reason: str


@dataclass(frozen=True, slots=True)
class Returned:
    """The start function of task `tid` returned: as if it had called exit(status)."""

    tid: int
    status: int


@dataclass(frozen=True, slots=True)
class ConsoleInput:
    """Bytes the person typed; empty means hang-up."""

    untrusted_data: bytes


@dataclass(frozen=True, slots=True)
class ConsoleSize:
    """The person's terminal has a new size in character cells."""

    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class ConsoleReady:
    """The monitor can take `size` more bytes of console output."""

    size: int


@dataclass(frozen=True, slots=True)
class StreamInput:
    """Bytes for the guest end of stream `stream`; empty means end of file."""

    stream: int
    untrusted_data: bytes


@dataclass(frozen=True, slots=True)
class StreamReady:
    """The monitor can take `size` more bytes of stream `stream`; 0: its reader is gone."""

    stream: int
    size: int


@dataclass(frozen=True, slots=True)
class HostSignal:
    """The monitor sends a signal: to process `pid`, or for 0 to the foreground group."""

    pid: int
    signo: int


Event = (
    Start | Syscall | Loaded | Answer | Timer | Trapped | Returned | ConsoleInput | ConsoleSize
    | ConsoleReady | StreamInput | StreamReady | HostSignal
)  # fmt: skip
