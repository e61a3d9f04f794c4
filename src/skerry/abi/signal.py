# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Signal numbers, default dispositions and the layouts that carry them.

Standard: Linux asm-generic/signal.h, signal(7); layouts as musl's riscv32 port.
Units:    a signal set is an int; bit `signo - 1` stands for `signo`.
"""
from __future__ import annotations

from enum import Enum, IntEnum
from struct import Struct
from typing import Final


class Signo(IntEnum):
    """Standard signals."""

    SIGHUP = 1
    SIGINT = 2
    SIGQUIT = 3
    SIGILL = 4
    SIGTRAP = 5
    SIGABRT = 6
    SIGBUS = 7
    SIGFPE = 8
    SIGKILL = 9
    SIGUSR1 = 10
    SIGSEGV = 11
    SIGUSR2 = 12
    SIGPIPE = 13
    SIGALRM = 14
    SIGTERM = 15
    SIGSTKFLT = 16
    SIGCHLD = 17
    SIGCONT = 18
    SIGSTOP = 19
    SIGTSTP = 20
    SIGTTIN = 21
    SIGTTOU = 22
    SIGURG = 23
    SIGXCPU = 24
    SIGXFSZ = 25
    SIGVTALRM = 26
    SIGPROF = 27
    SIGWINCH = 28
    SIGIO = 29
    SIGPWR = 30
    SIGSYS = 31


NSIG: Final = 64
SIGRTMIN: Final = 32  # the kernel's; libc keeps the first three for itself
SIG_DFL: Final = 0
SIG_IGN: Final = 1

SA_NOCLDSTOP: Final = 0x1
SA_NOCLDWAIT: Final = 0x2
SA_SIGINFO: Final = 0x4
SA_ONSTACK: Final = 0x08000000
SA_RESTART: Final = 0x10000000
SA_NODEFER: Final = 0x40000000
SA_RESETHAND: Final = 0x80000000

SIG_BLOCK: Final = 0
SIG_UNBLOCK: Final = 1
SIG_SETMASK: Final = 2

SI_USER: Final = 0
SI_KERNEL: Final = 0x80
SI_QUEUE: Final = -1
SI_TIMER: Final = -2
SI_TKILL: Final = -6
CLD_EXITED: Final = 1
CLD_KILLED: Final = 2
CLD_DUMPED: Final = 3
CLD_STOPPED: Final = 5
CLD_CONTINUED: Final = 6


class Disposition(Enum):
    """What SIG_DFL does."""

    TERMINATE = "terminate"
    CORE = "core"
    IGNORE = "ignore"
    STOP = "stop"
    CONTINUE = "continue"


_IGNORED = (Signo.SIGCHLD, Signo.SIGURG, Signo.SIGWINCH)
_STOPPING = (Signo.SIGSTOP, Signo.SIGTSTP, Signo.SIGTTIN, Signo.SIGTTOU)
_CORE = (
    Signo.SIGQUIT, Signo.SIGILL, Signo.SIGTRAP, Signo.SIGABRT, Signo.SIGBUS, Signo.SIGFPE,
    Signo.SIGSEGV, Signo.SIGXCPU, Signo.SIGXFSZ, Signo.SIGSYS,
)  # fmt: skip

DEFAULTS: Final[dict[int, Disposition]] = {
    **dict.fromkeys(range(1, NSIG + 1), Disposition.TERMINATE),
    **{int(signo): Disposition.IGNORE for signo in _IGNORED},
    **{int(signo): Disposition.STOP for signo in _STOPPING},
    **{int(signo): Disposition.CORE for signo in _CORE},
    int(Signo.SIGCONT): Disposition.CONTINUE,
}


def bit(signo: int) -> int:
    """The set that holds just `signo`."""
    return 1 << (signo - 1)


def members(sigset: int) -> list[int]:
    """The signals of a set, lowest first."""
    return [signo for signo in range(1, NSIG + 1) if sigset >> (signo - 1) & 1]


STOP_SET: Final = sum(bit(signo) for signo in _STOPPING)
UNBLOCKABLE: Final = bit(Signo.SIGKILL) | bit(Signo.SIGSTOP)

SIGACTION: Final = Struct("<IIQ")
"""struct k_sigaction: handler (table index), flags, mask; no restorer on wasm32."""

SIGFETCH: Final = Struct("<iIIIQ")
"""What `skerry.sigfetch` writes before the siginfo: signo, sa_flags, handler, pad, oldmask."""

SIGINFO_SIZE: Final = 128
