# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""One alarm clock: a thread that sleeps until a deadline on a futex, without descriptors.

Units: deadlines are nanoseconds of `time.monotonic_ns`.
"""

from __future__ import annotations

import _thread
import time
from collections.abc import Callable

_LONG_S = 3600.0


class Alarm:
    """Calls `action` on its own thread when the deadline last set has passed."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action
        self._deadline_ns: int | None = None
        self._wake_ns = 0  # when the thread will look by itself
        self._bell = _thread.allocate_lock()
        self._bell.acquire()
        self._started = False

    def set(self, deadline_ns: int | None) -> None:
        """Replace the deadline; None for never. One setter at a time."""
        self._deadline_ns = deadline_ns
        if deadline_ns is None:
            return
        if not self._started:
            self._started = True
            _thread.start_new_thread(self._loop, ())
        elif deadline_ns < self._wake_ns and self._bell.locked():
            self._bell.release()

    def _loop(self) -> None:
        while True:
            deadline_ns = self._deadline_ns
            now_ns = time.monotonic_ns()
            if deadline_ns is not None and deadline_ns <= now_ns:
                self._deadline_ns = None
                self._action()
                continue
            wait_s = _LONG_S if deadline_ns is None else min((deadline_ns - now_ns) / 1e9, _LONG_S)
            self._wake_ns = now_ns + int(wait_s * 1e9)
            if self._deadline_ns == deadline_ns:
                self._bell.acquire(True, wait_s)
