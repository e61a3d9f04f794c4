# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""wait4 and waitid: who is reported, how, and to whom."""
from __future__ import annotations

from struct import unpack

from tests.unit.kernel.harness import PARKED, Harness

from skerry.abi.errno import Errno
from skerry.abi.signal import SA_NOCLDSTOP, SA_NOCLDWAIT, SIG_IGN, Signo
from skerry.kernel.task import Task

WNOHANG, WUNTRACED, WEXITED, WCONTINUED, WNOWAIT = 1, 2, 4, 8, 0x1000000
P_ALL, P_PID, P_PGID = 0, 1, 2


def wait(h: Harness, task: Task, pid: int = -1, options: int = 0) -> tuple[int, int]:
    """(result, status) of a wait4 that must not park."""
    status = h.room(task, 4)
    return h.done(task, "wait4", pid, status, options, 0), h.i32(task, status)


def test_a_parent_waits_until_its_child_exits() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    status = h.room(parent, 4)
    assert h.call(parent, "wait4", -1, status, 0, 0) is PARKED
    h.exit(child, 3)
    assert h.resumed(parent) == child.tid
    assert h.i32(parent, status) == 3 << 8
    assert h.stopped(child)
    assert wait(h, parent) == (-Errno.ECHILD, 0)


def test_a_zombie_waits_for_its_parent() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    h.exit(child, 255)
    assert child.process.pid in h.kernel.processes
    assert wait(h, parent, child.tid) == (child.tid, 255 << 8)
    assert child.process.pid not in h.kernel.processes


def test_wnohang_does_not_wait() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    assert wait(h, parent, options=WNOHANG) == (0, 0)
    h.exit(child)
    assert wait(h, parent, options=WNOHANG) == (child.tid, 0)


def test_death_by_signal_is_told_apart() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    assert h.done(parent, "kill", child.tid, Signo.SIGTERM) == 0
    assert h.stopped(child)
    assert wait(h, parent) == (child.tid, Signo.SIGTERM)


def test_only_children_asked_for_are_reported() -> None:
    h = Harness()
    parent = h.process()
    one, two = h.fork(parent), h.fork(parent)
    h.exit(one, 1)
    status = h.room(parent, 4)
    assert h.call(parent, "wait4", two.tid, status, 0, 0) is PARKED
    h.exit(two, 2)
    assert h.resumed(parent) == two.tid
    assert wait(h, parent) == (one.tid, 1 << 8)


def test_waiting_for_strangers_fails() -> None:
    h = Harness()
    parent, stranger = h.process(), h.process()
    grandchild = h.fork(h.fork(parent))
    assert wait(h, parent, stranger.tid)[0] == -Errno.ECHILD
    assert wait(h, parent, grandchild.tid)[0] == -Errno.ECHILD


def test_a_sleeping_waiter_learns_that_no_child_is_left() -> None:
    """Two threads wait for one child: the second gets ECHILD."""
    h = Harness()
    parent = h.process(threads=True)
    other = h.thread(parent)
    child = h.fork(parent)
    assert h.call(parent, "wait4", -1, 0, 0, 0) is PARKED
    assert h.call(other, "wait4", -1, 0, 0, 0) is PARKED
    h.exit(child)
    assert h.resumed(parent) == child.tid
    assert h.resumed(other) == -Errno.ECHILD


def test_stop_and_continue_are_reported_once() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    h.done(parent, "kill", child.tid, Signo.SIGSTOP)
    assert wait(h, parent, options=WNOHANG) == (0, 0)
    assert wait(h, parent, options=WUNTRACED | WNOHANG) == (child.tid, Signo.SIGSTOP << 8 | 0x7F)
    assert wait(h, parent, options=WUNTRACED | WNOHANG) == (0, 0)
    h.done(parent, "kill", child.tid, Signo.SIGCONT)
    assert wait(h, parent, options=WCONTINUED | WNOHANG) == (child.tid, 0xFFFF)
    assert wait(h, parent, options=WCONTINUED | WNOHANG) == (0, 0)


def test_waitid_fills_siginfo_and_can_leave_the_zombie() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    h.exit(child, 7)
    info = h.room(parent, 128)
    for options in (WEXITED | WNOWAIT, WEXITED):
        assert h.done(parent, "waitid", P_PID, child.tid, info, options, 0) == 0
        signo, errno, code, pid, _, status = unpack("<iiiiIi", h.get(parent, info, 24))
        assert (signo, errno, code, pid, status) == (Signo.SIGCHLD, 0, 1, child.tid, 7)
    assert h.done(parent, "waitid", P_ALL, 0, info, WEXITED, 0) == -Errno.ECHILD


