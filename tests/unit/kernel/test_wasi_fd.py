# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""WASI descriptors: data, positions, flags, rights, numbers, preopened directories."""
from __future__ import annotations

import pytest
from tests.unit.kernel.harness import PARKED
from tests.unit.kernel.wasi_program import HERE_FD, READ_WRITE, ROOT_FD, E, WasiProgram

from skerry.abi import fcntl
from skerry.abi import wasi as w
from skerry.abi.signal import Signo
from skerry.kernel.pipe import Pipe, PipeEnd

NEW = w.OFLAG_CREAT | w.OFLAG_EXCL


@pytest.fixture
def program() -> WasiProgram:
    return WasiProgram()


def pipe_ends(program: WasiProgram, nonblocking: bool = False) -> tuple[int, int]:
    """Descriptors of a pipe: reading, writing."""
    pipe, flags = Pipe(), fcntl.O_NONBLOCK if nonblocking else 0
    reader = program.give(PipeEnd(program.task, pipe, fcntl.O_RDONLY | flags))
    return reader, program.give(PipeEnd(program.task, pipe, fcntl.O_WRONLY | flags))


# --- data


def test_write_seek_read(program: WasiProgram) -> None:
    fd = program.open(b"f", NEW)
    assert program.write(fd, b"hello world") == 11
    program.done("fd_seek", fd, -5, fcntl.SEEK_CUR, program.out)
    assert program.told64 == 6
    assert program.read(fd) == b"world"
    assert program.read(fd) == b""


def test_vectors_gather_and_scatter(program: WasiProgram) -> None:
    fd = program.open(b"f", NEW)
    parts = program.vector((program.put(b"one"), 3), (0, 0), (program.put(b"two"), 3))
    program.done("fd_write", fd, parts, 3, program.out)
    assert program.told == 6
    one, two = program.room(4), program.room(4)
    program.done("fd_pread", fd, program.vector((one, 2), (two, 4)), 2, 1, program.out)
    assert (program.told, program.get(one, 2), program.get(two, 3)) == (5, b"ne", b"two")


def test_pwrite_leaves_the_position(program: WasiProgram) -> None:
    fd = program.open(b"f", NEW)
    program.write(fd, b"abcdef")
    program.done("fd_pwrite", fd, program.vector((program.put(b"XY"), 2)), 1, 1, program.out)
    program.done("fd_tell", fd, program.out)
    assert program.told64 == 6
    program.done("fd_seek", fd, 0, fcntl.SEEK_SET, program.out)
    assert program.read(fd) == b"aXYdef"


def test_offsets_past_every_file_are_invalid(program: WasiProgram) -> None:
    fd = program.open(b"f", NEW)
    vector = program.vector((program.room(4), 4))
    assert program.call("fd_pread", fd, vector, 1, 1 << 63, program.out) == E.EINVAL
    assert program.call("fd_seek", fd, -1, fcntl.SEEK_SET, program.out) == E.EINVAL
    assert program.call("fd_seek", fd, 0, 3, program.out) == E.EINVAL  # SEEK_DATA is not WASI's


def test_access_modes(program: WasiProgram) -> None:
    program.make(b"f", b"data")
    reading = program.open(b"f", rights=w.FD_READ)
    writing = program.open(b"f", rights=w.FD_WRITE)
    vector = program.vector((program.room(4), 4))
    assert program.call("fd_write", reading, vector, 1, program.out) == E.EBADF
    assert program.call("fd_read", writing, vector, 1, program.out) == E.EBADF


def test_pipe_parks_and_resumes(program: WasiProgram) -> None:
    reading, writing = pipe_ends(program)
    buf = program.room(16)
    assert program.call("fd_read", reading, program.vector((buf, 16)), 1, program.out) is PARKED
    other = WasiProgram(h=program.h)
    other.give(program.task.process.fds.files[writing], 1)
    assert other.write(1, b"through") == 7
    assert program.resumed() == 0
    assert program.get(buf, program.told) == b"through"


def test_non_blocking_pipe(program: WasiProgram) -> None:
    reading, _ = pipe_ends(program)
    program.done("fd_fdstat_set_flags", reading, w.FDFLAG_NONBLOCK)
    assert program.fdstat(reading)[1] == w.FDFLAG_NONBLOCK
    assert program.call("fd_read", reading, program.vector((program.room(4), 4)), 1, program.out) == E.EAGAIN
    assert program.call("fd_seek", reading, 0, 0, program.out) == E.ESPIPE


