# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A guest's memory grows behind the kernel's back: every access sees the new part at once."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

import pytest

from skerry.kernel.usermem import UserMemory

PAGE = 65536
END = 2 * PAGE - 16
ACCESSES: dict[str, Callable[[UserMemory], object]] = {
    "read": lambda memory: memory.read(END, 4),
    "write": lambda memory: memory.write(END, b"x"),
    "window": lambda memory: memory.window(END, 4),
    "u16": lambda memory: memory.u16(END),
    "i32": lambda memory: memory.i32(END),
    "u32": lambda memory: memory.u32(END),
    "i64": lambda memory: memory.i64(END),
    "u64": lambda memory: memory.u64(END),
    "put_u32": lambda memory: memory.put_u32(END, 1),
    "put_u64": lambda memory: memory.put_u64(END, 1),
    "unpack": lambda memory: memory.unpack(Struct("<II"), END),
    "pack": lambda memory: memory.pack(Struct("<II"), END, 1, 2),
    "string": lambda memory: memory.string(END, 100),
    "strings": lambda memory: memory.strings(END, 100),
    "iovecs": lambda memory: memory.iovecs(END, 1),
}


@pytest.mark.parametrize("access", ACCESSES)
def test_an_access_sees_memory_that_grew(access: str) -> None:
    pages = bytearray(PAGE)
    memory = UserMemory(lambda: memoryview(pages))
    assert memory.size == PAGE
    pages = bytearray(2 * PAGE)
    ACCESSES[access](memory)
    assert memory.size == 2 * PAGE
