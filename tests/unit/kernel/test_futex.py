# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Futexes: sleepers, wakes, deadlines, and what a dead thread leaves behind."""
from __future__ import annotations

from itertools import pairwise

from tests.unit.kernel.harness import MILLISECOND, PARKED, SECOND, Harness, Value

from skerry.abi import futex as abi
from skerry.abi.errno import ERESTARTSYS, Errno
from skerry.abi.signal import SA_RESTART, Signo
from skerry.kernel.task import Task

MANY = 0x7FFFFFFF


def futex(
    h: Harness,
    task: Task,
    address: int,
    command: int,
    value: int = 0,
    more: int = 0,
    address2: int = 0,
    value3: int = 0,
) -> Value:
    return h.call(task, "futex_time64", address, command | abi.FUTEX_PRIVATE, value, more, address2, value3)


def team(count: int) -> tuple[Harness, Task, list[Task], int]:
    """A process, `count` more threads of it, and the address of a zero word."""
    h = Harness()
    task = h.process(threads=True)
    threads = [h.thread(task) for _ in range(count)]
    return h, task, threads, h.room(task, 4)


def test_wakes_go_to_the_oldest_sleepers() -> None:
    h, task, threads, word = team(3)
    for thread in threads:
        assert futex(h, thread, word, abi.FUTEX_WAIT) is PARKED
    assert futex(h, task, word, abi.FUTEX_WAKE, 2) == 2
    assert [h.resumed(thread) for thread in threads] == [0, 0, PARKED]
    assert futex(h, task, word, abi.FUTEX_WAKE, MANY) == 1
    assert h.resumed(threads[2]) == 0
    assert futex(h, task, word, abi.FUTEX_WAKE, MANY) == 0


def test_a_changed_word_is_not_slept_on() -> None:
    h, task, _, word = team(0)
    task.mem.put_u32(word, 0xFFFFFFFF)
    assert futex(h, task, word, abi.FUTEX_WAIT, 0) == -Errno.EAGAIN
    assert futex(h, task, word, abi.FUTEX_WAIT, -1) is PARKED


def test_processes_do_not_share_words() -> None:
    h, task, threads, word = team(1)
    child = h.fork(task)
    assert futex(h, threads[0], word, abi.FUTEX_WAIT) is PARKED
    assert futex(h, child, word, abi.FUTEX_WAKE, 1) == 0
    acting = h.vfork(task)  # speaks from its parent's memory
    assert futex(h, acting, word, abi.FUTEX_WAKE, 1) == 1


def test_timeouts_are_relative_for_wait_and_absolute_for_wait_bitset() -> None:
    h, task, _, word = team(0)
    assert futex(h, task, word, abi.FUTEX_WAIT, 0, h.timespec(task, 5 * MILLISECOND)) is PARKED
    h.advance(5 * MILLISECOND)
    assert h.resumed(task) == -Errno.ETIMEDOUT
    for flag, now_ns in ((0, h.clock.monotonic_ns), (abi.FUTEX_CLOCK_REALTIME, h.clock.realtime_ns)):
        at = h.timespec(task, now_ns() + 2 * SECOND)
        h.clock.now_ns += SECOND
        assert futex(h, task, word, abi.FUTEX_WAIT_BITSET | flag, 0, at, 0, -1) is PARKED
        h.advance(SECOND - 1)
        assert h.resumed(task) is PARKED
        h.advance(1)
        assert h.resumed(task) == -Errno.ETIMEDOUT
    assert futex(h, task, word, abi.FUTEX_WAIT, 0, h.longs(task, 0, 10**9)) == -Errno.EINVAL
    assert not h.kernel.futexes._sleepers


def test_a_wake_beats_a_deadline_and_a_signal() -> None:
    h, task, (thread,), word = team(1)
    h.handle(task, Signo.SIGUSR1)
    assert futex(h, thread, word, abi.FUTEX_WAIT, 0, h.timespec(task, MILLISECOND)) is PARKED
    assert h.kernel.futexes.wake(task, word, 1) == 1  # chosen, but not yet stepped
    h.done(task, "tgkill", task.tid, thread.tid, Signo.SIGUSR1)
    assert h.resumed(thread) == 0


def test_handlers_restart_an_endless_wait_only() -> None:
    h, task, (thread,), word = team(1)
    h.handle(task, Signo.SIGUSR1, flags=SA_RESTART)
    assert futex(h, thread, word, abi.FUTEX_WAIT) is PARKED
    h.done(task, "tgkill", task.tid, thread.tid, Signo.SIGUSR1)
    assert h.resumed(thread) == -ERESTARTSYS
    assert h.sigfetch(thread) is not None
    thread.mask = 0
    assert futex(h, thread, word, abi.FUTEX_WAIT, 0, h.timespec(task, SECOND)) is PARKED
    h.done(task, "tgkill", task.tid, thread.tid, Signo.SIGUSR1)
    assert h.resumed(thread) == -Errno.EINTR
    assert futex(h, task, word, abi.FUTEX_WAKE, 1) == 0


