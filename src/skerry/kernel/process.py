# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Processes: what all threads of one program share (Linux: the thread group).

Standard: POSIX.1-2024 "process"; field names as in /proc/[pid]/status where it has one.
Units:    times are nanoseconds; `status` is encoded as wait4(2) returns it.
Invariant: a process is alive until `status` is set, a zombie until it is reaped.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from skerry.abi.limits import OPEN_HARD, OPEN_MAX, PROCESS_MAX, SIGNALS_MAX
from skerry.abi.signal import SIG_DFL
from skerry.kernel.fdtable import FdTable
from skerry.kernel.wait import WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.commands import Image
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.namei import Location
    from skerry.kernel.session import Group
    from skerry.kernel.signal import Pending
    from skerry.kernel.task import Task

INFINITY = 0xFFFFFFFFFFFFFFFF
RLIMIT_CPU = 0
RLIMIT_CORE = 4
RLIMIT_SIGPENDING = 11
RLIMIT_NICE = 13
RLIMIT_RTPRIO = 14
RLIMIT_NPROC = 6
RLIMIT_NOFILE = 7
RLIMIT_STACK = 3
RLIMIT_COUNT = 16


@dataclass(slots=True)
class Credentials:
    """User and group ids: real, effective, saved, and supplementary groups."""

    uid: int = 0
    euid: int = 0
    suid: int = 0
    gid: int = 0
    egid: int = 0
    sgid: int = 0
    groups: tuple[int, ...] = ()

    def copy(self) -> Credentials:
        """Credentials of a child."""
        return Credentials(
            self.uid, self.euid, self.suid, self.gid, self.egid, self.sgid, self.groups
        )


@dataclass(slots=True)
class FsContext:
    """Where paths start and what creation masks; threads share it."""

    root: Location
    cwd: Location
    umask: int = 0o022


@dataclass(slots=True, frozen=True)
class Action:
    """struct sigaction: what to do on a signal. `handler` is a table index, 0 default, 1 ignore."""

    handler: int = SIG_DFL
    flags: int = 0
    mask: int = 0


DEFAULT_ACTION = Action()


@dataclass(slots=True)
class Usage:
    """Resources used, as getrusage(2) reports them."""

    user_ns: int = 0
    system_ns: int = 0
    minor_faults: int = 0

    def add(self, other: Usage) -> None:
        """Fold a reaped child's usage in."""
        self.user_ns += other.user_ns
        self.system_ns += other.system_ns
        self.minor_faults += other.minor_faults


def default_limits() -> dict[int, tuple[int, int]]:
    """(soft, hard) by RLIMIT_* number."""
    limits = dict.fromkeys(range(RLIMIT_COUNT), (INFINITY, INFINITY))
    limits[RLIMIT_STACK] = (8 << 20, INFINITY)
    limits[RLIMIT_CORE] = (0, INFINITY)
    limits[RLIMIT_NOFILE] = (OPEN_MAX, OPEN_HARD)
    limits[RLIMIT_NPROC] = (PROCESS_MAX, PROCESS_MAX)
    limits[RLIMIT_NICE] = limits[RLIMIT_RTPRIO] = (0, 0)
    limits[RLIMIT_SIGPENDING] = (SIGNALS_MAX, SIGNALS_MAX)
    return limits


@dataclass(slots=True, eq=False)
class Process:
    """One process."""

    kernel: Kernel
    pid: int
    parent: Process | None
    fs: FsContext
    cred: Credentials
    fds: FdTable
    threads: dict[int, Task] = field(default_factory=dict)
    children: dict[int, Process] = field(default_factory=dict)
    group: Group | None = None

    # the image
    argv: tuple[bytes, ...] = ()
    env: tuple[bytes, ...] = ()
    exe: bytes = b""  # path of the file that runs
    image: Image | None = None  # what the engine started last; its stack is laid out from it
    shared_memory: bool = False  # linked with -pthread: can have threads
    has_execed: bool = False  # setpgid(2) by the parent is too late

    # signals; members of one set are shared by all threads
    actions: dict[int, Action] = field(default_factory=dict)
    pending: list[Pending] = field(default_factory=list)
    signal_arrived: WaitQueue = field(default_factory=WaitQueue)  # signalfd, sigtimedwait

    # life and death
    stopped: bool = False
    stop_report: int = 0  # signal that stopped it and that wait has not seen yet
    continue_report: bool = False
    status: int | None = None
    child_changed: WaitQueue = field(default_factory=WaitQueue)
    tag: int | None = None  # of the Start event that made it

    # accounting
    start_ns: int = 0
    usage: Usage = field(default_factory=Usage)
    children_usage: Usage = field(default_factory=Usage)
    limits: dict[int, tuple[int, int]] = field(default_factory=default_limits)
    nice: int = 0
    alarms: dict[int, object] = field(default_factory=dict)  # itimers, see kernel/itimer.py
    posix_timers: dict[int, object] = field(default_factory=dict)
    dumpable: int = 1
    child_subreaper: bool = False
    no_new_privs: bool = False
    timer_slack_ns: int = 50_000  # recorded; timers here are as exact as the engine's
    policy: int = 0  # SCHED_*, recorded
    death_signal: int = 0  # PR_SET_PDEATHSIG: sent to this process when its parent ends

    @property
    def alive(self) -> bool:
        """Not yet a zombie."""
        return self.status is None

    def action(self, signo: int) -> Action:
        """What the process does on `signo`."""
        return self.actions.get(signo, DEFAULT_ACTION)

    def main(self) -> Task | None:
        """The oldest living thread."""
        for task in self.threads.values():
            return task
        return None
