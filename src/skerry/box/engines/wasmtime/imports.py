# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What a guest can import: one provider per import module, one callback per name.

Callbacks are made once and serve every guest; they find theirs by the OS thread they run on. A
callback gets the address of its arguments, 16 bytes each, and leaves the result in the first.
A callback that returns a trap unwinds the image.

Seam: another personality (WASI preview 1) is one more Provider in `Machine`.
Invariant: no exception crosses into wasmtime; ours are Unwind (a trap), everything else ends the box.
"""

from __future__ import annotations

import ctypes
from _thread import get_ident
from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING, Any, Protocol

from skerry.abi.syscalls import SYSCALLS
from skerry.box.engines.engine import Unwind
from skerry.box.engines.wasmfile import I32

from .capi import Library

if TYPE_CHECKING:
    from skerry.box.engines.host import Host
    from skerry.kernel.sys.table import Call

    from .guest import WasmGuest

Callback = Callable[[int, int, int, int], int]

_SKERRY = {"start_size": (0, 1), "start": (2, 0), "thread": (1, 0), "sigfetch": (1, 1)}
"""Words the imports of our private module take and return."""

_SLOTS_MAX = 4096
_view = ctypes.pythonapi.PyMemoryView_FromMemory
_view.restype, _view.argtypes = ctypes.py_object, (ctypes.c_size_t, ctypes.c_ssize_t, ctypes.c_int)


class Provider(Protocol):
    """The functions of one import module."""

    def signature(self, name: str) -> tuple[bytes, bytes] | None:
        """Parameter and result types of a function; None when it does not exist."""

    def callback(self, name: str) -> Callback:
        """The function itself."""


class Slots:
    """Views of the argument areas callbacks were called with, by address.

    A view costs 100 ns to make and is good for ever: an address is only looked up while a callback
    owns it. They are few, one per depth of call that makes system calls.
    """

    def __init__(self) -> None:
        self.known: dict[int, memoryview] = {}

    def make(self, address: int) -> memoryview:
        """The view of six arguments at `address`."""
        if len(self.known) >= _SLOTS_MAX:
            self.known.clear()
        slot: memoryview = _view(address, 6 * 16, 0x200).cast("i")
        self.known[address] = slot
        return slot


class Linux:
    """Modules `linux` and `skerry`: the kernel's own calls."""

    def __init__(self, host: Host, library: Library, module: str) -> None:
        self._host = host
        self._library = library
        self._module = module
        self._slots = Slots()

    def signature(self, name: str) -> tuple[bytes, bytes] | None:
        if self._module == "skerry":
            shape = _SKERRY.get(name)
        else:
            shape = (SYSCALLS[name][1], 1) if name in SYSCALLS else None
        return None if shape is None else (bytes([I32]) * shape[0], bytes([I32]) * shape[1])

    def callback(self, name: str) -> Callback:
        call = self._host.kernel.call(self._module, name)
        assert call is not None, name
        if (self._module, name) == ("linux", "fork"):
            return self._fork(call)
        if (self._module, name) == ("skerry", "sigfetch"):
            return self._sigfetch(call)
        signature = self.signature(name)
        assert signature is not None
        return self._plain(call, len(signature[0]))

    def _plain(self, call: Call, count: int) -> Callback:
        """The path every ordinary call takes: keep it short."""
        host, library = self._host, self._library
        carriers, lock = host.by_ident, host.lock
        acquire, release = lock.acquire, lock.release
        kernel, dispatch = host.kernel, host.dispatch
        syscall, take = kernel.syscall, kernel.take
        rung, ring = host.rung, host.ring
        known, make = self._slots.known, self._slots.make
        unpack = Struct("<" + "12x".join("i" * count)).unpack_from

        def callback(env: int, caller: int, address: int, size: int) -> int:
            try:
                carrier = carriers[get_ident()]
                slot = known.get(address) or make(address)
                acquire()
                try:
                    if carrier.inbox:
                        raise Unwind
                    value = syscall(carrier.task, call, *unpack(slot))
                    commands = take()
                    if commands:
                        dispatch(commands)
                finally:
                    release()
                if rung:
                    ring()
                if value is None:
                    value = carrier.wait()
                slot[0] = value
                return 0
            except Unwind:
                return unwind_trap(library)
            except BaseException as error:
                host.outside.crashed(error)
                return unwind_trap(library)

        return callback

    def _sigfetch(self, call: Call) -> Callback:
        """The guest answers a poke: its polls may be quiet again."""
        host = self._host
        plain = self._plain(call, 1)

        def callback(env: int, caller: int, address: int, size: int) -> int:
            carrier = host.by_ident[get_ident()]
            guest: Any = carrier.guest
            with host.lock:
                guest.space.answered(guest)
            return plain(env, caller, address, size)

        return callback

    def _fork(self, call: Call) -> Callback:
        """fork: the first time it begins to unwind, the second time it ends the rewinding."""
        host, library = self._host, self._library
        make = self._slots.make

        def callback(env: int, caller: int, address: int, size: int) -> int:
            try:
                guest: WasmGuest = host.by_ident[get_ident()].guest  # type: ignore[assignment]
                slot = make(address)
                slot[0] = guest.forking(call, slot[0])
                return 0
            except Unwind:
                return unwind_trap(library)
            except BaseException as error:
                host.outside.crashed(error)
                return unwind_trap(library)

        return callback


def unwind_trap(library: Library) -> int:
    """A trap that ends the image quietly: the carrier knows why."""
    return int(library.wasmtime_trap_new(b"unwind", 6))
