# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""fork, vfork and threads."""
from __future__ import annotations

import pytest
from tests.unit.kernel.harness import PARKED, Harness, sigset

from skerry.abi.errno import Errno
from skerry.abi.signal import Signo
from skerry.kernel.commands import Spawn, SpawnKind, Stop
from skerry.kernel.file import File
from skerry.kernel.process import RLIMIT_NPROC


def test_fork_asks_the_engine_for_a_copy() -> None:
    h = Harness()
    parent = h.process()
    address = h.put(parent, b"same")
    child = h.fork(parent)
    assert h.taken(Spawn) == [Spawn(child.tid, parent.tid, SpawnKind.FORK)]
    assert h.get(child, address, 4) == b"same"
    child.mem.write(address, b"else")
    assert h.get(parent, address, 4) == b"same"


def test_what_a_child_inherits() -> None:
    h = Harness()
    parent = h.process([b"/bin/prog", b"arg"])
    h.handle(parent, Signo.SIGUSR1, handler=5)
    h.block(parent, Signo.SIGUSR2)
    h.done(parent, "kill", parent.tid, Signo.SIGUSR2)
    parent.process.fs.umask = 0o77
    file = File(2)
    fd = parent.process.fds.add(file, cloexec=True)
    child = h.fork(parent)
    assert child.process.argv == (b"/bin/prog", b"arg")
    assert child.process.action(Signo.SIGUSR1).handler == 5
    assert child.mask == sigset(Signo.SIGUSR2)
    assert not child.process.pending
    assert child.process.fs.umask == 0o77
    assert child.process.group is parent.process.group
    assert child.process.fds.get(fd) is file
    assert file.refs == 2
    assert h.done(child, "getppid") == parent.tid
    h.exit(child)
    assert file.refs == 1


def test_the_limit_of_processes_stops_a_fork_bomb() -> None:
    h = Harness()
    task = h.process()
    task.process.limits[RLIMIT_NPROC] = (10, 10)
    children = [h.fork(task) for _ in range(9)]
    assert h.done(task, "fork", 0) == -Errno.EAGAIN
    h.exit(children[0])
    h.fork(task)


def test_pids_are_not_used_again_while_a_group_bears_them() -> None:
    h = Harness()
    leader = h.process()
    child = h.fork(leader)
    h.exit(leader)
    h.kernel.last_pid = leader.tid - 1
    assert h.process().tid != leader.tid
    h.exit(child)
    h.kernel.last_pid = leader.tid - 1
    assert h.process().tid == leader.tid


def test_threads_need_shared_memory() -> None:
    h = Harness()
    assert h.done(h.process(), "clone", 0x7D0F00, 4096, 0, 0, 0) == -Errno.EAGAIN
    assert h.done(h.process(threads=True), "clone", 0x11, 4096, 0, 0, 0) == -Errno.EINVAL


def test_a_thread_shares_the_process() -> None:
    h = Harness()
    task = h.process(threads=True)
    thread = h.thread(task)
    (spawn,) = h.taken(Spawn)
    assert (spawn.tid, spawn.parent, spawn.kind) == (thread.tid, task.tid, SpawnKind.THREAD)
    assert h.done(thread, "getpid") == task.tid
    assert h.done(thread, "gettid") == thread.tid != task.tid
    assert thread.mem is task.mem


def test_a_thread_that_exits_clears_its_tid() -> None:
    h = Harness()
    task = h.process(threads=True)
    thread = h.thread(task)
    word = thread.clear_child_tid
    task.mem.put_u32(word, thread.tid)
    h.call(thread, "exit", 0)
    assert h.taken(Stop) == [Stop(thread.tid)]
    assert h.i32(task, word) == 0


def test_a_vfork_child_speaks_through_its_parents_thread() -> None:
    h = Harness()
    parent = h.process()
    child = h.vfork(parent)
    assert h.done(child, "getpid") == child.tid != parent.tid
    assert h.done(child, "getppid") == parent.tid
    assert h.done(child, "vfork") == -Errno.EAGAIN