def test_bitsets_choose_sleepers() -> None:
    h, task, (one, two), word = team(2)
    futex(h, one, word, abi.FUTEX_WAIT_BITSET, 0, 0, 0, 1)
    futex(h, two, word, abi.FUTEX_WAIT_BITSET, 0, 0, 0, 2)
    assert futex(h, task, word, abi.FUTEX_WAKE_BITSET, MANY, 0, 0, 2) == 1
    assert (h.resumed(one), h.resumed(two)) == (PARKED, 0)
    assert futex(h, task, word, abi.FUTEX_WAKE_BITSET, MANY, 0, 0, 0) == -Errno.EINVAL


def test_requeue_moves_sleepers_to_another_word() -> None:
    h, task, threads, word = team(4)
    other = h.room(task, 4)
    for thread in threads:
        futex(h, thread, word, abi.FUTEX_WAIT)
    assert futex(h, task, word, abi.FUTEX_CMP_REQUEUE, 1, 2, other, 7) == -Errno.EAGAIN
    assert futex(h, task, word, abi.FUTEX_CMP_REQUEUE, 1, 2, other, 0) == 3
    assert [h.resumed(thread) for thread in threads] == [0, PARKED, PARKED, PARKED]
    assert futex(h, task, other, abi.FUTEX_WAKE, MANY) == 2
    assert futex(h, task, word, abi.FUTEX_REQUEUE, 0, MANY, word, 0) == 1
    assert futex(h, task, word, abi.FUTEX_WAKE, MANY) == 1


def test_bad_addresses_and_operations() -> None:
    h, task, _, word = team(0)
    assert futex(h, task, word + 1, abi.FUTEX_WAIT) == -Errno.EINVAL
    assert futex(h, task, task.mem.size, abi.FUTEX_WAIT) == -Errno.EFAULT
    assert futex(h, task, -4, abi.FUTEX_WAKE, 1) == -Errno.EFAULT
    assert futex(h, task, word, abi.FUTEX_LOCK_PI) == -Errno.ENOSYS
    assert futex(h, task, word, 99) == -Errno.ENOSYS
    assert futex(h, task, word, abi.FUTEX_REQUEUE, 1, -1, word) == -Errno.EINVAL


def test_a_thread_that_ends_wakes_who_joins_it() -> None:
    h, task, (thread,), _ = team(1)
    word = thread.clear_child_tid
    task.mem.put_u32(word, thread.tid)
    assert futex(h, task, word, abi.FUTEX_WAIT, thread.tid) is PARKED
    h.call(thread, "exit", 0)
    assert h.resumed(task) == 0
    assert h.i32(task, word) == 0


def test_a_killed_sleeper_is_forgotten() -> None:
    h, task, (thread,), word = team(1)
    assert futex(h, thread, word, abi.FUTEX_WAIT) is PARKED
    h.exit(task)
    assert not h.kernel.futexes._sleepers


def robust_list(h: Harness, task: Task, *words: int, pending: int = 0) -> int:
    """A robust list of locks whose words stand 8 bytes after their entries."""
    head = h.room(task, 12)
    entries = [word - 8 for word in words]
    for entry, following in pairwise([*entries, head]):
        task.mem.put_u32(entry, following)
    words_of_head = (entries[0] if entries else head, 8, pending and pending - 8)
    for place, word in enumerate(words_of_head):
        task.mem.put_u32(head + 4 * place, word)
    return head


def test_the_locks_of_a_dead_thread_are_marked() -> None:
    h, task, (thread, waiter), _ = team(2)
    words = [h.room(task, 16) + 8 for _ in range(3)]
    held, awaited, foreign = words
    task.mem.put_u32(held, thread.tid)
    task.mem.put_u32(awaited, thread.tid | abi.WAITERS)
    task.mem.put_u32(foreign, task.tid)
    head = robust_list(h, task, *words)
    assert h.done(thread, "set_robust_list", head, 12) == 0
    out = h.room(task, 4)
    assert h.done(task, "get_robust_list", thread.tid, out, h.room(task, 4)) == 0
    assert task.mem.u32(out) == head
    assert futex(h, waiter, awaited, abi.FUTEX_WAIT, thread.tid | abi.WAITERS) is PARKED
    h.call(thread, "exit", 0)
    assert task.mem.u32(held) == abi.OWNER_DIED
    assert task.mem.u32(awaited) == abi.OWNER_DIED | abi.WAITERS
    assert task.mem.u32(foreign) == task.tid
    assert h.resumed(waiter) == 0


def test_a_lock_that_was_being_taken_is_marked_too() -> None:
    h, task, (thread,), _ = team(1)
    word = h.room(task, 16) + 8
    task.mem.put_u32(word, thread.tid)
    h.done(thread, "set_robust_list", robust_list(h, task, pending=word), 12)
    h.call(thread, "exit", 0)
    assert task.mem.u32(word) == abi.OWNER_DIED


def test_hostile_robust_lists_end() -> None:
    h, task, (circle, wild, broken), _ = team(3)
    entry = h.room(task, 16)
    task.mem.put_u32(entry, entry)
    for thread, head in (
        (circle, h.words(task, entry, 8, 0)),
        (wild, h.words(task, 0xFFFFFFF0, 0x7FFFFFFF, 0xFFFFFFFF)),
        (broken, 0xFFFFFFFC),
    ):
        assert h.done(thread, "set_robust_list", head, 12) == 0
        h.call(thread, "exit", 0)
        assert thread.dead
    assert h.done(task, "set_robust_list", 4096, 24) == -Errno.EINVAL
