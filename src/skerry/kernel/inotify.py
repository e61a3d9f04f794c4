# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""inotify: a file from which one reads what happens to other files.

Standard: inotify(7). Equal events in a row are one; past `EVENTS_MAX` waiting ones the rest
          is one IN_Q_OVERFLOW.
Blocking: read waits for an event.
"""
from __future__ import annotations

from collections import deque
from struct import Struct
from typing import TYPE_CHECKING

from skerry.abi import poll
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.termios import FIONREAD
from skerry.kernel.anonymous import Anonymous
from skerry.kernel.notify import IN_ALL_EVENTS, IN_IGNORED, IN_Q_OVERFLOW
from skerry.kernel.vfs import Watch
from skerry.kernel.wait import Step, Wait, WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.file import Buffer
    from skerry.kernel.task import Task
    from skerry.kernel.vfs import Inode

EVENT = Struct("<iIII")  # struct inotify_event: wd, mask, cookie, len; then the padded name
EVENTS_MAX = 16384  # fs.inotify.max_queued_events
IN_MASK_CREATE, IN_MASK_ADD, IN_ONESHOT = 0x10000000, 0x20000000, 0x80000000

Event = tuple[int, int, int, bytes]  # wd, mask, cookie, name


class InodeWatch(Watch):
    """One watch of one inotify file."""

    __slots__ = ("inode", "mask", "number", "owner")

    def __init__(self, owner: Inotify, number: int, inode: Inode, mask: int) -> None:
        self.owner, self.number, self.inode, self.mask = owner, number, inode, mask

    def tell(self, mask: int, cookie: int, name: bytes) -> None:
        """See Watch."""
        if mask & self.mask & IN_ALL_EVENTS:
            self.owner.add((self.number, mask, cookie, name))
            if self.mask & IN_ONESHOT:
                self.end()

    def end(self) -> None:
        """See Watch."""
        self.forget()
        self.owner.watches.pop(self.number, None)
        self.owner.add((self.number, IN_IGNORED, 0, b""))

    def forget(self) -> None:
        """Be told nothing more."""
        if self.inode.watches and self in self.inode.watches:
            self.inode.watches.remove(self)


class Inotify(Anonymous):
    """One queue of events."""

    kind = b"anon_inode:inotify"

    def __init__(self, task: Task, flags: int) -> None:
        super().__init__(task.kernel, task.process.cred, flags)
        self.watches: dict[int, InodeWatch] = {}
        self.events: deque[Event] = deque()
        self.not_empty = WaitQueue()
        self._last = 0

    def watch(self, inode: Inode, mask: int) -> int:
        """Watch an inode, or change its watch; returns the watch's number.

        Raises: SysError(EEXIST) with IN_MASK_CREATE for one that is watched.
        """
        for known in self.watches.values():
            if known.inode is inode:
                if mask & IN_MASK_CREATE:
                    raise SysError(Errno.EEXIST)
                known.mask = mask | (known.mask if mask & IN_MASK_ADD else 0)
                return known.number
        self._last += 1
        made = self.watches[self._last] = InodeWatch(self, self._last, inode, mask)
        inode.watches = [*(inode.watches or ()), made]
        inode.fs.watched = True
        return self._last

    def unwatch(self, number: int) -> None:
        """Stop. Raises: SysError(EINVAL)."""
        watch = self.watches.get(number)
        if watch is None:
            raise SysError(Errno.EINVAL)
        watch.end()

    def add(self, event: Event) -> None:
        """Queue an event."""
        if self.events and self.events[-1] == event:
            return
        if len(self.events) >= EVENTS_MAX:
            event = (-1, IN_Q_OVERFLOW, 0, b"")
            if self.events[-1] == event:
                return
        self.events.append(event)
        self.not_empty.wake()

    def read(self, task: Task, size: int) -> Buffer | Step[Buffer]:
        """See File: whole events only."""
        if self.events:
            return self._take(size)
        if self.nonblocking:
            raise SysError(Errno.EAGAIN)
        return self._read_later(size)

    def _read_later(self, size: int) -> Step[Buffer]:
        while not self.events:
            yield Wait((self.not_empty,))
        return self._take(size)

    def _take(self, size: int) -> bytes:
        parts: list[bytes] = []
        while self.events and (space := _size(self.events[0])) <= size:
            number, mask, cookie, name = self.events.popleft()
            room = space - EVENT.size
            parts.append(EVENT.pack(number, mask, cookie, room) + name.ljust(room, b"\0"))
            size -= space
        if not parts:
            raise SysError(Errno.EINVAL)
        return b"".join(parts)

    def ioctl(self, task: Task, request: int, argument: int) -> int:
        """FIONREAD: how many bytes a read would give."""
        if request != FIONREAD:
            raise SysError(Errno.ENOTTY)
        task.mem.put_u32(argument, sum(_size(event) for event in self.events))
        return 0

    def poll(self) -> int:
        """Readable with an event."""
        return poll.READABLE if self.events else 0

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Woken by events."""
        return (self.not_empty,)

    def close(self) -> None:
        """See File."""
        for watch in self.watches.values():
            watch.forget()
        self.watches.clear()


def _size(event: Event) -> int:
    """The space an event takes: names are padded to whole event headers, with a NUL at least."""
    name = event[3]
    return EVENT.size + ((len(name) + EVENT.size) // EVENT.size * EVENT.size if name else 0)
