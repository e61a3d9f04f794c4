# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The line discipline against Linux's own: the same steps on a real pseudo-terminal and on ours.

A play is a list of steps: settings, bytes typed, bytes written, reads, flushes. After each
step the bytes that reached the far side, the result and FIONREAD must agree. Plays come from
a fixed seed; a failure prints the shortest play that still fails.
"""
from __future__ import annotations

import os
import random
import select
import struct
import sys
import time

import pytest

from skerry.abi import termios as t
from skerry.abi.termios import TERMIOS, Termios
from skerry.kernel.ldisc import LineDiscipline

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the oracle is Linux")

PATIENCE_S = 0.5  # how long Linux may take to agree: its input runs in a kernel thread
PLAYS = 150
STEPS = 14

Step = tuple[str, object]

IFLAGS = (t.ISTRIP, t.INLCR, t.IGNCR, t.ICRNL, t.IXON, t.IXANY, t.IUTF8, t.IUCLC, t.PARMRK, t.IMAXBEL)
OFLAGS = (t.ONLCR, t.OCRNL, t.ONOCR, t.ONLRET, t.OLCUC, t.XTABS)
LFLAGS = (
    t.ISIG, t.ECHO, t.ECHOE, t.ECHOK, t.ECHONL, t.NOFLSH, t.ECHOCTL, t.ECHOPRT, t.ECHOKE, t.IEXTEN, t.TOSTOP,
)  # fmt: skip
TYPED = (
    *(bytes((c,)) for c in b"abzAZ09_ .-\t\r\n\b\x01\x1b\x00\xff"),
    b"\n", b"\n", b"\x03", b"\x1c", b"\x1a", b"\x7f", b"\x7f", b"\x7f", b"\x15", b"\x04", b"\x04", b"\x16",
    b"\x17", b"\x12", b"\x13", b"\x11", b"\x0f", b"ab cd", b"word two\t", "é".encode(), "€".encode(),
    b"\x80\x80", b"\xe2\x82", b";", b"!",
)  # fmt: skip
WRITTEN = (*TYPED, b"hello, world\n", b"\tx\ty\n", b"\r\r\n\n", b"col\b\b\b")


class Ours:
    """Our line discipline with a far side that takes everything."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.ldisc = LineDiscipline(self, t.new_terminal())

    def room(self) -> int:
        return 1 << 20

    def transmit(self, data: bytes) -> None:
        self.sent += data

    def discard(self) -> None:
        self.sent.clear()  # echoes of this step: Linux has not moved them to the master yet

    def signal(self, signo: int) -> None: ...
    def input_ready(self) -> None: ...
    def input_drained(self) -> None: ...
    def input_flushed(self) -> None: ...
    def output_ready(self) -> None: ...
    def flow(self, stopped: bool) -> None: ...

    def play(self, step: Step) -> object:
        kind, what = step
        ldisc = self.ldisc
        if kind == "set":
            assert isinstance(what, bytes)
            ldisc.configure(Termios(*TERMIOS.unpack(what)))
        elif kind == "type":
            assert isinstance(what, bytes)
            ldisc.receive(what)
        elif kind == "write":
            assert isinstance(what, bytes)
            return ldisc.write(what) or None
        elif kind == "flush":
            ldisc.flush_input()
            ldisc.pump()
        elif kind == "flow":
            ldisc.suspend(what == t.TCOOFF)
        else:
            assert isinstance(what, int)
            data = ldisc.read(what)
            if data is None and not ldisc.canonical and ldisc.buffer:
                data = ldisc.take(what)  # O_NONBLOCK
            return data
        return None

    def far(self) -> bytes:
        data = bytes(self.sent)
        self.sent.clear()
        return data

    def waiting(self) -> int:
        return self.ldisc.waiting()


