# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The person's terminal: raw while a box has it, as it was in the end.

The box's own line discipline echoes, edits and makes signals of keys; the host's must not.
"""

from __future__ import annotations

import os
import sys
import termios
from typing import Any


class Terminal:
    """A terminal of ours, by the descriptor to read from."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._before: list[Any] | None = None

    def enter(self) -> None:
        """Make it raw; remembers how it was."""
        self._before = termios.tcgetattr(self.fd)
        raw = termios.tcgetattr(self.fd)
        raw[0] &= ~(
            termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP
            | termios.INLCR | termios.IGNCR | termios.ICRNL | termios.IXON
        )  # fmt: skip
        raw[1] &= ~termios.OPOST
        raw[2] = raw[2] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
        raw[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
        raw[6][termios.VMIN], raw[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self.fd, termios.TCSADRAIN, raw)

    def leave(self) -> None:
        """Put it back; twice is no error."""
        before, self._before = self._before, None
        if before is not None:
            try:
                termios.tcsetattr(self.fd, termios.TCSADRAIN, before)
            except termios.error:  # the terminal is gone
                pass

    @property
    def entered(self) -> bool:
        """Whether it is raw now."""
        return self._before is not None

    def size(self) -> tuple[int, int]:
        """Rows and columns; 24 x 80 when it does not say."""
        try:
            columns, rows = os.get_terminal_size(self.fd)
        except OSError:
            return 24, 80
        return rows or 24, columns or 80


def complain(text: str, raw: bool) -> None:
    """Write lines on our standard error, whatever state the terminal is in."""
    end = "\r\n" if raw else "\n"
    sys.stderr.write(text.rstrip("\n").replace("\n", end) + end)
    sys.stderr.flush()
