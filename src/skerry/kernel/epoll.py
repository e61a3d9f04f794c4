# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""epoll: a set of files that remembers which of them may be ready.

An item stands in the queues of its file for good; a wake-up puts it on the ready list and costs
the same however many items there are. What is on the list is asked again when it is
reported, so the list may hold too much, never too little.

Standard: epoll(7); EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE as Linux fs/eventpoll.c.
Blocking: a wait parks until an item is woken, or the deadline passes.
Errors:   EPERM for files that are always ready, ELOOP for epolls that contain each other.
Invariant: `poll_queues` of a file never changes. An item whose file is closed is dropped the
           next time it is seen, and counts for nothing before that.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import fcntl, poll
from skerry.abi.epoll import EP_MAX_NESTS
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.anonymous import Anonymous
from skerry.kernel.file import File
from skerry.kernel.poll import UNASKED, attend, queues_of
from skerry.kernel.wait import Step, Wait, WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.task import Task

FLAGS = poll.EPOLLET | poll.EPOLLONESHOT | poll.EPOLLWAKEUP | poll.EPOLLEXCLUSIVE
EXCLUSIVE_BITS = FLAGS & ~poll.EPOLLONESHOT | poll.POLLIN | poll.POLLOUT | UNASKED

Ready = tuple[int, int]
"""Bits and the guest's data: what an epoll_event carries."""


class Item:
    """One file in one epoll."""

    __slots__ = ("data", "epoll", "events", "fd", "file")

    def __init__(self, epoll: Epoll, fd: int, file: File, events: int, data: int) -> None:
        self.epoll = epoll
        self.fd = fd
        self.file = file
        self.events = events
        self.data = data

    def wake(self) -> None:
        """The file may be ready: on to the list."""
        epoll = self.epoll
        epoll.ready[self] = None
        if epoll.not_empty.waiters:
            epoll.not_empty.wake()

    def stand(self) -> None:
        """Into the file's queues, and on to the list if it is ready already."""
        for queue in queues_of(self.file, self.events):
            queue.add(self)
        if self.bits():
            self.wake()

    def leave(self) -> None:
        """Out of the file's queues."""
        for queue in self.file.poll_queues():
            queue.remove(self)

    def bits(self) -> int:
        """What holds now of what was asked; nothing once disarmed or closed."""
        events = self.events
        if not events & ~FLAGS or self.file.refs <= 0:
            return 0
        return self.file.poll() & (events | UNASKED)


class Epoll(Anonymous):
    """An interest list and its ready list."""

    kind = b"anon_inode:[eventpoll]"

    def __init__(self, task: Task) -> None:
        super().__init__(task.kernel, task.process.cred, fcntl.O_RDWR)
        self.items: dict[tuple[int, File], Item] = {}
        self.ready: dict[Item, None] = {}  # in order of waking
        self.not_empty = WaitQueue()

    # --- the interest list

    def add(self, task: Task, fd: int, file: File, events: int, data: int) -> None:
        """EPOLL_CTL_ADD."""
        if events & poll.EPOLLEXCLUSIVE and (events & ~EXCLUSIVE_BITS or isinstance(file, Epoll)):
            raise SysError(Errno.EINVAL)
        if isinstance(file, Epoll) and (file.holds(self) or file.depth() + self.height() > EP_MAX_NESTS + 1):
            raise SysError(Errno.ELOOP)
        if (fd, file) in self.items:
            raise SysError(Errno.EEXIST)
        self._drop_closed(fd)
        item = self.items[fd, file] = Item(self, fd, file, events, data)
        attend(task, file)
        item.stand()

    def modify(self, task: Task, fd: int, file: File, events: int, data: int) -> None:
        """EPOLL_CTL_MOD; arms a one-shot item again."""
        item = self._item(fd, file)
        if (events | item.events) & poll.EPOLLEXCLUSIVE:
            raise SysError(Errno.EINVAL)
        item.leave()
        item.events, item.data = events, data
        attend(task, file)
        item.stand()

    def delete(self, fd: int, file: File) -> None:
        """EPOLL_CTL_DEL."""
        self._drop(self._item(fd, file))

    def _item(self, fd: int, file: File) -> Item:
        item = self.items.get((fd, file))
        if item is None:
            raise SysError(Errno.ENOENT)
        return item

    def _drop(self, item: Item) -> None:
        del self.items[item.fd, item.file]
        self.ready.pop(item, None)
        item.leave()

    def _drop_closed(self, fd: int) -> None:
        """Forget closed files that had this number: whoever reuses it should not pay for them."""
        for item in [item for (other, _), item in self.items.items() if other == fd and item.file.refs <= 0]:
            self._drop(item)

    # --- nesting

    def holds(self, other: Epoll) -> bool:
        """Whether `other` is this one or in it, however deep."""
        return other is self or any(inner.holds(other) for inner in self._inner())

    def _inner(self) -> list[Epoll]:
        return [file for _, file in self.items if isinstance(file, Epoll)]

    def depth(self) -> int:
        """Epolls in a row from this one inwards, itself included."""
        return 1 + max((inner.depth() for inner in self._inner()), default=0)

    def height(self) -> int:
        """Epolls in a row outwards from this one, itself included."""
        outer = [item.epoll for item in self.not_empty.waiters if isinstance(item, Item)]
        return 1 + max((epoll.height() for epoll in outer), default=0)

    # --- waiting

    def collect(self, count: int) -> list[Ready]:
        """Up to `count` events; level-triggered items go to the end of the list again."""
        found: list[Ready] = []
        again: list[Item] = []
        for item in tuple(self.ready):
            if len(found) == count:
                break
            del self.ready[item]
            bits = item.bits()
            if not bits:
                if item.file.refs <= 0:
                    self._drop(item)
                continue
            found.append((bits, item.data))
            if item.events & poll.EPOLLONESHOT:
                item.events &= FLAGS
            elif not item.events & poll.EPOLLET:
                again.append(item)
        for item in again:
            self.ready[item] = None
        return found

    def later(self, count: int, deadline_ns: int | None) -> Step[list[Ready]]:
        """Wait for at least one event; nothing at the deadline."""
        wait = Wait((self.not_empty,), deadline_ns)
        while True:
            woken = yield wait
            found = self.collect(count)
            if found or not woken:
                return found

    # --- as a file

    def poll(self) -> int:
        """Readable while an item has something to report."""
        for item in tuple(self.ready):
            if item.bits():
                return poll.READABLE
            del self.ready[item]
        return 0

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Woken with the first item of the ready list."""
        return (self.not_empty,)

    def close(self) -> None:
        """Leave all queues."""
        for item in tuple(self.items.values()):
            self._drop(item)


def pollable(file: File) -> bool:
    """Whether readiness of this kind of file can change: others epoll refuses with EPERM."""
    return type(file).poll is not File.poll
