# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Deadlines: one heap of timers in the kernel's monotonic time.

Units: nanoseconds of the monotonic clock the kernel was given.
Invariant: callbacks run in order of deadline, equal ones in order of creation.
"""
from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush


class Deadline:
    """One pending timer; `cancelled` ones are dropped when they surface or are many."""

    __slots__ = ("action", "at_ns", "cancelled", "number")

    def __init__(self, at_ns: int, number: int, action: Callable[[], None]) -> None:
        self.at_ns = at_ns
        self.number = number
        self.action = action
        self.cancelled = False

    def __lt__(self, other: Deadline) -> bool:
        return (self.at_ns, self.number) < (other.at_ns, other.number)


class Timers:
    """Pending deadlines."""

    def __init__(self) -> None:
        self._heap: list[Deadline] = []
        self._count = 0
        self._cancelled = 0  # still in the heap

    def add(self, at_ns: int, action: Callable[[], None]) -> Deadline:
        """Call `action` once the clock has passed `at_ns`."""
        self._count += 1
        deadline = Deadline(at_ns, self._count, action)
        heappush(self._heap, deadline)
        return deadline

    def cancel(self, deadline: Deadline | None) -> None:
        """Forget a deadline; one that has fired or None is no error."""
        if deadline is None or deadline.cancelled:
            return
        deadline.cancelled = True
        self._cancelled += 1
        if self._cancelled > 64 and self._cancelled * 2 > len(self._heap):
            self._heap = [one for one in self._heap if not one.cancelled]
            heapify(self._heap)
            self._cancelled = 0

    def next_ns(self) -> int | None:
        """When the next one is due."""
        while self._heap and self._heap[0].cancelled:
            heappop(self._heap)
            self._cancelled -= 1
        return self._heap[0].at_ns if self._heap else None

    def fire(self, now_ns: int) -> None:
        """Run everything that is due."""
        while (at_ns := self.next_ns()) is not None and at_ns <= now_ns:
            deadline = heappop(self._heap)
            deadline.cancelled = True
            deadline.action()
