# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Job control, timers of raw mode, requests; the characters themselves are in test_ldisc."""
from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.kernel.harness import MILLISECOND
from tests.unit.kernel.terminals import PARKED, Terminals

from skerry.abi import fcntl, poll
from skerry.abi import termios as t
from skerry.abi.errno import ERESTARTSYS, Errno
from skerry.abi.signal import SA_RESTART, Signo
from skerry.abi.termios import TERMIOS
from skerry.kernel.events import ConsoleInput, ConsoleReady, ConsoleSize

# --- job control


def test_a_background_read_stops_the_group_and_is_issued_again() -> None:
    h = Terminals()
    sh = h.shell()
    job = h.job(sh)
    assert h.read(job) is PARKED
    assert job.process.stopped
    assert job.process.stop_report == Signo.SIGTTIN
    h.give(sh, job)
    assert h.call(sh, "kill", job.tid, Signo.SIGCONT) == 0
    assert h.resumed(job) == -ERESTARTSYS
    h.type(b"mine\r")
    assert h.read(job) == b"mine\n"


def test_a_background_reader_continued_in_the_background_stops_again() -> None:
    h = Terminals()
    sh = h.shell()
    job = h.job(sh, foreground=True)
    assert h.read(job) is PARKED
    h.type(b"\x1a")
    h.handle(sh, Signo.SIGTTOU, 1)
    h.give(sh, sh)
    assert h.call(sh, "kill", job.tid, Signo.SIGCONT) == 0
    assert job.process.stopped, "bg of a reader"
    assert job.process.stop_report == Signo.SIGTTIN


def test_a_background_read_that_cannot_stop_fails() -> None:
    h = Terminals()
    sh = h.shell()
    job = h.job(sh)
    h.handle(job, Signo.SIGTTIN, 1)
    assert h.read(job) == -Errno.EIO, "ignored"
    h.handle(job, Signo.SIGTTIN, 0)
    h.block(job, Signo.SIGTTIN)
    assert h.read(job) == -Errno.EIO, "blocked"


def test_an_orphaned_background_group_gets_an_error() -> None:
    h = Terminals()
    sh = h.shell()
    job = h.job(sh)
    orphan = h.fork(job)
    h.exit(job)
    assert h.done(sh, "wait4", -1, 0, 0, 0) == job.tid
    assert h.read(orphan) == -Errno.EIO
    assert h.set(orphan) == -Errno.EIO
    assert h.ask(orphan, 0, t.TIOCSPGRP, orphan.tid) == -Errno.ENOTTY


def test_a_background_read_with_a_handler_is_interrupted_or_restarted() -> None:
    h = Terminals()
    job = h.job(h.shell())
    h.handle(job, Signo.SIGTTIN)
    assert h.read(job) == -Errno.EINTR
    assert h.flagged(job)
    assert h.sigfetch(job)
    h.unblock(job, Signo.SIGTTIN)
    h.handle(job, Signo.SIGTTIN, flags=SA_RESTART)
    assert h.read(job) == -ERESTARTSYS


def test_background_writes_stop_only_with_tostop() -> None:
    h = Terminals()
    sh = h.shell()
    job = h.job(sh)
    assert h.write(job, b"free") == 4
    assert h.set(sh, on=t.TOSTOP) == 0
    assert h.write(job, b"not") is PARKED
    assert job.process.stop_report == Signo.SIGTTOU
    other = h.job(sh)
    h.handle(other, Signo.SIGTTOU, 1)
    assert h.write(other, b"ignored") == 7
    assert h.shown() == b"freeignored"


def test_settings_cannot_be_changed_from_the_background() -> None:
    h = Terminals()
    sh = h.shell()
    job = h.job(sh)
    assert h.set(job, off=t.ECHO) is PARKED
    assert job.process.stop_report == Signo.SIGTTOU
    assert h.kernel.console.tty.ldisc.echoes
    other = h.job(sh)
    h.block(other, Signo.SIGTTOU)
    assert h.ask(other, 0, t.TIOCSPGRP, other.tid) == other.tid, "as a job-control shell does it"
    assert h.ask(sh, 0, t.TIOCGPGRP) == other.tid
    assert h.ask(h.job(sh), 0, t.TIOCGWINSZ) is not PARKED, "looking is free"


def test_the_foreground_must_be_a_group_of_the_session() -> None:
    h = Terminals()
    sh = h.shell()
    stranger = h.process()
    member = h.fork(sh)
    assert h.ask(sh, 0, t.TIOCSPGRP, -1) == -Errno.EINVAL
    assert h.ask(sh, 0, t.TIOCSPGRP, 31999) == -Errno.ESRCH
    assert h.ask(sh, 0, t.TIOCSPGRP, stranger.tid) == -Errno.EPERM
    assert h.ask(sh, 0, t.TIOCSPGRP, member.tid) == member.tid, "a process, but no group: Linux minds not"


