# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What travels beside the bytes of an AF_UNIX socket: open files and credentials.

Standard: unix(7), SCM_RIGHTS and SCM_CREDENTIALS.
Invariant: files under way hold a reference each. A socket that only files under way refer to,
           in a cycle, can never be received again: `collect` closes such (Linux net/unix/garbage.c).
"""
from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skerry.kernel.file import File
    from skerry.kernel.net import Network
    from skerry.kernel.task import Task

Ucred = tuple[int, int, int]
"""pid, uid, gid: struct ucred."""


def ucred(task: Task) -> Ucred:
    """Who the caller is."""
    process = task.process
    return process.pid, process.cred.euid, process.cred.egid


class Ancillary:
    """Files and the sender's credentials with one message."""

    __slots__ = ("cred", "files", "network")

    def __init__(self, network: Network, files: tuple[File, ...], cred: Ucred | None) -> None:
        self.network = network
        self.files = files
        self.cred = cred
        for file in files:
            file.acquire()

    def copy(self) -> Ancillary:
        """The same once more, for MSG_PEEK."""
        return Ancillary(self.network, self.files, self.cred)

    def depart(self) -> None:
        """It is in a queue now, on its way."""
        flying = self.network.flying
        for file in self.files:
            flying[file] = flying.get(file, 0) + 1

    def arrive(self) -> None:
        """It has left the queue."""
        flying = self.network.flying
        for file in self.files:
            flying[file] -= 1
            if not flying[file]:
                del flying[file]

    def release(self) -> None:
        """Nobody wants the files: give their references back."""
        for file in self.files:
            file.release()
        self.files = ()


def collect(network: Network) -> None:
    """Close sockets that only messages in their own queues refer to."""
    from skerry.kernel.socket import Socket  # local: sockets carry ancillaries

    if not network.flying or network.collecting:
        return
    suspects: dict[File, list[File]] = {
        file: file.carried()
        for file, count in network.flying.items()
        if isinstance(file, Socket) and file.refs == count
    }
    for file in _reachable(network, suspects):
        suspects.pop(file, None)
    network.collecting = True
    try:
        for file in suspects:
            assert isinstance(file, Socket)
            file.discard()
    finally:
        network.collecting = False


def _reachable(network: Network, suspects: dict[File, list[File]]) -> dict[File, None]:
    """Suspects carried by something that is no suspect, and what those carry."""
    within: dict[File, int] = {}
    for carried in suspects.values():
        for file in carried:
            within[file] = within.get(file, 0) + 1
    todo = [file for file in suspects if within.get(file, 0) < network.flying[file]]
    found: dict[File, None] = {}
    while todo:
        file = todo.pop()
        if file not in found:
            found[file] = None
            todo += [other for other in suspects[file] if other in suspects]
    return found
