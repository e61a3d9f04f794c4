# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Signals: pending, blocked, handled, stopped, restarted."""
from __future__ import annotations

import pytest
from tests.unit.kernel.harness import MILLISECOND, PARKED, Harness, sigset

from skerry.abi.errno import ERESTARTSYS, Errno
from skerry.abi.signal import (
    SA_NODEFER,
    SA_RESETHAND,
    SA_RESTART,
    SI_TKILL,
    SI_USER,
    SIG_IGN,
    Signo,
)
from skerry.kernel.events import HostSignal
from skerry.kernel.task import Task

RT = 40


def siginfo(h: Harness, task: Task, signo: int, value: int, code: int = -1) -> int:
    """The address of a siginfo_t as sigqueue makes it."""
    return h.put(task, h.get(task, h.words(task, signo, 0, code, task.tid, 0, value), 24) + bytes(104))


def test_a_handler_gets_the_facts() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    h.handle(task, Signo.SIGUSR1, handler=77)
    assert h.done(other, "kill", task.tid, Signo.SIGUSR1) == 0
    assert h.poked(task)
    assert h.flagged(task)
    frame = h.sigfetch(task)
    assert frame is not None
    assert (frame.signo, frame.handler, frame.code, frame.pid) == (Signo.SIGUSR1, 77, SI_USER, other.tid)
    assert h.sigfetch(task) is None


def test_a_signal_to_oneself_is_seen_when_the_call_returns() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGUSR1)
    assert h.done(task, "kill", task.tid, Signo.SIGUSR1) == 0
    assert not h.poked(task)
    assert h.flagged(task)


def test_handlers_block_their_own_signal_and_their_mask() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGUSR1, mask=sigset(Signo.SIGUSR2))
    h.handle(task, Signo.SIGUSR2)
    h.done(task, "kill", task.tid, Signo.SIGUSR1)
    frame = h.sigfetch(task)
    assert frame is not None
    h.done(task, "kill", task.tid, Signo.SIGUSR1)
    h.done(task, "kill", task.tid, Signo.SIGUSR2)
    assert h.sigfetch(task) is None
    h.flagged(task)
    h.sigreturn(task, frame)
    assert h.flagged(task)
    assert [f.signo for f in (h.sigfetch(task), h.sigfetch(task)) if f] == [Signo.SIGUSR1]


def test_nodefer_and_resethand() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGUSR1, flags=SA_NODEFER)
    for _ in range(2):
        h.done(task, "kill", task.tid, Signo.SIGUSR1)
        assert h.sigfetch(task) is not None
    h.handle(task, Signo.SIGUSR1, flags=SA_RESETHAND)
    h.done(task, "kill", task.tid, Signo.SIGUSR1)
    frame = h.sigfetch(task)
    assert frame is not None
    h.sigreturn(task, frame)
    assert h.call(task, "kill", task.tid, Signo.SIGUSR1) is PARKED
    assert h.stopped(task)


def test_standard_signals_merge_and_real_time_ones_queue() -> None:
    h = Harness()
    task = h.process()
    for signo in (Signo.SIGUSR1, RT, RT + 1):
        h.handle(task, signo)
    h.block(task, Signo.SIGUSR1, RT, RT + 1)
    for value in (1, 2):
        h.done(task, "kill", task.tid, Signo.SIGUSR1)
        h.done(task, "rt_sigqueueinfo", task.tid, RT + 1, siginfo(h, task, RT + 1, 10 + value))
        h.done(task, "rt_sigqueueinfo", task.tid, RT, siginfo(h, task, RT, value))
    h.unblock(task, Signo.SIGUSR1, RT, RT + 1)
    seen = []
    while frame := h.sigfetch(task):
        seen.append((frame.signo, frame.siginfo[20]))
        h.sigreturn(task, frame)
    assert [signo for signo, _ in seen] == [Signo.SIGUSR1, RT, RT, RT + 1, RT + 1]
    assert [value for _, value in seen[1:]] == [1, 2, 11, 12]


def test_pending_shows_only_what_is_blocked() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGUSR2)
    h.block(task, Signo.SIGUSR2)
    h.done(task, "kill", task.tid, Signo.SIGUSR2)
    h.done(task, "rt_sigpending", address := h.room(task, 8), 8)
    assert task.mem.u64(address) == sigset(Signo.SIGUSR2)


