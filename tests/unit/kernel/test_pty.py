# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Pseudo-terminals; every expectation here was seen on Linux first."""
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.kernel.terminals import PARKED, Terminals

from skerry.abi import fcntl, poll
from skerry.abi import termios as t
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.signal import Signo
from skerry.kernel.ldisc import PENDING_MAX
from skerry.kernel.pty import CAPACITY, MasterFile
from skerry.kernel.task import Task

HUNG = poll.POLLHUP
REQUESTS = sorted(
    value for name, value in vars(t).items() if name[:2] in ("TC", "TI") and isinstance(value, int)
)


class Pair(Terminals):
    """A terminal emulator with a master, and a program on the slave."""

    def __init__(self, lead: bool = True) -> None:
        super().__init__()
        self.emulator = self.process((b"xterm",))
        self.master = self.open(self.emulator, self.kernel.ptys.open_master(self.emulator, fcntl.O_RDWR))
        self.number = self.ask(self.emulator, self.master, t.TIOCGPTN)
        assert self.ask(self.emulator, self.master, t.TIOCSPTLCK, 0) == 0
        self.program = self.process((b"sh",)) if lead else self.process((b"sh",), session=False)
        self.slave = self.attach(self.program)

    def attach(self, task: Task, flags: int = fcntl.O_RDWR) -> int:
        assert isinstance(self.number, int)
        return self.open(task, self.kernel.ptys.open_slave(task, self.number, flags))

    def send(self, data: bytes) -> object:
        return self.write(self.emulator, data, self.master)

    def see(self, size: int = 20000) -> object:
        return self.read(self.emulator, self.master, size)

    def ready(self) -> int:
        return self.emulator.process.fds.files[self.master].poll()


def test_what_is_typed_is_read_and_echoed() -> None:
    h = Pair()
    assert h.read(h.program, h.slave) is PARKED
    assert h.send(b"ls\r") == 3
    assert h.arrived(h.program) == b"ls\n"
    assert h.see() == b"ls\r\n"
    assert h.see() is PARKED
    assert h.write(h.program, b"x\n", h.slave) == 2
    assert h.arrived(h.emulator) == b"x\r\n"


def test_a_new_master_has_the_lowest_number_and_a_locked_slave() -> None:
    h = Pair()
    second = h.kernel.ptys.open_master(h.emulator, fcntl.O_RDWR)
    fd = h.open(h.emulator, second)
    assert h.ask(h.emulator, fd, t.TIOCGPTN) == 1
    assert h.kernel.ptys.numbers() == [0, 1]
    assert h.ask(h.emulator, fd, t.TIOCGPTLCK) == 1
    with pytest.raises(SysError) as error:
        h.kernel.ptys.open_slave(h.program, 1, fcntl.O_RDWR)
    assert error.value.errno == Errno.EIO
    assert h.call(h.emulator, "ioctl", fd, t.TIOCGPTPEER, fcntl.O_RDWR) == -Errno.EIO
    assert h.call(h.emulator, "close", h.master) == 0
    assert h.kernel.ptys.numbers() == [1]
    with pytest.raises(SysError) as error:
        h.kernel.ptys.open_slave(h.program, 0, fcntl.O_RDWR)
    assert error.value.errno == Errno.ENXIO


def test_the_peer_can_be_opened_without_a_path() -> None:
    h = Pair()
    fd = h.call(h.emulator, "ioctl", h.master, t.TIOCGPTPEER, fcntl.O_RDWR | fcntl.O_NOCTTY | fcntl.O_CLOEXEC)
    assert isinstance(fd, int)
    assert fd in h.emulator.process.fds.cloexec
    assert h.ask(h.emulator, fd, t.TIOCGDEV) == 0x8800


def test_opening_makes_it_the_controlling_terminal_unless_told_otherwise() -> None:
    h = Pair()
    assert h.ask(h.program, h.slave, t.TIOCGSID) == h.program.tid
    assert h.ask(h.emulator, h.master, t.TIOCGSID) == h.program.tid, "a master may always ask"
    other = Pair(lead=False)
    assert other.ask(other.program, other.slave, t.TIOCGSID) == -Errno.ENOTTY
    assert other.ask(other.emulator, other.master, t.TIOCGPGRP) == 0
    leader = other.process()
    other.attach(leader, fcntl.O_RDWR | fcntl.O_NOCTTY)
    assert other.kernel.console.tty.session is None
    assert other.ask(other.emulator, other.master, t.TIOCGSID) == -Errno.ENOTTY


def test_keys_reach_the_foreground_group_of_the_slave() -> None:
    h = Pair()
    h.handle(h.program, Signo.SIGINT)
    h.send(b"ab\x03")
    assert h.flagged(h.program)
    assert h.see() == b"^C"
    h.handle(h.program, Signo.SIGTERM)
    assert h.call(h.emulator, "ioctl", h.master, t.TIOCSIG, Signo.SIGTERM) == 0
    assert h.flagged(h.program)


