# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Guest memory: the only way the kernel touches a process' bytes.

Every address and length comes from the guest and is checked here against the present
size of its linear memory; nothing outside can be read or written.

Units:     addresses and sizes are bytes; a negative i32 address is its unsigned value.
Errors:    SysError(EFAULT) for any range that leaves the memory.
Invariant: a wasm memory never shrinks, so the size known here is a safe lower bound;
           `refresh` is asked only when a range lies beyond it.
"""
from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError

U32 = 0xFFFFFFFF
_U16 = Struct("<H")
_I32 = Struct("<i")
_U32 = Struct("<I")
_I64 = Struct("<q")
_U64 = Struct("<Q")
_STRING_BLOCK = 256


class UserMemory:
    """One linear memory, as the kernel sees it."""

    __slots__ = ("_refresh", "size", "view")

    def __init__(self, refresh: Callable[[], memoryview]) -> None:
        self._refresh = refresh
        self.view = refresh()
        self.size = len(self.view)

    def detach(self) -> None:
        """Forget the memory: its instance is gone, every later access is EFAULT."""
        self.view = memoryview(b"")
        self.size = 0
        self._refresh = lambda: memoryview(b"")

    def check(self, address: int, size: int) -> int:
        """Return the unsigned address of a range that lies inside, or raise EFAULT."""
        address &= U32
        end = address + size
        if end > self.size:
            self.view = self._refresh()
            self.size = len(self.view)
            if end > self.size:
                raise SysError(Errno.EFAULT)
        return address

    def room(self, address: int, size: int) -> int:
        """How many of `size` bytes at `address` a call need produce: no more than there is memory.

        Never less than a page's worth, so that a bad address is found by the write that follows.
        """
        address &= U32
        if address + size > self.size:
            self.view = self._refresh()
            self.size = len(self.view)
            return min(size, max(self.size - address, 4096))
        return size

    def read(self, address: int, size: int) -> bytes:
        """Copy `size` bytes out."""
        address = self.check(address, size)
        return self.view[address : address + size].tobytes()

    def window(self, address: int, size: int) -> memoryview:
        """A view without a copy; valid only until the guest runs again."""
        address = self.check(address, size)
        return self.view[address : address + size]

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Copy `data` in."""
        size = len(data)
        address = self.check(address, size)
        self.view[address : address + size] = data

    def unpack(self, layout: Struct, address: int) -> tuple[int, ...]:
        """Read one structure."""
        address = self.check(address, layout.size)  # may replace the view
        return layout.unpack_from(self.view, address)

    def pack(self, layout: Struct, address: int, *values: int) -> None:
        """Write one structure."""
        address = self.check(address, layout.size)
        layout.pack_into(self.view, address, *values)

    def u16(self, address: int) -> int:
        """Read an unsigned 16-bit number."""
        address = self.check(address, 2)  # may replace the view
        return int(_U16.unpack_from(self.view, address)[0])

    def i32(self, address: int) -> int:
        """Read a signed 32-bit number."""
        address = self.check(address, 4)  # may replace the view
        return int(_I32.unpack_from(self.view, address)[0])

    def u32(self, address: int) -> int:
        """Read an unsigned 32-bit number."""
        address = self.check(address, 4)  # may replace the view
        return int(_U32.unpack_from(self.view, address)[0])

    def i64(self, address: int) -> int:
        """Read a signed 64-bit number."""
        address = self.check(address, 8)  # may replace the view
        return int(_I64.unpack_from(self.view, address)[0])

    def u64(self, address: int) -> int:
        """Read an unsigned 64-bit number."""
        address = self.check(address, 8)  # may replace the view
        return int(_U64.unpack_from(self.view, address)[0])

    def put_u32(self, address: int, value: int) -> None:
        """Write a 32-bit number, signed or unsigned."""
        address = self.check(address, 4)
        _U32.pack_into(self.view, address, value & U32)

    def put_u64(self, address: int, value: int) -> None:
        """Write a 64-bit number, signed or unsigned."""
        address = self.check(address, 8)
        _U64.pack_into(self.view, address, value & 0xFFFFFFFFFFFFFFFF)

    def string(self, address: int, limit: int) -> bytes:
        """Read a NUL-terminated string of at most `limit` bytes, NUL excluded.

        Raises: SysError(ENAMETOOLONG) past the limit, SysError(EFAULT).
        """
        address = self.check(address, 1)
        found = b""
        while len(found) <= limit:
            if address >= self.size:
                self.check(address, 1)
            block = self.view[address : min(address + _STRING_BLOCK, self.size)].tobytes()
            nul = block.find(0)
            if nul >= 0:
                found += block[:nul]
                break
            found += block
            address += len(block)
        if len(found) > limit:
            raise SysError(Errno.ENAMETOOLONG)
        return found

    def strings(self, address: int, limit: int) -> list[bytes]:
        """Read a NULL-terminated array of string pointers (argv, envp).

        Raises: SysError(E2BIG) when all strings together pass `limit` bytes.
        """
        found: list[bytes] = []
        if address & U32 == 0:
            return found
        total = 0
        while pointer := self.u32(address):
            try:
                text = self.string(pointer, limit)
            except SysError as error:
                if error.errno == Errno.ENAMETOOLONG:
                    raise SysError(Errno.E2BIG) from None
                raise
            total += len(text) + 5  # the bytes, the NUL and the pointer
            if total > limit:
                raise SysError(Errno.E2BIG)
            found.append(text)
            address += 4
        return found

    def iovecs(self, address: int, count: int) -> list[tuple[int, int]]:
        """Read `count` iovec structures as (address, size).

        Raises: SysError(EINVAL) for a bad count or a total past 2 GiB.
        """
        if not 0 <= count <= 1024:  # UIO_MAXIOV
            raise SysError(Errno.EINVAL)
        words = Struct(f"<{2 * count}I")
        address = self.check(address, words.size)
        numbers = words.unpack_from(self.view, address)
        pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
        if sum(size for _, size in pairs) > 0x7FFFFFFF:
            raise SysError(Errno.EINVAL)
        return pairs
