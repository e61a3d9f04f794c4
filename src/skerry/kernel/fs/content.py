# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The bytes of a file in memory, with holes.

Blocks of 64 KiB; one that was never written is a hole and costs nothing, and one that is
shorter than 64 KiB reads as zeros past its end. Growth is charged to an account in pages,
before it happens.

Units:  offsets and sizes are bytes, charges pages of 4096.
Errors: SysError(ENOSPC) when the account has no page left.
Hazard: a view handed out by `read` shows later writes, or does not; copy what you keep.
"""
from __future__ import annotations

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.file import Buffer

BLOCK = 65536
PAGE = 4096


class Account:
    """Pages a file system may use, and uses."""

    __slots__ = ("free", "limit")

    def __init__(self, size: int) -> None:
        self.limit = self.free = size // PAGE

    def take(self, pages: int) -> None:
        """Charge pages. Raises: SysError(ENOSPC)."""
        if pages > self.free:
            raise SysError(Errno.ENOSPC)
        self.free -= pages


class Content:
    """What one regular file holds."""

    __slots__ = ("account", "blocks", "pages", "size")

    def __init__(self, account: Account) -> None:
        self.account = account
        self.blocks: dict[int, bytearray] = {}
        self.pages = 0
        self.size = 0

    def read(self, offset: int, size: int) -> Buffer:
        """Up to `size` bytes: a view where one block has them, else a copy."""
        size = min(size, self.size - offset)
        if size <= 0:
            return b""
        index, start = offset // BLOCK, offset % BLOCK
        end = start + size
        if end <= BLOCK:
            block = self.blocks.get(index)
            if block is not None and end <= len(block):
                return memoryview(block)[start:end]
        parts: list[Buffer] = []
        while size > 0:
            part = min(size, BLOCK - start)
            block = self.blocks.get(index)
            found: Buffer = b"" if block is None else memoryview(block)[start : start + part]
            parts.append(found)
            if len(found) < part:
                parts.append(bytes(part - len(found)))
            size -= part
            index, start = index + 1, 0
        return b"".join(parts)

    def write(self, offset: int, data: Buffer) -> int:
        """Put `data`; what finds no space is left out, and nothing at all is ENOSPC."""
        size = len(data)
        start = offset % BLOCK
        if start + size <= BLOCK:
            self._put(offset // BLOCK, start, data)
            done = size
        else:
            done = self._write_blocks(offset, data, size)
        if offset + done > self.size:
            self.size = offset + done
        return done

    def _write_blocks(self, offset: int, data: Buffer, size: int) -> int:
        view = memoryview(data)
        done = 0
        while done < size:
            start = (offset + done) % BLOCK
            part = view[done : done + BLOCK - start]
            try:
                self._put((offset + done) // BLOCK, start, part)
            except SysError:
                if done:
                    break
                raise
            done += len(part)
        return done

    def _put(self, index: int, start: int, data: Buffer) -> None:
        """Write inside one block."""
        end = start + len(data)
        block = self.blocks.get(index)
        if block is None:
            self._charge((end + PAGE - 1) // PAGE)
            self.blocks[index] = bytearray(data) if start == 0 else bytearray(start) + data
            return
        size = len(block)
        if end > size:
            more = (end + PAGE - 1) // PAGE - (size + PAGE - 1) // PAGE
            if more:
                self._charge(more)
            block = self._resizable(index)
            if start > size:
                block.extend(bytes(start - size))
        block[start:end] = data

    def _resizable(self, index: int) -> bytearray:
        """A block without views of it: they keep the old one."""
        block = self.blocks[index]
        try:
            block.append(0)
            block.pop()
        except BufferError:
            block = self.blocks[index] = bytearray(block)
        return block

    def _charge(self, pages: int) -> None:
        self.account.take(pages)
        self.pages += pages

    def _refund(self, pages: int) -> None:
        self.account.free += pages
        self.pages -= pages

    def truncate(self, size: int) -> None:
        """Cut, or grow by a hole."""
        if size < self.size:
            self._cut(size)
        self.size = size

    def _cut(self, size: int) -> None:
        """Drop every stored byte from `size` on."""
        if size == 0:
            self._refund(self.pages)
            self.blocks.clear()
            return
        last, rest = size // BLOCK, size % BLOCK
        for index in [index for index in self.blocks if index > last or (index == last and not rest)]:
            self._refund((len(self.blocks.pop(index)) + PAGE - 1) // PAGE)
        block = self.blocks.get(last)
        if block is not None and len(block) > rest:
            self._refund((len(block) + PAGE - 1) // PAGE - (rest + PAGE - 1) // PAGE)
            del self._resizable(last)[rest:]

    def clear(self) -> None:
        """The file is gone: give everything back."""
        self._refund(self.pages)
        self.blocks = {}
        self.size = 0

    def reserve(self, offset: int, size: int) -> None:
        """Store zeros where there are holes. Raises: SysError(ENOSPC), with nothing changed."""
        plan: list[tuple[int, int]] = []
        pages = 0
        while size > 0:
            index, start = offset // BLOCK, offset % BLOCK
            part = min(size, BLOCK - start)
            have = len(self.blocks.get(index, b""))
            if start + part > have:
                plan.append((index, start + part))
                pages += (start + part + PAGE - 1) // PAGE - (have + PAGE - 1) // PAGE
            if pages > self.account.free:
                raise SysError(Errno.ENOSPC)
            offset, size = offset + part, size - part
        self._charge(pages)
        for index, end in plan:
            self.blocks.setdefault(index, bytearray())
            block = self._resizable(index)
            block.extend(bytes(end - len(block)))

    def punch(self, offset: int, size: int) -> None:
        """Zero a range; whole blocks become holes."""
        end = min(offset + size, self.size)
        for index in [index for index in self.blocks if offset < (index + 1) * BLOCK and index * BLOCK < end]:
            block, base = self.blocks[index], index * BLOCK
            low, high = max(offset - base, 0), min(end - base, len(block))
            if low == 0 and high >= len(block):
                self._refund((len(block) + PAGE - 1) // PAGE)
                del self.blocks[index]
            elif low < high:
                block[low:high] = bytes(high - low)

    def next_data(self, offset: int) -> int:
        """The first stored byte at or after `offset`; the size when only a hole is left."""
        index = offset // BLOCK
        if offset - index * BLOCK < len(self.blocks.get(index, b"")):
            return min(offset, self.size)
        later = [number for number in self.blocks if number > index]
        return min(min(later) * BLOCK, self.size) if later else self.size

    def next_hole(self, offset: int) -> int:
        """The first byte of a hole at or after `offset`; the end of the file is one."""
        while offset < self.size:
            index = offset // BLOCK
            have = index * BLOCK + len(self.blocks.get(index, b""))
            have = index * BLOCK + (have - index * BLOCK + PAGE - 1) // PAGE * PAGE  # a page is stored whole
            if offset >= have:
                return offset
            if have < (index + 1) * BLOCK:
                return min(have, self.size)
            offset = (index + 1) * BLOCK
        return self.size
