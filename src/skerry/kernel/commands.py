# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Commands: everything the kernel wants done outside.

The mirror of events.py. `Kernel.step` and `Kernel.take` return them in order; the engine
carries them out and may hand back an event.
Units: times are nanoseconds of the monotonic clock.
"""
from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class SpawnKind(Enum):
    """What a new task starts from."""

    EXEC = "exec"  # a fresh image: module, argv, env
    FORK = "fork"  # a copy of the parent's memory, resumed at its fork call with 0
    THREAD = "thread"  # a new stack on the parent's shared memory


@dataclass(frozen=True, slots=True)
class Image:
    """A program about to start: the engine's module handle and the initial stack's contents."""

    module: object
    argv: tuple[bytes, ...]
    env: tuple[bytes, ...]
    auxv: tuple[tuple[int, int | bytes], ...]  # bytes are placed in memory, the pointer is stored
    name: bytes


@dataclass(frozen=True, slots=True)
class Resume:
    """Return `value` from the parked call of task `tid`."""

    tid: int
    value: int


@dataclass(frozen=True, slots=True)
class Exec:
    """Replace the image of task `tid`; its parked execve never returns."""

    tid: int
    image: Image


@dataclass(frozen=True, slots=True)
class Stop:
    """Task `tid` is dead: unwind its image and end its thread."""

    tid: int


@dataclass(frozen=True, slots=True)
class Spawn:
    """Make an engine thread for task `tid`; `parent` is the task it derives from."""

    tid: int
    parent: int
    kind: SpawnKind
    image: Image | None = None
    stack: int = 0  # address of {fn, arg}, for THREAD


@dataclass(frozen=True, slots=True)
class Poke:
    """Task `tid` runs inside its image and has a signal to look at."""

    tid: int


@dataclass(frozen=True, slots=True)
class Load:
    """Compile this wasm file; answer with `Loaded`."""

    request: int
    name: bytes
    untrusted_code: bytes


@dataclass(frozen=True, slots=True)
class Ask:
    """A question for the monitor (host files, connections); answer with `Answer`."""

    request: int
    payload: object


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Send `Timer` at `deadline_ns`; replaces the timer before it, None cancels it."""

    deadline_ns: int | None


@dataclass(frozen=True, slots=True)
class ConsoleOutput:
    """Bytes for the person's terminal."""

    data: bytes


@dataclass(frozen=True, slots=True)
class StreamOutput:
    """Bytes out of stream `stream`; empty means the guest closed it."""

    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class StreamTaken:
    """The guest consumed `size` bytes of input of stream `stream`: send more."""

    stream: int
    size: int


@dataclass(frozen=True, slots=True)
class Exited:
    """A process that `Start` made is gone; `status` as wait4(2) encodes it."""

    tag: int
    pid: int
    status: int
    user_ns: int


@dataclass(frozen=True, slots=True)
class Started:
    """A process that `Start` made runs now; or did not start: `errno` and `reason`."""

    tag: int
    pid: int
    errno: int
    reason: str


@dataclass(frozen=True, slots=True)
class Log:
    """A line for the person who owns the box: a crash, a refused import."""

    text: str


Command = (
    Resume | Exec | Stop | Spawn | Poke | Load | Ask | SetTimer | ConsoleOutput | StreamOutput
    | StreamTaken | Exited | Started | Log
)  # fmt: skip
