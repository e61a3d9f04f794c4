# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Limits, priorities, the system's name and prctl."""
from __future__ import annotations

from struct import unpack

from tests.unit.kernel.harness import Harness

from skerry.abi import resource as abi
from skerry.abi.errno import Errno
from skerry.abi.signal import Signo
from skerry.kernel.file import File
from skerry.kernel.task import Task


def user(task: Task, uid: int) -> None:
    cred = task.process.cred
    cred.uid = cred.euid = cred.suid = uid


def limit(h: Harness, task: Task, number: int) -> tuple[int, ...]:
    old = h.room(task, 16)
    assert h.done(task, "prlimit64", 0, number, 0, old) == 0
    return unpack("<QQ", h.get(task, old, 16))


def test_limits_are_set_and_inherited() -> None:
    h = Harness()
    task = h.process()
    user(task, 1000)
    assert h.done(task, "prlimit64", 0, abi.RLIMIT_FSIZE, h.longs(task, 100, 200), 0) == 0
    child = h.fork(task)
    assert limit(h, child, abi.RLIMIT_FSIZE) == (100, 200)
    assert h.done(child, "prlimit64", 0, abi.RLIMIT_FSIZE, h.longs(child, 150, 201), 0) == -Errno.EPERM
    assert h.done(child, "prlimit64", 0, abi.RLIMIT_FSIZE, h.longs(child, 201, 200), 0) == -Errno.EINVAL
    assert h.done(child, "prlimit64", 0, 16, 0, 0) == -Errno.EINVAL
    assert h.done(task, "prlimit64", child.tid, abi.RLIMIT_FSIZE, h.longs(task, 1, 2), 0) == 0
    assert limit(h, child, abi.RLIMIT_FSIZE) == (1, 2)
    user(child, 1001)
    assert h.done(task, "prlimit64", child.tid, 0, 0, 0) == -Errno.EPERM
    assert h.done(task, "prlimit64", 4321, 0, 0, 0) == -Errno.ESRCH


def test_the_limit_of_open_files_is_felt() -> None:
    h = Harness()
    task = h.process()
    assert h.done(task, "prlimit64", 0, abi.RLIMIT_NOFILE, h.longs(task, 2, 4), 0) == 0
    fd = task.process.fds.add(File(2))
    assert h.done(task, "dup", fd) == 1
    assert h.done(task, "dup", fd) == -Errno.EMFILE
    assert h.done(task, "prlimit64", 0, abi.RLIMIT_NOFILE, h.longs(task, 1, 1 << 21), 0) == -Errno.EPERM


def test_nice_values() -> None:
    h = Harness()
    task = h.process()
    user(task, 1500)
    assert h.done(task, "getpriority", abi.PRIO_PROCESS, 0) == 20
    assert h.done(task, "setpriority", abi.PRIO_PROCESS, 0, 50) == 0
    assert h.done(task, "getpriority", abi.PRIO_PROCESS, task.tid) == 1
    assert h.done(task, "setpriority", abi.PRIO_PROCESS, 0, 5) == -Errno.EACCES
    child = h.fork(task)
    child.process.nice = 3
    assert h.done(task, "getpriority", abi.PRIO_PGRP, 0) == 17
    assert h.done(task, "getpriority", abi.PRIO_USER, 1500) == 17
    assert h.done(task, "getpriority", abi.PRIO_PROCESS, 4321) == -Errno.ESRCH
    assert h.done(task, "getpriority", 3, 0) == -Errno.EINVAL
    other = h.process()
    user(other, 1001)
    assert h.done(task, "setpriority", abi.PRIO_PROCESS, other.tid, 19) == -Errno.EPERM


def test_scheduling_policies() -> None:
    h = Harness()
    task = h.process()
    zero, one = h.words(task, 0), h.words(task, 1)
    assert h.done(task, "sched_yield") == 0
    assert h.done(task, "sched_getscheduler", 0) == abi.SCHED_OTHER
    assert h.done(task, "sched_setscheduler", 0, abi.SCHED_FIFO, one) == -Errno.EPERM
    assert h.done(task, "sched_setscheduler", 0, abi.SCHED_FIFO, zero) == -Errno.EINVAL
    assert h.done(task, "sched_setscheduler", 0, abi.SCHED_OTHER, one) == -Errno.EINVAL
    assert h.done(task, "sched_setscheduler", 0, 77, zero) == -Errno.EINVAL
    assert h.done(task, "sched_setscheduler", 0, abi.SCHED_BATCH, zero) == 0
    assert h.done(h.fork(task), "sched_getscheduler", 0) == abi.SCHED_BATCH
    assert h.done(task, "sched_getscheduler", 4321) == -Errno.ESRCH
    assert (h.done(task, "sched_get_priority_max", 1), h.done(task, "sched_get_priority_min", 1)) == (99, 1)
    assert h.done(task, "sched_get_priority_max", 9) == -Errno.EINVAL
    assert h.done(task, "sched_rr_get_interval_time64", 0, h.room(task, 16)) == 0


