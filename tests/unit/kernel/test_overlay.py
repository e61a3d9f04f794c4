# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The read-only host tree and the writable file system over it."""
from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.unit.kernel.files import Files, failure

from skerry.abi import hostfs
from skerry.abi.errno import Errno
from skerry.abi.fcntl import O_APPEND, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY
from skerry.kernel.fs.hosttree import HostTree
from skerry.kernel.fs.overlay import Overlay
from skerry.kernel.fs.tmpfs import Tmpfs


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "prog").write_bytes(b"\0asm" + bytes(1000))
    (tmp_path / "bin" / "prog").chmod(0o755)
    (tmp_path / "etc" / "deep" / "er").mkdir(parents=True)
    (tmp_path / "etc" / "passwd").write_text("root\n")
    os.link(tmp_path / "etc" / "passwd", tmp_path / "etc" / "shadow")
    (tmp_path / "etc" / "link").symlink_to("deep/../passwd")
    (tmp_path / "big").write_bytes(bytes(range(256)) * 4000)
    return tmp_path


@pytest.fixture
def box(tree: Path) -> Files:
    return Files(Overlay(HostTree(0), 2 << 20), [(b"/tmp", Tmpfs()), (b"/etc/deep/mnt", Tmpfs())], {0: tree})


def test_each_thing_is_asked_for_once(box: Files) -> None:
    for _ in range(3):
        assert box.read(b"/etc/link") == b"root\n"
    assert box.host.names() == ["List", "List", "Readlink", "Open"]
    with failure(Errno.ENOENT):
        box.stat(b"/etc/none")
    assert box.host.names() == []


def test_everything_belongs_to_root(box: Files) -> None:
    box.become(1000)
    assert (box.stat(b"/etc/passwd").uid, box.stat(b"/etc").uid) == (0, 0)
    with failure(Errno.EACCES):
        box.open(b"/etc/passwd", O_RDWR)
    with failure(Errno.EACCES):
        box.mkdir(b"/new")


def test_long_content_comes_in_pieces(
    box: Files, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hostfs, "BLOCK_MAX", 100_000)
    assert box.read(b"/big") == (tree / "big").read_bytes()
    assert box.host.handles == 0


