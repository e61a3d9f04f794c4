# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What stat says of a file, before it is laid out for a guest.

Units: sizes in bytes, times in nanoseconds since the epoch.
"""
from __future__ import annotations


class Stat:
    """The fields of statx(2) that this system knows."""

    __slots__ = (
        "atime_ns", "block_size", "blocks", "btime_ns", "ctime_ns", "dev", "gid", "ino", "mode",
        "mtime_ns", "nlink", "rdev", "size", "uid",
    )  # fmt: skip

    def __init__(
        self,
        mode: int,
        ino: int,
        nlink: int = 1,
        uid: int = 0,
        gid: int = 0,
        size: int = 0,
        dev: int = 1,
        rdev: int = 0,
        block_size: int = 4096,
        blocks: int = 0,
        atime_ns: int = 0,
        mtime_ns: int = 0,
        ctime_ns: int = 0,
        btime_ns: int = 0,
    ) -> None:
        self.mode = mode  # type and permission bits
        self.ino = ino
        self.nlink = nlink
        self.uid = uid
        self.gid = gid
        self.size = size
        self.dev = dev
        self.rdev = rdev
        self.block_size = block_size
        self.blocks = blocks  # of 512 bytes
        self.atime_ns = atime_ns
        self.mtime_ns = mtime_ns
        self.ctime_ns = ctime_ns
        self.btime_ns = btime_ns
