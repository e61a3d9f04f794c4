# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
from __future__ import annotations

import pytest
from tests.unit.kernel.terminals import PARKED, Terminals

from skerry.abi import fcntl, poll
from skerry.abi import termios as t
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.signal import Signo
from skerry.kernel.commands import StreamTaken
from skerry.kernel.console import CREDIT
from skerry.kernel.events import (
    ConsoleInput,
    ConsoleReady,
    ConsoleSize,
    HostSignal,
    StreamInput,
    StreamReady,
)
from skerry.kernel.streams import WINDOW


def test_a_line_is_read_when_it_is_complete_and_echoed_at_once() -> None:
    h = Terminals()
    sh = h.shell()
    assert h.read(sh) is PARKED
    h.type(b"ls")
    assert h.shown() == b"ls"
    assert h.arrived(sh) is PARKED
    h.type(b"\r")
    assert h.shown() == b"\r\n"
    assert h.arrived(sh) == b"ls\n"


def test_output_gets_carriage_returns() -> None:
    h = Terminals()
    sh = h.shell()
    assert h.write(sh, b"a\nb\n") == 4
    assert h.shown() == b"a\r\nb\r\n"


def test_the_first_session_leader_gets_the_terminal() -> None:
    h = Terminals()
    sh = h.shell()
    other = h.shell()
    assert h.ask(sh, 0, t.TIOCGPGRP) == sh.tid
    assert h.ask(sh, 0, t.TIOCGSID) == sh.tid
    assert h.ask(other, 0, t.TIOCGPGRP) == -Errno.ENOTTY
    assert h.kernel.console.open_tty(sh, fcntl.O_RDWR).tty is h.kernel.console.tty
    with pytest.raises(SysError) as error:
        h.kernel.console.open_tty(other, fcntl.O_RDWR)
    assert error.value.errno == Errno.ENXIO


def test_standard_descriptors_share_one_description() -> None:
    h = Terminals()
    files = h.shell().process.fds.files
    assert files[0] is files[1] is files[2]


def test_a_flood_waits_for_credit_and_control_c_ends_it() -> None:
    h = Terminals()
    sh = h.shell()
    yes = h.job(sh, foreground=True)
    assert h.write(yes, b"y" * (CREDIT + 10)) is PARKED
    assert len(h.shown()) == CREDIT
    h.type(b"\x03")
    assert not yes.process.alive
    assert h.shown() == b"", "even the echo has no room"
    assert h.write(sh, b"$ ") is PARKED
    h.step(ConsoleReady(100))
    assert h.resumed(sh) == 2
    assert h.shown() == b"^C$ "


def test_a_parked_write_goes_on_as_credit_comes() -> None:
    h = Terminals()
    sh = h.shell()
    assert h.write(sh, b"x" * (CREDIT + 10)) is PARKED
    h.step(ConsoleReady(4))
    assert h.resumed(sh) is PARKED
    h.step(ConsoleReady(100))
    assert h.resumed(sh) == CREDIT + 10
    assert len(h.shown()) == CREDIT + 10


def test_writes_longer_than_the_credit_do_not_mix() -> None:
    h = Terminals()
    sh = h.shell()
    job = h.job(sh)
    h.write(sh, b"a" * CREDIT)
    h.shown()
    assert h.write(sh, b"b" * 6) is PARKED
    assert h.write(job, b"c" * 6) is PARKED
    for _ in range(4):
        h.step(ConsoleReady(3))
    assert h.shown() == b"bbbbbbcccccc"
    assert (h.resumed(sh), h.resumed(job)) == (6, 6)


def test_a_new_size_is_told_to_the_foreground_once() -> None:
    h = Terminals()
    sh = h.shell()
    job = h.job(sh, foreground=True)
    h.handle(job, Signo.SIGWINCH)
    h.step(ConsoleSize(50, 132))
    assert h.flagged(job)
    assert h.sigfetch(job)
    h.step(ConsoleSize(50, 132))
    assert not h.flagged(job)
    address = h.room(sh, 8)
    assert h.call(sh, "ioctl", 0, t.TIOCGWINSZ, address) == 0
    assert t.WINSIZE.unpack(h.get(sh, address, 8)) == (50, 132, 0, 0)


