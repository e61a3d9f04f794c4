# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What happens to files, told to the watches of inotify(7). Nobody watching costs one test.

Changes made on the host itself, behind the box' back, are not seen.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from skerry.kernel.vfs import Inode

IN_ACCESS: Final = 0x1
IN_MODIFY: Final = 0x2
IN_ATTRIB: Final = 0x4
IN_CLOSE_WRITE: Final = 0x8
IN_CLOSE_NOWRITE: Final = 0x10
IN_OPEN: Final = 0x20
IN_MOVED_FROM: Final = 0x40
IN_MOVED_TO: Final = 0x80
IN_CREATE: Final = 0x100
IN_DELETE: Final = 0x200
IN_DELETE_SELF: Final = 0x400
IN_MOVE_SELF: Final = 0x800
IN_ALL_EVENTS: Final = 0xFFF
IN_Q_OVERFLOW: Final = 0x4000
IN_IGNORED: Final = 0x8000
IN_ISDIR: Final = 0x40000000


def notify(inode: Inode, place: tuple[Inode, bytes] | None, mask: int) -> None:
    """Something happened to `inode`: tell its watches and those of the directory it is known in."""
    if inode.is_dir:
        mask |= IN_ISDIR
    if inode.watches:
        for watch in tuple(inode.watches):
            watch.tell(mask, 0, b"")
    if place is not None and place[0].watches:
        for watch in tuple(place[0].watches):
            watch.tell(mask, 0, place[1])


def notify_name(directory: Inode, name: bytes, inode: Inode, mask: int, cookie: int = 0) -> None:
    """A name came, went or moved: tell the watches of its directory."""
    if directory.watches:
        mask |= IN_ISDIR if inode.is_dir else 0
        for watch in tuple(directory.watches):
            watch.tell(mask, cookie, name)


def notify_lost(inode: Inode) -> None:
    """A name of `inode` went; with the last name and the last opening the inode is gone."""
    if inode.watches:
        if not inode.is_dir:
            notify(inode, None, IN_ATTRIB)
        if inode.nlink == 0 and (inode.opened == 0 or inode.is_dir):
            notify_gone(inode)


def notify_gone(inode: Inode) -> None:
    """The inode is gone, and so are its watches."""
    for watch in tuple(inode.watches or ()):
        watch.tell(IN_DELETE_SELF, 0, b"")
        watch.end()
