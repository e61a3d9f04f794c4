# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Futexes: threads that wait for a word of memory to change.

Memory belongs to one process, so a futex is (process, address) and "private" and "shared"
mean the same. The kernel cannot change a word atomically while other threads run; the
operations that would need it (LOCK_PI and relatives, WAKE_OP) are therefore absent, which
libc answers to its callers with ENOTSUP.

Standard: futex(2), robust futexes: Linux Documentation/locking/robust-futex-ABI.
Blocking: `wait`.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.futex import (
    MATCH_ANY,
    OWNER_DIED,
    ROBUST_LIST_HEAD,
    ROBUST_LIST_LIMIT,
    TID_MASK,
    WAITERS,
)
from skerry.kernel.wait import Interrupted, Step, Wait, WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.process import Process
    from skerry.kernel.task import Task

U32 = 0xFFFFFFFF
_LINK = ~1 & U32  # the lowest bit of a robust list's pointer marks a PI futex
Key = tuple[int, int]


class Sleeper:
    """One thread that waits; `released` once a wake chose it, whatever happens after."""

    __slots__ = ("bits", "key", "released", "woken")

    def __init__(self, key: Key, bits: int) -> None:
        self.key = key
        self.bits = bits
        self.released = False
        self.woken = WaitQueue()


class Futexes:
    """Sleepers by futex, in order of arrival."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._sleepers: dict[Key, list[Sleeper]] = {}

    def wait(
        self, task: Task, address: int, expected: int, bits: int, deadline_ns: int | None
    ) -> Step[int]:
        """Sleep while the word is `expected`; 0 when woken.

        Raises: SysError(EAGAIN) when the word differs already, ETIMEDOUT, EINTR.
        """
        if task.mem.u32(address) != expected & U32:
            raise SysError(Errno.EAGAIN)
        sleeper = Sleeper(_key(task, address), bits)
        self._sleepers.setdefault(sleeper.key, []).append(sleeper)
        try:
            while not sleeper.released:
                woken = yield Wait((sleeper.woken,), deadline_ns)
                if not woken and not sleeper.released:
                    raise SysError(Errno.ETIMEDOUT)
        except Interrupted:
            if not sleeper.released:
                if deadline_ns is None:
                    raise
                raise SysError(Errno.EINTR) from None  # restarted, it would sleep too long
        finally:
            if not sleeper.released:
                self._forget(sleeper)
        return 0

    def wake(self, task: Task, address: int, count: int, bits: int = MATCH_ANY) -> int:
        """Release at most `count` sleepers whose bits meet; returns how many."""
        chosen = [
            sleeper for sleeper in self._sleepers.get(_key(task, address), ()) if sleeper.bits & bits
        ][: max(count, 0)]
        for sleeper in chosen:
            self._forget(sleeper)
            sleeper.released = True
            sleeper.woken.wake()
        return len(chosen)

    def requeue(self, task: Task, address: int, count: int, target: int, most: int) -> int:
        """Release `count` sleepers and let at most `most` others wait at `target` instead."""
        done = self.wake(task, address, count)
        key = _key(task, target)
        moved = self._sleepers.get(_key(task, address), [])[: max(most, 0)]
        if key != _key(task, address):
            for sleeper in moved:
                self._forget(sleeper)
                sleeper.key = key
                self._sleepers.setdefault(key, []).append(sleeper)
        return done + len(moved)

    def _forget(self, sleeper: Sleeper) -> None:
        line = self._sleepers[sleeper.key]
        line.remove(sleeper)
        if not line:
            del self._sleepers[sleeper.key]

    # --- the end of a thread

    def clear_tid(self, task: Task) -> None:
        """A thread ends: write 0 at its clear_child_tid word and wake who joins it."""
        try:
            task.mem.put_u32(task.clear_child_tid, 0)
            self.wake(task, task.clear_child_tid, 1)
        except SysError:
            pass  # the guest named no good address: it loses its wake-up

    def end_robust(self, task: Task) -> None:
        """A thread ends: mark the locks it holds, by its robust list, as those of a dead owner."""
        if not task.robust_list:
            return
        try:
            self._walk_robust(task)
        except SysError:
            pass  # a broken list ends where it breaks, as in Linux

    def _walk_robust(self, task: Task) -> None:
        head = task.robust_list
        entry, offset, pending = task.mem.unpack(ROBUST_LIST_HEAD, head)
        for _ in range(ROBUST_LIST_LIMIT):
            if entry & _LINK == head:
                break
            following = task.mem.u32(entry & _LINK)
            if entry & _LINK != pending & _LINK:
                self._owner_died(task, (entry & _LINK) + offset)
            entry = following
        if pending:
            self._owner_died(task, (pending & _LINK) + offset)

    def _owner_died(self, task: Task, address: int) -> None:
        """Not atomic, and need not be: a waiter that marks the word meanwhile still has to ask us."""
        word = task.mem.u32(address)
        if word & TID_MASK == task.tid:
            task.mem.put_u32(address, word & WAITERS | OWNER_DIED)
            if word & WAITERS:
                self.wake(task, address, 1)


def _key(task: Task, address: int) -> Key:
    """The identity of a word; a vfork child uses its parent's memory."""
    owner: Process = (task.vfork_parent or task).process
    return owner.pid, address & U32