def test_hang_up_is_end_of_file_and_kills_the_session() -> None:
    h = Terminals()
    sh = h.shell()
    job = h.job(sh, foreground=True)
    h.handle(sh, Signo.SIGHUP, 1)
    h.handle(job, Signo.SIGHUP, 1)
    assert h.read(job) is PARKED
    h.step(ConsoleInput(b""))
    assert h.arrived(job) == b""
    assert h.write(job, b"x") == -Errno.EIO
    assert h.ask(job, 0, t.TCGETS) == -Errno.EIO
    assert h.ask(job, 0, t.TIOCSPGRP, 1) == -Errno.ENOTTY
    assert job.process.fds.files[0].poll() & poll.POLLHUP


def test_hang_up_without_handlers_ends_shell_and_job() -> None:
    h = Terminals()
    sh = h.shell()
    job = h.job(sh, foreground=True)
    h.step(ConsoleInput(b""))
    assert not sh.process.alive
    assert not job.process.alive


def test_what_a_shell_leaves_behind_loses_the_console() -> None:
    h = Terminals()
    sh = h.shell()
    job = h.job(sh)
    h.set(sh, off=t.ICANON)
    h.exit(sh)
    assert job.process.alive, "SIGHUP is for the foreground group only"
    assert h.read(job) == b""
    assert h.write(job, b"x") == -Errno.EIO
    assert h.kernel.console.tty.ldisc.canonical
    again = h.shell()
    assert h.ask(again, 0, t.TIOCGPGRP) == again.tid
    h.type(b"next\r")
    assert h.read(again) == b"next\n"


def test_a_host_signal_without_a_pid_is_for_the_foreground() -> None:
    h = Terminals()
    sh = h.shell()
    job = h.job(sh, foreground=True)
    h.step(HostSignal(0, Signo.SIGTERM))
    assert not job.process.alive
    assert sh.process.alive


def test_without_a_session_keys_signal_what_the_monitor_started() -> None:
    h = Terminals()
    task = h.process(session=False)
    task.process.tag = 1
    task.process.fds.put(0, h.kernel.console.open(task, "console", 0))
    h.type(b"\x03")
    assert not task.process.alive


def test_the_console_is_found_by_its_name() -> None:
    h = Terminals(devices=True)
    sh = h.shell()
    there, here = h.room(sh, 256), h.room(sh, 256)
    for path in (b"/dev/console", b"/dev/tty"):
        fd = h.done(sh, "openat", -100, path, fcntl.O_RDWR, 0)
        assert fd >= 0
        assert h.call(sh, "statx", -100, path, 0, 0x7FF, there) == 0
        assert h.call(sh, "statx", fd, b"", fcntl.AT_EMPTY_PATH, 0x7FF, here) == 0
        assert h.get(sh, there, 64) == h.get(sh, here, 64)
    assert sh.process.fds.files[0].place is not None
    other = h.process()
    assert h.call(other, "openat", -100, b"/dev/tty", fcntl.O_RDWR, 0) == -Errno.ENXIO


def test_null_reads_nothing_and_takes_all() -> None:
    h = Terminals()
    task = h.shell("null")
    assert h.read(task) == b""
    assert h.write(task, b"gone") == 4
    assert h.ask(task, 0, t.TCGETS) == -Errno.ENOTTY


def test_an_unknown_name_is_refused() -> None:
    h = Terminals()
    for name in ("", "stream", "stream:", "stream:-1", "console2"):
        with pytest.raises(SysError):
            h.kernel.console.open(h.process(), name, 0)


# --- streams


