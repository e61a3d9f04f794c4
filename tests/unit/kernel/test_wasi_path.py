# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""WASI paths: where they start, what they may reach, what the calls do."""
from __future__ import annotations

import pytest
from tests.unit.kernel.harness import PARKED
from tests.unit.kernel.wasi_program import HERE_FD, READ_WRITE, ROOT_FD, E, WasiProgram

from skerry.abi import wasi as w
from skerry.abi.limits import PATH_MAX
from skerry.kernel.fs.hosttree import HostTree
from skerry.kernel.fs.tmpfs import Tmpfs
from skerry.kernel.mount import Namespace
from skerry.kernel.vfs import Inode

NEW = w.OFLAG_CREAT | w.OFLAG_EXCL


@pytest.fixture
def program() -> WasiProgram:
    return WasiProgram()


@pytest.fixture
def at_work() -> WasiProgram:
    """A program whose working directory is /home/work; /etc/passwd and /tmp are there as well."""
    program = WasiProgram()
    setup = WasiProgram(h=program.h)
    for name in (b"home", b"home/work", b"home/work/sub", b"etc", b"tmp"):
        setup.done("path_create_directory", ROOT_FD, name)
    setup.make(b"etc/passwd", b"root", at=ROOT_FD)
    setup.make(b"home/work/here", b"here", at=ROOT_FD)
    home = _child(program.task.process.fs.root, b"home")
    program.task.process.fs.cwd = _child(home, b"work")
    return program


def _child(directory: Inode, name: bytes) -> Inode:
    found = directory.lookup(name)
    assert found is not None
    return found


# --- start and limits of a path


@pytest.mark.parametrize(
    ("path", "error"),
    [
        (b"", E.ENOENT), (b"/f", E.EPERM), (b"..", E.EPERM), (b"d/../..", E.EPERM), (b"d/../../f", E.EPERM),
        (b"./../f", E.EPERM), (b"f\0", E.EINVAL), (b"f/", E.ENOTDIR), (b"f/g", E.ENOTDIR), (b"g", E.ENOENT),
        (b"x" * PATH_MAX, E.ENAMETOOLONG), (b"x" * 256, E.ENAMETOOLONG), (b"f", 0), (b"d/../f", 0),
        (b"d/.//./../f", 0), (b"d/", 0), (b"d//", 0),
    ],
)  # fmt: skip
def test_paths(program: WasiProgram, path: bytes, error: int) -> None:
    program.make(b"f", at=ROOT_FD)
    program.done("path_create_directory", ROOT_FD, b"d")
    assert program.call("path_filestat_get", ROOT_FD, 0, path, program.out) == error


def test_an_opened_directory_is_not_left_by_text(at_work: WasiProgram) -> None:
    sub = at_work.open(b"sub", w.OFLAG_DIRECTORY, w.FD_READ)
    assert at_work.call("path_filestat_get", sub, 0, b"../here", at_work.out) == E.EPERM
    assert at_work.stat(b"../work/here")[4] == 4  # the working directory is no jail


def test_the_root_cannot_be_left(program: WasiProgram) -> None:
    inner = WasiProgram(h=program.h)
    program.done("path_create_directory", ROOT_FD, b"jail")
    program.make(b"outside", at=ROOT_FD)
    jail = _child(program.task.process.fs.root, b"jail")
    inner.task.process.fs.root = inner.task.process.fs.cwd = jail
    inner.done("path_symlink", b"../outside", ROOT_FD, b"up")
    inner.done("path_symlink", b"/outside", ROOT_FD, b"top")
    for path in (b"up", b"top", b"outside"):
        assert inner.call("path_filestat_get", ROOT_FD, 1, path, inner.out) == E.ENOENT
    for path in (b"../outside", b"../../outside"):
        assert inner.call("path_filestat_get", HERE_FD, 1, path, inner.out) == E.ENOENT


def test_not_a_directory_descriptor(program: WasiProgram) -> None:
    program.make(b"f")
    fd = program.open(b"f")
    assert program.call("path_filestat_get", fd, 0, b"f", program.out) == E.ENOTDIR
    assert program.call("path_filestat_get", 1, 0, b"f", program.out) == E.ENOTDIR
    assert program.call("path_filestat_get", -100, 0, b"f", program.out) == E.EBADF  # AT_FDCWD is not WASI's


# --- what wasi-libc sends: absolute and relative paths without their leading slash


