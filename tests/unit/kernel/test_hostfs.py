# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Live folders of the host."""
from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.unit.kernel.files import Files, failure
from tests.unit.kernel.harness import MILLISECOND, SECOND

from skerry.abi.errno import Errno
from skerry.abi.fcntl import (
    AT_SYMLINK_NOFOLLOW,
    O_APPEND,
    O_CREAT,
    O_EXCL,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
    S_IFREG,
    SEEK_END,
)
from skerry.abi.hostfs import Stat
from skerry.kernel.fs.hostfs import HostFs
from skerry.kernel.fs.tmpfs import Tmpfs

USER = 1000
A_FILE = Stat(S_IFREG | 0o644, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "e" / "f").write_text("text")
    (tmp_path / "link").symlink_to("d/e/f")
    return tmp_path


@pytest.fixture
def box(folder: Path) -> Files:
    return Files(mounts=[(b"/work", HostFs(1)), (b"/work/in/side", Tmpfs())], host={1: folder}, uid=USER)


def test_a_path_is_one_trip(box: Files) -> None:
    assert box.read(b"/work/d/e/f") == b"text"
    assert box.host.names() == ["Walk", "Walk", "Open", "Close"]
    box.stat(b"/work/d/e/f")
    assert box.host.names() == []
    assert box.read(b"/work/link") == b"text"
    assert box.readlink(b"/work/link") == b"d/e/f"


def test_what_the_host_changes_is_seen_soon(box: Files, folder: Path) -> None:
    assert box.list(b"/work/d") == [b"e"]
    with failure(Errno.ENOENT):
        box.stat(b"/work/d/new")
    (folder / "d" / "new").write_text("here")
    (folder / "d" / "e" / "f").write_text("changed")
    box.h.advance(150 * MILLISECOND)
    assert sorted(box.list(b"/work/d")) == [b"e", b"new"]
    assert box.read(b"/work/d/new") == b"here"
    assert box.stat(b"/work/d/e/f").size == 7
    (folder / "d" / "new").unlink()
    box.h.advance(150 * MILLISECOND)
    with failure(Errno.ENOENT):
        box.read(b"/work/d/new")


def test_a_file_that_grows_there_is_followed(box: Files, folder: Path) -> None:
    fd = box.open(b"/work/d/e/f")
    assert box.get(fd) == b"text"
    assert box.get(fd) == b""
    box.h.advance(SECOND)
    assert box.get(fd) == b""
    with (folder / "d" / "e" / "f").open("a") as file:
        file.write(" and more")
    assert box.get(fd) == b" and more"


def test_changes_are_made_there(box: Files, folder: Path) -> None:
    box.write(b"/work/new", b"hello")
    box.mkdir(b"/work/dir")
    box.symlink(b"new", b"/work/sym")
    box.link(b"/work/new", b"/work/dir/hard")
    box.rename(b"/work/d/e", b"/work/dir/moved")
    box.chmod(b"/work/new", 0o640)
    box.call("utimensat_time64", -100, b"/work/new", box.h.longs(box.task, 5, 6, 7, 8), 0)
    assert (folder / "dir" / "hard").read_text() == "hello"
    assert os.readlink(folder / "sym") == "new"
    assert (folder / "dir" / "moved" / "f").read_text() == "text"
    status = (folder / "new").stat()
    assert (status.st_mode & 0o777, status.st_mtime_ns, status.st_nlink) == (0o640, 7 * SECOND + 8, 2)
    assert box.stat(b"/work/new").nlink == 2
    assert box.stat(b"/work/new").ino == box.stat(b"/work/dir/hard").ino
    box.unlink(b"/work/new")
    assert box.stat(b"/work/dir/hard").nlink == 1
    box.unlink(b"/work/dir/moved/f")
    box.rmdir(b"/work/dir/moved")
    assert sorted(os.listdir(folder)) == ["d", "dir", "link", "sym"]
    with failure(Errno.ENOENT):
        box.stat(b"/work/d/e")


def test_open_files(box: Files, folder: Path) -> None:
    fd = box.open(b"/work/f", O_CREAT | O_EXCL | O_RDWR, 0o444)
    assert box.put(fd, b"0123456789") == 10
    assert box.pread(fd, 4, 3) == b"3456"
    assert box.call("pwrite64", fd, box.h.put(box.task, b"xy"), 2, 4, 0) == 2
    assert box.pread(fd, 99, 0) == b"0123xy6789"
    assert (folder / "f").read_bytes() == b"0123xy6789"
    assert box.seek(fd, -2, SEEK_END) == 8
    assert box.get(fd) == b"89"
    box.call("ftruncate64", fd, 3, 0)
    assert (box.stat(fd).size, (folder / "f").stat().st_size) == (3, 3)
    assert box.call("fsync", fd) == 0
    other = box.open(b"/work/d/e/f", O_WRONLY | O_APPEND)
    box.put(other, b"+1")
    box.put(other, b"+2")
    assert box.read(b"/work/d/e/f") == b"text+1+2"
    box.unlink(b"/work/f")
    assert box.stat(fd).nlink == 0
    box.call("fchmod", fd, 0o600)
    box.close(fd)
    box.close(other)
    box.host.serve(box.h)
    assert box.host.handles == 0
    box.close(box.open(b"/work/d/e/f", O_WRONLY | O_TRUNC))
    assert (folder / "d" / "e" / "f").read_bytes() == b""