class Linux:
    """A real pseudo-terminal."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        os.set_blocking(self.slave, False)

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)

    def play(self, step: Step) -> object:
        import fcntl

        kind, what = step
        try:
            if kind == "set":
                assert isinstance(what, bytes)
                fcntl.ioctl(self.slave, t.TCSETS, what)
            elif kind == "type":
                assert isinstance(what, bytes)
                os.write(self.master, what)
                select.select((self.slave,), (), (), 0)  # makes Linux process what was typed,
                time.sleep(0.001)  # unless there was something to read before
            elif kind == "write":
                assert isinstance(what, bytes)
                return os.write(self.slave, what)
            elif kind in ("flush", "flow"):
                assert isinstance(what, int)
                fcntl.ioctl(self.slave, t.TCFLSH if kind == "flush" else t.TCXONC, what)
                os.write(self.slave, b"")  # Linux sends echoes held back by TCOOFF with the next write
            else:
                assert isinstance(what, int)
                return os.read(self.slave, what)
        except BlockingIOError:
            pass
        return None

    def far(self, wanted: bytes, waiting: int) -> tuple[bytes, int]:
        """What arrived at the master and what FIONREAD says, once they are as wanted or too late."""
        got = b""
        give_up = time.monotonic() + PATIENCE_S
        while True:
            try:
                got += os.read(self.master, 65536)
            except BlockingIOError:
                pass
            now = self.waiting()
            if (got, now) == (wanted, waiting) or time.monotonic() > give_up:
                return got, now
            time.sleep(0.0005)

    def waiting(self) -> int:
        import fcntl

        return int(struct.unpack("i", fcntl.ioctl(self.slave, t.FIONREAD, bytes(4)))[0])


def pick(rng: random.Random, flags: tuple[int, ...], share: float) -> int:
    return sum(flag for flag in flags if rng.random() < share)


def settings(rng: random.Random) -> bytes:
    usual = t.new_terminal()
    cc = bytearray(usual.cc)
    if rng.random() < 0.3:
        cc[t.VEOL], cc[t.VEOL2] = b";!"
    if rng.random() < 0.2:
        cc[rng.randrange(t.NCCS)] = 0
    cc[t.VMIN], cc[t.VTIME] = rng.choice(((1, 0), (1, 0), (0, 0), (4, 0)))
    if rng.random() < 0.5:
        iflag, oflag, lflag = usual.iflag, usual.oflag, usual.lflag
        iflag ^= rng.choice((0, *IFLAGS))
        oflag ^= rng.choice((0, *OFLAGS))
        lflag ^= rng.choice((0, t.ICANON, *LFLAGS))
    else:
        iflag, oflag = pick(rng, IFLAGS, 0.3), pick(rng, OFLAGS, 0.3) | rng.choice((0, t.OPOST, t.OPOST))
        lflag = pick(rng, LFLAGS, 0.6) | rng.choice((0, t.ICANON, t.ICANON))
    return TERMIOS.pack(iflag, oflag, usual.cflag, lflag, 0, bytes(cc))


def compose(rng: random.Random) -> list[Step]:
    play: list[Step] = [("set", settings(rng))]
    for _ in range(STEPS):
        kind = rng.choice(("type",) * 6 + ("write", "read", "read", "read", "set", "flush", "flow"))
        what: object
        if kind == "set":
            if rng.random() < 0.5:
                continue
            what = settings(rng)
        elif kind == "type":
            what = b"".join(rng.choices(TYPED, k=rng.choice((1, 1, 2, 5, 12))))
        elif kind == "write":
            what = b"".join(rng.choices(WRITTEN, k=rng.choice((1, 3, 8))))
        elif kind == "read":
            what = rng.choice((1, 3, 100, 100))
        elif kind == "flush":
            what = t.TCIFLUSH
        else:
            what = rng.choice((t.TCOOFF, t.TCOON, t.TCOON))
        play.append((kind, what))
    return play


def compare(play: list[Step]) -> str | None:
    """The first difference, as text."""
    ours, linux = Ours(), Linux()
    try:
        for number, step in enumerate(play):
            mine, theirs = ours.play(step), linux.play(step)
            sent, waiting = ours.far(), ours.waiting()
            got, now = linux.far(sent, waiting)
            if (mine, sent, waiting) != (theirs, got, now):
                return f"step {number} {step}: ours {(mine, sent, waiting)}, Linux {(theirs, got, now)}"
    finally:
        linux.close()
    return None


def shrink(play: list[Step]) -> list[Step]:
    """Leave out steps and bytes while the play still fails."""
    changed = True
    while changed:
        changed = False
        for i in range(len(play) - 1, -1, -1):
            kind, what = play[i]
            fewer = [play[:i] + play[i + 1 :]]
            if kind in ("type", "write") and isinstance(what, bytes) and len(what) > 1:
                parts = [what[:j] + what[j + 1 :] for j in range(len(what))]
                fewer += [[*play[:i], (kind, part), *play[i + 1 :]] for part in parts]
            for shorter in fewer:
                if compare(shorter):
                    play, changed = shorter, True
                    break
    return play


def check(play: list[Step]) -> None:
    if compare(play) and compare(play):  # twice: Linux may have been slow
        play = shrink(play)
        difference = compare(play)
        lines = "\n".join(f"    {step}" for step in play)
        assert difference is None, f"{difference}\n{lines}"


@pytest.mark.parametrize("block", range(5))
def test_random_plays_agree_with_linux(block: int) -> None:
    rng = random.Random(block)
    for _ in range(PLAYS // 5):
        check(compose(rng))


USUAL = t.new_terminal()


def silent(lflag: int, vmin: int = 1) -> Step:
    """Settings without echo, so that long input fills nothing but the input side."""
    cc = bytearray(USUAL.cc)
    cc[t.VMIN] = vmin
    return "set", TERMIOS.pack(USUAL.iflag, USUAL.oflag, USUAL.cflag, lflag, 0, bytes(cc))


LINES = silent(t.ICANON)
CHOSEN: dict[str, list[Step]] = {
    "overlong": [LINES, *[("type", b"%02d" % i * 150) for i in range(20)], ("type", b"\n"), ("read", 9999)],
    "exact": [LINES, ("type", b"a" * 4095), ("type", b"bc\n"), ("read", 9999), ("type", b"d\n"), ("read", 9)],
    "end-with-line": [LINES, ("type", b"abc\x04"), ("read", 3), ("type", b"\n"), ("read", 3)],
    "end-twice": [LINES, ("type", b"abc\x04\x04"), ("read", 9), ("read", 9), ("read", 9)],
    "end-alone": [LINES, ("type", b"\x04x\n"), ("read", 9), ("read", 9)],
    "to-raw": [LINES, ("type", b"ab\x04cd"), silent(0), ("read", 9)],
    "to-canonical": [silent(0), ("type", b"abc"), LINES, ("type", b"d\n"), ("read", 99), ("read", 99)],
    "never-waits": [silent(0, 0), ("read", 5), ("type", b"abc"), ("read", 2), ("read", 2), ("read", 2)],
    "vmin-3": [silent(0, 3), ("type", b"ab"), ("read", 9), ("type", b"xyz"), ("read", 2), ("read", 9)],
    "parts": [LINES, ("type", b"one\ntwo\n"), ("read", 2), ("read", 2), ("read", 100), ("read", 100)],
}


@pytest.mark.parametrize("name", CHOSEN)
def test_chosen_plays_agree_with_linux(name: str) -> None:
    check(CHOSEN[name])
