# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Byte queues: what is inside a pipe and inside each direction of a stream socket.

Units:     sizes are bytes.
Invariant: `used` is the sum of the chunks' sizes less `head`, the bytes of the first chunk
           already taken. A chunk of bytes is never changed; a bytearray may still grow at
           its end, so that many small writes do not cost an object each.
"""
from __future__ import annotations

from collections import deque

from skerry.kernel.file import Buffer

_SMALL = 512  # up to this size, copying is cheaper than one more chunk
_BLOCK = 4096


class ByteQueue:
    """Bytes in order, in the chunks they came in."""

    __slots__ = ("chunks", "head", "used")

    def __init__(self) -> None:
        self.chunks: deque[bytes | bytearray] = deque()
        self.head = 0
        self.used = 0

    def put(self, data: bytes) -> None:
        """Append `data`, which must not be empty."""
        size = len(data)
        if self.used and size <= _SMALL:
            last = self.chunks[-1]
            if type(last) is bytearray and len(last) < _BLOCK:
                last += data
            else:
                self.chunks.append(bytearray(data))
        else:
            self.chunks.append(data)
        self.used += size

    def take(self, size: int) -> Buffer:
        """Remove up to `size` bytes, at least one; the queue must not be empty."""
        first = self.chunks[0]
        head = self.head
        left = len(first) - head
        if size < left:
            self.head = head + size
            self.used -= size
            return first[head : head + size]
        self.chunks.popleft()
        self.head = 0
        self.used -= left
        if head:
            first = first[head:]
        if not self.used or left == size:
            return first
        return self._join(first, size - left)

    def _join(self, first: Buffer, size: int) -> bytes:
        """`first`, then up to `size` bytes more."""
        parts = [first]
        chunks = self.chunks
        while chunks and size:
            chunk = chunks[0]
            if len(chunk) > size:
                parts.append(chunk[:size])
                self.head = size
                self.used -= size
                break
            parts.append(chunks.popleft())
            size -= len(chunk)
            self.used -= len(chunk)
        return b"".join(parts)

    def peek(self, size: int, skip: int = 0) -> bytes:
        """Up to `size` bytes from `skip` on, left in place."""
        parts: list[Buffer] = []
        skip += self.head
        for chunk in self.chunks:
            if size <= 0:
                break
            if skip >= len(chunk):
                skip -= len(chunk)
                continue
            part = chunk[skip : skip + size]
            parts.append(part)
            size -= len(part)
            skip = 0
        return b"".join(parts)

    def clear(self) -> None:
        """Forget everything."""
        self.chunks.clear()
        self.head = self.used = 0