def test_closing_the_master_hangs_the_session_up() -> None:
    h = Pair()
    h.handle(h.program, Signo.SIGHUP)
    assert h.read(h.program, h.slave) is PARKED
    assert h.call(h.emulator, "close", h.master) == 0
    assert h.arrived(h.program) in (b"", -Errno.EINTR)
    assert h.flagged(h.program)
    assert h.read(h.program, h.slave) == b""
    assert h.write(h.program, b"x", h.slave) == -Errno.EIO
    assert h.program.process.fds.files[h.slave].poll() & HUNG


def test_closing_the_last_slave_ends_the_masters_reads_until_it_is_opened_again() -> None:
    h = Pair(lead=False)
    h.write(h.program, b"bye\n", h.slave)
    h.send(b"left\n")
    assert h.call(h.program, "close", h.slave) == 0
    assert h.ready() & HUNG
    assert h.see() == b"bye\r\nleft\r\n"
    assert h.see() == -Errno.EIO
    assert h.send(b"zz\n") == 3, "nobody there, but it waits"
    fd = h.attach(h.program)
    assert not h.ready() & HUNG
    assert h.read(h.program, fd) == b"left\n"
    assert h.read(h.program, fd) == b"zz\n"


def test_a_reader_of_the_master_waits_before_the_first_open_and_learns_of_the_last_close() -> None:
    h = Terminals()
    task = h.process()
    master = h.open(task, h.kernel.ptys.open_master(task, fcntl.O_RDWR))
    h.ask(task, master, t.TIOCSPTLCK, 0)
    assert h.read(task, master) is PARKED
    other = h.process()
    slave = h.open(other, h.kernel.ptys.open_slave(other, 0, fcntl.O_RDWR))
    assert h.arrived(task) is PARKED
    h.exit(other)
    assert slave == 0
    assert h.arrived(task) == -Errno.EIO


def test_a_full_master_makes_the_writer_wait() -> None:
    h = Pair()
    assert h.write(h.program, b"x" * (CAPACITY + 100), h.slave) is PARKED
    assert h.see(10) == b"x" * 10
    assert h.resumed(h.program) is PARKED
    assert h.see(200) == b"x" * 200
    assert h.resumed(h.program) == CAPACITY + 100


def test_a_flood_can_be_interrupted() -> None:
    h = Pair()
    assert h.write(h.program, b"x" * (CAPACITY + 100), h.slave) is PARKED
    h.send(b"\x03")
    assert not h.program.process.alive
    seen = h.see()
    assert isinstance(seen, bytes)
    assert len(seen) < CAPACITY, "what was under way is forgotten"


def test_a_full_slave_makes_the_master_wait() -> None:
    h = Pair()
    h.set(h.program, h.slave, off=t.ICANON | t.ECHO)
    total = 0
    h.emulator.process.fds.files[h.master].set_flags(fcntl.O_NONBLOCK)
    while isinstance(count := h.send(b"y" * 1000), int) and count > 0:
        total += count
    assert count == -Errno.EAGAIN
    assert not h.ready() & poll.POLLOUT
    h.emulator.process.fds.files[h.master].set_flags(0)
    assert h.send(b"z") is PARKED
    taken = 0
    while taken < total:
        data = h.read(h.program, h.slave, 5000)
        assert isinstance(data, bytes)
        taken += len(data)
    assert h.resumed(h.emulator) == 1


def test_settings_and_size_are_shared_by_both_ends() -> None:
    h = Pair()
    h.handle(h.program, Signo.SIGWINCH)
    size = h.put(h.emulator, t.WINSIZE.pack(5, 6, 7, 8))
    assert h.call(h.emulator, "ioctl", h.master, t.TIOCSWINSZ, size) == 0
    assert h.flagged(h.program)
    address = h.room(h.program, 8)
    assert h.call(h.program, "ioctl", h.slave, t.TIOCGWINSZ, address) == 0
    assert t.WINSIZE.unpack(h.get(h.program, address, 8)) == (5, 6, 7, 8)
    assert h.set(h.emulator, h.master, off=t.ECHO) == 0
    h.send(b"secret\n")
    assert h.see() is PARKED


def test_packet_mode_reports_what_happens() -> None:
    h = Pair(lead=False)
    assert h.ask(h.emulator, h.master, t.TIOCPKT, 1) == 1
    assert h.ask(h.emulator, h.master, t.TIOCGPKT) == 1
    h.write(h.program, b"hi\n", h.slave)
    assert not h.ready() & poll.POLLPRI
    assert h.see() == b"\0hi\r\n"
    for queue, status in ((t.TCIFLUSH, 1), (t.TCOFLUSH, 2), (t.TCIOFLUSH, 3)):
        h.call(h.program, "ioctl", h.slave, t.TCFLSH, queue)
        assert h.ready() & poll.POLLPRI
        assert h.see() == bytes((status,))
    for key, status in ((b"\x13", 4), (b"\x11", 8)):
        h.send(key)
        assert h.see() == bytes((status,))
    h.send(b"ab\x03")
    assert h.see() == b"\x03"
    assert h.see() == b"\0^C"
    address = h.room(h.program, 64)
    h.call(h.program, "ioctl", h.slave, t.TCGETS, address)
    flags = h.i32(h.program, address)
    for iflag, report in ((flags & ~t.IXON, b"\x10"), (flags, b"\x20")):
        h.program.mem.put_u32(address, iflag)
        h.call(h.program, "ioctl", h.slave, t.TCSETS, address)
        assert h.see() == report
    h.write(h.program, b"abcdef", h.slave)
    assert h.see(1) == b"\0"
    assert h.see(3) == b"\0ab"
    assert h.see() == b"\0cdef"


