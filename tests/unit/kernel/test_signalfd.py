# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
from __future__ import annotations

from struct import unpack_from

from tests.unit.kernel.harness import PARKED, Harness, sigset

from skerry.abi import poll
from skerry.abi.errno import Errno
from skerry.abi.fcntl import O_NONBLOCK
from skerry.abi.signal import SI_USER, Signo
from skerry.kernel.task import Task

SIZE = 128


def make(h: Harness, task: Task, *signos: int, flags: int = O_NONBLOCK) -> int:
    h.block(task, *signos)
    return h.done(task, "signalfd4", -1, h.longs(task, sigset(*signos)), 8, flags)


def read(h: Harness, task: Task, fd: int, count: int = 1) -> list[bytes] | int:
    where = h.room(task, SIZE * count)
    result = h.done(task, "read", fd, where, SIZE * count)
    if result < 0:
        return result
    return [h.get(task, where + offset, SIZE) for offset in range(0, result, SIZE)]


def kill(h: Harness, target: Task, signo: int) -> Task:
    sender = h.process()
    assert h.done(sender, "kill", target.process.pid, signo) == 0
    return sender


def test_a_record_says_who_sent_it() -> None:
    h = Harness()
    task = h.process()
    fd = make(h, task, Signo.SIGUSR1, Signo.SIGUSR2)
    assert read(h, task, fd) == -Errno.EAGAIN
    kill(h, task, Signo.SIGUSR2)
    sender = kill(h, task, Signo.SIGUSR1)
    assert task.process.fds.get(fd).poll() == poll.POLLIN
    records = read(h, task, fd, 3)
    assert isinstance(records, list)
    assert [unpack_from("<I", record)[0] for record in records] == [Signo.SIGUSR1, Signo.SIGUSR2]
    who = (sender.process.pid, sender.process.cred.uid)
    assert unpack_from("<IiiII", records[0]) == (Signo.SIGUSR1, 0, SI_USER, *who)
    assert task.process.fds.get(fd).poll() == 0


def test_a_reader_waits() -> None:
    h = Harness()
    task = h.process()
    fd = make(h, task, Signo.SIGINT, flags=0)
    where = h.room(task, SIZE)
    assert h.call(task, "read", fd, where, SIZE) is PARKED
    kill(h, task, Signo.SIGINT)
    assert h.resumed(task) == SIZE
    assert unpack_from("<I", h.get(task, where, 4))[0] == Signo.SIGINT
    assert not task.process.pending


def test_poll_and_child_status() -> None:
    h = Harness()
    task = h.process()
    fd = make(h, task, Signo.SIGCHLD)
    child = h.fork(task)
    where = h.put(task, bytes((fd, 0, 0, 0, 1, 0, 0, 0)))
    assert h.call(task, "ppoll_time64", where, 1, 0, 0, 8) is PARKED
    h.exit(child, 3)
    assert h.resumed(task) == 1
    records = read(h, task, fd)
    assert isinstance(records, list)
    assert unpack_from("<I", records[0])[0] == Signo.SIGCHLD
    assert unpack_from("<I", records[0], 12)[0] == child.tid
    assert unpack_from("<i", records[0], 40)[0] == 3


def test_a_child_reads_its_own_signals() -> None:
    h = Harness()
    task = h.process()
    fd = make(h, task, Signo.SIGUSR1)
    child = h.fork(task)
    kill(h, task, Signo.SIGUSR1)
    assert read(h, child, fd) == -Errno.EAGAIN
    where = h.put(task, bytes((fd, 0, 0, 0, 1, 0, 0, 0)))
    zero = h.timespec(task, 0)
    assert h.done(task, "ppoll_time64", where, 1, zero, 0, 8) == 1
    assert isinstance(read(h, task, fd), list)


def test_the_set_can_be_changed() -> None:
    h = Harness()
    task = h.process()
    fd = make(h, task, Signo.SIGUSR1)
    h.block(task, Signo.SIGUSR2)
    kill(h, task, Signo.SIGUSR2)
    assert read(h, task, fd) == -Errno.EAGAIN
    assert h.done(task, "signalfd4", fd, h.longs(task, sigset(Signo.SIGUSR2)), 8, 0) == fd
    assert isinstance(read(h, task, fd), list)


def test_bad_arguments() -> None:
    h = Harness()
    task = h.process()
    mask = h.longs(task, sigset(Signo.SIGUSR1))
    assert h.done(task, "signalfd4", -1, mask, 4, 0) == -Errno.EINVAL
    assert h.done(task, "signalfd4", -1, mask, 8, 1) == -Errno.EINVAL
    assert h.done(task, "signalfd4", -1, -4, 8, 0) == -Errno.EFAULT
    assert h.done(task, "signalfd4", 99, mask, 8, 0) == -Errno.EBADF
    other = h.done(task, "eventfd2", 0, 0)
    assert h.done(task, "signalfd4", other, mask, 8, 0) == -Errno.EINVAL
    fd = make(h, task, Signo.SIGUSR1)
    assert h.done(task, "read", fd, h.room(task, SIZE), SIZE - 1) == -Errno.EINVAL
