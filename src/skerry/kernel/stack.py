# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The initial stack of a new image.

Standard: the Linux process stack as libc finds it at start: argc, argv[], NULL, envp[], NULL,
          auxv pairs, AT_NULL, then the strings; words are 32 bits.
Units:    addresses and sizes are bytes.
"""
from __future__ import annotations

from struct import pack

from skerry.kernel.commands import Image

_WORD = 4


def stack_size(image: Image) -> int:
    """Bytes `initial_stack` will fill."""
    words = 1 + len(image.argv) + 1 + len(image.env) + 1 + 2 * (len(image.auxv) + 1)
    strings = sum(len(text) + 1 for text in (*image.argv, *image.env))
    blobs = sum(len(value) for _, value in image.auxv if isinstance(value, bytes))
    return words * _WORD + strings + blobs


def initial_stack(image: Image, address: int) -> bytes:
    """The stack's bytes, with pointers made for a place at `address`."""
    words = 1 + len(image.argv) + 1 + len(image.env) + 1 + 2 * (len(image.auxv) + 1)
    out: list[int] = [len(image.argv)]
    tail = bytearray()

    def place(data: bytes) -> int:
        tail.extend(data)
        return address + words * _WORD + len(tail) - len(data)

    for texts in (image.argv, image.env):
        out += [place(text + b"\0") for text in texts]
        out.append(0)
    for key, value in image.auxv:
        out += [key, place(value) if isinstance(value, bytes) else value]
    out += [0, 0]
    return pack(f"<{len(out)}I", *out) + bytes(tail)