def test_a_stream_is_read_as_it_comes_and_acknowledged() -> None:
    h = Terminals()
    task = h.shell("stream:7")
    assert h.read(task) is PARKED
    h.step(StreamInput(7, b"hello"))
    assert h.arrived(task) == b"hello"
    assert h.taken(StreamTaken) == [StreamTaken(7, 5)]
    h.step(StreamInput(7, b"rest"))
    h.step(StreamInput(7, b""))
    assert h.read(task, size=2) == b"re"
    assert h.read(task) == b"st"
    assert h.read(task) == b""
    assert h.read(task) == b""


def test_a_stream_writes_within_its_credit() -> None:
    h = Terminals()
    task = h.shell("stream:7")
    assert h.write(task, b"x" * (WINDOW + 5)) is PARKED
    assert h.streamed() == [(7, b"x" * WINDOW)]
    h.step(StreamReady(7, 3))
    assert h.streamed() == [(7, b"xxx")]
    assert h.resumed(task) is PARKED
    h.step(StreamReady(7, 10))
    assert h.streamed() == [(7, b"xx")]
    assert h.resumed(task) == WINDOW + 5


def test_a_stream_whose_reader_is_gone_breaks_the_pipe() -> None:
    h = Terminals()
    task = h.shell("stream:7")
    h.handle(task, Signo.SIGPIPE, 1)
    h.step(StreamReady(7, 0))
    assert h.write(task, b"x") == -Errno.EPIPE
    assert task.process.fds.files[1].poll() & poll.POLLERR
    victim = h.fork(task)
    h.handle(victim, Signo.SIGPIPE, 0)
    h.write(victim, b"x")
    assert not victim.process.alive


def test_a_stream_is_closed_once_with_its_last_descriptor() -> None:
    h = Terminals()
    task = h.shell("stream:7")
    assert h.call(task, "close", 1) == 0
    assert h.streamed() == []
    assert h.call(task, "close", 2) == 0
    assert h.streamed() == [(7, b"")]
    h.taken(StreamTaken)
    assert h.call(task, "close", 0) == 0
    assert h.taken(StreamTaken) == [StreamTaken(7, 0)]
    h.step(StreamInput(7, b"late"))
    h.step(StreamReady(7, 10))
    assert not h.kernel.console.streams.inputs
    assert not h.kernel.console.streams.outputs


def test_a_stream_says_it_is_a_pipe_and_polls() -> None:
    h = Terminals()
    task = h.shell("stream:7")
    reader, writer = task.process.fds.files[0], task.process.fds.files[1]
    assert reader.stat().mode & fcntl.S_IFMT == fcntl.S_IFIFO  # type: ignore[union-attr]
    assert not reader.poll()
    h.step(StreamInput(7, b"abc"))
    assert reader.poll() == poll.READABLE
    assert h.ask(task, 0, t.FIONREAD) == 3
    assert writer.poll() == poll.WRITABLE
    writer.set_flags(fcntl.O_NONBLOCK)
    assert h.write(task, bytes(WINDOW + 1)) == WINDOW
    assert h.write(task, b"x") == -Errno.EAGAIN
    assert not writer.poll()
    reader.set_flags(fcntl.O_NONBLOCK)
    h.read(task)
    assert h.read(task) == -Errno.EAGAIN


def test_a_stopped_job_does_not_take_the_shells_line() -> None:
    h = Terminals()
    sh = h.shell()
    cat = h.job(sh, foreground=True)
    assert h.read(cat) is PARKED
    h.type(b"\x1a")
    assert cat.process.stopped
    h.handle(sh, Signo.SIGTTOU, 1)
    h.give(sh, sh)
    assert h.read(sh) is PARKED
    h.type(b"fg\n")
    assert h.arrived(sh) == b"fg\n"
    h.give(sh, cat)
    assert h.call(sh, "kill", cat.tid, Signo.SIGCONT) == 0
    assert h.resumed(cat) is PARKED
    h.type(b"for cat\n")
    assert h.arrived(cat) == b"for cat\n"