def test_an_ignored_signal_leaves_no_trace() -> None:
    h = Harness()
    task = h.process()
    h.block(task, Signo.SIGUSR1)
    h.done(task, "kill", task.tid, Signo.SIGUSR1)
    h.handle(task, Signo.SIGUSR1, SIG_IGN)
    h.handle(task, Signo.SIGUSR1)
    h.unblock(task, Signo.SIGUSR1)
    assert h.sigfetch(task) is None
    h.done(task, "kill", task.tid, Signo.SIGCHLD)
    h.done(task, "kill", task.tid, Signo.SIGWINCH)
    assert not task.process.pending


def test_a_fatal_signal_does_not_wait_for_a_handler_to_be_fetched() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    h.handle(task, Signo.SIGINT)
    h.done(other, "kill", task.tid, Signo.SIGINT)
    h.done(other, "kill", task.tid, Signo.SIGTERM)
    assert h.stopped(task)


def test_unblocking_a_fatal_signal_kills_the_caller() -> None:
    h = Harness()
    task = h.process()
    h.block(task, Signo.SIGTERM)
    h.done(task, "kill", task.tid, Signo.SIGTERM)
    mask = h.longs(task, 0)
    assert h.call(task, "rt_sigprocmask", 2, mask, 0, 8) is PARKED
    assert h.stopped(task)


def test_kill_and_stop_cannot_be_blocked_or_handled() -> None:
    h = Harness()
    task = h.process()
    action = h.words(task, 100, 0, 0, 0)
    assert h.done(task, "rt_sigaction", Signo.SIGKILL, action, 0, 8) == -Errno.EINVAL
    assert h.done(task, "rt_sigaction", Signo.SIGSTOP, action, 0, 8) == -Errno.EINVAL
    assert h.done(task, "rt_sigaction", 65, action, 0, 8) == -Errno.EINVAL
    assert h.done(task, "rt_sigaction", Signo.SIGINT, action, 0, 4) == -Errno.EINVAL
    h.block(task, *range(1, 65))
    assert task.mask == sigset(*range(1, 65)) & ~sigset(Signo.SIGKILL, Signo.SIGSTOP)


@pytest.mark.parametrize(("flags", "result"), [(0, -Errno.EINTR), (SA_RESTART, -ERESTARTSYS)])
def test_a_handler_interrupts_or_restarts_a_wait(flags: int, result: int) -> None:
    h = Harness()
    task, other = h.process(), h.process()
    h.fork(task)
    h.handle(task, Signo.SIGUSR1, flags=flags)
    assert h.call(task, "wait4", -1, 0, 0, 0) is PARKED
    h.done(other, "kill", task.tid, Signo.SIGUSR1)
    assert h.resumed(task) == result
    assert h.flagged(task)
    assert h.sigfetch(task) is not None


def test_a_wait_without_a_handler_is_not_disturbed() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    child = h.fork(task)
    assert h.call(task, "wait4", -1, 0, 0, 0) is PARKED
    h.done(other, "kill", task.tid, Signo.SIGWINCH)
    h.done(other, "kill", task.tid, Signo.SIGSTOP)
    h.done(other, "kill", task.tid, Signo.SIGCONT)
    assert h.resumed(task) is PARKED
    h.exit(child)
    assert h.resumed(task) == child.tid


def test_a_handler_that_waits_already_breaks_the_next_wait() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    h.fork(task)
    h.handle(task, Signo.SIGUSR1)
    h.done(other, "kill", task.tid, Signo.SIGUSR1)
    assert h.done(task, "wait4", -1, 0, 0, 0) == -Errno.EINTR


def test_sigsuspend_swaps_the_mask_and_gives_it_back_through_the_frame() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    h.handle(task, Signo.SIGUSR1)
    h.block(task, Signo.SIGUSR1, Signo.SIGUSR2)
    assert h.call(task, "rt_sigsuspend", h.longs(task, sigset(Signo.SIGUSR2)), 8) is PARKED
    h.handle(other, Signo.SIGUSR1)
    h.done(other, "kill", task.tid, Signo.SIGUSR1)
    assert h.resumed(task) == -Errno.EINTR
    frame = h.sigfetch(task)
    assert frame is not None
    assert frame.old_mask == sigset(Signo.SIGUSR1, Signo.SIGUSR2)
    assert task.mask == sigset(Signo.SIGUSR1, Signo.SIGUSR2)
    h.sigreturn(task, frame)
    assert task.mask == sigset(Signo.SIGUSR1, Signo.SIGUSR2)


def test_sigsuspend_with_a_pending_signal_returns_at_once() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGUSR1)
    h.block(task, Signo.SIGUSR1)
    h.done(task, "kill", task.tid, Signo.SIGUSR1)
    assert h.done(task, "rt_sigsuspend", h.longs(task, 0), 8) == -Errno.EINTR
    frame = h.sigfetch(task)
    assert frame is not None
    assert frame.old_mask == sigset(Signo.SIGUSR1)


