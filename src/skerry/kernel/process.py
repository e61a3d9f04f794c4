# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Processes: what all threads of one program share (Linux: the thread group).

Standard: POSIX.1-2024 "process"; field names as in /proc/[pid]/status where it has one.
Units:    times are nanoseconds; `status` is encoded as wait4(2) returns it.
Invariant: a process is alive until `status` is set, a zombie until it is reaped.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi.limits import OPEN_HARD, OPEN_MAX, PROCESS_MAX, SIGNALS_MAX
from skerry.abi.record import Record
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
    from skerry.kernel.wasi.state import Wasi

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


class Credentials:
    """User and group ids: real, effective, saved, and supplementary groups."""

    __slots__ = ("egid", "euid", "gid", "groups", "sgid", "suid", "uid")

    def __init__(
        self,
        uid: int = 0,
        euid: int = 0,
        suid: int = 0,
        gid: int = 0,
        egid: int = 0,
        sgid: int = 0,
        groups: tuple[int, ...] = (),
    ) -> None:
        self.uid = uid
        self.euid = euid
        self.suid = suid
        self.gid = gid
        self.egid = egid
        self.sgid = sgid
        self.groups = groups

    def copy(self) -> Credentials:
        """Credentials of a child."""
        return Credentials(
            self.uid, self.euid, self.suid, self.gid, self.egid, self.sgid, self.groups
        )


class FsContext:
    """Where paths start and what creation masks; threads share it."""

    __slots__ = ("cwd", "root", "umask")

    def __init__(self, root: Location, cwd: Location, umask: int = 0o022) -> None:
        self.root = root
        self.cwd = cwd
        self.umask = umask


class Action(Record):
    """struct sigaction: what to do on a signal. `handler` is a table index, 0 default, 1 ignore."""

    handler: int = SIG_DFL
    flags: int = 0
    mask: int = 0


DEFAULT_ACTION = Action()


class Usage:
    """Resources used, as getrusage(2) reports them."""

    __slots__ = ("minor_faults", "system_ns", "user_ns")

    def __init__(self, user_ns: int = 0, system_ns: int = 0, minor_faults: int = 0) -> None:
        self.user_ns = user_ns
        self.system_ns = system_ns
        self.minor_faults = minor_faults

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


class Process:
    """One process."""

    __slots__ = (
        "actions", "alarms", "argv", "child_changed", "child_subreaper", "children", "children_usage",
        "continue_report", "cred", "death_signal", "dumpable", "env", "exe", "fds", "fs", "group",
        "has_execed", "image", "kernel", "limits", "nice", "no_new_privs", "parent", "pending", "pid",
        "policy", "posix_timers", "shared_memory", "signal_arrived", "start_ns", "status",
        "stop_report", "stopped", "tag", "threads", "timer_slack_ns", "usage",
        "wasi",
    )  # fmt: skip

    def __init__(
        self, kernel: Kernel, pid: int, parent: Process | None, fs: FsContext, cred: Credentials, fds: FdTable
    ) -> None:
        self.kernel = kernel
        self.pid = pid
        self.parent = parent
        self.fs = fs
        self.cred = cred
        self.fds = fds
        self.threads: dict[int, Task] = {}
        self.children: dict[int, Process] = {}
        self.group: Group | None = None

        # the image
        self.argv: tuple[bytes, ...] = ()
        self.env: tuple[bytes, ...] = ()
        self.exe: bytes = b""  # path of the file that runs
        self.image: Image | None = None  # what the engine started last; its stack is laid out from it
        self.shared_memory: bool = False  # linked with -pthread: can have threads
        self.has_execed: bool = False  # setpgid(2) by the parent is too late
        self.wasi: Wasi | None = None  # of an image that makes WASI calls

        # signals; members of one set are shared by all threads
        self.actions: dict[int, Action] = {}
        self.pending: list[Pending] = []
        self.signal_arrived: WaitQueue = WaitQueue()  # signalfd, sigtimedwait

        # life and death
        self.stopped: bool = False
        self.stop_report: int = 0  # signal that stopped it and that wait has not seen yet
        self.continue_report: bool = False
        self.status: int | None = None
        self.child_changed: WaitQueue = WaitQueue()
        self.tag: int | None = None  # of the Start event that made it

        # accounting
        self.start_ns: int = 0
        self.usage: Usage = Usage()
        self.children_usage: Usage = Usage()
        self.limits: dict[int, tuple[int, int]] = default_limits()
        self.nice: int = 0
        self.alarms: dict[int, object] = {}  # itimers, see kernel/itimer.py
        self.posix_timers: dict[int, object] = {}
        self.dumpable: int = 1
        self.child_subreaper: bool = False
        self.no_new_privs: bool = False
        self.timer_slack_ns: int = 50_000  # recorded; timers here are as exact as the engine's
        self.policy: int = 0  # SCHED_*, recorded
        self.death_signal: int = 0  # PR_SET_PDEATHSIG: sent to this process when its parent ends

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
