# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The sealed worker: kernel and guests of one box, in one OS process that can reach nothing.

Started by launch.py as a fresh interpreter with an empty environment. It loads everything, takes
`Boot`, locks itself (seal.py), says `Sealed`, and from then on only exchanges messages with its
monitor over descriptor 0. It ends with the monitor.

Invariant: nothing is imported after the seal: opening a file is refused from then on.
"""

from __future__ import annotations

import _thread
import gc
import os
import sys
import time
from hashlib import sha256
from traceback import format_exception
from typing import Any

from skerry.kernel import commands, events
from skerry.kernel.fs import hostfile  # noqa: F401  # otherwise loaded when first used: too late
from skerry.kernel.kernel import Kernel
from skerry.kernel.strace import Tracer

from . import messages as m
from . import namespace, seal, wire
from .engines.host import Host
from .engines.wasmtime.capi import Library
from .engines.wasmtime.compiler import NATIVE_STACK
from .engines.wasmtime.machine import Machine

DESCRIPTOR = 0
_READ_SIZE = 262_144
DATA_SLACK = 16 << 30
"""Beyond the guests' budget: thread stacks (10 MiB a task), the interpreter, compiled code."""


class Connection:
    """The one descriptor: frames in, frames out."""

    def __init__(self) -> None:
        self._frames = wire.Frames(m.TO_WORKER)
        self._lock = _thread.allocate_lock()
        self._waiting: list[object] = []

    def send(self, message: object) -> None:
        """Write one message; waits while the monitor is slow."""
        data = memoryview(wire.encode(message))
        with self._lock:
            while data:
                try:
                    data = data[os.write(DESCRIPTOR, data) :]
                except OSError:  # the monitor is gone
                    os._exit(0)

    def receive(self) -> object:
        """The next message; ends the process when the monitor is gone."""
        while not self._waiting:
            try:
                data = os.read(DESCRIPTOR, _READ_SIZE)
            except OSError:
                data = b""
            if not data:
                os._exit(0)
            self._waiting = self._frames.feed(data)
        return self._waiting.pop(0)


class MonitorSide:
    """Sends the kernel's commands to the monitor."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def command(self, command: commands.Command) -> None:
        """Pass one command on."""
        if isinstance(command, commands.Ask):
            payload: Any = command.payload
            self._connection.send(m.Asked(command.request, payload))
        else:
            self._connection.send(command)

    def crashed(self, error: BaseException) -> None:
        """A bug of ours ends the box, with the traceback for who mends it."""
        text = "".join(format_exception(error))
        self._connection.send(m.Crashed(text[-100_000:]))
        os._exit(70)  # EX_SOFTWARE


class Codes:
    """Machine code, asked of the monitor."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._open: dict[int, tuple[bytes, bytes, Any]] = {}
        self._last = 0

    def compile(self, name: bytes, untrusted_wasm: bytes, fresh: bool, done: Any) -> None:
        """See `machine.Compile`."""
        self._last += 1
        self._open[self._last] = (name, untrusted_wasm, done)
        self._connection.send(m.CodeWanted(self._last, sha256(untrusted_wasm).digest(), fresh))

    def wanted(self, message: m.WasmWanted) -> None:
        """The monitor has no code for it: send the program."""
        name, wasm, _ = self._open[message.request]
        self._connection.send(m.Wasm(message.request, name, wasm))

    def arrived(self, message: m.Code) -> None:
        """Code, or why there is none."""
        done = self._open.pop(message.request)[2]
        done(message.code or None, message.error)


class Clock:
    """The kernel's clocks."""

    def __init__(self, host: Host) -> None:
        self.task_ns = host.task_ns
        self.realtime_ns = time.time_ns
        self.monotonic_ns = time.monotonic_ns


def main(library_path: str, parent: int) -> None:
    """Be a worker. Never returns. The collector is off: launch.py saw to it before anything was loaded."""
    seal.tie_to_parent()
    if os.getppid() != parent:  # it died before we were tied to it
        os._exit(0)
    connection = Connection()
    outside = MonitorSide(connection)
    try:
        library = Library(library_path)
        codes = Codes(connection)
        boot = connection.receive()
        assert isinstance(boot, m.Boot)
        machine = Machine(library, codes.compile, boot.memory_bytes)
        host = Host(machine, outside, NATIVE_STACK)
        kernel = Kernel(Clock(host), os.urandom, namespace.make(boot.places))
        kernel.network.announce = True
        kernel.cpu_count, kernel.memory_size = os.cpu_count() or 1, boot.memory_bytes
        if boot.strace:
            kernel.tracer = Tracer()
        host.attach(kernel)
        machine.attach(host)
        gc.freeze()  # what is loaded now stays: no collection needs to look at it
        gc.set_threshold(20_000, 50, 100)
        gc.enable()
        connection.send(_lock(boot.memory_bytes))
        _serve(connection, host, codes)
    except BaseException as error:
        outside.crashed(error)


def _lock(memory_bytes: int) -> m.Sealed:
    sys.stdout = sys.stderr = sys.stdin = None
    seal.close_others(DESCRIPTOR)
    seal.limit(memory_bytes + DATA_SLACK)
    reason = seal.seal(DESCRIPTOR)
    return m.Sealed(not reason, reason)


def _serve(connection: Connection, host: Host, codes: Codes) -> None:
    while True:
        message: Any = connection.receive()
        if isinstance(message, m.Answered):
            host.deliver(events.Answer(message.request, message.payload))
        elif isinstance(message, m.Code):
            codes.arrived(message)
        elif isinstance(message, m.WasmWanted):
            codes.wanted(message)
        else:
            host.deliver(message)