def test_sigsuspend_that_uncovers_a_fatal_signal() -> None:
    h = Harness()
    task = h.process()
    h.block(task, Signo.SIGTERM)
    h.done(task, "kill", task.tid, Signo.SIGTERM)
    assert h.call(task, "rt_sigsuspend", h.longs(task, 0), 8) is PARKED
    assert h.stopped(task)
    assert task.parked is None


def test_a_stopped_process_keeps_its_result_until_it_continues() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    assert h.call(task, "kill", task.tid, Signo.SIGSTOP) is PARKED
    assert h.resumed(task) is PARKED
    h.done(other, "kill", task.tid, Signo.SIGCONT)
    assert h.resumed(task) == 0


def test_a_parked_call_of_a_stopped_process_makes_no_progress() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    child = h.fork(task)
    assert h.call(task, "wait4", -1, 0, 0, 0) is PARKED
    h.done(other, "kill", task.tid, Signo.SIGSTOP)
    h.exit(child)
    assert h.resumed(task) is PARKED
    assert child.tid in h.kernel.processes
    h.done(other, "kill", task.tid, Signo.SIGCONT)
    assert h.resumed(task) == child.tid


def test_a_call_made_while_stopped_begins_after_sigcont() -> None:
    h = Harness()
    task, other, victim = h.process(), h.process(), h.process()
    h.done(other, "kill", task.tid, Signo.SIGSTOP)
    assert h.poked(task)
    assert h.call(task, "kill", victim.tid, Signo.SIGTERM) is PARKED
    assert not h.stopped(victim)
    h.done(other, "kill", task.tid, Signo.SIGCONT)
    assert h.resumed(task) == 0
    assert h.stopped(victim)


def test_handlers_run_before_a_call_that_was_held() -> None:
    h = Harness()
    task, other, victim = h.process(), h.process(), h.process()
    h.handle(task, Signo.SIGUSR1)
    h.done(other, "kill", task.tid, Signo.SIGSTOP)
    assert h.call(task, "kill", victim.tid, Signo.SIGTERM) is PARKED
    h.done(other, "kill", task.tid, Signo.SIGUSR1)
    h.done(other, "kill", task.tid, Signo.SIGCONT)
    assert h.resumed(task) == -ERESTARTSYS
    assert not h.stopped(victim)
    assert h.flagged(task)


def test_signals_of_a_stopped_process_wait_for_sigcont() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    h.handle(task, Signo.SIGUSR1)
    h.done(other, "kill", task.tid, Signo.SIGSTOP)
    h.done(other, "kill", task.tid, Signo.SIGUSR1)
    assert not h.flagged(task)
    h.done(other, "kill", task.tid, Signo.SIGCONT)
    assert h.flagged(task)
    h.done(other, "kill", task.tid, Signo.SIGSTOP)
    h.done(other, "kill", task.tid, Signo.SIGTERM)
    assert not h.stopped(task)
    h.done(other, "kill", task.tid, Signo.SIGCONT)
    assert h.stopped(task)


def test_sigkill_ends_a_stopped_process() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    h.done(other, "kill", task.tid, Signo.SIGSTOP)
    h.done(other, "kill", task.tid, Signo.SIGKILL)
    assert h.stopped(task)


def test_stop_and_continue_cancel_each_other() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    h.block(task, Signo.SIGTSTP, Signo.SIGCONT)
    h.done(other, "kill", task.tid, Signo.SIGTSTP)
    h.done(other, "kill", task.tid, Signo.SIGCONT)
    assert [info.signo for info in task.process.pending] == [Signo.SIGCONT]
    h.done(other, "kill", task.tid, Signo.SIGTSTP)
    assert [info.signo for info in task.process.pending] == [Signo.SIGTSTP]


def test_a_signal_for_the_process_finds_a_thread_that_takes_it() -> None:
    h = Harness()
    task = h.process(threads=True)
    other = h.thread(task)
    h.handle(task, Signo.SIGUSR1)
    h.block(task, Signo.SIGUSR1)
    h.done(task, "kill", task.tid, Signo.SIGUSR1)
    assert h.flagged(other)
    assert not h.flagged(task)
    assert h.sigfetch(task) is None
    assert h.sigfetch(other) is not None


