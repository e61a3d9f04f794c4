# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""From paths to inodes."""
from __future__ import annotations

import pytest
from tests.unit.kernel.files import Files, failure

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.kernel.fs.tmpfs import Tmpfs


@pytest.fixture
def box() -> Files:
    box = Files(mounts=[(b"/tmp", Tmpfs())])
    box.mkdir(b"/tmp/d")
    box.mkdir(b"/tmp/d/e")
    box.write(b"/tmp/d/f", b"text")
    return box


@pytest.mark.parametrize(
    "path", [b"/tmp/d/f", b"//tmp///d//f", b"/tmp/./d/./f", b"/tmp/d/e/../f", b"/../../tmp/d/f", b"tmp/d/f"]
)
def test_ways_to_a_file(box: Files, path: bytes) -> None:
    assert box.read(path) == b"text"


@pytest.mark.parametrize(
    ("path", "errno"),
    [
        (b"", Errno.ENOENT),
        (b"/tmp/none", Errno.ENOENT),
        (b"/tmp/none/f", Errno.ENOENT),
        (b"/tmp/d/f/", Errno.ENOTDIR),
        (b"/tmp/d/f/.", Errno.ENOTDIR),
        (b"/tmp/d/f/..", Errno.ENOTDIR),
        (b"/tmp/" + b"n" * 256, Errno.ENAMETOOLONG),
        (b"/tmp/" + b"n" * 256 + b"/f", Errno.ENAMETOOLONG),
        (b"/" * 4096, Errno.ENAMETOOLONG),
    ],
)
def test_ways_to_nothing(box: Files, path: bytes, errno: Errno) -> None:
    with failure(errno):
        box.stat(path)


def test_the_longest_path_and_name(box: Files) -> None:
    box.write(b"/tmp/" + b"n" * 255, b"")
    assert box.read(b"/" * (4095 - 7) + b"tmp/d/f"[-7:]) == b"text"


def test_links_are_followed_in_the_middle_and_at_the_end(box: Files) -> None:
    box.symlink(b"d", b"/tmp/rel")
    box.symlink(b"/tmp/d/f", b"/tmp/abs")
    box.symlink(b"../d/f", b"/tmp/d/up")
    assert box.read(b"/tmp/rel/f") == box.read(b"/tmp/abs") == box.read(b"/tmp/rel/up") == b"text"
    assert box.readlink(b"/tmp/abs") == b"/tmp/d/f"
    assert box.stat(b"/tmp/abs", fcntl.AT_SYMLINK_NOFOLLOW).size == 8


def test_forty_links_and_no_more(box: Files) -> None:
    box.symlink(b"d/f", b"/tmp/l0")
    for number in range(1, 41):
        box.symlink(b"l%d" % (number - 1), b"/tmp/l%d" % number)
    assert box.read(b"/tmp/l39") == b"text"
    with failure(Errno.ELOOP):
        box.read(b"/tmp/l40")


def test_a_link_to_itself(box: Files) -> None:
    box.symlink(b"loop", b"/tmp/loop")
    for path in (b"/tmp/loop", b"/tmp/loop/x"):
        with failure(Errno.ELOOP):
            box.read(path)


def test_search_permission_is_needed_on_every_directory(box: Files) -> None:
    box.chmod(b"/tmp/d", 0o600)
    box.become(1000)
    for path in (b"/tmp/d/f", b"/tmp/d/e/../f", b"/tmp/d/."):
        with failure(Errno.EACCES):
            box.stat(path)
    assert box.stat(b"/tmp/d").mode & 0o777 == 0o600
    box.become(0)
    assert box.read(b"/tmp/d/f") == b"text"


def test_groups_count_and_the_owner_class_comes_first(box: Files) -> None:
    box.call("fchownat", -100, b"/tmp/d/f", 1000, 77, 0)
    box.chmod(b"/tmp/d/f", 0o040)
    box.become(1000)
    with failure(Errno.EACCES):
        box.read(b"/tmp/d/f")
    box.become(1001)
    box.task.process.cred.groups = (77,)
    assert box.read(b"/tmp/d/f") == b"text"


def test_paths_from_a_descriptor(box: Files) -> None:
    fd = box.open(b"/tmp/d", fcntl.O_PATH)
    assert box.get(box.open(b"f", dirfd=fd)) == b"text"
    assert box.get(box.open(b"/tmp/d/f", dirfd=999)) == b"text"  # not looked at
    with failure(Errno.EBADF):
        box.open(b"f", dirfd=999)
    with failure(Errno.ENOTDIR):
        box.open(b"f", dirfd=box.open(b"/tmp/d/f"))


def test_the_working_directory_follows_renames_and_removal(box: Files) -> None:
    box.chdir(b"/tmp/d/e")
    assert box.getcwd() == b"/tmp/d/e"
    box.rename(b"/tmp/d", b"/tmp/x")
    assert box.getcwd() == b"/tmp/x/e"
    box.rmdir(b"/tmp/x/e")
    with failure(Errno.ENOENT):
        box.getcwd()
    with failure(Errno.ENOENT):
        box.write(b"new", b"")
    assert box.list(b"..") == [b"f"]


def test_getcwd_of_a_short_buffer(box: Files) -> None:
    box.chdir(b"/tmp/d")
    address = box.h.room(box.task, 16)
    with failure(Errno.ERANGE):
        box.call("getcwd", address, 6)
    assert box.call("getcwd", address, 7) == 7


def test_chroot_closes_the_way_up(box: Files) -> None:
    box.write(b"/secret", b"x")
    box.call("chroot", b"/tmp/d")
    box.chdir(b"/")
    assert box.getcwd() == b"/"
    assert box.list(b"/../..") == [b"e", b"f"]
    box.symlink(b"/../../secret", b"/l")
    with failure(Errno.ENOENT):
        box.read(b"/l")


def test_chroot_is_for_root(box: Files) -> None:
    box.become(1000)
    with failure(Errno.EPERM):
        box.call("chroot", b"/tmp")


def test_dots_cross_mounts() -> None:
    box = Files(mounts=[(b"/a/b", Tmpfs()), (b"/a/b/c/d", Tmpfs()), (b"/tmp", Tmpfs())])
    box.chdir(b"/a/b/c/d")
    assert box.getcwd() == b"/a/b/c/d"
    assert box.list(b"../../../..") == [b"tmp", b"a"]
    assert box.stat(b"..").dev == box.stat(b"/a/b").dev != box.stat(b".").dev
    with failure(Errno.EBUSY):
        box.rmdir(b"/a/b/c/d")
    with failure(Errno.EBUSY):
        box.rename(b"/a/b", b"/a/x")


def test_an_empty_path_can_mean_the_descriptor(box: Files) -> None:
    fd = box.open(b"/tmp/d/f")
    assert box.stat(fd).size == 4
    with failure(Errno.ENOENT):
        box.stat(b"")


def test_a_guest_address_that_is_no_string(box: Files) -> None:
    with failure(Errno.EFAULT):
        box.call("openat", -100, 0x7FFFFFF0, 0, 0)
