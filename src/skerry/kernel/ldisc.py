# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The line discipline: from keystrokes to what read(2) returns.

Input is edited here (canonical mode) or passed on (raw mode), echoed, and searched for the
characters that mean a signal or flow control. The discipline knows no kernel: a `Line`
(opost.py) is its far side.

Standard: POSIX.1-2024 11.1 General Terminal Interface; the rest as Linux n_tty does it, and
          tests/unit/kernel/test_ldisc_oracle.py compares the two.
Units:    positions count all bytes ever put into the buffer.
Invariant: `tail` <= `canon` <= end of `buffer`; in canonical mode readers take only what lies
           before `canon`, and every position in `ends` closes a line there.
"""
from __future__ import annotations

from collections import deque

from skerry.abi import termios as t
from skerry.abi.signal import Signo
from skerry.abi.termios import Termios
from skerry.kernel.erase import Editor
from skerry.kernel.opost import LETTERS, Echo, Line, Output

BUFFER_SIZE = 4096  # N_TTY_BUF_SIZE: the longest line, its newline included
PENDING_MAX = 16384  # what the far side may send ahead of the reader
LOWER = bytes(c + 32 if c in LETTERS and (c <= 90 or 0xC0 <= c <= 0xDE) else c for c in range(256))

_NL, _CR, _DISABLED = 10, 13, 0


class LineDiscipline:
    """One terminal's input side, with the output side it echoes to."""

    def __init__(self, line: Line, termios: Termios) -> None:
        self.line = line
        self.termios = termios
        self.output = Output(line, termios)
        self.echo = Echo(self.output)
        self.editor = Editor(self)
        self.buffer = bytearray()
        self.pending = bytearray()  # sent by the far side, no room in `buffer` yet
        self.tail = 0  # position of buffer[0]
        self.canon = 0  # complete lines end here
        self.ends: deque[int] = deque()  # positions of the bytes that close lines
        self.literal = False  # VLNEXT was typed
        self.suspended = False  # by tcflow: only tcflow starts output again
        self.canonical = bool(termios.lflag & t.ICANON)
        self._derive()

    # --- settings

    def configure(self, termios: Termios) -> None:
        """Take over new settings; what was typed stays, complete or not."""
        old, self.termios = self.termios, termios
        if (old.lflag ^ termios.lflag) & t.ICANON:
            self._switch_mode(bool(termios.lflag & t.ICANON))
        self._derive()
        if old.iflag & t.IXON and not termios.iflag & t.IXON and not self.suspended:
            self.start()
        self.line.input_ready()
        self.pump()

    def _switch_mode(self, canonical: bool) -> None:
        """Raw bytes become a line without a newline; an unfinished line becomes raw bytes."""
        self.canonical = canonical
        self.ends.clear()
        self.canon = self.tail
        if canonical and self.buffer:
            self.canon = self.tail + len(self.buffer)
            self.ends.append(self.canon - 1)
        self.editor.erasing = self.literal = False

    def _derive(self) -> None:
        """Compute from the settings what each input byte needs to know."""
        iflag, lflag, cc = self.termios.iflag, self.termios.lflag, self.termios.cc
        self.output.configure(self.termios)
        self.echo.carets = bool(lflag & t.ECHOCTL)
        self.echoes = bool(lflag & t.ECHO)
        self.extended = bool(lflag & t.IEXTEN)
        self.flow_control = bool(iflag & t.IXON)
        self.any_starts = bool(iflag & t.IXON and iflag & t.IXANY)
        self.marks = bool(iflag & t.PARMRK)
        self.utf8 = bool(iflag & t.IUTF8)
        self.signals: dict[int, int] = {}
        if lflag & t.ISIG:
            self.signals = {cc[t.VSUSP]: Signo.SIGTSTP, cc[t.VQUIT]: Signo.SIGQUIT, cc[t.VINTR]: Signo.SIGINT}
            self.signals.pop(_DISABLED, None)
        self._specials = frozenset(self._special_characters()) - {_DISABLED}
        self._special_bytes = bytes(sorted(self._specials))
        transforms = iflag & (t.ISTRIP | t.IUCLC | t.PARMRK)
        self._plain_blocks = not transforms
        self._raw = not (self._specials or transforms or self.echoes or self.canonical)

    def _special_characters(self) -> list[int]:
        """The characters that are more than data under the present settings."""
        iflag, lflag, cc = self.termios.iflag, self.termios.lflag, self.termios.cc
        found = list(self.signals)
        if iflag & (t.IGNCR | t.ICRNL):
            found.append(_CR)
        if iflag & t.INLCR:
            found.append(_NL)
        if iflag & t.IXON:
            found += (cc[t.VSTART], cc[t.VSTOP])
        if lflag & t.ICANON:
            found += (cc[t.VERASE], cc[t.VKILL], cc[t.VEOF], _NL, cc[t.VEOL])
            if lflag & t.IEXTEN:
                found += (cc[t.VWERASE], cc[t.VLNEXT], cc[t.VEOL2])
                if lflag & t.ECHO:
                    found.append(cc[t.VREPRINT])
        return found

    # --- input

    def input_room(self) -> int:
        """How many more bytes `receive` may be given."""
        return PENDING_MAX - len(self.pending)

    def receive(self, data: bytes) -> None:
        """Take bytes from the far side; those without room in the buffer wait."""
        self.pending += data
        self.pump()

    def pump(self) -> None:
        """Process what waits, as far as the buffer has room."""
        while self.pending:
            count = min(self._room(), len(self.pending))
            if count <= 0:
                break
            block = bytes(self.pending[:count])
            del self.pending[:count]
            self._receive_block(block)
        if self.echo.queue:
            self.echo.flush()

    def _room(self) -> int:
        """Bytes to process next. A full line without an end keeps only its newest byte."""
        room = BUFFER_SIZE - len(self.buffer)
        if self.marks:
            room = -(-room // 3)
        room -= 1
        if room > 0:
            return room
        if not self.canonical or self.canon != self.tail:
            return 0
        if room < 0:
            del self.buffer[-1:]
        return 1

    def _receive_block(self, block: bytes) -> None:
        before = self.readable()
        if self._raw:
            self.buffer += block
        elif self._plain_blocks and not self.literal and self._has_no_special(block):
            self._receive_plain(block)
        else:
            for c in block:
                self._receive_character(c)
        if self.echo.queue:
            self.echo.flush()
        if not self.canonical or self.readable() != before:
            self.line.input_ready()

    def _has_no_special(self, block: bytes) -> bool:
        return len(block.translate(None, self._special_bytes)) == len(block)

    def _receive_plain(self, block: bytes) -> None:
        if self.output.stopped and self.any_starts:
            self.start()
        if self.echoes:
            self.editor.finish()
            if self.at_line_start():
                self.echo.mark()
            for c in block:
                self.echo.show(c)
        self.buffer += block

    def _receive_character(self, c: int) -> None:
        iflag = self.termios.iflag
        if iflag & t.ISTRIP:
            c &= 0x7F
        if iflag & t.IUCLC and self.extended:
            c = LOWER[c]
        if self.literal:
            self.literal = False
            self._put(c)
        elif c in self._specials:
            self._receive_special(c)
        else:
            self._put(c)

    def _receive_special(self, c: int) -> None:
        cc = self.termios.cc
        if self.flow_control and c in (cc[t.VSTART], cc[t.VSTOP]):
            if c == cc[t.VSTART]:
                self.start()
                self.echo.flush()
            else:
                self.stop()
            return
        if c in self.signals:
            self._interrupt(c)
            return
        if self.output.stopped and self.any_starts:
            self.start()
        if c == _CR:
            if self.termios.iflag & t.IGNCR:
                return
            if self.termios.iflag & t.ICRNL:
                c = _NL
        elif c == _NL and self.termios.iflag & t.INLCR:
            c = _CR
        if not (self.canonical and self._receive_canonical(c)):
            self._put(c, special=True)

    def _receive_canonical(self, c: int) -> bool:
        """Edit or end the line; False when `c` is data after all."""
        cc, lflag = self.termios.cc, self.termios.lflag
        if c in (cc[t.VERASE], cc[t.VKILL]) or (self.extended and c == cc[t.VWERASE]):
            self.editor.erase(c)
        elif self.extended and c == cc[t.VLNEXT]:
            self.literal = True
            if self.echoes:
                self.editor.finish()
                if self.echo.carets:
                    self.echo.raw(b"^\b")
        elif self.extended and self.echoes and c == cc[t.VREPRINT]:
            self.editor.reprint(c)
        elif c == _NL:
            if lflag & (t.ECHO | t.ECHONL):
                self.echo.raw(b"\n")
            self._end_line(c)
        elif c == cc[t.VEOF]:
            self._end_line(_DISABLED)
        elif c == cc[t.VEOL] or (self.extended and c == cc[t.VEOL2]):
            if self.echoes:
                if self.at_line_start():
                    self.echo.mark()
                self.echo.show(c)
            self._end_line(c)
        else:
            return False
        return True

    def _put(self, c: int, special: bool = False) -> None:
        """Store a character that is data, with its echo: as Linux, LF is ^J unless it is special."""
        if self.output.stopped and self.any_starts:
            self.start()
        if self.echoes:
            self.editor.finish()
            if self.at_line_start():
                self.echo.mark()
            if special and c == _NL:
                self.echo.raw(b"\n")
            else:
                self.echo.show(c)
        if self.marks and c == 0xFF:
            self.buffer.append(c)
        self.buffer.append(c)

    def _end_line(self, c: int) -> None:
        if self.marks and c == 0xFF:
            self.buffer.append(c)
        self.ends.append(self.tail + len(self.buffer))
        self.buffer.append(c)
        self.canon = self.tail + len(self.buffer)

    def at_line_start(self) -> bool:
        """Nothing of the next line has been typed."""
        return self.canon == self.tail + len(self.buffer)

    # --- signals and flow

    def _interrupt(self, c: int) -> None:
        """VINTR, VQUIT, VSUSP: signal, and unless NOFLSH forget all that is under way."""
        self.line.signal(self.signals[c])
        if not self.termios.lflag & t.NOFLSH:
            self.echo.clear()
            self.line.discard()
            self.flush_input()
        if self.flow_control:
            self.start()
        if self.echoes:
            self.echo.show(c)

    def flush_input(self) -> None:
        """Forget everything typed and not read."""
        self.tail += len(self.buffer)
        self.buffer.clear()
        self.ends.clear()
        self.canon = self.tail
        self.editor.erasing = False
        self.line.input_flushed()

    def stop(self) -> None:
        """Hold output back until `start`."""
        if not self.output.stopped:
            self.output.stopped = True
            self.line.flow(True)

    def start(self) -> None:
        """Let output go on, unless tcflow stopped it."""
        if self.output.stopped and not self.suspended:
            self.output.stopped = False
            self.line.flow(False)
            self.resume_output()

    def suspend(self, on: bool) -> None:
        """tcflow(TCOOFF) and TCOON; ^Q cannot undo the one, the other cannot undo ^S."""
        if on:
            self.suspended = True
            self.stop()
        elif self.suspended:
            self.suspended = False
            self.start()

    def resume_output(self) -> None:
        """The far side has room again: echoes first, then writers."""
        if self.echo.queue:
            self.echo.flush()
        self.line.output_ready()

    # --- what the reader and the writer ask

    def write(self, data: bytes) -> int:
        """Send a prefix of `data` to the far side, after the echoes; return its length."""
        if self.echo.queue:
            self.echo.flush()
        return self.output.write(data)

    def readable(self) -> bool:
        """Whether poll(2) says a read has something to return."""
        if self.canonical:
            return self.canon != self.tail
        cc = self.termios.cc
        return len(self.buffer) >= (cc[t.VMIN] if not cc[t.VTIME] and cc[t.VMIN] else 1)

    def waiting(self) -> int:
        """What FIONREAD says: bytes a read would return, end-of-file marks not counted."""
        if not self.canonical:
            return len(self.buffer)
        marks = sum(self.buffer[end - self.tail] == _DISABLED for end in self.ends)
        return self.canon - self.tail - marks

    def read(self, size: int) -> bytes | None:
        """A line, or what raw mode has; None when the reader must wait.

        VMIN counts here, VTIME is the caller's: it has the clock.
        """
        if self.canonical:
            return self._read_line(size) if self.canon != self.tail else None
        cc = self.termios.cc
        if len(self.buffer) >= min(cc[t.VMIN] or 1, size) or not (cc[t.VMIN] or cc[t.VTIME]):
            return self.take(size)
        return None

    def take(self, size: int) -> bytes:
        """Up to `size` bytes as they are."""
        data = bytes(self.buffer[:size])
        self._consume(len(data))
        self._refill()
        return data

    def _read_line(self, size: int) -> bytes:
        limit = min(size, self.canon - self.tail)
        if self.ends and self.ends[0] < self.tail + limit:
            limit = self.ends.popleft() - self.tail + 1
            ended = self.buffer[limit - 1] == _DISABLED
            data = bytes(self.buffer[: limit - ended])
            self._consume(limit)
        else:
            data = bytes(self.buffer[:limit])
            self._consume(limit)
            if self.ends and self.ends[0] == self.tail and self.buffer[0] == _DISABLED:
                self.ends.popleft()  # the end-of-file mark belongs to the bytes just read
                self._consume(1)
        self._refill()
        return data

    def _consume(self, count: int) -> None:
        del self.buffer[:count]
        self.tail += count
        self.canon = max(self.canon, self.tail)

    def _refill(self) -> None:
        if self.pending:
            self.pump()
        self.line.input_drained()
