# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Waiting for many files at once: the work under poll(2) and select(2).

Standard: POSIX.1-2024 poll(), pselect(); bits as Linux fs/select.c.
Blocking: `Scan.later` waits until a file is ready or the deadline passes. Never restarted
          after a handler: EINTR, whatever SA_RESTART says (signal(7)).
Invariant: one look costs one `File.poll` per entry; a wake-up costs one look.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import poll
from skerry.kernel.file import File
from skerry.kernel.signalfd import SignalFd
from skerry.kernel.socket import Socket
from skerry.kernel.wait import Step, Wait, WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.task import Task

WRITING = poll.POLLOUT | poll.POLLWRNORM | poll.POLLWRBAND
UNASKED = poll.POLLERR | poll.POLLHUP  # poll and epoll report these for every file

Entry = tuple[File | None, int]
"""An open file and the bits that count; None is a bad descriptor: its bits always hold."""


def attend(task: Task, file: File) -> None:
    """A signalfd shows the signals of whoever looks at it."""
    if type(file) is SignalFd:
        file.attend(task)


def look(entries: list[Entry]) -> tuple[list[int], int]:
    """The bits of each entry now, and how many have any."""
    found = [
        file.poll() & wanted if file is not None else wanted
        for file, wanted in entries
    ]
    return found, len(found) - found.count(0)


def queues_of(file: File, wanted: int) -> tuple[WaitQueue, ...]:
    """The queues of one file that matter for the bits asked for.

    A server that only reads is not woken whenever its client makes room. What ends a
    socket wakes both its queues.
    """
    queues = file.poll_queues()
    if not wanted & WRITING and isinstance(file, Socket):
        return queues[:1]
    return queues


def queues(entries: list[Entry]) -> tuple[WaitQueue, ...]:
    """Every queue that may change the outcome."""
    every: dict[WaitQueue, None] = {}
    for file, wanted in entries:
        if file is not None:
            for queue in queues_of(file, wanted):
                every[queue] = None
    return tuple(every)


def later(entries: list[Entry], deadline_ns: int | None) -> Step[tuple[list[int], int]]:
    """Look until something is ready or the deadline passes."""
    wait = Wait(queues(entries), deadline_ns)
    while True:
        woken = yield wait
        found, ready = look(entries)
        if ready or not woken:
            return found, ready