def test_a_signal_passes_on_when_its_thread_exits() -> None:
    h = Harness()
    task = h.process(threads=True)
    other = h.thread(task)
    h.handle(task, Signo.SIGUSR1)
    h.done(other, "kill", task.tid, Signo.SIGUSR1)  # flags the first thread
    assert h.flagged(task)
    assert h.call(task, "exit", 0) is PARKED
    assert h.flagged(other)


def test_a_signal_for_one_thread_stays_with_it() -> None:
    h = Harness()
    task = h.process(threads=True)
    other = h.thread(task)
    h.handle(task, Signo.SIGUSR1)
    assert h.done(task, "tgkill", task.tid, other.tid, Signo.SIGUSR1) == 0
    assert h.sigfetch(task) is None
    frame = h.sigfetch(other)
    assert frame is not None
    assert frame.code == SI_TKILL
    assert h.done(task, "tgkill", 1, other.tid, Signo.SIGUSR1) == -Errno.ESRCH
    assert h.done(task, "tkill", other.tid, 0) == 0


def test_sigwait_takes_a_blocked_signal() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    h.block(task, Signo.SIGUSR1)
    wanted, info = h.longs(task, sigset(Signo.SIGUSR1)), h.room(task, 128)
    assert h.call(task, "rt_sigtimedwait_time64", wanted, info, 0, 8) is PARKED
    h.done(other, "kill", task.tid, Signo.SIGUSR1)
    assert h.resumed(task) == Signo.SIGUSR1
    assert h.i32(task, info) == Signo.SIGUSR1
    assert h.i32(task, info + 12) == other.tid


def test_sigtimedwait_gives_up_at_its_deadline() -> None:
    h = Harness()
    task, other = h.process(), h.process()
    wanted, timeout = h.longs(task, sigset(Signo.SIGUSR1)), h.timespec(task, 5 * MILLISECOND)
    h.handle(task, Signo.SIGUSR2)
    assert h.call(task, "rt_sigtimedwait_time64", wanted, 0, timeout, 8) is PARKED
    h.advance(4 * MILLISECOND)
    assert h.resumed(task) is PARKED
    h.advance(MILLISECOND)
    assert h.resumed(task) == -Errno.EAGAIN
    assert h.call(task, "rt_sigtimedwait_time64", wanted, 0, timeout, 8) is PARKED
    h.done(other, "kill", task.tid, Signo.SIGUSR2)
    assert h.resumed(task) == -Errno.EINTR


def test_kill_reaches_groups_and_everyone() -> None:
    h = Harness()
    one = h.process()
    two, stranger = h.fork(one), h.process()
    for task in (one, two, stranger):
        h.handle(task, Signo.SIGUSR1)
    assert h.done(one, "kill", 0, Signo.SIGUSR1) == 0
    assert [h.sigfetch(t) is not None for t in (one, two, stranger)] == [True, True, False]
    assert h.done(stranger, "kill", -one.tid, 0) == 0
    assert h.done(stranger, "kill", -1, Signo.SIGTERM) == 0
    assert h.stopped(one)
    assert h.stopped(two)
    assert not h.stopped(stranger)
    assert h.done(stranger, "kill", -one.tid, 0) == -Errno.ESRCH
    assert h.done(stranger, "kill", 4321, 0) == -Errno.ESRCH
    assert h.done(stranger, "kill", stranger.tid, 99) == -Errno.EINVAL


def test_another_user_may_not_be_signalled() -> None:
    h = Harness()
    one, two = h.process(), h.process()
    for number, task in enumerate((one, two), 1000):
        cred = task.process.cred
        cred.uid = cred.euid = cred.suid = number
    assert h.done(one, "kill", two.tid, Signo.SIGTERM) == -Errno.EPERM
    two.process.cred.suid = 1000
    assert h.call(one, "kill", two.tid, Signo.SIGTERM) == 0


def test_only_negative_codes_can_be_forged() -> None:
    h = Harness()
    task = h.process()
    assert h.done(task, "rt_sigqueueinfo", task.tid, RT, siginfo(h, task, RT, 1, code=0)) == -Errno.EPERM


def test_the_monitor_sends_signals() -> None:
    h = Harness()
    task = h.process()
    h.step(HostSignal(task.tid, Signo.SIGTERM))
    assert h.stopped(task)
    h.step(HostSignal(9999, Signo.SIGTERM))


def test_a_hostile_frame_pointer_is_refused() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGUSR1)
    h.done(task, "kill", task.tid, Signo.SIGUSR1)
    assert h.done(task, "sigfetch", task.mem.size - 8) == -Errno.EFAULT
    assert h.sigfetch(task) is not None
