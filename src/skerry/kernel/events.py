# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Events: everything that can happen to the kernel from outside.

The mirror of commands.py. An engine turns what it sees (a system call, a trap, bytes from
the person) into one of these and hands it to `Kernel.step`.
Units: times are nanoseconds; ids are those of an earlier command.
"""
from __future__ import annotations

from skerry.abi.record import Record


class Start(Record):
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


class Syscall(Record):
    """Task `tid` calls `module.name(args)`; args are signed 32-bit words."""

    tid: int
    module: str
    name: str
    args: tuple[int, ...]


class Loaded(Record):
    """Answer to `Load`: a handle of the engine's, or why the file is no program."""

    request: int
    module: object | None
    error: str


class Answer(Record):
    """Answer to `Ask`: a data class of abi (hostfs, hostnet), never interpreted here."""

    request: int
    payload: object


class Timer(Record):
    """The deadline of the last `SetTimer` has passed."""


class Trapped(Record):
    """The image of task `tid` did something impossible; `signo` says which signal it earns."""

    tid: int
    signo: int
    reason: str


class Returned(Record):
    """The start function of task `tid` returned: as if it had called exit(status)."""

    tid: int
    status: int


class ConsoleInput(Record):
    """Bytes the person typed; empty means hang-up."""

    untrusted_data: bytes


class ConsoleSize(Record):
    """The person's terminal has a new size in character cells."""

    rows: int
    columns: int


class ConsoleReady(Record):
    """The monitor can take `size` more bytes of console output."""

    size: int


class StreamInput(Record):
    """Bytes for the guest end of stream `stream`; empty means end of file."""

    stream: int
    untrusted_data: bytes


class StreamReady(Record):
    """The monitor can take `size` more bytes of stream `stream`; 0: its reader is gone."""

    stream: int
    size: int


class Connect(Record):
    """The monitor connects to TCP port `port` of the box; answered by `Connected`.

    The bytes of the connection are stream `stream`, in both directions: a number of the monitor's
    that names no other stream.
    """

    stream: int
    port: int


class FileCall(Record):
    """The monitor does something to a file of the box; answered by `FileReply`. See kernel/files.py.

    What `argument`, `offset` and `number` mean depends on `operation`.
    """

    request: int
    operation: str
    path: bytes
    argument: bytes
    offset: int
    number: int


class HostSignal(Record):
    """The monitor sends a signal: to process `pid`, or for 0 to the foreground group."""

    pid: int
    signo: int


Event = (
    Start | Syscall | Loaded | Answer | Timer | Trapped | Returned | ConsoleInput | ConsoleSize
    | ConsoleReady | StreamInput | StreamReady | Connect | FileCall | HostSignal
)  # fmt: skip
