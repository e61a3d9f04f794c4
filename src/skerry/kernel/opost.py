# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Terminal output: post-processing, columns, and the queue of echoes.

What a program writes and what the line discipline echoes meet here, because both move the
one cursor whose column the erasing of tabs needs. A common write is one `bytes.replace`;
only uncommon settings cost a loop per character.

Standard: POSIX.1-2024 11.2.3 Output Modes; what it leaves open as Linux n_tty does it.
Units:    columns are character cells, counted from 0; room is bytes.
"""
from __future__ import annotations

from typing import Protocol

from skerry.abi import termios as t
from skerry.abi.termios import Termios

CONTROLS = bytes([*range(32), 127])
CONTINUATIONS = bytes(range(0x80, 0xC0))  # second and later bytes of a UTF-8 character
ECHO_MAX = 4096  # N_TTY_BUF_SIZE
LETTERS = frozenset((*range(65, 91), *range(97, 123), *range(0xC0, 0x100))) - {0xD7, 0xF7}
UPPER = bytes(c - 32 if c in LETTERS and (97 <= c <= 122 or c >= 0xDF) else c for c in range(256))  # Latin-1

_BS, _TAB, _NL, _CR = 8, 9, 10, 13

# Operations in the echo queue beside plain characters 0..255.
_CARET = 0x100  # + character: shown as ^X
_MARK = 0x200  # the edited line begins in this column
_BACK = 0x201  # one column less, without output
_ERASE_TAB = 0x300  # + columns before the tab modulo 8, + 0x80 when they follow another tab


class Line(Protocol):
    """What a line discipline needs from the device it works for."""

    def room(self) -> int:
        """How many bytes the far side takes now."""

    def transmit(self, data: bytes) -> None:
        """Send bytes to the far side; never more than `room`."""

    def discard(self) -> None:
        """Forget sent bytes that the far side has not seen."""

    def signal(self, signo: int) -> None:
        """A signal for the foreground group."""

    def input_ready(self) -> None:
        """A read may succeed now."""

    def input_flushed(self) -> None:
        """What was typed has been forgotten."""

    def input_drained(self) -> None:
        """There may be room for more input."""

    def output_ready(self) -> None:
        """A write may succeed now."""

    def flow(self, stopped: bool) -> None:
        """Output was stopped or started by a flow control character."""


class Output:
    """Output processing with the cursor's column."""

    def __init__(self, line: Line, termios: Termios) -> None:
        self.line = line
        self.column = 0
        self.canon_column = 0  # where the line being edited began
        self.stopped = False
        self.configure(termios)

    def configure(self, termios: Termios) -> None:
        """Take over new settings."""
        self.flags = flags = termios.oflag if termios.oflag & t.OPOST else 0
        self.utf8 = bool(termios.iflag & t.IUTF8)
        self.newlines = bool(flags & t.ONLCR)
        self.tabs = flags & t.TABDLY == t.XTABS
        self.common = not (flags & (t.OLCUC | t.OCRNL | t.ONOCR | t.ONLRET) or self.tabs)
        self._zero_width = CONTROLS + CONTINUATIONS if self.utf8 else CONTROLS

    def room(self) -> int:
        """How many bytes may go out now."""
        return 0 if self.stopped else self.line.room()

    def write(self, data: bytes) -> int:
        """Send a prefix of `data`, processed; return its length before processing."""
        room = self.room()
        if room <= 0:
            return 0
        if not self.flags:
            self.line.transmit(data[:room])
            return min(room, len(data))
        if self.common:
            return self._write_common(data, room)
        return self._write_each(data, room)

    def _write_common(self, data: bytes, room: int) -> int:
        """OPOST with at most ONLCR."""
        chunk = data[:room]
        if self.newlines:
            while (excess := len(chunk) + chunk.count(b"\n") - room) > 0:
                chunk = chunk[:-excess]
            if chunk:
                self.line.transmit(chunk.replace(b"\n", b"\r\n"))
        else:
            self.line.transmit(chunk)
        self._advance(chunk)
        return len(chunk)

    def _advance(self, chunk: bytes) -> None:
        """Follow the cursor over common output."""
        if self.newlines:
            last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
            if last >= 0:
                self.column = self.canon_column = 0
                chunk = chunk[last + 1 :]
        if len(chunk.translate(None, b"\b\t\n\r")) == len(chunk):
            self.column += len(chunk.translate(None, self._zero_width))
            return
        for c in chunk:
            self.post(c)

    def _write_each(self, data: bytes, room: int) -> int:
        out = bytearray()
        count = 0
        for c in data:
            if room - len(out) < (8 if c == _TAB else 2) and self._width(c) > room - len(out):
                break
            out += self.post(c)
            count += 1
        self.line.transmit(bytes(out))
        return count

    def _width(self, c: int) -> int:
        """How many bytes `c` will become."""
        if c == _NL and self.newlines:
            return 2
        if c == _TAB and self.tabs:
            return 8 - self.column % 8
        return 1

    def post(self, c: int) -> bytes:
        """Process one character and follow the cursor."""
        if c >= 32 and c != 127:
            if not (self.utf8 and c & 0xC0 == 0x80):
                self.column += 1
            if self.flags & t.OLCUC:
                c = UPPER[c]
        elif c in (_NL, _CR):
            return self._line_end(c)
        elif c == _TAB:
            spaces = 8 - self.column % 8
            self.column += spaces
            if self.tabs:
                return b" " * spaces
        elif c == _BS and self.column > 0:
            self.column -= 1
        return bytes((c,))

    def _line_end(self, c: int) -> bytes:
        flags = self.flags
        if c == _NL:
            if flags & t.ONLRET:
                self.column = 0
            if flags & t.ONLCR:
                self.canon_column = self.column = 0
                return b"\r\n"
            self.canon_column = self.column
            return b"\n"
        if flags & t.ONOCR and self.column == 0:
            return b""
        if flags & t.OCRNL:
            if flags & t.ONLRET:
                self.canon_column = self.column = 0
            return b"\n"
        self.canon_column = self.column = 0
        return b"\r"


