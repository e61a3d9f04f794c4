# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""One line that says how far a build is; on a file or pipe, an occasional whole line instead."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_REDRAW_S = 0.1
_LINE_S = 10.0


class Progress:
    """Counts finished steps of one named job."""

    def __init__(self, title: str, total: int, stream: TextIO | None = None) -> None:
        self._title = title
        self._total = max(total, 1)
        self._done = 0
        self._stream = stream or sys.stderr
        self._tty = self._stream.isatty()
        self._last = 0.0 if self._tty else time.monotonic()
        self._started = time.monotonic()

    def step(self, label: str = "") -> None:
        """Count one finished step; `label` is what was done."""
        self._done += 1
        now = time.monotonic()
        if now - self._last < (_REDRAW_S if self._tty else _LINE_S):
            return
        self._last = now
        percent = self._done * 100 // self._total
        if self._tty:
            self._stream.write(f"\r\x1b[K{self._title}: {percent:3}% {label[:50]}")
        else:
            self._stream.write(f"{self._title}: {percent}%\n")
        self._stream.flush()

    def finish(self) -> None:
        """Close the line with the time it took."""
        lead = "\r\x1b[K" if self._tty else ""
        self._stream.write(f"{lead}{self._title}: done in {time.monotonic() - self._started:.0f} s\n")
        self._stream.flush()
