# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The machine's own kernel as an oracle: one script of calls, played to it and to ours.

A scenario is a function of one argument, a `Side`. Every call through it is written down with
its result or errno; the two records must be equal. Everything is non-blocking, so that
nothing waits; only calls whose outcome does not depend on timing or numbers belong here.
"""
from __future__ import annotations

import errno
import os
import select
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, Protocol

import pytest
from tests.unit.kernel.harness import PARKED, Harness

Result = int | bytes | str
Address = tuple[str, int] | bytes
"""(host, port), or the name of a UNIX socket."""


class Side(Protocol):
    """What both kernels offer a scenario; files are known by the names the scenario gives."""

    log: list[tuple[str, Result]]

    def socket(self, name: str, family: int, kind: int, protocol: int = 0) -> Result: ...
    def socketpair(self, one: str, other: str, kind: int) -> Result: ...
    def pipe(self, reader: str, writer: str) -> Result: ...
    def bind(self, name: str, address: Address) -> Result: ...
    def listen(self, name: str, backlog: int = 5) -> Result: ...
    def connect(self, name: str, address: Address) -> Result: ...
    def accept(self, name: str, new: str) -> Result: ...
    def send(self, name: str, data: bytes, flags: int = 0) -> Result: ...
    def sendto(self, name: str, data: bytes, address: Address) -> Result: ...
    def recv(self, name: str, size: int, flags: int = 0) -> Result: ...
    def shutdown(self, name: str, how: int) -> Result: ...
    def poll(self, name: str) -> Result: ...
    def setopt(self, name: str, level: int, option: int, value: int | bytes) -> Result: ...
    def getopt(self, name: str, level: int, option: int) -> Result: ...
    def close(self, name: str) -> Result: ...
    def has_peer(self, name: str) -> Result: ...
    def epoll(self, name: str) -> Result: ...
    def ctl(self, name: str, operation: int, file: str, events: int = 0) -> Result: ...
    def events(self, name: str, count: int = 10) -> Result: ...
    def address(self, name: str) -> Address: ...


def word(bits: int) -> str:
    """Poll bits as text."""
    names = {1: "IN", 2: "PRI", 4: "OUT", 8: "ERR", 16: "HUP", 32: "NVAL", 64: "RDNORM", 256: "WRNORM",
             512: "WRBAND", 0x2000: "RDHUP"}  # fmt: skip
    return "|".join(text for bit, text in names.items() if bits & bit) or "-"


ASKED = 0x2347  # every bit of POLL* that can be asked for


class Native:
    """The machine's kernel."""

    def __init__(self) -> None:
        self.log: list[tuple[str, Result]] = []
        self.files: dict[str, Any] = {}
        self.numbers: dict[int, str] = {}

    def _do(self, what: str, call: Callable[[], Any]) -> Result:
        try:
            found = call()
        except OSError as error:
            found = errno.errorcode[error.errno or 0]
        result: Result = 0 if found is None else found
        self.log.append((what, result))
        return result

    def _keep(self, name: str, file: socket.socket) -> int:
        file.setblocking(False)
        self.files[name] = file
        return 0

    def socket(self, name: str, family: int, kind: int, protocol: int = 0) -> Result:
        return self._do(f"socket {name}", lambda: self._keep(name, socket.socket(family, kind, protocol)))

    def socketpair(self, one: str, other: str, kind: int) -> Result:
        def make() -> None:
            for name, file in zip((one, other), socket.socketpair(socket.AF_UNIX, kind), strict=True):
                self._keep(name, file)

        return self._do("socketpair", make)

    def pipe(self, reader: str, writer: str) -> Result:
        def make() -> None:
            for name, fd, mode in zip((reader, writer), os.pipe(), ("rb", "wb"), strict=True):
                os.set_blocking(fd, False)
                self.files[name] = os.fdopen(fd, mode, buffering=0)

        return self._do("pipe", make)

    def bind(self, name: str, address: Address) -> Result:
        return self._do(f"bind {name}", lambda: self.files[name].bind(address))

    def listen(self, name: str, backlog: int = 5) -> Result:
        return self._do(f"listen {name}", lambda: self.files[name].listen(backlog))

    def connect(self, name: str, address: Address) -> Result:
        return self._do(f"connect {name}", lambda: self.files[name].connect(address))

    def accept(self, name: str, new: str) -> Result:
        return self._do(f"accept {name}", lambda: self._keep(new, self.files[name].accept()[0]))

    def send(self, name: str, data: bytes, flags: int = 0) -> Result:
        file = self.files[name]
        if not isinstance(file, socket.socket):
            return self._do(f"write {name}", lambda: os.write(file.fileno(), data))
        return self._do(f"send {name}", lambda: file.send(data, flags))

    def sendto(self, name: str, data: bytes, address: Address) -> Result:
        return self._do(f"sendto {name}", lambda: self.files[name].sendto(data, address))

    def recv(self, name: str, size: int, flags: int = 0) -> Result:
        file = self.files[name]
        if not isinstance(file, socket.socket):
            return self._do(f"read {name}", lambda: os.read(file.fileno(), size))
        return self._do(f"recv {name}", lambda: file.recv(size, flags))

    def shutdown(self, name: str, how: int) -> Result:
        return self._do(f"shutdown {name}", lambda: self.files[name].shutdown(how))

    def poll(self, name: str) -> Result:
        poller = select.poll()
        poller.register(self.files[name], ASKED)
        found = poller.poll(0)
        return self._do(f"poll {name}", lambda: word(found[0][1] if found else 0))

    def setopt(self, name: str, level: int, option: int, value: int | bytes) -> Result:
        return self._do(f"setopt {name}", lambda: self.files[name].setsockopt(level, option, value))

    def getopt(self, name: str, level: int, option: int) -> Result:
        return self._do(f"getopt {name} {option}", lambda: self.files[name].getsockopt(level, option))

    def has_peer(self, name: str) -> Result:
        return self._do(f"getpeername {name}", lambda: bool(self.files[name].getpeername()) and None)

    def epoll(self, name: str) -> Result:
        def make() -> None:
            self.files[name] = select.epoll()

        return self._do(f"epoll {name}", make)

    def ctl(self, name: str, operation: int, file: str, events: int = 0) -> Result:
        epoll, fd = self.files[name], self.files[file].fileno()
        self.numbers[fd] = file
        calls = {1: lambda: epoll.register(fd, events), 2: lambda: epoll.unregister(fd)}
        calls[3] = lambda: epoll.modify(fd, events)
        return self._do(f"ctl {operation} {file}", calls[operation])

    def events(self, name: str, count: int = 10) -> Result:
        found = self.files[name].poll(0, count)
        told = ", ".join(f"{self.numbers[fd]}: {word(bits)}" for fd, bits in found)
        return self._do(f"events {name}", lambda: told)

    def close(self, name: str) -> Result:
        return self._do(f"close {name}", lambda: self.files.pop(name).close())

    def address(self, name: str) -> Address:
        found: Any = self.files[name].getsockname()
        return found if isinstance(found, bytes) else found[:2]

    def end(self) -> None:
        for file in self.files.values():
            file.close()