@pytest.mark.parametrize(("key", "signo"), [(b"\x03", 2), (b"\x1c", 3), (b"\x1a", 20)])
def test_keys_signal_the_whole_foreground_group_and_nobody_else(key: bytes, signo: int) -> None:
    h = Terminals()
    sh = h.shell()
    job = h.job(sh, foreground=True)
    mate = h.fork(job)
    for task in (sh, job, mate):
        h.handle(task, signo)
    h.type(b"lost" + key)
    assert h.flagged(job)
    assert h.flagged(mate)
    assert not h.flagged(sh)
    frame = h.sigfetch(job)
    assert frame is not None
    assert frame.signo == signo


def test_giving_the_terminal_up() -> None:
    h = Terminals()
    sh = h.shell()
    job = h.job(sh)
    assert h.ask(job, 0, t.TIOCNOTTY) == 0
    assert h.ask(job, 0, t.TIOCGPGRP) == -Errno.ENOTTY
    assert h.ask(job, 0, t.TIOCNOTTY) == -Errno.ENOTTY
    assert h.ask(sh, 0, t.TIOCGPGRP) == sh.tid, "only for itself"
    h.handle(sh, Signo.SIGHUP)
    assert h.ask(sh, 0, t.TIOCNOTTY) == 0
    assert h.flagged(sh)
    assert h.ask(sh, 0, t.TIOCGPGRP) == -Errno.ENOTTY
    assert h.call(sh, "ioctl", 0, t.TIOCSCTTY, 0) == 0
    assert h.ask(sh, 0, t.TIOCGSID) == sh.tid


def test_a_terminal_is_taken_only_by_a_leader_without_one() -> None:
    h = Terminals()
    sh = h.shell()
    job = h.job(sh)
    assert h.call(job, "ioctl", 0, t.TIOCSCTTY, 0) == -Errno.EPERM
    assert h.done(h.fork(sh), "setsid")
    leader = h.fork(sh)
    assert h.done(leader, "setsid") == leader.tid
    assert h.ask(leader, 0, t.TIOCGSID) == -Errno.ENOTTY
    leader.process.cred.euid = 1000
    assert h.call(leader, "ioctl", 0, t.TIOCSCTTY, 1) == -Errno.EPERM, "another session has it"
    leader.process.cred.euid = 0
    assert h.call(leader, "ioctl", 0, t.TIOCSCTTY, 1) == 0
    assert h.ask(sh, 0, t.TIOCGSID) == -Errno.ENOTTY


# --- raw mode


def test_vmin_waits_for_that_many_bytes() -> None:
    h = Terminals()
    sh = h.shell()
    h.set(sh, off=t.ICANON | t.ECHO, VMIN=3)
    assert h.read(sh) is PARKED
    h.type(b"ab")
    assert h.arrived(sh) is PARKED
    h.type(b"cd")
    assert h.arrived(sh) == b"abcd"
    h.type(b"x")
    assert h.read(sh, size=1) == b"x", "never more than asked for"


def test_vtime_alone_bounds_the_whole_read() -> None:
    h = Terminals()
    sh = h.shell()
    h.set(sh, off=t.ICANON, VMIN=0, VTIME=2)
    assert h.read(sh) is PARKED
    h.advance(199 * MILLISECOND)
    assert h.arrived(sh) is PARKED
    h.advance(1 * MILLISECOND)
    assert h.arrived(sh) == b""
    assert h.read(sh) is PARKED
    h.type(b"k")
    assert h.arrived(sh) == b"k"


def test_vmin_and_vtime_bound_the_time_between_bytes() -> None:
    h = Terminals()
    sh = h.shell()
    h.set(sh, off=t.ICANON, VMIN=5, VTIME=1)
    assert h.read(sh) is PARKED
    h.advance(10_000 * MILLISECOND)
    assert h.arrived(sh) is PARKED, "the clock starts with the first byte"
    for key in (b"a", b"b", b"c"):
        h.type(key)
        h.advance(90 * MILLISECOND)
        assert h.arrived(sh) is PARKED
    h.advance(10 * MILLISECOND)
    assert h.arrived(sh) == b"abc"


def test_neither_vmin_nor_vtime_never_waits() -> None:
    h = Terminals()
    sh = h.shell()
    h.set(sh, off=t.ICANON, VMIN=0, VTIME=0)
    assert h.read(sh) == b""
    h.type(b"z")
    assert h.read(sh) == b"z"


