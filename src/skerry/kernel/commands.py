# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Commands: everything the kernel wants done outside.

The mirror of events.py. `Kernel.step` and `Kernel.take` return them in order; the engine
carries them out and may hand back an event.
Units: times are nanoseconds of the monotonic clock.
"""
from __future__ import annotations

from enum import Enum

from skerry.abi.record import Record


class SpawnKind(Enum):
    """What a new task starts from."""

    EXEC = "exec"  # a fresh image: module, argv, env
    FORK = "fork"  # a copy of the parent's memory, resumed at its fork call with 0
    THREAD = "thread"  # a new stack on the parent's shared memory


class Image(Record):
    """A program about to start: the engine's module handle and the initial stack's contents."""

    module: object
    argv: tuple[bytes, ...]
    env: tuple[bytes, ...]
    auxv: tuple[tuple[int, int | bytes], ...]  # bytes are placed in memory, the pointer is stored
    name: bytes


class Resume(Record):
    """Return `value` from the parked call of task `tid`."""

    tid: int
    value: int


class Exec(Record):
    """Replace the image of task `tid`; its parked execve never returns."""

    tid: int
    image: Image


class Stop(Record):
    """Task `tid` is dead: unwind its image and end its thread."""

    tid: int


class Spawn(Record):
    """Make an engine thread for task `tid`; `parent` is the task it derives from."""

    tid: int
    parent: int
    kind: SpawnKind
    image: Image | None = None
    stack: int = 0  # address of {fn, arg}, for THREAD


class Poke(Record):
    """Task `tid` runs inside its image and has a signal to look at."""

    tid: int


class Load(Record):
    """Compile this wasm file; answer with `Loaded`."""

    request: int
    name: bytes
    untrusted_code: bytes


class Ask(Record):
    """A question for the monitor (host files, connections); answer with `Answer`."""

    request: int
    payload: object


class SetTimer(Record):
    """Send `Timer` at `deadline_ns`; replaces the timer before it, None cancels it."""

    deadline_ns: int | None


class ConsoleOutput(Record):
    """Bytes for the person's terminal."""

    data: bytes


class StreamOutput(Record):
    """Bytes out of stream `stream`; empty means the guest closed it."""

    stream: int
    data: bytes


class StreamTaken(Record):
    """The guest consumed `size` bytes of input of stream `stream`: send more."""

    stream: int
    size: int


class Listening(Record):
    """A program began to listen at TCP port `port`; only when `network.announce` asks for it."""

    port: int


class Connected(Record):
    """Answer to `Connect`: the stream is open (`errno` 0), or nobody listens."""

    stream: int
    errno: int


class FileReply(Record):
    """Answer to `FileCall`: `data` when `errno` is 0."""

    request: int
    errno: int
    data: bytes


class Exited(Record):
    """A process that `Start` made is gone; `status` as wait4(2) encodes it."""

    tag: int
    pid: int
    status: int
    user_ns: int


class Started(Record):
    """A process that `Start` made runs now; or did not start: `errno` and `reason`."""

    tag: int
    pid: int
    errno: int
    reason: str


class Log(Record):
    """A line for the person who owns the box: a crash, a refused import."""

    text: str


Command = (
    Resume | Exec | Stop | Spawn | Poke | Load | Ask | SetTimer | ConsoleOutput | StreamOutput
    | StreamTaken | Listening | Connected | FileReply | Exited | Started | Log
)  # fmt: skip
