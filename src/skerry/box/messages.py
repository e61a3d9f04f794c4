# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Everything a box and its monitor say to each other, as one table.

Most messages are the kernel's own events and commands, as they are; the classes here are what a
kernel does not know of: the box's start, its seal, and compiled code. `docs/box-interface.md`
explains each; a test compares it with this table.

Units: sizes are bytes; LIMIT is the most bytes a frame's payload may have.
"""

from __future__ import annotations

from skerry.abi import hostfs, hostnet
from skerry.abi.hostfs import Stat
from skerry.abi.record import Record
from skerry.kernel import commands, events

KIB, MIB = 1 << 10, 1 << 20


class Place(Record):
    """A host tree and where the guest sees it; `tree` is its number in `hostfs` requests.

    Tree 0 is the root tree and `guest` is then "/". `top` is a folder, or the one file there is to see.
    """

    tree: int
    guest: bytes
    read_only: bool
    top: Stat


class Boot(Record):
    """The first message to a worker: what the box is."""

    places: tuple[Place, ...]
    memory_bytes: int
    strace: bool


class Sealed(Record):
    """The worker can reach nothing any more; `reason` says why not when `locked` is false."""

    locked: bool
    reason: str


class CodeWanted(Record):
    """Machine code for the program whose SHA-256 this is; the answer is `Code` or `WasmWanted`.

    `fresh`: what the cache has does not load, make it anew.
    """

    request: int
    digest: bytes
    fresh: bool


class WasmWanted(Record):
    """The code is not in the cache: send the program itself."""

    request: int


class Wasm(Record):
    """The program itself."""

    request: int
    name: bytes
    code: bytes


class Code(Record):
    """Machine code of a program, or why there is none."""

    request: int
    code: bytes
    error: str


class Asked(Record):
    """`commands.Ask`, its payload being one of the requests of abi.hostfs and abi.hostnet."""

    request: int
    payload: hostfs.Request | hostnet.Connect | hostnet.Resolve


class Answered(Record):
    """`events.Answer`, its payload being one of the replies of abi.hostfs."""

    request: int
    payload: hostfs.Reply


class Crashed(Record):
    """A bug of ours in the worker: the text is a traceback. The worker ends."""

    text: str


TO_WORKER: dict[int, tuple[type, int]] = {
    1: (Boot, 64 * KIB),
    2: (events.Start, 4 * MIB),
    3: (events.HostSignal, KIB),
    4: (events.ConsoleInput, 64 * KIB),
    5: (events.ConsoleSize, KIB),
    6: (events.ConsoleReady, KIB),
    7: (events.StreamInput, 128 * KIB),
    8: (events.StreamReady, KIB),
    9: (Answered, 2 * MIB),
    10: (WasmWanted, KIB),
    11: (Code, 512 * MIB),
    12: (events.Connect, KIB),
    13: (events.FileCall, 2 * MIB),
}
"""What the monitor sends: number -> (class, LIMIT)."""

TO_MONITOR: dict[int, tuple[type, int]] = {
    64: (Sealed, KIB),
    65: (commands.Started, 4 * KIB),
    66: (commands.Exited, KIB),
    67: (commands.ConsoleOutput, 128 * KIB),
    68: (commands.StreamOutput, 128 * KIB),
    69: (commands.StreamTaken, KIB),
    70: (commands.Log, 64 * KIB),
    71: (Asked, 512 * KIB),
    72: (CodeWanted, KIB),
    73: (Wasm, 256 * MIB),
    74: (Crashed, 256 * KIB),
    75: (commands.Listening, KIB),
    76: (commands.Connected, KIB),
    77: (commands.FileReply, 2 * MIB),
}
"""What the worker sends, every byte of it untrusted."""

PAYLOADS: dict[int, type] = {
    payload.code: payload
    for payload in (
        hostfs.Walk, hostfs.List, hostfs.Readlink, hostfs.Mkdir, hostfs.Symlink, hostfs.Link,
        hostfs.Rename, hostfs.Unlink, hostfs.Rmdir, hostfs.Setattr, hostfs.Statfs, hostfs.Open,
        hostfs.Read, hostfs.Write, hostfs.Fstat, hostfs.Fsync, hostfs.Close,
        hostnet.Connect, hostnet.Resolve,
        hostfs.Failed, hostfs.Done, hostfs.Walked, hostfs.Listing, hostfs.Found, hostfs.Opened,
        hostfs.Data, hostfs.Count, hostfs.Space,
    )
}  # fmt: skip
"""What an `Asked` or `Answered` can carry, by the number each class has."""
