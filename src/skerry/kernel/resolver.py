# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The name server of a box without a network: it knows no name, and says so at once.

Without it a program that asks for a host waits ten seconds for an answer that cannot come. It
stands behind every address at UDP port 53 where no program of the box listens; the seam for
`abi.hostnet.Resolve` once the monitor can answer that.

Standard: RFC 1035 4.1.1; answers carry the question, as libc compares it.
"""
from __future__ import annotations

from struct import Struct

PORT = 53
HEADER = Struct(">HHHHHH")  # id, flags, and four counts
RESPONSE, RECURSION_DESIRED, RECURSION_AVAILABLE = 0x8000, 0x0100, 0x0080
NXDOMAIN = 3


def reply(query: bytes) -> bytes | None:
    """The answer to one query; None for what is not a query with one question."""
    if len(query) < HEADER.size:
        return None
    number, flags, questions, *_ = HEADER.unpack_from(query)
    end = _question_end(query)
    if flags & RESPONSE or questions != 1 or end is None:
        return None
    flags = RESPONSE | flags & RECURSION_DESIRED | RECURSION_AVAILABLE | NXDOMAIN
    return HEADER.pack(number, flags, 1, 0, 0, 0) + query[HEADER.size : end]


def _question_end(query: bytes) -> int | None:
    """Where the first question ends: its labels, type and class."""
    at = HEADER.size
    while at < len(query) and query[at]:
        if query[at] > 63:  # a compressed name has no place in a query
            return None
        at += 1 + query[at]
    end = at + 5
    return end if end <= len(query) else None
