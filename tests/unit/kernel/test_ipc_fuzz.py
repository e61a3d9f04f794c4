# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Sockets, pipes and epolls under random calls: results are results, and nothing stays behind."""
from __future__ import annotations

import random
from struct import pack

import pytest
from tests.unit.kernel.harness import PARKED, Harness
from tests.unit.kernel.oracle import sockaddr

from skerry.abi.errno import Errno
from skerry.abi.hostfs import Failed
from skerry.kernel.commands import Ask
from skerry.kernel.epoll import Epoll
from skerry.kernel.listener import Acceptor
from skerry.kernel.socket import Socket
from skerry.kernel.task import Task

HOSTILE = (0, 1, -1, 4, 7, 4096, -4096, 0x7FFFFFFF, -0x80000000, 262_140)
CALLS = {
    "pipe2": 2, "eventfd2": 2, "timerfd_create": 2, "signalfd4": 4, "timerfd_settime64": 4,
    "timerfd_gettime64": 2, "ppoll_time64": 5, "pselect6_time64": 6, "epoll_create1": 1, "epoll_ctl": 4,
    "epoll_pwait": 6, "epoll_pwait2": 6, "socket": 3, "socketpair": 4, "bind": 3, "listen": 2, "accept": 3,
    "accept4": 4, "connect": 3, "getsockname": 3, "getpeername": 3, "sendto": 6, "recvfrom": 6, "sendmsg": 3,
    "recvmsg": 3, "sendmmsg": 4, "recvmmsg_time64": 5, "setsockopt": 5, "getsockopt": 5, "shutdown": 2,
    "read": 3, "write": 3, "ioctl": 3, "close": 1, "dup": 1,
}  # fmt: skip


