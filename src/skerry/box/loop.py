# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The monitor's event loop: descriptors and what to do when they are ready.

`select.poll` alone: the selectors module would cost a start 3 ms.
Blocking: `step` waits, at most as long as it is told.
"""

from __future__ import annotations

import select
from collections.abc import Callable

READ = select.POLLIN
WRITE = select.POLLOUT
_ENDS = select.POLLERR | select.POLLHUP | select.POLLNVAL

Ready = Callable[[], None]


class Loop:
    """Watches descriptors."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._actions: dict[tuple[int, int], Ready] = {}

    def watch(self, fd: int, what: int, action: Ready) -> None:
        """Call `action` whenever `fd` is ready for `what` (READ or WRITE) or has ended."""
        self._actions[fd, what] = action
        self._register(fd)

    def forget(self, fd: int, what: int) -> None:
        """Stop watching; twice is no error."""
        if self._actions.pop((fd, what), None) is not None:
            self._register(fd)

    def watches(self, fd: int, what: int) -> bool:
        """Whether `fd` is watched for `what`."""
        return (fd, what) in self._actions

    def step(self, timeout_s: float | None = None) -> None:
        """Wait once and do what is due."""
        timeout_ms = None if timeout_s is None else max(0, int(timeout_s * 1000))
        for fd, found in self._poll.poll(timeout_ms):
            for what in (READ, WRITE):
                action = self._actions.get((fd, what))
                if action is not None and found & (what | _ENDS):
                    action()

    def _register(self, fd: int) -> None:
        wanted = sum(what for what in (READ, WRITE) if (fd, what) in self._actions)
        if wanted:
            self._poll.register(fd, wanted)
        else:
            self._poll.unregister(fd)
