# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""inotify: being told what happens to files.

Standard: inotify(7). Changes made on the host itself, behind the box' back, are not seen.
Units:    the queue holds at most `EVENTS_MAX` events; then one IN_Q_OVERFLOW.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skerry.kernel.vfs import Inode

IN_ACCESS = 0x1
IN_MODIFY = 0x2
IN_ATTRIB = 0x4
IN_CLOSE_WRITE = 0x8
IN_CLOSE_NOWRITE = 0x10
IN_OPEN = 0x20
IN_MOVED_FROM = 0x40
IN_MOVED_TO = 0x80
IN_CREATE = 0x100
IN_DELETE = 0x200
IN_DELETE_SELF = 0x400
IN_MOVE_SELF = 0x800
IN_ISDIR = 0x40000000


def notify(inode: Inode, place: tuple[Inode, bytes] | None, mask: int, cookie: int = 0) -> None:
    """Something happened to `inode`: tell its watches and those of the directory it is known by."""
    if inode.is_dir:
        mask |= IN_ISDIR
    if inode.watches is not None:
        for watch in tuple(inode.watches):
            watch.tell(mask, cookie, b"")
    if place is not None and place[0].watches is not None:
        for watch in tuple(place[0].watches):
            watch.tell(mask, cookie, place[1])
