# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A guest that hands every call nonsense cannot crash or hang the kernel, nor leave its memory.

Every entry of the table is called with words that hurt: bad pointers and descriptors, huge and
negative sizes, flags nobody defined. Whatever comes back must be a number or a wait, and a
neighbour process must live on as if nothing had happened.
"""
from __future__ import annotations

from random import Random

import pytest
from tests.unit.kernel.harness import MEMORY_SIZE, PARKED, SECOND, Harness

from skerry.abi.syscalls import START_IMPORTS, SYSCALLS
from skerry.kernel.commands import Image, Load
from skerry.kernel.sys.table import TABLE
from skerry.kernel.task import Task

ROUNDS = 60
EXTRA = {"pause": 0, "wait4": 4, "close_range": 3}
WORDS = (
    0, 1, 2, 3, 5, 17, 64, 100, 255, 4095, 4096, 65536, MEMORY_SIZE - 1, MEMORY_SIZE - 4, MEMORY_SIZE,
    0x7FFFFFFF, -1, -2, -8, -100, -0x80000000, 0x40000000, 0o2000000, 0o100, 0x5401, 0x5413, 1030,
)  # fmt: skip


def arity(name: str) -> int:
    if name in SYSCALLS:
        return SYSCALLS[name][1]
    return START_IMPORTS.get(name, EXTRA.get(name, 6))


def victim(h: Harness) -> Task:
    """A process that has something to lose: files, a pipe, sockets, an epoll, a thread's memory."""
    task = h.process(threads=True)
    h.done(task, "openat", -100, b"/file", 0o102, 0o600)
    h.done(task, "pipe2", h.room(task, 8), 0o4000)
    h.done(task, "socketpair", 1, 1 | 0o4000, 0, h.room(task, 8))
    h.done(task, "epoll_create1", 0)
    h.done(task, "openat", -100, b"/", 0o200000, 0)
    task.process.image = Image("module", (b"prog",), (b"A=1",), ((6, 4096),), b"prog")
    return task


@pytest.mark.parametrize("name", sorted(TABLE))
def test_nonsense_is_answered(name: str) -> None:
    h = Harness()
    pick = Random(name)
    neighbour, task = h.process(), victim(h)
    h.put(neighbour, b"mine")
    neighbour.process.cred = h.kernel.init.cred.copy()  # root's: out of reach for kill(-1, SIGKILL)
    for _ in range(ROUNDS):
        if task.dead or task.process.threads.get(task.tid) is not task:
            task = victim(h)
        words = [pick.choice((*WORDS, h.put(task, pick.randbytes(64)))) for _ in range(arity(name))]
        value = h.call(task, name, *words)
        if value is PARKED:
            h.advance(2 * SECOND)
            h.taken(Load)
            if h.resumed(task) is PARKED and not task.dead:
                h.done(neighbour, "tkill", task.tid, 9)
    assert h.done(neighbour, "getpid") == neighbour.tid
    assert h.get(neighbour, 4096, 4) == b"mine"