def test_waitid_wnohang_clears_the_info() -> None:
    h = Harness()
    parent = h.process()
    h.fork(parent)
    info = h.put(parent, b"x" * 128)
    assert h.done(parent, "waitid", P_ALL, 0, info, WEXITED | WNOHANG, 0) == 0
    assert h.get(parent, info, 16) == bytes(16)


def test_wait_for_a_group() -> None:
    h = Harness()
    parent = h.process()
    own, other = h.fork(parent), h.fork(parent)
    if h.kernel.call("linux", "setpgid") is not None:
        assert h.done(other, "setpgid", 0, 0) in (0, -Errno.ENOSYS)
    if other.process.group is parent.process.group:
        from skerry.kernel.session import Group

        assert parent.process.group is not None
        Group(other.tid, parent.process.group.session).add(other.process)
    h.exit(own, 1)
    h.exit(other, 2)
    assert wait(h, parent, -other.tid) == (other.tid, 2 << 8)
    assert wait(h, parent, 0) == (own.tid, 1 << 8)


def test_bad_options_are_refused() -> None:
    h = Harness()
    parent = h.process()
    h.fork(parent)
    assert wait(h, parent, options=0x100)[0] == -Errno.EINVAL
    assert h.done(parent, "waitid", P_ALL, 0, 0, 0, 0) == -Errno.EINVAL
    assert h.done(parent, "waitid", 9, 0, 0, WEXITED, 0) == -Errno.EINVAL
    assert wait(h, parent, -0x80000000)[0] == -Errno.ESRCH


def test_ignoring_sigchld_reaps_at_once() -> None:
    h = Harness()
    parent = h.process()
    h.handle(parent, Signo.SIGCHLD, SIG_IGN)
    child = h.fork(parent)
    assert h.call(parent, "wait4", -1, 0, 0, 0) is PARKED
    h.exit(child)
    assert h.resumed(parent) == -Errno.ECHILD
    assert child.tid not in h.kernel.processes


def test_nocldwait_reaps_but_still_signals() -> None:
    h = Harness()
    parent = h.process()
    h.handle(parent, Signo.SIGCHLD, flags=SA_NOCLDWAIT)
    child = h.fork(parent)
    h.exit(child)
    assert child.tid not in h.kernel.processes
    assert h.flagged(parent)
    frame = h.sigfetch(parent)
    assert frame is not None
    assert frame.signo == Signo.SIGCHLD


def test_sigchld_says_what_happened() -> None:
    h = Harness()
    parent = h.process()
    h.handle(parent, Signo.SIGCHLD)
    child = h.fork(parent)
    h.done(parent, "kill", child.tid, Signo.SIGSTOP)
    frame = h.sigfetch(parent)
    assert frame is not None
    assert (frame.signo, frame.code, frame.pid, frame.status) == (Signo.SIGCHLD, 5, child.tid, Signo.SIGSTOP)
    h.sigreturn(parent, frame)
    h.done(parent, "kill", child.tid, Signo.SIGKILL)
    frame = h.sigfetch(parent)
    assert frame is not None
    assert (frame.code, frame.status) == (2, Signo.SIGKILL)


def test_the_death_of_a_child_returns_from_wait_before_the_handler_runs() -> None:
    h = Harness()
    parent = h.process()
    h.handle(parent, Signo.SIGCHLD)
    child = h.fork(parent)
    assert h.call(parent, "wait4", -1, 0, 0, 0) is PARKED
    h.exit(child)
    assert h.resumed(parent) == child.tid
    assert h.sigfetch(parent) is not None


def test_nocldstop_silences_stops_only() -> None:
    h = Harness()
    parent = h.process()
    h.handle(parent, Signo.SIGCHLD, flags=SA_NOCLDSTOP)
    child = h.fork(parent)
    h.done(parent, "kill", child.tid, Signo.SIGSTOP)
    h.done(parent, "kill", child.tid, Signo.SIGCONT)
    assert h.sigfetch(parent) is None
    h.exit(child)
    assert h.sigfetch(parent) is not None


def test_usage_of_children_adds_up() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    h.clock.used_ns[child.tid] = 2_500_000_000
    h.exit(child)
    usage = h.room(parent, 72)
    assert h.done(parent, "wait4", -1, 0, 0, usage) == child.tid
    assert unpack("<ii", h.get(parent, usage, 8)) == (2, 500_000)
    assert parent.process.children_usage.user_ns == 2_500_000_000
