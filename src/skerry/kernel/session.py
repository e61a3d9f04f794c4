# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Process groups and sessions.

Standard: POSIX.1-2024 chapter 3, "session", "process group", "orphaned process group".
Invariant: a group lives while it has members, a session while it has groups.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skerry.kernel.process import Process
    from skerry.kernel.tty import Tty


class Session:
    """Groups that share a controlling terminal; `leader` is the process that made it."""

    __slots__ = ("detached", "groups", "kernel", "leader", "sid", "terminal")

    def __init__(self, leader: Process) -> None:
        self.kernel = leader.kernel
        self.sid = leader.pid
        self.leader: Process | None = leader
        self.groups: dict[int, Group] = {}
        self.terminal: Tty | None = None
        self.detached: set[int] = set()  # pids that gave the terminal up with TIOCNOTTY


class Group:
    """A process group: the unit of job control."""

    __slots__ = ("members", "pgid", "session")

    def __init__(self, pgid: int, session: Session) -> None:
        self.pgid = pgid
        self.session = session
        self.members: dict[int, Process] = {}
        session.groups[pgid] = session.kernel.groups[pgid] = self

    def add(self, process: Process) -> None:
        """Take `process` in; it leaves the group it was in."""
        if process.group is not None:
            process.group.remove(process)
        process.group = self
        self.members[process.pid] = process

    def remove(self, process: Process) -> None:
        """Let `process` go; the last one dissolves the group."""
        self.members.pop(process.pid, None)
        self.session.detached.discard(process.pid)
        if not self.members:
            self.session.groups.pop(self.pgid, None)
            self.session.kernel.groups.pop(self.pgid, None)

    def orphaned(self) -> bool:
        """No member has a parent in another group of the same session."""
        for process in self.members.values():
            parent = process.parent
            if parent is None or parent.group is None:
                continue
            if parent.group is not self and parent.group.session is self.session:
                return False
        return True


def terminal_of(process: Process) -> Tty | None:
    """The controlling terminal of `process`."""
    session = process.group.session if process.group is not None else None
    if session is None or session.terminal is None or process.pid in session.detached:
        return None
    return session.terminal
