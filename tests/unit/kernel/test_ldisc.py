# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The line discipline by itself; test_ldisc_oracle compares the details with Linux."""
from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.abi import termios as t
from skerry.abi.signal import Signo
from skerry.abi.termios import Termios
from skerry.kernel.ldisc import BUFFER_SIZE, LineDiscipline


class Wire:
    """A far side with as much room as the test gives it."""

    def __init__(self, room: int = 1 << 20) -> None:
        self.left = room
        self.sent = bytearray()
        self.signals: list[int] = []
        self.ready = 0
        self.ldisc = LineDiscipline(self, t.new_terminal())

    def room(self) -> int:
        return self.left

    def transmit(self, data: bytes) -> None:
        assert len(data) <= self.left
        self.left -= len(data)
        self.sent += data

    def signal(self, signo: int) -> None:
        self.signals.append(signo)

    def input_ready(self) -> None:
        self.ready += 1

    def discard(self) -> None: ...
    def input_flushed(self) -> None: ...
    def input_drained(self) -> None: ...
    def output_ready(self) -> None: ...
    def flow(self, stopped: bool) -> None: ...

    def seen(self) -> bytes:
        data = bytes(self.sent)
        self.sent.clear()
        return data

    def set(self, *, iflag: int = 0, oflag: int = 0, lflag: int = 0) -> None:
        """Flip flags of the present settings."""
        now = self.ldisc.termios
        new = Termios(now.iflag ^ iflag, now.oflag ^ oflag, now.cflag, now.lflag ^ lflag, 0, now.cc)
        self.ldisc.configure(new)


@pytest.mark.parametrize(
    ("typed", "line", "shown"),
    [
        (b"abc\n", b"abc\n", b"abc\r\n"),
        (b"abc\r", b"abc\n", b"abc\r\n"),
        (b"ab\x7fc\n", b"ac\n", b"ab\b \bc\r\n"),
        (b"\x7f\x7fa\n", b"a\n", b"a\r\n"),
        (b"one two\x17x\n", b"one x\n", b"one two" + b"\b \b" * 3 + b"x\r\n"),
        (b"all\x15x\n", b"x\n", b"all" + b"\b \b" * 3 + b"x\r\n"),
        (b"a\x01\x7f\n", b"a\n", b"a^A\b \b\b \b\r\n"),
        (b"ab\t\x7f\n", b"ab\n", b"ab\t" + b"\b" * 6 + b"\r\n"),
        (b"\x16\x03\n", b"\x03\n", b"^\b^C\r\n"),
        (b"ab\x12\n", b"ab\n", b"ab^R\r\nab\r\n"),
        (b"ab\x04", b"ab", b"ab"),
        (b"\x04", b"", b""),
        (b"dis\x0fcard\n", b"dis\x0fcard\n", b"dis^Ocard\r\n"),
    ],
)
def test_editing(typed: bytes, line: bytes, shown: bytes) -> None:
    wire = Wire()
    wire.ldisc.receive(typed)
    assert wire.seen() == shown
    assert wire.ldisc.read(100) == line
    assert wire.ldisc.read(100) is None


def test_erase_takes_whole_characters_with_iutf8_only() -> None:
    wire = Wire()
    wire.set(iflag=t.IUTF8)
    wire.ldisc.receive("né€".encode() + b"\x7f\x7f\n")
    assert wire.ldisc.read(100) == b"n\n"
    assert wire.seen() == "né€".encode() + b"\b \b" * 2 + b"\r\n"
    wire.set(iflag=t.IUTF8)
    wire.ldisc.receive("é".encode() + b"\x7f\n")
    assert wire.ldisc.read(100) == b"\xc3\n"


def test_a_tab_is_erased_from_where_the_prompt_ended() -> None:
    wire = Wire()
    assert wire.ldisc.write(b"$ ") == 2
    wire.ldisc.receive(b"a\t\x7f")
    assert wire.seen() == b"$ a\t" + b"\b" * 5


def test_signals_flush_unless_noflsh() -> None:
    wire = Wire()
    wire.ldisc.receive(b"lost\nlost\x03")
    assert wire.signals == [Signo.SIGINT]
    assert wire.ldisc.read(9) is None
    wire.set(lflag=t.NOFLSH)
    wire.ldisc.receive(b"kept\n\x1a\x1c")
    assert wire.signals == [Signo.SIGINT, Signo.SIGTSTP, Signo.SIGQUIT]
    assert wire.ldisc.read(9) == b"kept\n"
    wire.set(lflag=t.ISIG)
    wire.ldisc.receive(b"\x03\n")
    assert wire.ldisc.read(9) == b"\x03\n"


def test_a_line_is_delivered_in_parts_but_never_two_at_once() -> None:
    wire = Wire()
    wire.ldisc.receive(b"abc\ndef\n")
    assert [wire.ldisc.read(2), wire.ldisc.read(9), wire.ldisc.read(9)] == [b"ab", b"c\n", b"def\n"]