def test_affinity_shows_the_processors_there_are() -> None:
    h = Harness()
    h.kernel.cpu_count = 3
    task = h.process()
    address = h.room(task, 128)
    assert h.done(task, "sched_getaffinity", 0, 128, address) == 4
    assert unpack("<I", h.get(task, address, 4)) == (7,)
    assert h.done(task, "sched_getaffinity", 0, 2, address) == -Errno.EINVAL
    assert h.done(task, "sched_setaffinity", 0, 4, h.words(task, 2)) == 0
    assert h.done(task, "sched_setaffinity", 0, 4, h.words(task, 8)) == -Errno.EINVAL


def test_the_name_of_the_system() -> None:
    h = Harness()
    task = h.process()
    address = h.room(task, 390)
    assert h.done(task, "uname", address) == 0
    data = h.get(task, address, 390)
    names = [data[place : place + 65].rstrip(b"\0") for place in range(0, 390, 65)]
    assert names[0] == b"Linux"
    assert names[1] == b"skerry"
    assert names[4] == b"wasm32"
    address = h.room(task, 64)
    assert h.done(task, "sysinfo", address) == 0
    assert h.done(task, "sethostname", b"x", 1) == -Errno.EPERM


def test_random_numbers_come_from_the_given_entropy() -> None:
    h = Harness()
    task = h.process()
    address = h.room(task, 8)
    assert h.done(task, "getrandom", address, 8, 1) == 8
    assert h.get(task, address, 8) == bytes(range(8))
    assert h.done(task, "getrandom", address, 8, 8) == -Errno.EINVAL
    assert h.done(task, "getrandom", address, 8, 6) == -Errno.EINVAL
    assert h.done(task, "getrandom", address, -1, 0) == -Errno.EFAULT


def test_prctl_names() -> None:
    h = Harness()
    task = h.process([b"/bin/program"])
    out = h.room(task, 16)
    assert h.done(task, "prctl", 16, out, 0, 0, 0) == 0
    assert h.get(task, out, 16) == b"program".ljust(16, b"\0")
    assert h.done(task, "prctl", 15, b"a name that is too long", 0, 0, 0) == 0
    assert task.name == b"a name that is "
    task.mem.write(task.mem.size - 3, b"ab\0")
    assert h.done(task, "prctl", 15, task.mem.size - 3, 0, 0, 0) == 0
    assert task.name == b"ab"
    assert h.done(task, "prctl", 15, -8, 0, 0, 0) == -Errno.EFAULT


def test_prctl_switches() -> None:
    h = Harness()
    task = h.process()
    out = h.room(task, 4)
    assert h.done(task, "prctl", 1, Signo.SIGHUP, 0, 0, 0) == 0
    assert h.done(task, "prctl", 2, out, 0, 0, 0) == 0
    assert h.i32(task, out) == Signo.SIGHUP
    assert h.done(task, "prctl", 1, 65, 0, 0, 0) == -Errno.EINVAL
    assert [h.done(task, "prctl", 3, 0, 0, 0, 0), h.done(task, "prctl", 4, 0, 0, 0, 0)] == [1, 0]
    assert h.done(task, "prctl", 3, 0, 0, 0, 0) == 0
    assert h.done(task, "prctl", 36, 1, 0, 0, 0) == 0
    assert h.done(task, "prctl", 37, out, 0, 0, 0) == 0
    assert h.i32(task, out) == 1
    assert h.done(task, "prctl", 39, 0, 0, 0, 0) == 0
    assert h.done(task, "prctl", 38, 1, 0, 0, 0) == 0
    assert h.done(h.fork(task), "prctl", 39, 0, 0, 0, 0) == 1
    assert h.done(task, "prctl", 999, 0, 0, 0, 0) == -Errno.EINVAL


def test_capabilities_follow_the_user() -> None:
    h = Harness()
    task = h.process()
    data, header = h.room(task, 24), h.words(task, 0x20080522, 0)
    for uid, everything in ((0, 0xFFFFFFFF), (1000, 0)):
        user(task, uid)
        assert h.done(task, "capget", header, data) == 0
        assert unpack("<I", h.get(task, data, 4)) == (everything,)
    assert h.done(task, "capset", header, data) == 0
    assert h.done(task, "capset", header, h.words(task, 1, 1, 0, 0, 0, 0)) == -Errno.EPERM
    unknown = h.words(task, 1, 0)
    assert h.done(task, "capget", unknown, data) == -Errno.EINVAL
    assert h.i32(task, unknown) == 0x20080522


def test_what_is_not_there_says_so() -> None:
    h = Harness()
    task = h.process()
    assert h.done(task, "io_uring_setup", 8, 0) == -Errno.ENOSYS
    assert h.done(task, "reboot", 0, 0, 0, 0) == -Errno.EPERM
    assert h.done(task, "membarrier", 8, 0, 0) == -Errno.EINVAL
    assert h.done(task, "membarrier", 0, 0, 0) == 0
    assert h.done(task, "personality", -1) == 0