def test_broken_pipe_kills(program: WasiProgram) -> None:
    reading, writing = pipe_ends(program)
    program.done("fd_close", reading)
    assert program.call("fd_write", writing, program.vector((program.put(b"x"), 1)), 1, program.out) is PARKED
    assert program.h.stopped(program.task)
    assert program.task.process.status == Signo.SIGPIPE


def test_a_parked_reader_can_be_killed(program: WasiProgram) -> None:
    reading, _ = pipe_ends(program)
    assert program.call("fd_read", reading, program.vector((program.room(4), 4)), 1, program.out) is PARKED
    killer = program.h.process()
    assert program.h.call(killer, "kill", program.task.process.pid, Signo.SIGTERM) == 0
    assert program.task.process.status == Signo.SIGTERM


def test_a_stopped_reader_is_not_interrupted(program: WasiProgram) -> None:
    reading, writing = pipe_ends(program)
    assert program.call("fd_read", reading, program.vector((program.room(4), 4)), 1, program.out) is PARKED
    killer, pid = program.h.process(), program.task.process.pid
    for signo in (Signo.SIGSTOP, Signo.SIGCONT, Signo.SIGCHLD, Signo.SIGWINCH):
        assert program.h.call(killer, "kill", pid, signo) == 0
    assert program.resumed() is PARKED
    killer.process.fds.put(1, program.task.process.fds.files[writing])
    assert program.h.call(killer, "write", 1, program.h.put(killer, b"hey"), 3) == 3
    assert program.resumed() == 0


# --- size


def test_size_and_space(program: WasiProgram) -> None:
    fd = program.open(b"f", NEW)
    program.done("fd_filestat_set_size", fd, 10)
    assert program.read(fd) == bytes(10)
    program.done("fd_allocate", fd, 0, 100)
    assert program.stat(b"f")[4] == 100
    assert program.call("fd_allocate", fd, 0, 0) == E.EINVAL
    assert program.call("fd_filestat_set_size", fd, -1) == E.EINVAL


def test_advice(program: WasiProgram) -> None:
    fd = program.open(b"f", NEW)
    for advice in range(6):
        program.done("fd_advise", fd, 0, 100, advice)
    assert program.call("fd_advise", fd, 0, 100, 6) == E.EINVAL
    assert program.call("fd_advise", pipe_ends(program)[0], 0, 1, 0) == E.ESPIPE


def test_sync(program: WasiProgram) -> None:
    fd = program.open(b"f", NEW)
    program.done("fd_sync", fd)
    program.done("fd_datasync", fd)
    program.done("fd_sync", HERE_FD)


# --- flags and rights


def test_append(program: WasiProgram) -> None:
    program.make(b"f", b"one")
    fd = program.open(b"f", fdflags=w.FDFLAG_APPEND)
    assert program.fdstat(fd)[1] == w.FDFLAG_APPEND
    program.write(fd, b"two")
    program.done("fd_fdstat_set_flags", fd, 0)
    program.done("fd_seek", fd, 0, 0, program.out)
    program.write(fd, b"ONE")
    program.done("fd_seek", fd, 0, 0, program.out)
    assert program.read(fd) == b"ONEtwo"


def test_flags_that_cannot_be_set(program: WasiProgram) -> None:
    fd = program.open(b"f", NEW)
    assert program.call("fd_fdstat_set_flags", fd, w.FDFLAG_SYNC) == E.ENOTSUP
    assert program.call("fd_fdstat_set_flags", fd, 32) == E.EINVAL


def test_rights_are_those_of_kind_and_mode(program: WasiProgram) -> None:
    program.make(b"f")
    _, _, rights, inheriting = program.fdstat(program.open(b"f", rights=w.FD_READ))
    assert rights & w.FD_READ and not rights & w.FD_WRITE and not rights & w.FD_FILESTAT_SET_SIZE
    assert inheriting == 0
    kind, _, rights, inheriting = program.fdstat(ROOT_FD)
    assert (kind, rights, inheriting) == (w.FILETYPE_DIRECTORY, w.DIRECTORY, w.INHERITING)
    kind, _, rights, _ = program.fdstat(pipe_ends(program)[0])
    assert kind == 0 and not rights & (w.FD_SEEK | w.FD_TELL | w.FD_WRITE)


def test_only_a_terminal_looks_like_one(program: WasiProgram) -> None:
    console = program.h.kernel.console
    program.give(console.open(program.task, "console", 0), 0)
    program.give(console.open(program.task, "null", 1), 1)
    for fd, position in ((0, 0), (1, w.FD_SEEK | w.FD_TELL)):
        kind, _, rights, _ = program.fdstat(fd)
        assert (kind, rights & (w.FD_SEEK | w.FD_TELL)) == (2, position)


