# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What the kernel may ask of the world outside the box: connections.

Carried like hostfs.py's requests. A box reaches nothing by default: the monitor answers
`hostfs.Failed(EACCES)` to every request here until a grant says otherwise.
"""

from __future__ import annotations

from typing import ClassVar

from skerry.abi.record import Record


class Connect(Record):
    """Open a stream (or, with `stream` false, a datagram flow) to an address outside.

    `host` is 4 or 16 bytes in network order. There is no answer but `Failed` yet.
    """

    code: ClassVar[int] = 32
    host: bytes
    port: int
    stream: bool


class Resolve(Record):
    """Ask for the addresses of a name outside. There is no answer but `Failed` yet."""

    code: ClassVar[int] = 33
    name: bytes
