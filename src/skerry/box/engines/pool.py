# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""OS threads, used again: starting one costs as much as a small fork.

Invariant: a thread is either running a job or in `_idle`, waiting for one.
"""

from __future__ import annotations

import _thread
from collections.abc import Callable

IDLE_MAX = 16
"""How many threads are kept for later."""


class Pool:
    """Threads with a native stack of `stack_size` bytes."""

    def __init__(self, stack_size: int) -> None:
        self._stack_size = stack_size
        self._idle: list[_Worker] = []

    def run(self, job: Callable[[], None]) -> None:
        """Run `job` on a thread of its own; it must not raise."""
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = _Worker(self._idle)
            worker.job = job
            old = _thread.stack_size(self._stack_size)
            try:
                _thread.start_new_thread(worker.loop, ())
            finally:
                _thread.stack_size(old)
        else:
            worker.job = job
            worker.bell.release()


class _Worker:
    """One thread of the pool."""

    def __init__(self, idle: list[_Worker]) -> None:
        self.idle = idle
        self.job: Callable[[], None] | None = None
        self.bell = _thread.allocate_lock()
        self.bell.acquire()

    def loop(self) -> None:
        while self.job is not None:
            self.job()
            self.job = None
            if len(self.idle) >= IDLE_MAX:
                return
            self.idle.append(self)
            self.bell.acquire()