class Ours:
    """Skerry's kernel."""

    def __init__(self) -> None:
        self.log: list[tuple[str, Result]] = []
        self.h = Harness()
        self.task = self.h.process()
        self.h.handle(self.task, 13, handler=1)  # SIGPIPE is ignored, as Python does it
        self.files: dict[str, int] = {}
        self.numbers: dict[int, str] = {}

    def call(self, what: str, name: str, *args: int | bytes) -> Result:
        value = self.h.call(self.task, name, *args)
        assert value is not PARKED, f"{what} waits"
        assert isinstance(value, int)
        result: Result = errno.errorcode[-value] if value < 0 else value
        self.log.append((what, result))
        return result

    def socket(self, name: str, family: int, kind: int, protocol: int = 0) -> Result:
        fd = self.call(f"socket {name}", "socket", family, kind | socket.SOCK_NONBLOCK, protocol)
        return self._named(name, fd)

    def _named(self, name: str, fd: Result) -> Result:
        if isinstance(fd, int):
            self.files[name] = fd
            self.log[-1] = (self.log[-1][0], 0)
        return fd

    def socketpair(self, one: str, other: str, kind: int) -> Result:
        where = self.h.room(self.task, 8)
        result = self.call("socketpair", "socketpair", socket.AF_UNIX, kind | socket.SOCK_NONBLOCK, 0, where)
        if result == 0:
            self.files[one] = self.h.i32(self.task, where)
            self.files[other] = self.h.i32(self.task, where + 4)
        return result

    def pipe(self, reader: str, writer: str) -> Result:
        where = self.h.room(self.task, 8)
        result = self.call("pipe", "pipe2", where, os.O_NONBLOCK)
        self.files[reader] = self.h.i32(self.task, where)
        self.files[writer] = self.h.i32(self.task, where + 4)
        return result

    def _address(self, address: Address) -> tuple[int, int]:
        raw = sockaddr(address)
        return self.h.put(self.task, raw), len(raw)

    def bind(self, name: str, address: Address) -> Result:
        return self.call(f"bind {name}", "bind", self.files[name], *self._address(address))

    def listen(self, name: str, backlog: int = 5) -> Result:
        return self.call(f"listen {name}", "listen", self.files[name], backlog)

    def connect(self, name: str, address: Address) -> Result:
        return self.call(f"connect {name}", "connect", self.files[name], *self._address(address))

    def accept(self, name: str, new: str) -> Result:
        fd = self.call(f"accept {name}", "accept4", self.files[name], 0, 0, socket.SOCK_NONBLOCK)
        return self._named(new, fd)

    def send(self, name: str, data: bytes, flags: int = 0) -> Result:
        where, fd = self.h.put(self.task, data), self.files[name]
        if self.is_pipe(fd):
            return self.call(f"write {name}", "write", fd, where, len(data))
        return self.call(f"send {name}", "sendto", fd, where, len(data), flags, 0, 0)

    def sendto(self, name: str, data: bytes, address: Address) -> Result:
        where = self.h.put(self.task, data)
        raw = self._address(address)
        return self.call(f"sendto {name}", "sendto", self.files[name], where, len(data), 0, *raw)

    def is_pipe(self, fd: int) -> bool:
        return type(self.task.process.fds.get(fd)).__name__ == "PipeEnd"

    def recv(self, name: str, size: int, flags: int = 0) -> Result:
        where, fd = self.h.room(self.task, size), self.files[name]
        if self.is_pipe(fd):
            result = self.call(f"read {name}", "read", fd, where, size)
        else:
            result = self.call(f"recv {name}", "recvfrom", fd, where, size, flags, 0, 0)
        if isinstance(result, int):
            result = self.h.get(self.task, where, min(result, size))
            self.log[-1] = (self.log[-1][0], result)
        return result

    def shutdown(self, name: str, how: int) -> Result:
        return self.call(f"shutdown {name}", "shutdown", self.files[name], how)

    def poll(self, name: str) -> Result:
        where = self.h.put(self.task, struct.pack("<iHH", self.files[name], ASKED, 0))
        zero = self.h.timespec(self.task, 0)
        self.call(f"poll {name}", "ppoll_time64", where, 1, zero, 0, 8)
        bits = word(struct.unpack("<iHH", self.h.get(self.task, where, 8))[2])
        self.log[-1] = (self.log[-1][0], bits)
        return bits

    def setopt(self, name: str, level: int, option: int, value: int | bytes) -> Result:
        raw = struct.pack("<i", value) if isinstance(value, int) else value
        where = self.h.put(self.task, raw)
        return self.call(f"setopt {name}", "setsockopt", self.files[name], level, option, where, len(raw))

    def getopt(self, name: str, level: int, option: int) -> Result:
        where, size = self.h.room(self.task, 16), self.h.words(self.task, 4)
        what = f"getopt {name} {option}"
        result = self.call(what, "getsockopt", self.files[name], level, option, where, size)
        if result == 0:
            result = self.h.i32(self.task, where)
            self.log[-1] = (what, result)
        return result

    def has_peer(self, name: str) -> Result:
        where, size = self.h.room(self.task, 128), self.h.words(self.task, 128)
        return self.call(f"getpeername {name}", "getpeername", self.files[name], where, size)

    def epoll(self, name: str) -> Result:
        return self._named(name, self.call(f"epoll {name}", "epoll_create1", 0))

    def ctl(self, name: str, operation: int, file: str, events: int = 0) -> Result:
        fd = self.files[file]
        self.numbers[fd] = file
        event = self.h.put(self.task, struct.pack("<I4xQ", events & 0xFFFFFFFF, fd))
        what = f"ctl {operation} {file}"
        return self.call(what, "epoll_ctl", self.files[name], operation, fd, event)

    def events(self, name: str, count: int = 10) -> Result:
        where = self.h.room(self.task, 16 * count)
        what = f"events {name}"
        found = self.call(what, "epoll_pwait", self.files[name], where, count, 0, 0, 8)
        assert isinstance(found, int)
        pairs = struct.iter_unpack("<I4xQ", self.h.get(self.task, where, 16 * found))
        told = ", ".join(f"{self.numbers[fd]}: {word(bits)}" for bits, fd in pairs)
        self.log[-1] = (what, told)
        return told

    def close(self, name: str) -> Result:
        return self.call(f"close {name}", "close", self.files.pop(name))

    def address(self, name: str) -> Address:
        where, size = self.h.room(self.task, 128), self.h.words(self.task, 128)
        assert self.h.done(self.task, "getsockname", self.files[name], where, size) == 0
        return parse(self.h.get(self.task, where, self.h.i32(self.task, size)))