def test_the_exit_of_a_vfork_child_returns_its_pid_to_the_parent() -> None:
    h = Harness()
    parent = h.process()
    child = h.vfork(parent)
    assert h.done(child, "exit_group", 6) == child.tid
    assert parent.acting is None
    assert h.done(parent, "getpid") == parent.tid
    status = h.room(parent, 4)
    assert h.done(parent, "wait4", -1, status, 0, 0) == child.tid
    assert h.i32(parent, status) == 6 << 8
    assert not h.taken(Stop)


def test_a_killed_vfork_child_dies_at_its_next_exit() -> None:
    """It has no thread of its own to stop: libc must first unwind to the vfork call."""
    h = Harness()
    parent, other = h.process(), h.process()
    child = h.vfork(parent)
    assert h.call(child, "rt_sigsuspend", h.longs(parent, 0), 8) is PARKED
    h.done(other, "kill", child.tid, Signo.SIGKILL)
    assert h.resumed(child) == -Errno.EINTR
    assert h.done(child, "rt_sigsuspend", h.longs(parent, 0), 8) == -Errno.EINTR
    assert h.done(child, "exit_group", 0) == child.tid
    status = h.room(parent, 4)
    assert h.done(parent, "wait4", -1, status, 0, 0) == child.tid
    assert h.i32(parent, status) == Signo.SIGKILL


def test_a_vfork_child_runs_no_handlers() -> None:
    h = Harness()
    parent, other = h.process(), h.process()
    h.handle(parent, Signo.SIGUSR1)
    child = h.vfork(parent)
    h.done(other, "kill", child.tid, Signo.SIGUSR1)
    assert not h.flagged(parent)
    assert h.call(child, "rt_sigsuspend", h.longs(parent, 0), 8) is PARKED
    assert h.sigfetch(child) is None


def test_a_signal_for_the_parent_waits_for_its_thread() -> None:
    h = Harness()
    parent, other = h.process(), h.process()
    h.handle(parent, Signo.SIGUSR1)
    child = h.vfork(parent)
    h.done(other, "kill", parent.tid, Signo.SIGUSR1)
    h.flagged(parent)
    assert h.sigfetch(child) is None
    h.done(child, "exit_group", 0)
    assert h.flagged(parent)
    frame = h.sigfetch(parent)
    assert frame is not None
    assert frame.signo == Signo.SIGUSR1


def test_killing_the_parent_takes_the_vfork_child_along() -> None:
    h = Harness()
    parent, other = h.process(), h.process()
    child = h.vfork(parent)
    h.done(other, "kill", parent.tid, Signo.SIGKILL)
    assert h.taken(Stop) == [Stop(parent.tid)]
    assert not child.process.alive
    assert sorted(h.kernel.tasks) == [other.tid]


def test_a_stopped_parent_gets_its_thread_back_after_sigcont() -> None:
    h = Harness()
    parent, other = h.process(), h.process()
    child = h.vfork(parent)
    h.done(other, "kill", parent.tid, Signo.SIGSTOP)
    assert h.call(child, "exit_group", 0) is PARKED
    assert h.resumed(parent) is PARKED
    h.done(other, "kill", parent.tid, Signo.SIGCONT)
    assert h.resumed(parent) == child.tid


def test_a_vfork_child_can_fork() -> None:
    h = Harness()
    parent = h.process()
    child = h.vfork(parent)
    grandchild = h.fork(child)
    assert h.taken(Spawn)[-1] == Spawn(grandchild.tid, parent.tid, SpawnKind.FORK)
    assert h.done(grandchild, "getppid") == child.tid
    assert grandchild.flag == parent.flag


@pytest.mark.parametrize("name", ["ptid", "stack"])
def test_clone_checks_its_pointers(name: str) -> None:
    h = Harness()
    task = h.process(threads=True)
    bad = task.mem.size + 64
    stack, ptid = (bad, 4096) if name == "stack" else (4096, bad)
    assert h.done(task, "clone", 0x7D0F00, stack, ptid, 0, 0) == -Errno.EFAULT
    assert len(task.process.threads) == 1
