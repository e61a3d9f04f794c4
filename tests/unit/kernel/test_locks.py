# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Record locks, open-file-description locks and flock."""
from __future__ import annotations

from struct import pack, unpack

import pytest
from tests.unit.kernel.files import Files, failure
from tests.unit.kernel.harness import PARKED

from skerry.abi.errno import Errno
from skerry.abi.fcntl import (
    F_GETLK,
    F_OFD_GETLK,
    F_OFD_SETLK,
    F_OFD_SETLKW,
    F_RDLCK,
    F_SETLK,
    F_SETLKW,
    F_UNLCK,
    F_WRLCK,
    LOCK_EX,
    LOCK_NB,
    LOCK_SH,
    LOCK_UN,
    O_CREAT,
    O_RDONLY,
    O_RDWR,
    SEEK_END,
)
from skerry.abi.signal import Signo
from skerry.kernel.fs.tmpfs import Tmpfs
from skerry.kernel.task import Task

Told = tuple[int, int, int, int]  # type, start, length, pid


@pytest.fixture
def box() -> Files:
    box = Files(mounts=[(b"/tmp", Tmpfs())])
    box.write(b"/tmp/f", bytes(100))
    return box


def opened(box: Files, task: Task, flags: int = O_RDWR) -> int:
    return box.call("openat", -100, b"/tmp/f", flags, 0, task=task)


def record(kind: int, start: int, size: int, whence: int = 0) -> bytes:
    return pack("<hh4xqqi4x", kind, whence, start, size, 0)


def lock(
    box: Files, task: Task, fd: int, kind: int, start: int = 0, size: int = 0,
    command: int = F_SETLK, whence: int = 0,
) -> int | None:  # fmt: skip
    """fcntl; None when it waits."""
    value = box.h.call(task, "fcntl64", fd, command, box.h.put(task, record(kind, start, size, whence)))
    return None if value is PARKED else -value if isinstance(value, int) else 0


def told(
    box: Files, task: Task, fd: int, kind: int, start: int = 0, size: int = 0, command: int = F_GETLK
) -> Told:
    address = box.h.put(task, record(kind, start, size))
    assert box.h.call(task, "fcntl64", fd, command, address) == 0
    found, _, begin, length, pid = unpack("<hh4xqqi4x", box.h.get(task, address, 32))
    return found, begin, length, pid


def test_writers_exclude_readers_share(box: Files) -> None:
    one, two = box.task, box.process()
    a, b = opened(box, one), opened(box, two)
    assert lock(box, one, a, F_RDLCK, 0, 50) == 0
    assert lock(box, two, b, F_RDLCK, 40, 50) == 0
    assert lock(box, two, b, F_WRLCK, 45, 5) == Errno.EAGAIN
    assert lock(box, two, b, F_WRLCK, 50, 5) == 0
    assert told(box, one, a, F_WRLCK, 0, 0) == (F_RDLCK, 40, 10, two.tid)
    assert told(box, one, a, F_WRLCK, 0, 10)[0] == F_UNLCK


def test_own_locks_are_cut_and_joined(box: Files) -> None:
    one, two = box.task, box.process()
    a, b = opened(box, one), opened(box, two)
    lock(box, one, a, F_WRLCK, 0, 30)
    lock(box, one, a, F_UNLCK, 10, 10)
    assert told(box, two, b, F_RDLCK, 0, 0) == (F_WRLCK, 0, 10, one.tid)
    assert told(box, two, b, F_RDLCK, 10, 0) == (F_WRLCK, 20, 10, one.tid)
    assert told(box, two, b, F_RDLCK, 10, 10)[0] == F_UNLCK
    lock(box, one, a, F_WRLCK, 10, 10)
    assert told(box, two, b, F_RDLCK, 5, 1) == (F_WRLCK, 0, 30, one.tid)
    lock(box, one, a, F_RDLCK, 5, 5)
    assert told(box, two, b, F_WRLCK, 6, 1) == (F_RDLCK, 5, 5, one.tid)


def test_ranges_may_begin_at_the_end_and_go_backwards(box: Files) -> None:
    one, two = box.task, box.process()
    a, b = opened(box, one), opened(box, two)
    assert lock(box, one, a, F_WRLCK, -10, 5, whence=SEEK_END) == 0
    assert told(box, two, b, F_WRLCK, 0, 0) == (F_WRLCK, 90, 5, one.tid)
    assert lock(box, one, a, F_WRLCK, 50, -10) == 0
    assert told(box, two, b, F_WRLCK, 0, 60) == (F_WRLCK, 40, 10, one.tid)
    assert lock(box, one, a, F_WRLCK, -1, 0) == Errno.EINVAL
    assert lock(box, one, a, F_WRLCK, 200, 0) == 0
    assert told(box, two, b, F_WRLCK, 1 << 40, 1) == (F_WRLCK, 200, 0, one.tid)