def sockaddr(address: Address) -> bytes:
    """A whole sockaddr of a 32-bit libc."""
    if isinstance(address, bytes):
        return struct.pack("<H", socket.AF_UNIX) + address + (b"\0" if address[:1] != b"\0" else b"")
    host, port = address
    if ":" in host:
        raw = socket.inet_pton(socket.AF_INET6, host)
        return struct.pack("<H", socket.AF_INET6) + struct.pack(">HI", port, 0) + raw + bytes(4)
    return struct.pack("<H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton(host) + bytes(8)


def parse(raw: bytes) -> Address:
    """The reverse."""
    family = struct.unpack_from("<H", raw)[0]
    if family == socket.AF_UNIX:
        return raw[2:]
    port = struct.unpack_from(">H", raw, 2)[0]
    if family == socket.AF_INET6:
        return socket.inet_ntop(socket.AF_INET6, raw[8:24]), port
    return socket.inet_ntoa(raw[4:8]), port


Scenario = Callable[[Side], None]


def compare(scenario: Scenario) -> None:
    """Play a scenario to both and compare the records."""
    if sys.platform != "linux":
        pytest.skip("the oracle is Linux")
    native, ours = Native(), Ours()
    try:
        scenario(native)
    finally:
        native.end()
    scenario(ours)
    pairs = zip(native.log, ours.log, strict=True) if len(native.log) == len(ours.log) else ()
    told = [f"{want[0]}: Linux {want[1]!r}, Skerry {got[1]!r}" for want, got in pairs if want != got]
    assert ours.log == native.log, "\n".join([*map(str, native.log), "--- differ:", *told])
