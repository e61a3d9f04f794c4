# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What stat says of a file, before it is laid out for a guest.

Units: sizes in bytes, times in nanoseconds since the epoch.
"""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Stat:
    """The fields of statx(2) that this system knows."""

    mode: int  # type and permission bits
    ino: int
    nlink: int = 1
    uid: int = 0
    gid: int = 0
    size: int = 0
    dev: int = 1
    rdev: int = 0
    block_size: int = 4096
    blocks: int = 0  # of 512 bytes
    atime_ns: int = 0
    mtime_ns: int = 0
    ctime_ns: int = 0
    btime_ns: int = 0