def test_waiting_for_a_lock(box: Files) -> None:
    one, two = box.task, box.process()
    a, b = opened(box, one), opened(box, two)
    lock(box, one, a, F_WRLCK)
    assert lock(box, two, b, F_WRLCK, 5, 5, F_SETLKW) is None
    lock(box, one, a, F_UNLCK, 50, 0)
    assert box.h.resumed(two) is PARKED
    lock(box, one, a, F_UNLCK, 0, 10)
    assert box.h.resumed(two) == 0


def test_a_handler_ends_the_waiting(box: Files) -> None:
    one, two = box.task, box.process()
    a, b = opened(box, one), opened(box, two)
    lock(box, one, a, F_WRLCK)
    box.h.handle(two, Signo.SIGUSR1)
    assert lock(box, two, b, F_WRLCK, 0, 0, F_SETLKW) is None
    box.h.done(one, "kill", two.tid, int(Signo.SIGUSR1))
    assert box.h.resumed(two) == -Errno.EINTR


def test_a_circle_of_waits_is_refused(box: Files) -> None:
    one, two, three = box.task, box.process(), box.process()
    fds = {task: opened(box, task) for task in (one, two, three)}
    for start, task in enumerate((one, two, three)):
        assert lock(box, task, fds[task], F_WRLCK, start, 1) == 0
    assert lock(box, one, fds[one], F_WRLCK, 1, 1, F_SETLKW) is None
    assert lock(box, two, fds[two], F_WRLCK, 2, 1, F_SETLKW) is None
    assert lock(box, three, fds[three], F_WRLCK, 0, 1, F_SETLKW) == Errno.EDEADLK
    box.h.exit(three)
    assert box.h.resumed(two) == 0


def test_any_close_drops_a_process_locks(box: Files) -> None:
    one, two = box.task, box.process()
    a, again, b = opened(box, one), opened(box, one), opened(box, two)
    lock(box, one, a, F_WRLCK)
    box.call("close", again, task=one)
    assert lock(box, two, b, F_WRLCK) == 0


def test_a_child_has_no_locks_and_death_drops_them(box: Files) -> None:
    one = box.task
    a = opened(box, one)
    lock(box, one, a, F_WRLCK)
    child = box.h.fork(one)
    assert lock(box, child, a, F_RDLCK) == Errno.EAGAIN
    assert lock(box, child, a, F_RDLCK, 0, 0, F_SETLKW) is None
    box.h.exit(one)
    assert box.h.resumed(child) == 0


def test_locks_need_the_right_mode(box: Files) -> None:
    read_only = opened(box, box.task, O_RDONLY)
    assert lock(box, box.task, read_only, F_WRLCK) == Errno.EBADF
    assert lock(box, box.task, read_only, F_RDLCK) == 0
    assert lock(box, box.task, read_only, 7) == Errno.EINVAL


def test_ofd_locks_belong_to_the_open_file(box: Files) -> None:
    one = box.task
    a, again = opened(box, one), opened(box, one)
    assert lock(box, one, a, F_WRLCK, command=F_OFD_SETLK) == 0
    assert lock(box, one, again, F_WRLCK, command=F_OFD_SETLK) == Errno.EAGAIN
    assert told(box, one, again, F_WRLCK, command=F_OFD_GETLK) == (F_WRLCK, 0, 0, -1)
    child = box.h.fork(one)
    assert lock(box, child, a, F_RDLCK, command=F_OFD_SETLK) == 0  # the same description
    assert lock(box, child, again, F_WRLCK, command=F_OFD_SETLKW) is None
    box.call("close", a, task=one)
    assert box.h.resumed(child) is PARKED
    box.h.exit(one)
    assert box.h.resumed(child) is PARKED  # the child still has descriptor a


def test_flock(box: Files) -> None:
    one, two = box.task, box.process()
    a, b = opened(box, one), opened(box, two)
    box.call("flock", a, LOCK_SH, task=one)
    box.call("flock", b, LOCK_SH, task=two)
    with failure(Errno.EAGAIN):
        box.call("flock", b, LOCK_EX | LOCK_NB, task=two)
    box.call("flock", b, LOCK_SH | LOCK_NB, task=two)
    assert box.h.call(two, "flock", b, LOCK_EX) is PARKED
    box.call("flock", a, LOCK_UN, task=one)
    assert box.h.resumed(two) == 0
    assert box.h.call(one, "flock", a, LOCK_EX) is PARKED
    box.h.exit(two)
    assert box.h.resumed(one) == 0
    with failure(Errno.EINVAL):
        box.call("flock", a, 3, task=one)


def test_nothing_is_kept_when_all_is_released(box: Files) -> None:
    fd = box.open(b"/tmp/f", O_CREAT | O_RDWR)
    lock(box, box.task, fd, F_WRLCK)
    box.call("flock", fd, LOCK_EX)
    box.close(fd)
    assert box.h.kernel.locks._inodes == {}
