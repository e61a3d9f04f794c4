# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Requests for host files: what they do, and that nothing outside a tree is reached."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skerry.abi import hostfs as h
from skerry.abi.errno import Errno
from skerry.abi.errors import ProtocolError
from skerry.box.hostfiles import HostTrees

READ, WRITE, CREATE, EXCLUSIVE, TRUNCATE, APPEND = h.How


class Trees:
    """Tree 1 is writable, tree 2 the same folder read-only, tree 3 one file of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = HostTrees()
        (folder / "sub").mkdir()
        (folder / "sub" / "file").write_bytes(b"content")
        (folder / "link").symlink_to("/etc")
        (folder / "sub" / "up").symlink_to("..")
        os.mkfifo(folder / "fifo")
        assert stat.S_ISDIR(self.host.add(1, str(folder), False).mode)
        assert stat.S_ISDIR(self.host.add(2, str(folder), True).mode)
        assert stat.S_ISREG(self.host.add(3, str(folder / "sub" / "file"), False).mode)

    def ask(self, request: object) -> Any:
        return self.host.answer(request)

    def fails(self, request: object) -> int:
        reply = self.ask(request)
        assert isinstance(reply, h.Failed), reply
        return reply.errno

    def open(self, how: int, *path: bytes, tree: int = 1, size: int = 100) -> Any:
        return self.ask(h.Open(tree, path, how, 0o644, size))


@pytest.fixture
def trees(tmp_path: Path) -> Iterator[Trees]:
    made = Trees(tmp_path)
    yield made
    made.host.close()


def test_walk_goes_as_far_as_it_can(trees: Trees) -> None:
    full = trees.ask(h.Walk(1, (b"sub", b"file")))
    assert [stat.S_IFMT(one.mode) for one in full.stats] == [stat.S_IFDIR, stat.S_IFREG]
    assert full.errno == 0 and full.stats[1].size == 7 and full.stats[1].uid == 0
    assert trees.ask(h.Walk(1, (b"sub", b"no", b"more"))).errno == Errno.ENOENT
    assert trees.ask(h.Walk(1, (b"sub", b"file", b"more"))).errno == Errno.ENOTDIR
    through = trees.ask(h.Walk(1, (b"link", b"passwd")))
    assert through.errno == Errno.ELOOP and stat.S_ISLNK(through.stats[-1].mode) and len(through.stats) == 1
    assert len(trees.ask(h.Walk(1, ())).stats) == 1


def test_listing_comes_in_parts(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skerry.box.hostfiles.LISTING_MAX", 2)
    names, cookie = [], 0
    while True:
        part = trees.ask(h.List(1, (), cookie))
        names += [entry.name for entry in part.entries]
        cookie = part.cookie
        if not cookie:
            break
    assert sorted(names) == [b"fifo", b"link", b"sub"]


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"a\0b", b"x" * 256, b"/etc"])
def test_no_name_leads_out(trees: Trees, name: bytes) -> None:
    for request in (h.Walk(1, (name,)), h.Open(1, (name,), READ, 0, 1), h.List(1, (name,), 0),
                    h.Mkdir(1, (b"sub", name), 0o755), h.Unlink(1, (name,)), h.Symlink(1, (name,), b"x")):  # fmt: skip
        with pytest.raises(ProtocolError):
            trees.ask(request)


def test_links_are_never_followed(trees: Trees) -> None:
    assert trees.fails(h.Open(1, (b"link",), READ, 0, 1)) == Errno.ELOOP
    assert trees.fails(h.Open(1, (b"link", b"passwd"), READ, 0, 1)) == Errno.ELOOP
    assert trees.fails(h.List(1, (b"link",), 0)) == Errno.ELOOP
    assert trees.fails(h.Open(1, (b"sub", b"up", b"sub", b"file"), READ, 0, 1)) == Errno.ELOOP
    assert trees.fails(h.Mkdir(1, (b"link", b"new"), 0o755)) == Errno.ELOOP
    assert trees.fails(h.Setattr(1, (b"link",), 0, 0o777, None, None, None)) == Errno.EOPNOTSUPP
    assert trees.ask(h.Readlink(1, (b"link",))) == h.Data(b"/etc")


def test_a_folder_that_becomes_a_link_is_not_followed(trees: Trees, tmp_path: Path) -> None:
    opened = trees.open(READ, b"sub", b"file")
    (tmp_path / "sub").rename(tmp_path / "moved")
    (tmp_path / "sub").symlink_to("/etc")
    assert trees.fails(h.Open(1, (b"sub", b"passwd"), READ, 0, 1)) == Errno.ELOOP
    assert trees.ask(h.Read(opened.handle, 0, 100)) == h.Data(b"content")


def test_only_regular_files_are_opened(trees: Trees) -> None:
    assert trees.fails(h.Open(1, (b"fifo",), READ, 0, 1)) == Errno.ENXIO
    assert trees.fails(h.Open(1, (b"sub",), READ, 0, 1)) == Errno.EISDIR


def test_open_brings_the_first_bytes(trees: Trees) -> None:
    opened = trees.open(READ, b"sub", b"file", size=3)
    assert opened.data == b"con" and opened.handle and opened.stat.size == 7
    assert trees.ask(h.Read(opened.handle, 3, 100)) == h.Data(b"tent")
    assert trees.ask(h.Close(opened.handle)) == h.Done()
    assert trees.fails(h.Read(opened.handle, 0, 1)) == Errno.EBADF
    whole = trees.open(READ, b"sub", b"file", tree=2)
    assert whole.data == b"content" and whole.handle == 0


def test_writing(trees: Trees, tmp_path: Path) -> None:
    made = trees.open(READ | WRITE | CREATE | EXCLUSIVE, b"new")
    assert trees.ask(h.Write(made.handle, 0, b"hello")) == h.Count(5)
    assert trees.ask(h.Write(made.handle, 3, b"p!")) == h.Count(2)
    assert trees.ask(h.Fsync(made.handle)) == h.Done()
    assert (tmp_path / "new").read_bytes() == b"help!"
    assert trees.fails(h.Open(1, (b"new",), WRITE | CREATE | EXCLUSIVE, 0o644, 0)) == Errno.EEXIST
    more = trees.open(WRITE | APPEND, b"new")
    trees.ask(h.Write(more.handle, 0, b"?"))
    assert (tmp_path / "new").read_bytes() == b"help!?"
    trees.open(WRITE | TRUNCATE, b"new")
    assert (tmp_path / "new").read_bytes() == b""


def test_names_change(trees: Trees, tmp_path: Path) -> None:
    assert stat.S_ISDIR(trees.ask(h.Mkdir(1, (b"dir",), 0o4755)).stat.mode)
    assert not (tmp_path / "dir").stat().st_mode & 0o4000
    assert trees.ask(h.Symlink(1, (b"dir", b"l"), b"target")).stat.size == 6
    assert trees.ask(h.Link(1, (b"sub", b"file"), (b"dir", b"second"))).stat.nlink == 2
    assert trees.ask(h.Rename(1, (b"dir", b"second"), (b"third",), 0)) == h.Done()
    assert trees.fails(h.Rename(1, (b"third",), (b"sub", b"file"), 1)) == Errno.EEXIST
    assert trees.fails(h.Rename(1, (b"third",), (b"sub", b"file"), 2)) == Errno.EINVAL
    assert trees.fails(h.Rmdir(1, (b"dir",))) == Errno.ENOTEMPTY
    assert trees.ask(h.Unlink(1, (b"dir", b"l"))) == h.Done()
    assert trees.ask(h.Rmdir(1, (b"dir",))) == h.Done()
    assert sorted(os.listdir(tmp_path)) == ["fifo", "link", "sub", "third"]


def test_attributes(trees: Trees, tmp_path: Path) -> None:
    path = (b"sub", b"file")
    trees.ask(h.Setattr(1, path, 0, 0o4600, 3, 1_000, None))
    status = (tmp_path / "sub" / "file").stat()
    assert stat.S_IMODE(status.st_mode) == 0o600, "no set-uid bit is put on the host"
    assert status.st_size == 3 and status.st_atime_ns == 1_000
    opened = trees.open(WRITE, *path)
    changed = trees.ask(h.Setattr(1, (), opened.handle, None, 1, None, 5_000)).stat
    assert changed.size == 1 and changed.mtime_ns == 5_000
    assert trees.fails(h.Setattr(1, path, 0, None, -1, None, None)) == Errno.EINVAL


def test_a_read_only_tree_stays_as_it_is(trees: Trees, tmp_path: Path) -> None:
    path = (b"sub", b"file")
    handle = trees.open(READ, *path, tree=2, size=0).handle
    for request in (
        h.Open(2, path, READ | WRITE, 0, 0), h.Open(2, (b"n",), READ | CREATE, 0o600, 0), h.Mkdir(2, (b"n",), 0),
        h.Open(2, path, READ | TRUNCATE, 0, 0), h.Symlink(2, (b"n",), b"x"), h.Link(2, path, (b"n",)),
        h.Rename(2, path, (b"n",), 0), h.Unlink(2, path), h.Rmdir(2, (b"sub",)),
        h.Setattr(2, path, 0, 0o777, None, None, None), h.Setattr(2, (), handle, None, 0, None, None),
    ):  # fmt: skip
        assert trees.fails(request) == Errno.EROFS, request
    assert trees.fails(h.Write(handle, 0, b"x")) == Errno.EBADF
    assert (tmp_path / "sub" / "file").read_bytes() == b"content"
    assert trees.ask(h.Statfs(2)).read_only


def test_a_single_file(trees: Trees) -> None:
    assert trees.ask(h.Walk(3, ())).stats[0].size == 7
    assert trees.open(READ, tree=3).data == b"content"
    assert trees.ask(h.Walk(3, (b"x",))).errno == Errno.ENOTDIR
    assert trees.fails(h.List(3, (), 0)) == Errno.ENOTDIR


def test_what_no_kernel_of_ours_sends(trees: Trees) -> None:
    with pytest.raises(ProtocolError):
        trees.ask(h.Walk(9, (b"x",)))
    with pytest.raises(ProtocolError):
        trees.ask(h.Walk(1, (b"x",) * (h.DEPTH_MAX + 1)))
    assert trees.fails(h.Failed(1)) == Errno.EACCES
    assert trees.fails(h.Read(77, 0, 1)) == Errno.EBADF
    opened = trees.open(READ, b"sub", b"file", size=0)
    assert trees.fails(h.Read(opened.handle, -1, 5)) == Errno.EINVAL
    assert trees.ask(h.Read(opened.handle, 1 << 40, 5)) == h.Data(b"")
    assert trees.ask(h.Read(opened.handle, 0, -5)) == h.Data(b"")
