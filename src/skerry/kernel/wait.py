# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Waiting: the one vocabulary in which anything in the kernel waits.

A system call that cannot finish now is a generator: it yields `Wait(queues)` and is
resumed with True (a queue was woken) or False (the deadline passed). Nothing else in
the kernel blocks, and only `sched.py` steps these generators.

Units:     deadlines are nanoseconds of the monotonic clock.
Blocking:  nothing here blocks.
Invariant: before each `Wait` all progress is in kernel objects, so that a parked call
           can be dropped and issued again from its arguments.
"""
from __future__ import annotations

from collections.abc import Generator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Interrupted(Exception):
    """Thrown into a parked call when a signal must be handled first; see sched.py."""


class Waiter(Protocol):
    """Anything that can stand in a queue: a parked call, an epoll item."""

    def wake(self) -> None:
        """The awaited condition may hold now; must not run other code than book-keeping."""


class WaitQueue:
    """Waiters in order of arrival; named after the condition they await."""

    __slots__ = ("waiters",)

    def __init__(self) -> None:
        self.waiters: dict[Waiter, None] = {}

    def wake(self) -> None:
        """Tell every waiter, first come first; each looks for itself again."""
        if self.waiters:
            for waiter in tuple(self.waiters):
                waiter.wake()

    def wake_one(self) -> bool:
        """Tell the first waiter only, and take it out; False when there was none."""
        for waiter in self.waiters:
            del self.waiters[waiter]
            waiter.wake()
            return True
        return False

    def add(self, waiter: Waiter) -> None:
        """Stand in line."""
        self.waiters[waiter] = None

    def remove(self, waiter: Waiter) -> None:
        """Leave the line; leaving twice is no error."""
        self.waiters.pop(waiter, None)


class Wait:
    """Park the caller until one of `queues` is woken or `deadline_ns` has passed.

    A list of queues rather than one because poll(2) waits on many files. `killable_only`
    calls are not interrupted by handlers, only by death (an Ask whose effect is under way).
    """

    __slots__ = ("deadline_ns", "killable_only", "queues")

    def __init__(
        self, queues: tuple[WaitQueue, ...], deadline_ns: int | None = None, killable_only: bool = False
    ) -> None:
        self.queues = queues
        self.deadline_ns = deadline_ns
        self.killable_only = killable_only


Step = Generator[Wait, bool, T]