def test_two_open_files_see_each_others_writes(box: Files) -> None:
    one, two = box.open(b"/work/d/e/f", O_RDWR), box.open(b"/work/d/e/f", O_RDWR)
    assert box.pread(two, 4, 0) == b"text"
    box.put(one, b"T")
    assert box.pread(two, 4, 0) == b"Text"


def test_long_files(box: Files, folder: Path) -> None:
    data = bytes(range(256)) * 3000
    (folder / "long").write_bytes(data)
    assert box.read(b"/work/long") == data
    box.write(b"/work/copy", data)
    assert (folder / "copy").read_bytes() == data
    assert box.pread(box.open(b"/work/long"), 60000, 500_000) == data[500_000:560_000]


def test_whose_files_they_are(box: Files, folder: Path) -> None:
    status = box.stat(b"/work/d/e/f")
    assert (status.uid, status.gid) == (USER, USER)
    assert box.stat(b"/work").uid == USER
    with failure(Errno.EPERM):
        box.call("fchownat", -100, b"/work/d/e/f", USER, 5, 0)
    box.call("fchownat", -100, b"/work/d/e/f", USER, USER, 0)
    with failure(Errno.EPERM):
        box.call("mknodat", -100, b"/work/fifo", 0o10644, 0)


def test_the_hosts_errors_are_the_guests(box: Files, folder: Path) -> None:
    with failure(Errno.ENOTEMPTY):
        box.rmdir(b"/work/d")
    with failure(Errno.EEXIST):
        box.mkdir(b"/work/d")
    with failure(Errno.EXDEV):
        box.rename(b"/work/d", b"/elsewhere")
    (folder / "link2").symlink_to("/")
    assert box.readlink(b"/work/link2") == b"/"
    assert box.stat(b"/work/link2", AT_SYMLINK_NOFOLLOW).size == 1
    assert sorted(box.list(b"/work/link2")) == [b"work"]  # the box's root, never the host's


def test_a_mount_inside(box: Files, folder: Path) -> None:
    box.write(b"/work/in/side/f", b"x")
    assert box.list(b"/work/in/side") == [b"f"]
    assert box.list(b"/work/in") == [b"side"]
    assert sorted(box.list(b"/work")) == [b"d", b"in", b"link"]
    assert not (folder / "in").exists()


def test_a_single_file(folder: Path) -> None:
    path = folder / "d" / "e" / "f"
    box = Files(mounts=[(b"/etc/conf", HostFs(1, top=A_FILE))], host={1: path}, uid=USER)
    assert box.stat(b"/etc/conf").size == 4
    assert box.read(b"/etc/conf") == b"text"
    box.write(b"/etc/conf", b"longer text")
    assert path.read_text() == "longer text"
    assert box.stat(b"/etc/conf").size == 11
    with failure(Errno.ENOTDIR):
        box.stat(b"/etc/conf/x")


def test_a_read_only_folder_still_follows_the_host(folder: Path) -> None:
    box = Files(mounts=[(b"/ro", HostFs(0, read_only=True))], host={0: folder}, uid=USER)
    fd = box.open(b"/ro/d/e/f")
    (folder / "d" / "e" / "f").write_text("new text")
    box.h.advance(SECOND)
    assert box.stat(b"/ro/d/e/f").size == 8
    assert box.get(fd) == b"text"  # all of it came with the opening
    assert box.read(b"/ro/d/e/f") == b"new text"
    for path in (b"/ro/x", b"/ro/d/e/f"):
        with failure(Errno.EROFS):
            box.write(path, b"")
    with failure(Errno.EROFS):
        box.unlink(b"/ro/link")


def test_a_program_that_was_changed_there_is_loaded_again(box: Files, folder: Path) -> None:
    from skerry.kernel.commands import Exec, Load

    (folder / "prog").write_bytes(b"\0asm1")
    (folder / "prog").chmod(0o755)

    def run() -> int:
        task = box.h.process()
        box.h.call(task, "execve", b"/work/prog", box.h.strings(task, [b"prog"]), box.h.strings(task, []))
        box.host.serve(box.h)
        assert box.h.taken(Exec)
        return len(box.h.taken(Load))

    assert [run(), run()] == [1, 0]
    (folder / "prog").write_bytes(b"\0asm22")
    box.h.advance(SECOND)
    assert [run(), run()] == [1, 0]


def test_statfs_asks_the_host(box: Files) -> None:
    address = box.h.room(box.task, 88)
    box.call("statfs64", b"/work", 88, address)
    assert int.from_bytes(box.h.get(box.task, address, 4), "little") == 0x01021997
