# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Editing the line being typed: erase a character, a word, the line; print it again.

What disappears from the buffer must disappear from the screen, too: control characters take
two columns, a tab as many as it took, the bytes of one UTF-8 character a single one.

Standard: POSIX.1-2024 11.1.9 Special Characters; ECHOKE, ECHOPRT, VWERASE, VREPRINT as Linux.
"""
from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from skerry.abi import termios as t

if TYPE_CHECKING:
    from skerry.kernel.ldisc import LineDiscipline

_TAB = 9
_RUBOUT = b"\b \b"


def is_control(c: int) -> bool:
    """iscntrl(3) of the C locale."""
    return c < 32 or c == 127


def is_word(c: int) -> bool:
    """What VWERASE takes for a part of a word; the letters above 0x7F are Latin-1's."""
    if c >= 0x80:
        return c >= 0xC0 and c not in (0xD7, 0xF7)
    return 48 <= c <= 57 or 65 <= c <= 90 or 97 <= c <= 122 or c == 0x5F


class Kind(Enum):
    """How much one erase character takes."""

    CHARACTER = "character"
    WORD = "word"
    LINE = "line"


class Editor:
    """Takes back what was typed since the last complete line."""

    __slots__ = ("erasing", "ldisc")

    def __init__(self, ldisc: LineDiscipline) -> None:
        self.ldisc = ldisc
        self.erasing = False  # ECHOPRT: between the backslash and the slash

    def finish(self) -> None:
        """ECHOPRT: something else follows the erased characters."""
        if self.erasing:
            self.ldisc.echo.raw(b"/")
            self.erasing = False

    def reprint(self, c: int) -> None:
        """VREPRINT: show the line again below."""
        ldisc = self.ldisc
        self.finish()
        ldisc.echo.show(c)
        ldisc.echo.raw(b"\n")
        for typed in ldisc.buffer[ldisc.canon - ldisc.tail :]:
            ldisc.echo.show(typed)

    def erase(self, c: int) -> None:
        """VERASE, VWERASE or VKILL was typed."""
        ldisc = self.ldisc
        if ldisc.at_line_start():
            return
        cc = ldisc.termios.cc
        if c == cc[t.VERASE]:
            self._erase(Kind.CHARACTER)
        elif ldisc.extended and c == cc[t.VWERASE]:
            self._erase(Kind.WORD)
        elif self._kill_shows():
            self._erase(Kind.LINE)
        else:
            self._kill(c)

    def _kill_shows(self) -> bool:
        """Whether the killed line is wiped from the screen."""
        wanted = t.ECHO | t.ECHOK | t.ECHOKE | t.ECHOE
        return self.ldisc.termios.lflag & wanted == wanted

    def _kill(self, c: int) -> None:
        """Drop the line and only say so."""
        ldisc = self.ldisc
        del ldisc.buffer[ldisc.canon - ldisc.tail :]
        if ldisc.echoes:
            self.finish()
            ldisc.echo.show(c)
            if ldisc.termios.lflag & t.ECHOK:
                ldisc.echo.raw(b"\n")

    def _erase(self, kind: Kind) -> None:
        ldisc = self.ldisc
        start = ldisc.canon - ldisc.tail
        in_word = False
        while len(ldisc.buffer) > start:
            head = self._character(start)
            if self._continues(ldisc.buffer[head]):
                break  # half a character is left alone
            if kind is Kind.WORD:
                if is_word(ldisc.buffer[head]):
                    in_word = True
                elif in_word:
                    break
            erased = bytes(ldisc.buffer[head:])
            del ldisc.buffer[head:]
            if ldisc.echoes:
                self._show(erased, kind)
            if kind is Kind.CHARACTER:
                break
        if ldisc.at_line_start() and ldisc.echoes:
            self.finish()

    def _character(self, start: int) -> int:
        """Where the last character of the buffer begins, at the earliest at `start`."""
        buffer = self.ldisc.buffer
        head = len(buffer) - 1
        while head > start and self._continues(buffer[head]):
            head -= 1
        return head

    def _continues(self, c: int) -> bool:
        return self.ldisc.utf8 and c & 0xC0 == 0x80

    def _show(self, erased: bytes, kind: Kind) -> None:
        """Undo the echo of one character."""
        echo, lflag, c = self.ldisc.echo, self.ldisc.termios.lflag, erased[0]
        if lflag & t.ECHOPRT:
            if not self.erasing:
                echo.raw(b"\\")
                self.erasing = True
            echo.show(c)
            for byte in erased[1:]:
                echo.raw(bytes((byte,)))
                echo.back()
        elif kind is Kind.CHARACTER and not lflag & t.ECHOE:
            echo.show(self.ldisc.termios.cc[t.VERASE])
        elif c == _TAB:
            self._show_tab()
        elif not is_control(c):
            echo.raw(_RUBOUT)
        elif lflag & t.ECHOCTL:
            echo.raw(_RUBOUT + _RUBOUT)

    def _show_tab(self) -> None:
        """Go back over a tab: count the columns since the line's begin or the tab before."""
        ldisc = self.ldisc
        typed = ldisc.buffer[ldisc.canon - ldisc.tail :]
        after = typed.rfind(_TAB)
        columns = 0
        for c in typed[after + 1 :]:
            if is_control(c):
                columns += 2 if ldisc.echo.carets else 0
            elif not self._continues(c):
                columns += 1
        ldisc.echo.erase_tab(columns, after >= 0)