def test_relative_paths_come_first(at_work: WasiProgram) -> None:
    assert at_work.read(at_work.open(b"here")) == b"here"
    assert at_work.read(at_work.open(b"./here")) == b"here"
    at_work.make(b"new")
    assert at_work.stat(b"home/work/new", ROOT_FD)


def test_absolute_paths_are_found(at_work: WasiProgram) -> None:
    assert at_work.read(at_work.open(b"etc/passwd")) == b"root"
    at_work.make(b"tmp/new")
    assert at_work.stat(b"tmp/new", ROOT_FD)
    assert at_work.call("path_filestat_get", HERE_FD, 0, b"./etc/passwd", at_work.out) == E.ENOENT


def test_a_folder_here_does_not_hide_the_root(at_work: WasiProgram) -> None:
    at_work.done("path_create_directory", HERE_FD, b"./etc")
    assert at_work.read(at_work.open(b"etc/passwd")) == b"root"
    at_work.make(b"etc/mine")
    assert at_work.stat(b"home/work/etc/mine", ROOT_FD)


def test_nowhere_to_be_found(at_work: WasiProgram) -> None:
    assert at_work.call("path_filestat_get", HERE_FD, 0, b"none/none", at_work.out) == E.ENOENT
    assert at_work.call("path_unlink_file", HERE_FD, b"none") == E.ENOENT


def test_the_root_descriptor_is_exact(at_work: WasiProgram) -> None:
    assert at_work.call("path_filestat_get", ROOT_FD, 0, b"here", at_work.out) == E.ENOENT


# --- open


def test_open_flags(program: WasiProgram) -> None:
    program.make(b"f", b"content")
    arguments = (READ_WRITE, 0, 0, program.out)
    assert program.call("path_open", HERE_FD, 0, b"f", NEW, *arguments) == E.EEXIST
    assert program.call("path_open", HERE_FD, 0, b"g", 0, *arguments) == E.ENOENT
    assert program.call("path_open", HERE_FD, 0, b"f", w.OFLAG_DIRECTORY, *arguments) == E.ENOTDIR
    assert program.call("path_open", HERE_FD, 0, b"f", 16, *arguments) == E.EINVAL
    assert program.call("path_open", HERE_FD, 2, b"f", 0, *arguments) == E.EINVAL
    assert program.call("path_open", HERE_FD, 0, b"f", 0, READ_WRITE, 0, 32, program.out) == E.EINVAL
    assert program.call("path_open", HERE_FD, 0, b".", 0, *arguments) == E.EISDIR
    program.open(b"f", w.OFLAG_TRUNC)
    assert program.stat(b"f")[4] == 0


def test_open_without_any_right(program: WasiProgram) -> None:
    program.make(b"f", b"content")
    program.done("path_open", HERE_FD, 0, b"f", w.OFLAG_TRUNC, 0, 0, 0, program.out)
    assert not program.fdstat(program.told)[2] & w.FD_WRITE
    assert program.stat(b"f")[4] == 0


def test_new_files_obey_the_umask(program: WasiProgram) -> None:
    program.task.process.fs.umask = 0o027
    program.make(b"f")
    program.done("path_create_directory", HERE_FD, b"d")
    root = program.task.process.fs.root
    assert [_child(root, name).mode & 0o777 for name in (b"f", b"d")] == [0o640, 0o750]


def test_permissions(program: WasiProgram) -> None:
    program.make(b"f")
    inode = _child(program.task.process.fs.root, b"f")
    inode.mode &= ~0o222
    assert program.call("path_open", HERE_FD, 0, b"f", 0, READ_WRITE, 0, 0, program.out) == E.EACCES
    program.open(b"f", rights=w.FD_READ)
    inode.uid = 0
    assert program.call("path_filestat_set_times", HERE_FD, 0, b"f", 1, 1, w.FST_ATIM) == E.EPERM


def test_read_only_file_systems() -> None:
    program = WasiProgram(namespace=Namespace(Tmpfs(mode=0o1777), [(b"/ro", Tmpfs(mode=0o1777))]))
    program.make(b"ro/f")
    _child(program.task.process.fs.root, b"ro").mounted.fs.read_only = True  # type: ignore[union-attr]
    assert program.call("path_open", HERE_FD, 0, b"ro/f", 0, READ_WRITE, 0, 0, program.out) == E.EROFS
    assert program.call("path_create_directory", HERE_FD, b"ro/d") == E.EROFS
    assert program.call("path_filestat_set_times", HERE_FD, 0, b"ro/f", 1, 1, w.FST_ATIM) == E.EROFS