class Player:
    """Makes sensible calls in a senseless order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.h = Harness()
        self.task = self.h.process()
        self.h.handle(self.task, 13, handler=1)
        self.h.handle(self.task, 10)

    def fd(self) -> int:
        fds = list(self.task.process.fds.files)
        return self.random.choice(fds) if fds and self.random.random() < 0.95 else self.random.choice(HOSTILE)

    def good(self, kind: type, listening: bool = False) -> int:
        """Mostly a file of one kind."""
        files = self.task.process.fds.files
        fds = [fd for fd, file in files.items() if isinstance(file, kind)]
        if listening:
            fds = [fd for fd in fds if getattr(files[fd], "listening", False)]
        return self.random.choice(fds) if fds and self.random.random() < 0.9 else self.fd()

    def address(self) -> tuple[int, int]:
        choice = self.random.randrange(5)
        name = b"/s%d\0" % self.random.randrange(3)
        abstract = b"\0a%d" % self.random.randrange(3)
        raws = [pack("<H", 1) + name, pack("<H", 1) + abstract, b"\0\0" + bytes(14)]
        raws += [sockaddr(("127.0.0.1", 100 + self.random.randrange(3))), sockaddr(("::1", 100))]
        return self.h.put(self.task, raws[choice]), len(raws[choice])

    def server(self) -> tuple[str, tuple[int, ...]]:
        """A listener with a few clients; accepting is left to chance."""
        h, task, family = self.h, self.task, self.random.choice((1, 1, 2, 10))
        kind = self.random.choice((1, 5) if family == 1 else (1,)) | 0o4000
        fd = h.done(task, "socket", family, kind, 0)
        raw = {1: b"\1\0", 2: sockaddr(("127.0.0.1", 0)), 10: sockaddr(("::", 0))}[family]
        h.done(task, "bind", fd, h.put(task, raw), len(raw))
        h.done(task, "listen", fd, 1)
        name, size = h.room(task, 110), h.words(task, 110)
        h.done(task, "getsockname", fd, name, size)
        for _ in range(self.random.randrange(4)):
            client = h.done(task, "socket", family, kind, 0)
            h.done(task, "connect", client, name, h.i32(task, size))
        return "accept4", (fd, 0, 0, 0o4000)

    def message(self) -> int:
        fds = [self.fd() for _ in range(self.random.randrange(3))]
        control = pack(f"<Iii{len(fds)}i", 12 + 4 * len(fds), 1, 1, *fds) if fds else b""
        data = self.h.put(self.task, bytes(self.random.randrange(1, 3000)))
        iov = self.h.words(self.task, data, self.random.randrange(3000))
        where = self.h.put(self.task, control + bytes(16))
        return self.h.words(self.task, 0, 0, iov, 1, where, len(control), 0)

    def step(self) -> tuple[str, tuple[int, ...]]:
        h, task, r = self.h, self.task, self.random
        fd, buf = self.fd(), h.room(task, 64)
        kind = r.choice((1, 2, 5)) | 0o4000
        pick = r.randrange(17)
        if pick == 0:
            return "socketpair", (1, kind, 0, buf)
        if pick == 1:
            return "socket", (r.choice((1, 2, 10)), kind, 0)
        if pick == 2:
            return r.choice(("bind", "connect", "connect")), (self.good(Socket), *self.address())
        if pick == 3:
            return "listen", (self.good(Acceptor), r.randrange(3))
        if pick == 4:
            return "accept4", (self.good(Socket, listening=True), 0, 0, 0o4000)
        if pick == 5:
            return "sendmsg", (self.good(Socket), self.message(), 0x40)
        if pick == 6:
            return "recvmsg", (self.good(Socket), self.message(), r.choice((0x40, 0x42)))
        if pick == 7:
            return "write", (fd, buf, r.choice((1, 64, 70_000)))
        if pick == 8:
            return "read", (fd, buf, r.choice((1, 64)))
        if pick == 9:
            return "shutdown", (self.good(Socket), r.randrange(3))
        if pick == 10:
            return "close", (fd,)
        if pick == 11:
            return r.choice((("epoll_create1", (0,)), ("pipe2", (buf, 0o4000))))
        if pick == 12:
            event = h.put(task, pack("<I4xQ", r.choice((1, 5, 1 << 31 | 1, 1 << 30 | 4)), 0))
            return "epoll_ctl", (self.good(Epoll), r.randrange(1, 4), fd, event)
        if pick == 13:
            return "epoll_pwait", (self.good(Epoll), h.room(task, 160), 10, 0, 0, 8)
        if pick == 14:
            return "sendto", (self.good(Socket), buf, 10, 0x40, *self.address())
        if pick == 15:
            return self.server()
        return "setsockopt", (fd, 1, r.choice((2, 13, 15, 16)), h.words(task, 1, 0), 8)

    def hostile(self) -> tuple[str, tuple[int, ...]]:
        name = self.random.choice(list(CALLS))
        return name, tuple(self.word() for _ in range(CALLS[name]))

    def word(self) -> int:
        return self.fd() if self.random.random() < 0.4 else self.random.choice(HOSTILE)

    def play(self, name: str, args: tuple[int, ...]) -> None:
        value = self.h.call(self.task, name, *args)
        if value is PARKED:  # a blocking file got in: free the task
            for ask in self.h.taken(Ask):  # the way out, for an address nobody chose
                self.h.answer(ask.request, Failed(Errno.EACCES))
            self.h.done(self.h.process(), "kill", self.task.process.pid, 10)
            value = self.h.resumed(self.task)
            frame = self.h.sigfetch(self.task)
            if frame is not None:
                self.h.sigreturn(self.task, frame)
        assert isinstance(value, int), name
        assert value >= 0 or value == -512 or -value in list(Errno), (name, args, value)
        if len(self.task.process.fds.files) > 60:
            for fd in list(self.task.process.fds.files)[::2]:
                self.h.done(self.task, "close", fd)


def close_all(h: Harness, task: Task) -> None:
    for fd in list(task.process.fds.files):
        assert h.done(task, "close", fd) == 0
    h.done(task, "close", h.done(task, "socket", 1, 1, 0))  # the collector runs with this


@pytest.mark.parametrize("seed", range(8))
def test_nothing_stays_behind(seed: int) -> None:
    player = Player(seed)
    for _ in range(1500):
        player.play(*player.step())
    close_all(player.h, player.task)
    network = player.h.kernel.network
    assert not network.flying
    assert not network.abstract
    assert not network.tcp._bound
    assert not network.udp._bound


@pytest.mark.parametrize("seed", range(8))
def test_hostile_words(seed: int) -> None:
    player = Player(1000 + seed)
    for number in range(1500):
        player.play(*(player.step() if number % 3 == 0 else player.hostile()))