def test_rights_can_only_shrink(program: WasiProgram) -> None:
    fd = program.open(b"f", NEW)
    _, _, rights, _ = program.fdstat(fd)
    program.done("fd_fdstat_set_rights", fd, rights & ~w.FD_WRITE, 0)
    assert program.fdstat(fd)[2] == rights & ~w.FD_WRITE
    vector = program.vector((program.put(b"x"), 1))
    assert program.call("fd_write", fd, vector, 1, program.out) == E.ENOTCAPABLE
    assert program.call("fd_fdstat_set_rights", fd, rights, 0) == E.ENOTCAPABLE
    assert program.call("fd_fdstat_set_rights", fd, 1 << 40, 0) == E.ENOTCAPABLE
    program.done("fd_close", fd)
    again = program.open(b"f")
    assert again == fd
    assert program.write(again, b"x") == 1  # the limit went with the descriptor


def test_limits_are_inherited(program: WasiProgram) -> None:
    program.make(b"f")
    here = program.open(b".", w.OFLAG_DIRECTORY, w.FD_READ)
    program.done("fd_fdstat_set_rights", here, w.DIRECTORY & ~w.PATH_CREATE_FILE, w.INHERITING & ~w.FD_WRITE)
    fd = program.open(b"f", rights=w.FD_READ, at=here)
    assert not program.fdstat(fd)[2] & w.FD_WRITE
    arguments = (here, 0, b"f", 0, READ_WRITE, 0, 0, program.out)
    assert program.call("path_open", *arguments) == E.ENOTCAPABLE
    assert program.call("path_open", here, 0, b"g", NEW, w.FD_READ, 0, 0, program.out) == E.ENOTCAPABLE


# --- descriptors


def test_renumber(program: WasiProgram) -> None:
    program.make(b"a", b"A")
    program.make(b"b", b"B")
    a, b = program.open(b"a"), program.open(b"b")
    program.done("fd_renumber", a, b)
    assert program.read(b) == b"A"
    assert program.call("fd_close", a) == E.EBADF
    assert program.call("fd_renumber", b, a) == E.EBADF
    program.done("fd_renumber", b, b)
    assert program.call("fd_renumber", -100, b) == E.EBADF


def test_preopened_directories(program: WasiProgram) -> None:
    for fd, name in ((ROOT_FD, b"/"), (HERE_FD, b".")):
        program.done("fd_prestat_get", fd, program.out)
        assert w.PRESTAT.unpack(program.get(program.out, 8)) == (w.PREOPENTYPE_DIR, 1)
        program.done("fd_prestat_dir_name", fd, program.out, 1)
        assert program.get(program.out, 1) == name
        assert program.call("fd_prestat_dir_name", fd, program.out, 0) == E.ENAMETOOLONG
    for fd in (0, 5, -1, -100):
        assert program.call("fd_prestat_get", fd, program.out) == E.EBADF


def test_inherited_descriptors_keep_their_numbers(program: WasiProgram) -> None:
    program.give(program.h.kernel.console.open(program.task, "null", 3), 3)
    program.done("fd_prestat_get", 3, program.out)
    assert program.get(program.out, 1) != bytes([w.PREOPENTYPE_DIR])  # passed over, not the end
    for fd in (4, 5):
        program.done("fd_prestat_get", fd, program.out)
        assert program.get(program.out, 1) == bytes([w.PREOPENTYPE_DIR])
    assert program.call("fd_prestat_get", 6, program.out) == E.EBADF


def test_a_closed_preopened_directory_is_one_no_more(program: WasiProgram) -> None:
    program.make(b"f")
    program.done("fd_close", ROOT_FD)
    assert program.call("fd_prestat_get", ROOT_FD, program.out) == E.EBADF
    assert program.open(b"f") == ROOT_FD
    assert program.call("fd_prestat_get", ROOT_FD, program.out) == E.EBADF


def test_no_descriptor_left(program: WasiProgram) -> None:
    program.task.process.fds.limit = 4
    assert program.call("fd_prestat_get", 4, program.out) == E.EBADF
    program.done("fd_prestat_get", 3, program.out)
    assert program.call("path_open", 3, 0, b"f", NEW, READ_WRITE, 0, 0, program.out) == E.EMFILE
    assert program.call("path_filestat_get", 3, 0, b"f", program.out) == E.ENOENT  # and none was made