def test_cold_trees_are_fetched_first() -> None:
    program = WasiProgram(namespace=Namespace(HostTree(0)))
    assert program.call("path_filestat_get", ROOT_FD, 0, b"bin", program.out) is PARKED


# --- links


def test_links(program: WasiProgram) -> None:
    program.make(b"f", b"data")
    program.done("path_symlink", b"f", HERE_FD, b"l")
    program.done("path_symlink", b"l2", HERE_FD, b"l1")
    program.done("path_symlink", b"l1", HERE_FD, b"l2")
    assert (program.stat(b"l")[2], program.stat(b"l", follow=False)[2]) == (4, 7)
    arguments = (READ_WRITE, 0, 0, program.out)
    assert program.call("path_open", HERE_FD, 0, b"l", 0, *arguments) == E.ELOOP
    assert program.call("path_open", HERE_FD, 1, b"l1", 0, *arguments) == E.ELOOP
    assert program.call("path_symlink", b"", HERE_FD, b"e") == E.ENOENT
    assert program.call("path_symlink", b"x", HERE_FD, b"f") == E.EEXIST


def test_readlink(program: WasiProgram) -> None:
    program.make(b"f")
    program.done("path_symlink", b"target", HERE_FD, b"l")
    buf = program.room(16)
    for size, text in ((16, b"target"), (3, b"tar"), (0, b"")):
        program.done("path_readlink", HERE_FD, b"l", buf, size, program.out)
        assert program.get(buf, program.told) == text
    assert program.call("path_readlink", HERE_FD, b"f", buf, 16, program.out) == E.EINVAL


def test_hard_links(program: WasiProgram) -> None:
    program.make(b"f", b"data")
    program.done("path_symlink", b"f", HERE_FD, b"l")
    program.done("path_link", HERE_FD, 0, b"f", HERE_FD, b"g")
    program.done("path_link", HERE_FD, 0, b"l", HERE_FD, b"m")
    program.done("path_link", HERE_FD, 1, b"l", HERE_FD, b"n")
    assert program.stat(b"g")[3] == 3
    assert (program.stat(b"m", follow=False)[2], program.stat(b"n", follow=False)[2]) == (7, 4)
    assert program.call("path_link", HERE_FD, 0, b"f", HERE_FD, b"g") == E.EEXIST
    program.done("path_create_directory", HERE_FD, b"d")
    assert program.call("path_link", HERE_FD, 0, b"d", HERE_FD, b"e") == E.EPERM


# --- remove and rename


def test_remove(program: WasiProgram) -> None:
    program.done("path_create_directory", HERE_FD, b"d")
    program.make(b"d/f")
    assert program.call("path_remove_directory", HERE_FD, b"d") == E.ENOTEMPTY
    assert program.call("path_unlink_file", HERE_FD, b"d") == E.EISDIR
    assert program.call("path_remove_directory", HERE_FD, b"d/f") == E.ENOTDIR
    program.done("path_unlink_file", HERE_FD, b"d/f")
    program.done("path_remove_directory", HERE_FD, b"d")
    assert program.call("path_create_directory", HERE_FD, b"a/b") == E.ENOENT


def test_rename(program: WasiProgram) -> None:
    program.make(b"f", b"data")
    program.make(b"g", b"other")
    program.done("path_create_directory", HERE_FD, b"d")
    program.done("path_rename", HERE_FD, b"f", HERE_FD, b"g")
    program.done("path_rename", HERE_FD, b"g", ROOT_FD, b"d/h")
    assert program.read(program.open(b"d/h")) == b"data"
    assert program.call("path_rename", HERE_FD, b"d", HERE_FD, b"d/e") == E.EINVAL
    program.make(b"i")
    assert program.call("path_rename", HERE_FD, b"i", HERE_FD, b"d") == E.EISDIR
    assert program.call("path_rename", HERE_FD, b"d", HERE_FD, b"i") == E.ENOTDIR


def test_an_open_file_outlives_its_name(program: WasiProgram) -> None:
    fd = program.open(b"f", NEW)
    program.write(fd, b"still there")
    program.done("path_unlink_file", HERE_FD, b"f")
    program.done("fd_seek", fd, 0, 0, program.out)
    assert program.read(fd) == b"still there"