def test_an_overlong_line_keeps_its_end_of_line() -> None:
    wire = Wire()
    wire.set(lflag=t.ECHO)
    wire.ldisc.receive(b"x" * 6000 + b"\n")
    line = wire.ldisc.read(9999)
    assert line == b"x" * (BUFFER_SIZE - 1) + b"\n"


def test_raw_input_waits_outside_when_the_buffer_is_full() -> None:
    wire = Wire()
    wire.set(lflag=t.ICANON | t.ECHO)
    data = bytes(range(256)).replace(b"\x03", b"").replace(b"\x1c", b"").replace(b"\x1a", b"") * 20
    data = data.replace(b"\x11", b"").replace(b"\x13", b"").replace(b"\r", b"")
    wire.ldisc.receive(data)
    assert len(wire.ldisc.buffer) == BUFFER_SIZE - 1
    got = b""
    while chunk := wire.ldisc.read(1000):
        got += chunk
    assert got == data


def test_flow_control_holds_output_and_echo() -> None:
    wire = Wire()
    wire.ldisc.receive(b"\x13ab")
    assert wire.ldisc.write(b"xyz") == 0
    assert wire.seen() == b""
    wire.ldisc.receive(b"\x11")
    assert wire.seen() == b"ab"
    wire.set(iflag=t.IXANY)
    wire.ldisc.receive(b"\x13")
    wire.ldisc.receive(b"c")
    assert wire.seen() == b"c"
    wire.ldisc.receive(b"\x13d")
    wire.set(iflag=t.IXON)
    assert wire.seen() == b"d", "without IXON nothing stays stopped"


def test_echoes_wait_for_room() -> None:
    wire = Wire(room=3)
    wire.ldisc.receive(b"abcdef\x01\n")
    assert wire.seen() == b"abc"
    for room, more in ((1, b"d"), (3, b"ef"), (1, b"^A"), (1, b""), (5, b"\r\n")):
        wire.left += room
        wire.ldisc.resume_output()
        assert wire.seen() == more
    assert wire.ldisc.read(99) == b"abcdef\x01\n"


@pytest.mark.parametrize(
    ("flags", "data", "out"),
    [
        (t.ONLCR, b"a\nb", b"a\r\nb"),
        (0, b"a\nb", b"a\nb"),
        (t.OCRNL, b"a\rb", b"a\nb"),
        (t.ONOCR, b"\ra\r", b"a\r"),
        (t.XTABS, b"ab\tc\t", b"ab      c       "),
        (t.OLCUC, b"abC", b"ABC"),
        (t.ONLRET | t.XTABS, b"ab\n\t", b"ab\n        "),
    ],
)
def test_output_processing(flags: int, data: bytes, out: bytes) -> None:
    wire = Wire()
    wire.set(oflag=t.ONLCR ^ flags)
    assert wire.ldisc.write(data) == len(data)
    assert wire.seen() == out
    wire.set(oflag=t.OPOST)
    assert wire.ldisc.write(data) == len(data)
    assert wire.seen() == data


OFLAGS = (t.ONLCR, t.OCRNL, t.ONOCR, t.ONLRET, t.OLCUC, t.XTABS)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.binary(max_size=80) | st.text("ab\t\n\r\bé", max_size=80).map(str.encode),
    st.sets(st.sampled_from(OFLAGS)),
    st.lists(st.integers(1, 9), min_size=1),
    st.booleans(),
)
def test_output_does_not_depend_on_how_room_comes(
    data: bytes, flags: set[int], rooms: list[int], utf8: bool
) -> None:
    """In pieces or at once: the same bytes, and the cursor in the same column."""
    whole, parts = Wire(), Wire(room=0)
    for wire in (whole, parts):
        wire.set(iflag=t.IUTF8 if utf8 else 0, oflag=t.ONLCR ^ sum(flags))
    assert whole.ldisc.write(data) == len(data)
    done = turn = 0
    while done < len(data):
        parts.left += rooms[turn % len(rooms)]
        done += parts.ldisc.write(data[done:])
        turn += 1
        assert turn < 2000
    assert parts.sent == whole.sent
    assert parts.ldisc.output.column == whole.ldisc.output.column


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.binary(max_size=60), max_size=12), st.integers(0, 2**16), st.integers(0, 2**17))
def test_any_input_under_any_settings_keeps_the_invariant(typed: list[bytes], iflag: int, lflag: int) -> None:
    wire = Wire(room=50)
    wire.set(iflag=iflag, lflag=lflag)
    ldisc = wire.ldisc
    for number, data in enumerate(typed):
        ldisc.receive(data)
        if number % 3 == 0:
            wire.set(lflag=t.ICANON)
        if number % 4 == 1:
            ldisc.read(7)
        wire.left += 20
        ldisc.resume_output()
        assert ldisc.tail <= ldisc.canon <= ldisc.tail + len(ldisc.buffer)
        assert all(ldisc.tail <= end < ldisc.canon for end in ldisc.ends)
        assert ldisc.waiting() >= 0
