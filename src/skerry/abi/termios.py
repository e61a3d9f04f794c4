# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Terminal settings: flags, control characters, layouts and ioctl numbers.

Standard: POSIX.1-2024 chapter 11; numbers as Linux asm-generic/termbits.h and ioctls.h. musl
          hands its own, longer struct termios to TCGETS; its first 36 bytes are this layout.
"""
from __future__ import annotations

from struct import Struct
from typing import Final

# c_iflag
IGNBRK: Final = 0o1
BRKINT: Final = 0o2
PARMRK: Final = 0o10
ISTRIP: Final = 0o40
INLCR: Final = 0o100
IGNCR: Final = 0o200
ICRNL: Final = 0o400
IUCLC: Final = 0o1000
IXON: Final = 0o2000
IXANY: Final = 0o4000
IXOFF: Final = 0o10000
IMAXBEL: Final = 0o20000
IUTF8: Final = 0o40000

# c_oflag
OPOST: Final = 0o1
OLCUC: Final = 0o2
ONLCR: Final = 0o4
OCRNL: Final = 0o10
ONOCR: Final = 0o20
ONLRET: Final = 0o40
TABDLY: Final = 0o14000
XTABS: Final = 0o14000

# c_cflag
CBAUD: Final = 0o10017
B38400: Final = 0o17
CSIZE: Final = 0o60
CS8: Final = 0o60
CREAD: Final = 0o200
PARENB: Final = 0o400
HUPCL: Final = 0o2000
CLOCAL: Final = 0o4000

# c_lflag
ISIG: Final = 0o1
ICANON: Final = 0o2
XCASE: Final = 0o4
ECHO: Final = 0o10
ECHOE: Final = 0o20
ECHOK: Final = 0o40
ECHONL: Final = 0o100
NOFLSH: Final = 0o200
TOSTOP: Final = 0o400
ECHOCTL: Final = 0o1000
ECHOPRT: Final = 0o2000
ECHOKE: Final = 0o4000
FLUSHO: Final = 0o10000
PENDIN: Final = 0o40000
IEXTEN: Final = 0o100000

# c_cc
NCCS: Final = 19
VINTR: Final = 0
VQUIT: Final = 1
VERASE: Final = 2
VKILL: Final = 3
VEOF: Final = 4
VTIME: Final = 5
VMIN: Final = 6
VSTART: Final = 8
VSTOP: Final = 9
VSUSP: Final = 10
VEOL: Final = 11
VREPRINT: Final = 12
VDISCARD: Final = 13
VWERASE: Final = 14
VLNEXT: Final = 15
VEOL2: Final = 16

TERMIOS: Final = Struct("<IIIIB19s")
"""struct termios: c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_cc; 36 bytes."""

SPEEDS: Final = Struct("<II")
"""What struct termios2 adds: c_ispeed, c_ospeed."""

TERMIO: Final = Struct("<HHHHB8sx")
"""struct termio of TCGETA: 16-bit flags and the first eight control characters."""

WINSIZE: Final = Struct("<HHHH")
"""struct winsize: rows, columns, and the size in pixels."""

BAUD: Final = 38400
"""The speed every terminal here claims; nothing depends on it."""

DEFAULT_CC: Final = bytes(
    (0x03, 0x1C, 0x7F, 0x15, 0x04, 0, 1, 0, 0x11, 0x13, 0x1A, 0, 0x12, 0x0F, 0x17, 0x16, 0, 0, 0)
)
"""^C ^\\ ^? ^U ^D, VMIN 1, ^Q ^S ^Z, ^R ^O ^W ^V, as a new Linux terminal."""

# ioctl requests
TCGETS: Final = 0x5401
TCSETS: Final = 0x5402
TCSETSW: Final = 0x5403
TCSETSF: Final = 0x5404
TCGETA: Final = 0x5405
TCSETA: Final = 0x5406
TCSETAW: Final = 0x5407
TCSETAF: Final = 0x5408
TCSBRK: Final = 0x5409
TCXONC: Final = 0x540A
TCFLSH: Final = 0x540B
TIOCEXCL: Final = 0x540C
TIOCNXCL: Final = 0x540D
TIOCSCTTY: Final = 0x540E
TIOCGPGRP: Final = 0x540F
TIOCSPGRP: Final = 0x5410
TIOCOUTQ: Final = 0x5411
TIOCSTI: Final = 0x5412
TIOCGWINSZ: Final = 0x5413
TIOCSWINSZ: Final = 0x5414
TIOCGSOFTCAR: Final = 0x5419
TIOCSSOFTCAR: Final = 0x541A
FIONREAD: Final = 0x541B
TIOCCONS: Final = 0x541D
TIOCPKT: Final = 0x5420
TIOCNOTTY: Final = 0x5422
TIOCSETD: Final = 0x5423
TIOCGETD: Final = 0x5424
TCSBRKP: Final = 0x5425
TIOCGSID: Final = 0x5429
TCGETS2: Final = 0x802C542A
TCSETS2: Final = 0x402C542B
TCSETSW2: Final = 0x402C542C
TCSETSF2: Final = 0x402C542D
TIOCGPTN: Final = 0x80045430
TIOCSPTLCK: Final = 0x40045431
TIOCGDEV: Final = 0x80045432
TIOCSIG: Final = 0x40045436
TIOCVHANGUP: Final = 0x5437
TIOCGPKT: Final = 0x80045438
TIOCGPTLCK: Final = 0x80045439
TIOCGEXCL: Final = 0x80045440
TIOCGPTPEER: Final = 0x5441

TCIFLUSH: Final = 0
TCOFLUSH: Final = 1
TCIOFLUSH: Final = 2
TCOOFF: Final = 0
TCOON: Final = 1
TCIOFF: Final = 2
TCION: Final = 3

# status bytes of packet mode
TIOCPKT_DATA: Final = 0
TIOCPKT_FLUSHREAD: Final = 1
TIOCPKT_FLUSHWRITE: Final = 2
TIOCPKT_STOP: Final = 4
TIOCPKT_START: Final = 8
TIOCPKT_NOSTOP: Final = 16
TIOCPKT_DOSTOP: Final = 32


class Termios:
    """The settings of one terminal; `cc` holds NCCS control characters, 0 disables one."""

    __slots__ = ("cc", "cflag", "iflag", "lflag", "line", "oflag")

    def __init__(self, iflag: int, oflag: int, cflag: int, lflag: int, line: int, cc: bytes) -> None:
        self.iflag = iflag
        self.oflag = oflag
        self.cflag = cflag
        self.lflag = lflag
        self.line = line
        self.cc = cc

    def fields(self) -> tuple[int, int, int, int, int, bytes]:
        """The members in the order of TERMIOS."""
        return self.iflag, self.oflag, self.cflag, self.lflag, self.line, self.cc


def new_terminal() -> Termios:
    """The settings of a terminal that was just made: cooked, echoing, CR and NL translated."""
    return Termios(
        ICRNL | IXON,
        OPOST | ONLCR,
        B38400 | CS8 | CREAD,
        ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
        0,
        DEFAULT_CC,
    )