def test_flow_and_flush_from_the_masters_side() -> None:
    h = Pair()
    assert h.call(h.emulator, "ioctl", h.master, t.TCXONC, t.TCOOFF) == 0
    h.emulator.process.fds.files[h.master].set_flags(fcntl.O_NONBLOCK)
    assert h.send(b"x\n") == -Errno.EAGAIN
    assert h.call(h.emulator, "ioctl", h.master, t.TCXONC, t.TCOON) == 0
    assert h.send(b"x\n") == 2
    assert h.see() == b"x\r\n"
    h.write(h.program, b"gone", h.slave)
    assert h.ask(h.emulator, h.master, t.FIONREAD) == 4
    assert h.call(h.emulator, "ioctl", h.master, t.TCFLSH, t.TCIFLUSH) == 0
    assert h.see() == -Errno.EAGAIN
    assert h.call(h.program, "ioctl", h.slave, t.TCXONC, t.TCIOFF) == 0
    assert h.see() == b"\x13"


def test_a_pair_is_made_through_the_file_system() -> None:
    h = Terminals(devices=True)
    task = h.process()
    master = h.done(task, "openat", -100, b"/dev/ptmx", fcntl.O_RDWR | fcntl.O_NOCTTY, 0)
    assert h.ask(task, master, t.TIOCGPTN) == 0
    assert h.call(task, "openat", -100, b"/dev/pts/0", fcntl.O_RDWR, 0) == -Errno.EIO
    assert h.ask(task, master, t.TIOCSPTLCK, 0) == 0
    slave = h.done(task, "openat", -100, b"/dev/pts/0", fcntl.O_RDWR, 0)
    assert h.ask(task, slave, t.TIOCGSID) == task.tid
    there, here = h.room(task, 256), h.room(task, 256)
    assert h.call(task, "statx", -100, b"/dev/pts/0", 0, 0x7FF, there) == 0
    assert h.call(task, "statx", slave, b"", fcntl.AT_EMPTY_PATH, 0x7FF, here) == 0
    assert h.get(task, there, 64) == h.get(task, here, 64), "ttyname(3) compares these"
    h.handle(task, Signo.SIGHUP, 1)
    assert h.call(task, "close", master) == 0
    assert h.call(task, "openat", -100, b"/dev/pts/0", fcntl.O_RDWR, 0) == -Errno.ENOENT


ARGUMENTS = st.integers(-2, 9000)
ACTS = st.one_of(
    st.tuples(st.just("send"), st.binary(max_size=30)),
    st.tuples(st.just("see"), st.integers(1, 40)),
    st.tuples(st.just("read"), st.integers(1, 40)),
    st.tuples(st.just("write"), st.binary(max_size=30) | st.just(bytes(7000))),
    st.tuples(st.sampled_from(("master", "slave")), st.tuples(st.sampled_from(REQUESTS), ARGUMENTS)),
    st.tuples(st.just("close"), st.booleans()),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(ACTS, max_size=25))
def test_no_sequence_of_acts_breaks_a_pair(acts: list[tuple[str, Any]]) -> None:
    h = Pair(lead=False)
    for act, what in acts:
        side = h.emulator if act in ("send", "see", "master") or what is True else h.program
        fd = h.master if side is h.emulator else h.slave
        if side.dead or side.parked is not None or side.process.stopped:
            continue
        h.resumed(side)
        if act == "close":
            h.call(side, "close", fd)
        elif act in ("send", "write"):
            h.write(side, what, fd)
        elif act in ("see", "read"):
            h.read(side, fd, what)
        else:
            h.call(side, "ioctl", fd, *what)
        pty = h.emulator.process.fds.files.get(h.master)
        if isinstance(pty, MasterFile):
            assert len(pty.pty.sent) <= CAPACITY
            assert len(pty.pty.ldisc.pending) <= PENDING_MAX


def test_a_process_can_interrupt_itself_through_its_own_master() -> None:
    h = Terminals()
    task = h.process()
    master = h.open(task, h.kernel.ptys.open_master(task, fcntl.O_RDWR))
    h.ask(task, master, t.TIOCSPTLCK, 0)
    h.open(task, h.kernel.ptys.open_slave(task, 0, fcntl.O_RDWR))
    assert h.write(task, b"abc\x03def", master) is PARKED
    assert not task.process.alive
    assert h.kernel.ptys.numbers() == []