class Echo:
    """Echoes on their way out; they wait while output is stopped or the far side is full."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.queue: list[int] = []
        self.carets = True  # ECHOCTL

    def show(self, c: int) -> None:
        """Echo a character; with ECHOCTL a control character as ^X."""
        self.queue.append(c | _CARET if self.carets and (c < 32 or c == 127) and c != _TAB else c)

    def raw(self, data: bytes) -> None:
        """Echo bytes as they are."""
        self.queue.extend(data)

    def mark(self) -> None:
        """The line being edited begins here."""
        self.queue.append(_MARK)

    def back(self) -> None:
        """The last byte was not a character of its own."""
        self.queue.append(_BACK)

    def erase_tab(self, columns: int, after_tab: bool) -> None:
        """Go back over a tab that stands `columns` after the line's begin or the tab before."""
        self.queue.append(_ERASE_TAB | columns & 7 | (0x80 if after_tab else 0))

    def clear(self) -> None:
        """Forget what has not gone out."""
        self.queue.clear()

    def flush(self) -> None:
        """Send what there is room for."""
        room = self.output.room()
        out = bytearray()
        done = 0
        for operation in self.queue:
            data = self._render(operation, room - len(out))
            if data is None:
                break
            out += data
            done += 1
        if done:
            del self.queue[:done]
        if len(self.queue) > ECHO_MAX:
            del self.queue[:-ECHO_MAX]
        if out:
            self.output.line.transmit(bytes(out))

    def _render(self, operation: int, room: int) -> bytes | None:
        """The bytes of one operation; None when they do not fit."""
        output = self.output
        if operation < 0x100:
            if room < 8 and (room < 1 or output._width(operation) > room):
                return None
            if output.flags and operation != 0xFF:  # Linux lets the echo of 0xFF pass unprocessed
                return output.post(operation)
            output.column += operation == 0xFF
            return bytes((operation,))
        if operation < 0x200:
            if room < 2:
                return None
            output.column += 2
            return bytes((0x5E, operation & 0xFF ^ 0x40))
        if operation == _MARK:
            output.canon_column = output.column
        elif operation == _BACK:
            output.column = max(0, output.column - 1)
        else:
            return self._render_tab(operation, room)
        return b""

    def _render_tab(self, operation: int, room: int) -> bytes | None:
        columns = operation & 7
        if not operation & 0x80:
            columns += self.output.canon_column
        count = 8 - columns % 8
        if count > room:
            return None
        self.output.column = max(0, self.output.column - count)
        return b"\b" * count