def test_files_too_long_to_keep_are_read_through_a_handle(
    box: Files, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skerry.kernel.fs.hosttree.FILE_MAX", 1000)
    fd = box.open(b"/big")
    assert box.pread(fd, 10, 300) == (tree / "big").read_bytes()[300:310]
    assert box.host.handles == 1
    box.close(fd)
    box.host.serve(box.h)
    assert box.host.handles == 0


def test_writing_copies_up_and_leaves_the_host_alone(box: Files, tree: Path) -> None:
    reader = box.open(b"/etc/passwd")
    box.write(b"/etc/passwd", b"user\n", O_WRONLY | O_APPEND)
    assert box.read(b"/etc/passwd") == b"root\nuser\n"
    assert box.get(reader) == b"root\nuser\n"  # unlike overlayfs: one file, whoever opened it when
    assert box.read(b"/etc/shadow") == b"root\nuser\n"  # and the other name of it
    assert box.stat(b"/etc/passwd").ino == box.stat(b"/etc/shadow").ino
    assert (tree / "etc" / "passwd").read_text() == "root\n"


def test_truncating_needs_no_copy(box: Files) -> None:
    box.close(box.open(b"/big", O_RDWR | O_TRUNC))
    assert box.stat(b"/big").size == 0
    assert "Open" not in box.host.names()


def test_attributes_change_without_a_copy(box: Files) -> None:
    box.chmod(b"/big", 0o600)
    assert box.stat(b"/big").mode & 0o777 == 0o600
    assert "Open" not in box.host.names()
    assert box.stat(b"/big").blocks > 0


def test_copying_up_into_a_full_file_system(tree: Path) -> None:
    box = Files(Overlay(HostTree(0), 1 << 19), host={0: tree})
    with failure(Errno.ENOSPC):
        box.open(b"/big", O_RDWR)
    assert len(box.read(b"/big")) == 1_024_000


def test_removed_names_stay_removed(box: Files, tree: Path) -> None:
    box.unlink(b"/etc/passwd")
    assert sorted(box.list(b"/etc")) == [b"deep", b"link", b"shadow"]
    with failure(Errno.ENOENT):
        box.read(b"/etc/link")
    assert box.stat(b"/etc/shadow").nlink == 1
    box.write(b"/etc/passwd", b"new")
    assert box.read(b"/etc/link") == b"new"
    assert (tree / "etc" / "passwd").read_text() == "root\n"


def test_a_new_directory_under_an_old_name_is_empty(box: Files) -> None:
    box.unlink(b"/bin/prog")
    box.rmdir(b"/bin")
    box.mkdir(b"/bin")
    assert box.list(b"/bin") == []


def test_lower_directories_can_be_renamed(box: Files) -> None:
    box.rename(b"/bin", b"/tools")
    assert box.list(b"/tools") == [b"prog"]
    assert box.read(b"/tools/prog")[:4] == b"\0asm"
    box.rename(b"/tools/prog", b"/etc/deep/er/prog")
    assert sorted(box.list(b"/etc/deep")) == [b"er", b"mnt"]
    with failure(Errno.EXDEV):
        box.rename(b"/tools", b"/tmp/tools")


def test_a_directory_that_is_not_empty_below_is_not_removed(box: Files) -> None:
    with failure(Errno.ENOTEMPTY):
        box.rmdir(b"/bin")
    box.mkdir(b"/d")
    with failure(Errno.ENOTEMPTY):
        box.rename(b"/d", b"/bin")


def test_mounts_find_their_place_before_the_host_is_asked(box: Files) -> None:
    box.write(b"/etc/deep/mnt/f", b"x")
    assert box.list(b"/etc/deep/mnt") == [b"f"]
    assert sorted(box.list(b"/etc")) == [b"deep", b"link", b"passwd", b"shadow"]
    assert box.stat(b"/etc").mode & 0o777 == 0o755


def test_a_tree_without_a_layer_over_it(tree: Path) -> None:
    box = Files(HostTree(0), [(b"/tmp", Tmpfs()), (b"/etc/new/place", Tmpfs())], {0: tree})
    box.write(b"/tmp/f", b"x")
    box.write(b"/etc/new/place/f", b"x")
    assert sorted(box.list(b"/")) == [b"big", b"bin", b"etc", b"tmp"]
    for call in (
        lambda: box.write(b"/big", b""), lambda: box.mkdir(b"/d"), lambda: box.unlink(b"/big"),
        lambda: box.chmod(b"/big", 0), lambda: box.rename(b"/big", b"/x"),
        lambda: box.call("truncate64", b"/big", 0, 0),
    ):  # fmt: skip
        with failure(Errno.EROFS):
            call()
    with failure(Errno.EROFS):
        box.call("faccessat", -100, b"/big", 2)


def test_a_program_is_loaded_once_and_again_after_a_change(box: Files) -> None:
    from skerry.kernel.commands import Exec, Load

    def run(path: bytes) -> int:
        task = box.h.process()
        box.h.call(task, "execve", path, box.h.strings(task, [b"prog"]), box.h.strings(task, []))
        box.host.serve(box.h)
        assert box.h.taken(Exec)
        return len(box.h.taken(Load))

    assert [run(b"/bin/prog"), run(b"/bin/prog")] == [1, 0]
    box.write(b"/bin/prog", b"\0asm!", O_WRONLY)
    assert [run(b"/bin/../bin/prog"), run(b"/bin/prog")] == [1, 0]


def test_what_can_not_be_executed(box: Files) -> None:
    from skerry.kernel.commands import Exec

    for path, errno in (
        (b"/etc/passwd", Errno.EACCES), (b"/bin", Errno.EACCES), (b"/none", Errno.ENOENT),
        (b"/bin/prog/", Errno.ENOTDIR), (b"/etc/passwd/x", Errno.ENOTDIR),
    ):  # fmt: skip
        with failure(errno):
            box.call("execve", path, 0, 0)
    assert not box.h.taken(Exec)


def test_the_host_failing_is_an_errno(box: Files, tree: Path) -> None:
    box.list(b"/")
    (tree / "big").unlink()
    with failure(Errno.ENOENT):
        box.get(box.open(b"/big", O_RDONLY))
