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
SPARE = 6  # zero words after AT_NULL: libc adds three entries of its own (program headers)


def stack_size(image: Image) -> int:
    """Bytes `initial_stack` will fill."""
    words = _words(image)
    strings = sum(len(text) + 1 for text in (*image.argv, *image.env))
    blobs = sum(len(value) for _, value in image.auxv if isinstance(value, bytes))
    return words * _WORD + strings + blobs


def _words(image: Image) -> int:
    return 1 + len(image.argv) + 1 + len(image.env) + 1 + 2 * (len(image.auxv) + 1) + SPARE


def initial_stack(image: Image, address: int) -> bytes:
    """The stack's bytes, with pointers made for a place at `address`."""
    words = _words(image)
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
    out += [0] * (2 + SPARE)  # AT_NULL
    return pack(f"<{len(out)}I", *out) + bytes(tail)
