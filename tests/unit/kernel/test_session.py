# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
from __future__ import annotations

from tests.unit.kernel.harness import Harness

from skerry.abi.errno import Errno


def test_a_child_moves_to_a_group_of_its_own_and_back() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    assert h.call(parent, "setpgid", child.tid, child.tid) == 0
    assert h.call(parent, "getpgid", child.tid) == child.tid
    assert h.call(child, "getpgid", 0) == child.tid
    assert h.call(child, "setpgid", 0, parent.tid) == 0
    assert child.tid not in h.kernel.groups
    assert h.call(child, "setpgid", 0, 0) == 0
    assert h.call(child, "getsid", 0) == parent.tid


def test_setpgid_errors_come_in_the_order_of_linux() -> None:
    h = Harness()
    parent, stranger = h.process(threads=True), h.process()
    child = h.fork(parent)
    thread = h.thread(parent)
    assert h.call(parent, "setpgid", 0, -1) == -Errno.EINVAL
    assert h.call(parent, "setpgid", 31999, 0) == -Errno.ESRCH
    assert h.call(parent, "setpgid", thread.tid, 0) == -Errno.EINVAL
    assert h.call(parent, "setpgid", stranger.tid, 0) == -Errno.ESRCH
    assert h.call(parent, "setpgid", 0, 0) == -Errno.EPERM, "a session leader stays"
    assert h.call(parent, "setpgid", child.tid, stranger.tid) == -Errno.EPERM, "a group of another session"
    assert h.call(parent, "setpgid", child.tid, 31999) == -Errno.EPERM, "no such group"
    child.process.has_execed = True
    assert h.call(parent, "setpgid", child.tid, 0) == -Errno.EACCES
    assert h.call(child, "setpgid", 0, 0) == 0, "itself it may still move"


def test_setsid_makes_a_session_unless_the_caller_leads_a_group() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    assert h.call(parent, "setsid") == -Errno.EPERM
    assert h.call(child, "setsid") == child.tid
    assert h.call(parent, "getsid", child.tid) == child.tid
    assert h.call(parent, "setpgid", child.tid, child.tid) == -Errno.EPERM, "another session now"
    assert h.call(child, "setsid") == -Errno.EPERM
    assert h.call(parent, "getsid", 31999) == -Errno.ESRCH
    assert h.call(parent, "getpgid", 31999) == -Errno.ESRCH


def test_a_zombie_has_a_group_until_it_is_reaped() -> None:
    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    h.exit(child)
    assert h.call(parent, "getpgid", child.tid) == parent.tid
    assert h.done(parent, "wait4", -1, 0, 0, 0) == child.tid
    assert h.call(parent, "getpgid", child.tid) == -Errno.ESRCH


def test_vhangup_takes_a_privilege_nobody_has() -> None:
    h = Harness()
    assert h.call(h.process(), "vhangup") == -Errno.EPERM