def test_a_handler_ends_a_raw_read_with_what_is_there() -> None:
    h = Terminals()
    sh = h.shell()
    h.set(sh, off=t.ICANON, VMIN=5)
    h.handle(sh, Signo.SIGUSR1)
    assert h.read(sh) is PARKED
    h.type(b"ab")
    assert h.call(h.process(), "kill", sh.tid, Signo.SIGUSR1) == 0
    assert h.arrived(sh) == b"ab"
    h.flagged(sh)
    frame = h.sigfetch(sh)
    assert frame is not None
    h.sigreturn(sh, frame)
    assert h.read(sh) is PARKED
    assert h.call(h.process(), "kill", sh.tid, Signo.SIGUSR1) == 0
    assert h.arrived(sh) == -Errno.EINTR


def test_a_parked_reader_follows_a_change_of_mode() -> None:
    h = Terminals()
    sh = h.shell()
    helper = h.fork(sh)
    assert h.read(sh) is PARKED
    h.type(b"half")
    h.set(helper, off=t.ICANON)
    assert h.arrived(sh) == b"half"


def test_a_non_blocking_read_does_not_wait() -> None:
    h = Terminals()
    sh = h.shell()
    sh.process.fds.files[0].set_flags(fcntl.O_NONBLOCK)
    assert h.read(sh) == -Errno.EAGAIN
    h.type(b"x")
    assert h.read(sh) == -Errno.EAGAIN
    h.type(b"\r")
    assert h.read(sh) == b"x\n"


# --- poll and requests


def test_poll_follows_lines_and_vmin() -> None:
    h = Terminals()
    sh = h.shell()
    file = sh.process.fds.files[0]
    h.type(b"ab")
    assert file.poll() == poll.WRITABLE
    h.type(b"\r")
    assert file.poll() == poll.READABLE | poll.WRITABLE
    h.read(sh)
    h.set(sh, off=t.ICANON, VMIN=2)
    h.type(b"a")
    assert file.poll() == poll.WRITABLE
    h.type(b"b")
    assert file.poll() == poll.READABLE | poll.WRITABLE


def test_stopped_output_is_not_writable_until_the_start_character() -> None:
    h = Terminals()
    sh = h.shell()
    h.type(b"\x13")
    assert h.write(sh, b"later") is PARKED
    assert not sh.process.fds.files[0].poll() & poll.POLLOUT
    h.type(b"\x11")
    assert h.resumed(sh) == 5
    assert h.call(sh, "ioctl", 0, t.TCXONC, t.TCOOFF) == 0
    h.type(b"\x11")
    assert h.write(sh, b"more") is PARKED, "^Q does not undo tcflow"
    assert h.call(h.fork(sh), "ioctl", 0, t.TCXONC, t.TCOON) == 0
    assert h.resumed(sh) == 4
    assert h.call(sh, "ioctl", 0, t.TCXONC, 9) == -Errno.EINVAL


def test_settings_are_laid_out_as_linux_does() -> None:
    h = Terminals()
    sh = h.shell()
    address = h.room(sh, 64)
    assert h.call(sh, "ioctl", 0, t.TCGETS, address) == 0
    assert TERMIOS.size == 36
    assert h.get(sh, address + 36, 28) == bytes(28), "nothing beyond what Linux writes"
    iflag, oflag, cflag, lflag, line, cc = TERMIOS.unpack(h.get(sh, address, 36))
    assert (oflag, cflag, lflag, line) == (0o5, 0o277, 0o105073, 0)
    assert iflag == t.ICRNL | t.IXON | t.IUTF8
    assert cc == t.DEFAULT_CC
    assert h.call(sh, "ioctl", 0, t.TCGETS2, address) == 0
    assert t.SPEEDS.unpack(h.get(sh, address + 36, 8)) == (38400, 38400)
    assert h.call(sh, "ioctl", 0, t.TCGETA, address) == 0
    assert h.call(sh, "ioctl", 0, t.TCSETAF, address) == 0
    assert h.call(sh, "ioctl", 0, t.TCGETS, 0x7FFFFFF0) == -Errno.EFAULT


def test_flushing_and_counting() -> None:
    h = Terminals()
    sh = h.shell()
    h.type(b"one\rtwo\rthr")
    assert h.ask(sh, 0, t.FIONREAD) == 8
    assert h.ask(sh, 0, t.TIOCOUTQ) == 0
    assert h.call(sh, "ioctl", 0, t.TCFLSH, t.TCIFLUSH) == 0
    assert h.ask(sh, 0, t.FIONREAD) == 0
    assert h.call(sh, "ioctl", 0, t.TCFLSH, 7) == -Errno.EINVAL
    assert h.call(sh, "ioctl", 0, t.TCSBRK, 1) == 0


