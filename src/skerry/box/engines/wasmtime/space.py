# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""One linear memory and the images that run on it: one, or the threads of a process.

It knows where the memory lies, and holds the bytes that busy loops poll (safepoints.py).

Units:     sizes are bytes.
Invariant: the poll bytes are ones while a member is wanted (`_wanted`) and no fork is under way:
           a poll must not fire while asyncify unwinds or rewinds a stack.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any, Protocol

from skerry.box.engines.safepoints import POLL_SIZE

from .capi import Library, words

_ONES = b"\x01" * POLL_SIZE
_ZEROS = bytes(POLL_SIZE)
_PAGE = 65_536
_OS_PAGE = os.sysconf("SC_PAGE_SIZE")
_WRITABLE = 0x200  # PyBUF_WRITE
_view = ctypes.pythonapi.PyMemoryView_FromMemory
_view.restype, _view.argtypes = ctypes.py_object, (ctypes.c_size_t, ctypes.c_ssize_t, ctypes.c_int)


class Member(Protocol):
    """An image on a memory."""

    @property
    def leaving(self) -> bool:
        """Whether it has been told to end."""


class Space:
    """One linear memory."""

    def __init__(self, library: Library, base: int, poll: int) -> None:
        self._library = library
        self.base = base
        self._poll = poll
        self._wanted: set[object] = set()
        self._forks = 0
        self._taken = False  # the polled page is gone
        self.members: set[Member] = set()

    def size(self) -> int:
        """Bytes it has now. Any thread."""
        raise NotImplementedError

    def grow(self, size: int) -> bool:
        """Add `size` bytes, a multiple of the page; False when there are none."""
        raise NotImplementedError

    def release(self) -> None:
        """A member has freed its store."""

    def join(self, member: Member) -> None:
        """One more image runs on it."""
        self.members.add(member)

    def view(self) -> memoryview:
        """The whole memory as it is now."""
        size = self.size()
        view: memoryview = _view(self.base, size, _WRITABLE)
        return view

    # --- polls; under the host's lock

    def want(self, member: object) -> None:
        """Make the polls of busy images fire until `member` has answered."""
        self._wanted.add(member)
        self._show()

    def answered(self, member: object) -> None:
        """`member` came to the kernel."""
        if member in self._wanted:
            self._wanted.discard(member)
            self._show()

    def begin_fork(self) -> None:
        """Keep polls quiet from here on."""
        self._forks += 1
        self._show()

    def end_fork(self) -> None:
        """The stack is whole again."""
        self._forks -= 1
        self._show()

    def leave(self, member: Member) -> None:
        """`member` is gone."""
        self.members.discard(member)
        self.answered(member)

    def protect(self) -> None:
        """Take the polled page away: the next poll of any member traps. There is no way back."""
        self._taken = True
        start = (self.base + self._poll) // _OS_PAGE * _OS_PAGE
        self._library.mprotect(start, 2 * _OS_PAGE, 0)

    def _show(self) -> None:
        if not self.members or self._taken:
            return
        ones = self._wanted and not self._forks
        ctypes.memmove(self.base + self._poll, _ONES if ones else _ZEROS, POLL_SIZE)

    # --- copying

    def copy_to(self, other: Space, fresh: int) -> None:
        """Copy all bytes to a memory of the same size, which is all zero from `fresh` on.

        Blocks of zeros are skipped there, so that a big sparse heap costs its touched part only.
        """
        size, step = self.size(), _PAGE
        compare, move = self._library.memcmp, self._library.memmove
        zeros = _zeros()
        run = 0  # start of the bytes not copied yet
        for start in range(fresh, size, step):
            if compare(self.base + start, zeros, step) == 0:
                if run < start:
                    move(other.base + run, self.base + run, start - run)
                run = start + step
        if run < size:
            move(other.base + run, self.base + run, size - run)


class OwnSpace(Space):
    """The memory of one instance, which also frees it."""

    def __init__(self, library: Library, context: int, extern: Any, poll: int) -> None:
        self._context = context
        self._extern = extern
        self._memory = ctypes.addressof(extern) + 8
        super().__init__(library, library.wasmtime_memory_data(context, self._memory), poll)

    def size(self) -> int:
        if not self.members:  # the store is gone
            return 0
        return int(self._library.wasmtime_memory_data_size(self._context, self._memory))

    def grow(self, size: int) -> bool:
        before = words(1)
        error = self._library.wasmtime_memory_grow(
            self._context, self._memory, size // _PAGE, ctypes.addressof(before)
        )
        return _succeeded(self._library, error)


class SharedSpace(Space):
    """A memory that several instances import; freed after the last."""

    def __init__(self, library: Library, memory: int, prepared: int, poll: int) -> None:
        self._memory = memory
        self.prepared = prepared  # instance_pre of the program, bound to this memory
        super().__init__(library, library.wasmtime_sharedmemory_data(memory), poll)

    def size(self) -> int:
        return int(self._library.wasmtime_sharedmemory_data_size(self._memory)) if self._memory else 0

    def grow(self, size: int) -> bool:
        before = words(1)
        error = self._library.wasmtime_sharedmemory_grow(
            self._memory, size // _PAGE, ctypes.addressof(before)
        )
        return _succeeded(self._library, error)

    def release(self) -> None:
        if self.members:
            return
        memory, self._memory = self._memory, 0  # at once: two members may leave side by side
        if memory:
            self._library.wasmtime_instance_pre_delete(self.prepared)
            self._library.wasmtime_sharedmemory_delete(memory)


def _succeeded(library: Library, error: int) -> bool:
    if error:
        library.wasmtime_error_delete(error)
    return not error


_zero_block: Any = None


def _zeros() -> int:
    """The address of a page of zeros."""
    global _zero_block
    if _zero_block is None:
        _zero_block = ctypes.create_string_buffer(_PAGE)
    return ctypes.addressof(_zero_block)
