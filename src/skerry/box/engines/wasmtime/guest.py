# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""One image: a wasm instance in a store of its own, run by one carrier.

fork (asyncify, only in programs that import it): the import starts an unwinding, the start
function returns with the stack saved in guest memory, the memory and exported variables are
copied into a new instance, and both are rewound into the import, which returns twice.

Blocking: `run`. Everything else returns soon.
Invariant: a store is used by one OS thread at a time: the carrier's, or the parent's while it
           makes the copy.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.signal import Signo
from skerry.box.engines.engine import NoMemory, Trap, Unwind
from skerry.box.engines.safepoints import BEGIN

from .capi import (
    EXTERN_FUNC,
    EXTERN_GLOBAL,
    EXTERN_WORDS,
    INSTANCE_WORDS,
    RAW_WORDS,
    VALUE_WORDS,
    ByteVector,
    WasmtimeError,
    words,
)
from .program import PAGE, Program
from .space import Space

if TYPE_CHECKING:
    from skerry.box.engines.host import Carrier
    from skerry.kernel.sys.table import Call

    from .machine import Machine

_START_UNWIND, _STOP_UNWIND = b"asyncify_start_unwind", b"asyncify_stop_unwind"
_START_REWIND, _STOP_REWIND = b"asyncify_start_rewind", b"asyncify_stop_rewind"

_TRAPS = {  # wasmtime_trap_code_enum -> what Linux sends for the like
    0: (Signo.SIGSEGV, "call stack exhausted"),
    1: (Signo.SIGSEGV, "address outside memory"),
    2: (Signo.SIGBUS, "unaligned atomic access"),
    3: (Signo.SIGSEGV, "function pointer outside the table"),
    4: (Signo.SIGSEGV, "call of a null function pointer"),
    5: (Signo.SIGILL, "call through a function pointer of another type"),
    6: (Signo.SIGFPE, "integer overflow"),
    7: (Signo.SIGFPE, "integer division by zero"),
    8: (Signo.SIGFPE, "float does not fit an integer"),
    9: (Signo.SIGILL, "unreachable instruction"),
    13: (Signo.SIGSEGV, "null reference"),
    49: (Signo.SIGABRT, "exception that nothing catches"),
}


