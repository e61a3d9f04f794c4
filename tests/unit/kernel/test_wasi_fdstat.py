# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""WASI descriptors: attributes and directory entries."""
from __future__ import annotations

import pytest
from tests.unit.kernel.wasi_program import HERE_FD, E, WasiProgram

from skerry.abi import wasi as w

NEW = w.OFLAG_CREAT | w.OFLAG_EXCL


@pytest.fixture
def program() -> WasiProgram:
    return WasiProgram()


# --- attributes


def test_filestat(program: WasiProgram) -> None:
    fd = program.open(b"f", NEW)
    program.write(fd, b"12345")
    program.done("fd_filestat_get", fd, program.out)
    dev, ino, kind, links, size, _, mtim, _ = w.FILESTAT.unpack(program.get(program.out, 64))
    assert (kind, links, size, mtim) == (4, 1, 5, program.h.clock.realtime_ns())
    assert (dev, ino) == program.stat(b"f")[:2]


def test_times(program: WasiProgram) -> None:
    fd = program.open(b"f", NEW)
    program.done("fd_filestat_set_times", fd, 123, 456, w.FST_ATIM | w.FST_MTIM)
    assert program.stat(b"f")[5:7] == (123, 456)
    program.done("fd_filestat_set_times", fd, 0, 0, w.FST_MTIM_NOW)
    assert program.stat(b"f")[5:7] == (123, program.h.clock.realtime_ns())
    program.done("path_filestat_set_times", HERE_FD, 0, b"f", 7, 8, w.FST_ATIM)
    assert program.stat(b"f")[5] == 7
    for flags in (w.FST_ATIM | w.FST_ATIM_NOW, w.FST_MTIM | w.FST_MTIM_NOW, 16):
        assert program.call("fd_filestat_set_times", fd, 0, 0, flags) == E.EINVAL


# --- entries


def test_entries(program: WasiProgram) -> None:
    program.make(b"f")
    program.done("path_create_directory", HERE_FD, b"d")
    program.done("path_symlink", b"f", HERE_FD, b"l")
    fd = program.open(b".", w.OFLAG_DIRECTORY, w.FD_READ)
    kinds = {name: kind for name, kind, _ in program.entries(fd)}
    assert kinds == {b".": 3, b"..": 3, b"f": 4, b"d": 3, b"l": 7}


def test_a_small_buffer_is_filled_and_cut(program: WasiProgram) -> None:
    program.make(b"a-rather-long-name")
    fd = program.open(b".", w.OFLAG_DIRECTORY, w.FD_READ)
    for size in (0, 1, 24, 25, 60):
        program.done("fd_readdir", fd, program.room(64), size, 0, program.out)
        assert program.told == size


def test_cookies_stay_good_while_entries_go(program: WasiProgram) -> None:
    names = [b"%03d" % number for number in range(200)]
    for name in names:
        program.make(name)
    fd = program.open(b".", w.OFLAG_DIRECTORY, w.FD_READ)
    seen: list[bytes] = []
    cookie = 0
    while found := program.entries(fd, cookie, 256):
        for name, _, _ in found:
            if name not in (b".", b".."):
                seen.append(name)
                program.done("path_unlink_file", HERE_FD, name)
        cookie = found[-1][2]
    assert sorted(seen) == names
    assert [name for name, _, _ in program.entries(fd)] == [b".", b".."]  # cookie 0 looks again


def test_entries_from_a_cookie_again(program: WasiProgram) -> None:
    for number in range(20):
        program.make(b"%d" % number)
    fd = program.open(b".", w.OFLAG_DIRECTORY, w.FD_READ)
    every = program.entries(fd)
    assert program.entries(fd, every[7][2]) == every[8:]
    assert program.entries(fd, every[-1][2]) == []
    assert program.entries(fd, 10**6) == []
    assert program.call("fd_readdir", fd, program.room(64), 64, -1, program.out) == E.EINVAL


def test_what_directories_cannot_do(program: WasiProgram) -> None:
    fd = program.open(b".", w.OFLAG_DIRECTORY, w.FD_READ)
    vector = program.vector((program.room(4), 4))
    assert program.call("fd_read", fd, vector, 1, program.out) == E.EISDIR
    assert program.call("fd_write", fd, vector, 1, program.out) == E.EBADF
    assert program.call("fd_seek", fd, 0, 0, program.out) == E.EBADF
    assert program.call("fd_tell", fd, program.out) == E.EBADF
    assert program.call("fd_advise", fd, 0, 1, 0) == E.EBADF
    program.make(b"f")
    assert program.call("fd_readdir", program.open(b"f"), program.room(64), 64, 0, program.out) == E.ENOTDIR
