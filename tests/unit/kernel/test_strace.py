# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""strace's format; compared by eye with strace -f once, kept here."""
from __future__ import annotations

import pytest
from tests.unit.kernel.harness import SECOND, Harness

from skerry.abi.signal import SA_RESTART, Signo
from skerry.abi.syscalls import SYSCALLS
from skerry.kernel.commands import Log
from skerry.kernel.strace import Tracer
from skerry.kernel.straceargs import quote
from skerry.kernel.stracestructs import sigset, write_address
from skerry.kernel.stracetable import ARGUMENTS
from skerry.kernel.sys.table import TABLE

RESTARTED = "? ERESTARTSYS (To be restarted if SA_RESTART is set)"
SIGCHLD_LINE = (
    "[pid     2] --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=3, si_uid=1000, "
    "si_status=3, si_utime=0, si_stime=0} ---"
)


def traced() -> tuple[Harness, list[str]]:
    h, lines = Harness(), list[str]()
    h.kernel.tracer = Tracer(lines.append)
    return h, lines


def test_results_stand_in_column_40() -> None:
    h, lines = traced()
    task = h.process()
    h.done(task, "getpid")
    h.done(task, "openat", -100, b"/none", 0o2000002, 0)
    h.done(task, "openat", -100, b"/none/x", 0o102, 0o644)
    assert lines == [
        "getpid()                                = 2",
        'openat(AT_FDCWD, "/none", O_RDWR|O_CLOEXEC) = -1 ENOENT (No such file or directory)',
        'openat(AT_FDCWD, "/none/x", O_RDWR|O_CREAT, 0644) = -1 ENOENT (No such file or directory)',
    ]


def test_a_call_that_waits_is_taken_up_again() -> None:
    h, lines = traced()
    parent = h.process()
    h.handle(parent, Signo.SIGCHLD, 0x4455, SA_RESTART)
    child = h.fork(parent)
    h.call(parent, "wait4", -1, h.room(parent, 4), 0, 0)
    h.call(child, "clock_nanosleep_time64", 0, 0, h.timespec(child, SECOND), 0)
    h.advance(SECOND)
    h.exit(child, 3)
    h.sigfetch(parent)
    assert lines == [
        "rt_sigaction(SIGCHLD, {sa_handler=0x4455, sa_mask=[], sa_flags=SA_RESTART}, NULL, 8) = 0",
        "fork()                                  = 3",
        "[pid     2] wait4(-1,  <unfinished ...>",
        "[pid     3] clock_nanosleep_time64(CLOCK_REALTIME, 0, {tv_sec=1, tv_nsec=0},  <unfinished ...>",
        "[pid     3] <... clock_nanosleep_time64 resumed>NULL) = 0",
        "[pid     3] exit_group(3)               = ?",
        "[pid     3] +++ exited with 3 +++",
        "[pid     2] <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 3",
        SIGCHLD_LINE,
    ]


def test_interruption_death_and_restart() -> None:
    h, lines = traced()
    task, other = h.process(), h.process()
    h.handle(task, Signo.SIGUSR1, flags=SA_RESTART)
    h.fork(task)
    lines.clear()
    h.call(task, "wait4", -1, 0, 0, 0)
    h.done(other, "kill", task.tid, Signo.SIGUSR1)
    h.call(other, "kill", other.tid, Signo.SIGTERM)
    h.call(task, "rt_sigsuspend", h.longs(task, 1 << 9), 8)
    h.exit(task)
    assert lines[1:] == [
        "[pid     3] kill(2, SIGUSR1)            = 0",
        f"[pid     2] <... wait4 resumed>NULL, 0, NULL) = {RESTARTED}",
        "[pid     3] kill(3, SIGTERM)            = ?",
        "[pid     3] +++ killed by SIGTERM +++",
        "[pid     2] rt_sigsuspend([USR1], 8 <unfinished ...>",
        "[pid     2] exit_group(0)               = ?",
        "[pid     2] +++ exited with 0 +++",
    ]


def test_vfork() -> None:
    h, lines = traced()
    parent = h.process()
    child = h.vfork(parent)
    h.done(child, "exit_group", 1)
    h.done(parent, "getpid")
    assert lines == [
        "vfork( <unfinished ...>",
        "[pid     3] exit_group(1)               = ?",
        "[pid     3] +++ exited with 1 +++",
        "[pid     2] <... vfork resumed>)        = 3",
        "[pid     2] getpid()                    = 2",
    ]


def test_a_victim_that_was_not_in_a_call() -> None:
    h, lines = traced()
    task, other = h.process(), h.process()
    h.done(task, "getpid")
    h.done(other, "kill", task.tid, Signo.SIGKILL)
    assert lines[-2:] == [
        "[pid     3] kill(2, SIGKILL)            = 0",
        "[pid     2] +++ killed by SIGKILL +++",
    ]


def test_strings_are_escaped_and_cut() -> None:
    assert quote(b'a\0\1"x\n\377\0017') == r'"a\0\1\"x\n\377\0017"'
    assert quote(b"x" * 33) == '"' + "x" * 32 + '"...'


def test_sets_and_addresses() -> None:
    assert sigset(0) == "[]"
    assert sigset(1 << 1 | 1 << 16) == "[INT CHLD]"
    assert sigset((1 << 64) - 1 & ~(1 << 8)) == "~[KILL]"
    assert write_address(b"\1\0/tmp/s\0") == '{sa_family=AF_UNIX, sun_path="/tmp/s"}'
    assert write_address(b"\1\0\0name") == '{sa_family=AF_UNIX, sun_path=@"name"}'
    assert write_address(b"\2\0\0\x50\x7f\0\0\1") == (
        '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}'
    )


def test_without_a_sink_lines_are_commands() -> None:
    h = Harness()
    h.kernel.tracer = Tracer()
    h.done(h.process(), "getpid")
    assert h.taken(Log) == [Log("getpid()                                = 2")]


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_hostile_arguments_are_written_not_followed(name: str) -> None:
    """Every kind survives pointers and numbers that mean nothing."""
    if name not in TABLE:
        pytest.skip("not entered yet")
    words = SYSCALLS[name][1] if name in SYSCALLS else len(ARGUMENTS[name])
    for word in (-1, 0, 5, 0x7FFFFFFF, -0x80000000):
        h, lines = traced()
        task = h.process()
        h.call(task, name, *[word] * words)
        assert lines[0].partition("(")[0] == name


def test_every_word_has_a_kind() -> None:
    for name, kinds in ARGUMENTS.items():
        if name in SYSCALLS and name not in ("prctl",):
            assert len(kinds) == SYSCALLS[name][1], name