class WasmGuest:
    """One image. Made by `Machine`."""

    def __init__(self, machine: Machine, program: Program, carrier: Carrier, limit: int) -> None:
        self.machine = machine
        self.program = program
        self.carrier = carrier
        self.space: Space
        library = self._library = machine.library
        self._store: int = library.wasmtime_store_new(machine.engine, 0, 0)
        self._context: int = library.wasmtime_store_context(self._store)
        # memory bytes, table elements, instances, tables, memories
        library.wasmtime_store_limiter(self._store, limit, 1_000_000, 2, 16, 1)
        self._instance = words(INSTANCE_WORDS)
        self._functions: dict[bytes, object] = {}
        self._start: tuple[bytes, tuple[int, ...]] = (b"_start", ())
        # fork
        self._unwinding: Call | None = None
        self._rewinding = False
        self._buffer = 0
        self._result = 0
        self._children: list[Carrier] = []

    # --- making; used by Machine

    @property
    def context(self) -> int:
        """The store's context, for wasmtime calls about this image."""
        return self._context

    def instantiate(self, prepared: int) -> None:
        """Make the instance; no code of the guest runs yet. Raises: NoMemory."""
        trap = words(1)
        error = self._library.wasmtime_instance_pre_instantiate(
            prepared, self._context, ctypes.addressof(self._instance), ctypes.addressof(trap)
        )
        try:
            self._library.check(error)
        except WasmtimeError as refused:
            self.discard()
            raise NoMemory(f"cannot make an image: {str(refused).splitlines()[0]}") from None
        if trap[0]:  # a data or element segment that does not fit
            text = self._library.trap_text(trap[0])
            self._library.wasm_trap_delete(trap[0])
            self.discard()
            raise NoMemory(f"cannot make an image: {text.splitlines()[-1].strip()}")

    def discard(self) -> None:
        """Free the store of an image that was never run."""
        store, self._store = self._store, 0
        if store:
            self._library.wasmtime_store_delete(store)

    def begin_at(self, name: bytes, *arguments: int) -> None:
        """Start with another function than `_start`."""
        self._start = (name, arguments)

    def export(self, name: bytes) -> ctypes.Array[ctypes.c_uint64] | None:
        """An export as wasmtime_extern_t: kind in the first word, the thing after it."""
        extern = words(EXTERN_WORDS)
        found = self._library.wasmtime_instance_export_get(
            self._context, ctypes.addressof(self._instance), name, len(name), ctypes.addressof(extern)
        )
        return extern if found else None

    def variable(self, name: bytes) -> ctypes.Array[ctypes.c_uint64] | None:
        """The value of an exported global, as wasmtime_val_t."""
        extern = self.export(name)
        if extern is None or extern[0] & 0xFF != EXTERN_GLOBAL:
            return None
        value = words(VALUE_WORDS)
        self._library.wasmtime_global_get(
            self._context, ctypes.addressof(extern) + 8, ctypes.addressof(value)
        )
        return value  # type: ignore[no-any-return]

    def set_variable(self, name: bytes, value: ctypes.Array[ctypes.c_uint64]) -> None:
        """Set an exported global; one that is not what its name says stays as it is."""
        extern = self.export(name)
        if extern is None or extern[0] & 0xFF != EXTERN_GLOBAL:
            return
        error = self._library.wasmtime_global_set(
            self._context, ctypes.addressof(extern) + 8, ctypes.addressof(value)
        )
        if error:
            self._library.wasmtime_error_delete(error)

    # --- Guest

    def memory(self) -> memoryview:
        """The whole linear memory as it is now."""
        return self.space.view()

    def run(self) -> int:
        """Run the start function to its end, forking as often as it asks."""
        name, arguments = self._start
        if self._rewinding:
            self._call(_START_REWIND, self._buffer)
        elif self.program.begins:
            self._call(BEGIN.encode())
        while True:
            self._call(name, *arguments)
            call, self._unwinding = self._unwinding, None
            if call is None:
                return 0
            self._call(_STOP_UNWIND)
            self._result = self._fork(call)
            self._rewinding = True
            self._call(_START_REWIND, self._buffer)

    def interrupt(self) -> None:
        """Make a busy image fetch its signals, if its libc can."""
        if self.program.interruptible:
            self.space.want(self)

    def kill(self, hard: bool) -> None:
        """Make a busy image end."""
        if not hard:
            if self.program.interruptible:  # else the polled bytes are the program's own
                self.space.want(self)
        elif not self._children and all(member.leaving for member in self.space.members):
            self.space.protect()  # not while a copy is read from it; that ends by itself

    @property
    def leaving(self) -> bool:
        """Whether its carrier has been told to end or replace it."""
        return bool(self.carrier.inbox)

    def thread(self, carrier: Carrier, stack: int) -> WasmGuest:
        """One more image on this memory."""
        return self.machine.thread(self, carrier, stack)

    def adopt(self, child: Carrier) -> None:
        """The kernel made a child of the fork under way."""
        self._children.append(child)

    def close(self) -> None:
        """Free the store, and the memory when no other image shares it."""
        self._leave(forget=True)

    def abandon(self) -> None:
        """Free an image that was never given to its task."""
        self._leave(forget=False)

    def _leave(self, forget: bool) -> None:
        with self.carrier.host.lock:
            self.space.leave(self)
            if not self.space.members:
                self.machine.spaces.discard(self.space)
                if forget:
                    self.carrier.task.mem.detach()
        self.discard()
        self.space.release()

    # --- fork

    def forking(self, call: Call, buffer: int) -> int:
        """The import `linux.fork`: called once to leave and once more, rewinding, to come back."""
        if self._rewinding:
            self._rewinding = False
            self._call(_STOP_REWIND)
            with self.carrier.host.lock:
                self.space.end_fork()
            if self.carrier.inbox:
                raise Unwind
            return self._result
        if not {_START_UNWIND, _STOP_UNWIND, _START_REWIND, _STOP_REWIND} <= self.program.exports:
            return -Errno.ENOSYS
        with self.carrier.host.lock:
            self.space.begin_fork()
        self._unwinding, self._buffer = call, buffer
        self._call(_START_UNWIND, buffer)
        return 0

    def _fork(self, call: Call) -> int:
        """Ask the kernel for a child and give it a copy of this image."""
        host, carrier = self.carrier.host, self.carrier
        if not self.machine.room(self.space.size()):
            return -Errno.ENOMEM
        with host.lock:
            if carrier.inbox:
                self.space.end_fork()
                raise Unwind
            value = host.kernel.syscall(carrier.task, call, self._buffer)
            host.dispatch(host.kernel.take())
        host.ring()
        for child in self._children:
            self._start_child(child)
        self._children.clear()
        return carrier.wait() if value is None else value

    def _start_child(self, child: Carrier) -> None:
        try:
            guest = self.machine.copy(self, child)
        except NoMemory as error:
            child.fail(str(error))
            return
        guest._start, guest._buffer = self._start, self._buffer
        guest._rewinding, guest._result = True, 0
        with child.host.lock:
            guest.space.begin_fork()
            child.attach(guest)
            if child.task.flag and child.host.kernel.signals.handler_waits(child.task):
                child.task.mem.put_u32(child.task.flag, 1)
        child.start()

    # --- calling in

    def _call(self, name: bytes, *arguments: int) -> None:
        """Call an export that returns nothing. Raises: Trap, Unwind."""
        function = self._functions.get(name)
        if function is None:
            function = self.export(name)
            if function is None or function[0] & 0xFF != EXTERN_FUNC:
                raise Trap(Signo.SIGILL, f"the program has no function {name.decode()}")
            self._functions[name] = function
        raw = words(RAW_WORDS * max(1, len(arguments)))
        for index, argument in enumerate(arguments):
            raw[RAW_WORDS * index] = argument & 0xFFFFFFFF
        trap = words(1)
        error = self._library.wasmtime_func_call_unchecked(
            self._context,
            ctypes.addressof(function) + 8,  # type: ignore[arg-type]
            ctypes.addressof(raw),
            max(1, len(arguments)),
            ctypes.addressof(trap),
        )
        if trap[0]:
            self._raise(trap[0])
        if error:
            self._raise_error(error)

    def _raise(self, trap: int) -> None:
        """Turn a trap into what it means."""
        library = self._library
        code = library.trap_code(trap)
        text = library.trap_text(trap)
        library.wasm_trap_delete(trap)
        if self.carrier.inbox:
            raise Unwind
        signo, reason = _TRAPS.get(code, (Signo.SIGILL, text.splitlines()[-1])) if code is not None else (
            Signo.SIGABRT, text.splitlines()[-1]
        )  # fmt: skip
        raise Trap(signo, reason + _where(text))

    def _raise_error(self, error: int) -> None:
        vector = ByteVector()
        self._library.wasmtime_error_message(error, ctypes.addressof(vector))
        self._library.wasmtime_error_delete(error)
        if self.carrier.inbox:
            raise Unwind
        text = self._library.take(vector).decode(errors="replace")
        raise Trap(Signo.SIGABRT, text.splitlines()[-1].strip())


def _where(text: str) -> str:
    """The innermost function of a trap's backtrace, when the file names its functions."""
    for line in text.splitlines():
        _, bang, name = line.partition("!")
        if bang and line.lstrip().startswith("0:") and not name.startswith("<"):
            return f" in {name}"
    return ""


def pages(size: int) -> int:
    """Wasm pages in `size` bytes."""
    return (size + PAGE - 1) // PAGE