def test_input_cannot_be_forged() -> None:
    h = Terminals()
    sh = h.shell()
    assert h.ask(sh, 0, t.TIOCSTI, 0x41) == -Errno.EPERM
    assert h.ask(sh, 0, t.TIOCCONS) == -Errno.EPERM
    assert h.read(sh) is PARKED


def test_small_requests() -> None:
    h = Terminals()
    sh = h.shell()
    assert h.ask(sh, 0, t.TIOCGETD, 5) == 0
    assert h.ask(sh, 0, t.TIOCSETD, 1) == -Errno.EINVAL
    assert h.ask(sh, 0, t.TIOCGDEV) == 0x501
    assert h.ask(sh, 0, t.TIOCEXCL) == 0
    assert h.ask(sh, 0, t.TIOCGEXCL) == 1
    assert h.ask(sh, 0, t.TIOCNXCL) == 0
    assert h.ask(sh, 0, t.TIOCGEXCL) == 0
    assert h.ask(sh, 0, 0x5415) == -Errno.ENOTTY, "TIOCMGET: no modem"
    assert h.ask(sh, 0, t.TIOCGPTN) == -Errno.ENOTTY, "no pseudo-terminal"
    assert h.ask(sh, 0, 0xDEAD) == -Errno.ENOTTY


def test_the_size_can_be_set_from_inside() -> None:
    h = Terminals()
    sh = h.shell()
    h.handle(sh, Signo.SIGWINCH)
    address = h.put(sh, t.WINSIZE.pack(10, 20, 0, 0))
    assert h.call(sh, "ioctl", 0, t.TIOCSWINSZ, address) == 0
    assert h.flagged(sh)
    assert h.kernel.console.tty.winsize == (10, 20, 0, 0)


# --- whatever happens


REQUESTS = sorted(
    value for name, value in vars(t).items() if name[:2] in ("TC", "TI") and isinstance(value, int)
)
WORDS = st.one_of(st.integers(-(2**31), 2**31 - 1), st.sampled_from((0, 1, 4096, 8192)))
ACTS = st.one_of(
    st.tuples(st.just("type"), st.binary(max_size=40)),
    st.tuples(st.just("size"), st.integers(-1, 70000)),
    st.tuples(st.just("ready"), st.integers(-1, 100)),
    st.tuples(st.just("read"), st.integers(0, 50)),
    st.tuples(st.just("write"), st.binary(max_size=40)),
    st.tuples(st.just("ioctl"), st.tuples(st.sampled_from(REQUESTS), WORDS)),
    st.tuples(st.just("set"), st.binary(min_size=36, max_size=36)),
    st.tuples(st.just("wait"), st.integers(0, 30)),
    st.tuples(st.just("job"), st.booleans()),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(ACTS, max_size=30))
def test_no_sequence_of_acts_breaks_the_terminal(acts: list[tuple[str, object]]) -> None:
    h = Terminals()
    h.kernel.console.tty.credit = 200
    tasks = [h.shell()]
    for number, (act, what) in enumerate(acts):
        alive = [task for task in tasks if not task.dead and task.parked is None and not task.process.stopped]
        if act == "type":
            assert isinstance(what, bytes)
            h.step(ConsoleInput(what))
        elif act == "size":
            assert isinstance(what, int)
            h.step(ConsoleSize(what, 80))
        elif act == "ready":
            assert isinstance(what, int)
            h.step(ConsoleReady(what))
        elif act == "wait":
            assert isinstance(what, int)
            h.advance(what * 10 * MILLISECOND)
        elif alive:
            task = alive[number % len(alive)]
            h.resumed(task)
            if act == "job":
                tasks.append(h.job(task, bool(what)) if len(tasks) == 1 else h.fork(task))
            elif act == "read":
                assert isinstance(what, int)
                h.read(task, size=what or 1)
            elif act == "write":
                assert isinstance(what, bytes)
                h.write(task, what)
            elif act == "set":
                assert isinstance(what, bytes)
                h.call(task, "ioctl", 0, t.TCSETS, h.put(task, what))
            else:
                assert isinstance(what, tuple)
                h.call(task, "ioctl", 0, *what)
        ldisc = h.kernel.console.tty.ldisc
        assert h.kernel.console.tty.credit >= 0
        assert ldisc.tail <= ldisc.canon <= ldisc.tail + len(ldisc.buffer)
        assert len(ldisc.buffer) <= 4097
        assert list(ldisc.ends) == sorted(end for end in ldisc.ends if ldisc.tail <= end < ldisc.canon)
