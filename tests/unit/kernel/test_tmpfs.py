# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""tmpfs and open regular files: content, holes, limits, times, directory entries."""
from __future__ import annotations

import pytest
from tests.unit.kernel.files import Files, failure
from tests.unit.kernel.harness import SECOND

from skerry.abi.errno import Errno
from skerry.abi.fcntl import (
    AT_FDCWD,
    O_APPEND,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOATIME,
    O_PATH,
    O_RDWR,
    O_TMPFILE,
    O_WRONLY,
    SEEK_CUR,
    SEEK_DATA,
    SEEK_END,
    SEEK_HOLE,
)
from skerry.abi.signal import Signo
from skerry.kernel.fs.tmpfs import Tmpfs

MB = 1 << 20


@pytest.fixture
def box() -> Files:
    return Files(mounts=[(b"/tmp", Tmpfs(4 * MB))])


# --- content


def test_a_hole_costs_nothing_and_reads_as_zeros(box: Files) -> None:
    fd = box.open(b"/tmp/f", O_CREAT | O_RDWR)
    box.seek(fd, 100 * MB)
    box.put(fd, b"end")
    assert box.stat(fd).size == 100 * MB + 3
    assert box.stat(fd).blocks == 8
    assert box.pread(fd, 5, 100 * MB - 2) == b"\0\0end"
    assert box.pread(fd, 10, 50 * MB) == bytes(10)


def test_seek_finds_data_and_holes(box: Files) -> None:
    fd = box.open(b"/tmp/f", O_CREAT | O_RDWR)
    box.put(fd, b"start")
    box.seek(fd, 3 * 65536)
    box.put(fd, b"more")
    assert box.seek(fd, 0, SEEK_DATA) == 0
    assert box.seek(fd, 0, SEEK_HOLE) == 4096
    assert box.seek(fd, 4096, SEEK_DATA) == 3 * 65536
    assert box.seek(fd, 3 * 65536, SEEK_HOLE) == 3 * 65536 + 4
    with failure(Errno.ENXIO):
        box.seek(fd, 3 * 65536 + 4, SEEK_DATA)


def test_a_full_file_system(box: Files) -> None:
    fd = box.open(b"/tmp/f", O_CREAT | O_RDWR)
    block = box.h.room(box.task, 65536)
    for _ in range(64):
        assert box.call("write", fd, block, 65536) == 65536
    with failure(Errno.ENOSPC):
        box.call("write", fd, block, 1)
    assert box.stat(fd).size == 4 * MB
    box.call("ftruncate64", fd, 4 * MB - 5000, 0)
    box.seek(fd, 0, SEEK_END)
    assert box.call("write", fd, block, 65536) == 5000  # what fits, to the end of the block
    box.close(fd)
    box.unlink(b"/tmp/f")
    box.write(b"/tmp/g", bytes(65536))


def test_a_flood_of_empty_files_ends() -> None:
    box = Files(mounts=[(b"/tmp", Tmpfs(65536))])
    with failure(Errno.ENOSPC):
        for number in range(1000):
            box.write(b"/tmp/%d" % number, b"")
    box.unlink(b"/tmp/0")
    box.write(b"/tmp/again", b"")


def test_an_unlinked_file_lives_while_it_is_open(box: Files) -> None:
    fd = box.open(b"/tmp/f", O_CREAT | O_RDWR)
    box.put(fd, bytes(65536))
    box.unlink(b"/tmp/f")
    assert box.stat(fd).nlink == 0
    assert len(box.pread(fd, 65536, 0)) == 65536
    account = box.h.kernel.namespace.mounts[1][1].statfs()
    assert account.blocks - account.blocks_free == 16  # type: ignore[union-attr]
    box.close(fd)
    account = box.h.kernel.namespace.mounts[1][1].statfs()
    assert account.blocks == account.blocks_free  # type: ignore[union-attr]


def test_append_goes_to_the_end_wherever_one_stood(box: Files) -> None:
    box.write(b"/tmp/f", b"one")
    fd = box.open(b"/tmp/f", O_WRONLY | O_APPEND)
    box.write(b"/tmp/f", b"longer")
    box.put(fd, b"!")
    assert box.read(b"/tmp/f") == b"longer!"
    assert box.seek(fd, 0, SEEK_CUR) == 7


def test_allocate_and_punch(box: Files) -> None:
    fd = box.open(b"/tmp/f", O_CREAT | O_RDWR)
    box.call("fallocate", fd, 0, 0, 0, MB, 0)
    assert (box.stat(fd).size, box.stat(fd).blocks) == (MB, MB // 512)
    box.call("fallocate", fd, 3, 65536, 0, 65536, 0)
    assert (box.stat(fd).size, box.stat(fd).blocks) == (MB, (MB - 65536) // 512)
    box.call("fallocate", fd, 1, MB, 0, 65536, 0)
    assert box.stat(fd).size == MB
    with failure(Errno.ENOSPC):
        box.call("fallocate", fd, 0, 0, 0, 5 * MB, 0)
    with failure(Errno.EOPNOTSUPP):
        box.call("fallocate", fd, 8, 0, 0, 4096, 0)


def test_a_file_without_a_name_gets_one_by_proc_or_descriptor(box: Files) -> None:
    fd = box.open(b"/tmp", O_TMPFILE | O_RDWR)
    box.put(fd, b"hidden")
    assert (box.list(b"/tmp"), box.stat(fd).nlink) == ([], 0)
    box.call("linkat", fd, b"", AT_FDCWD, b"/tmp/seen", 0x1000)
    assert box.read(b"/tmp/seen") == b"hidden"
    closed = box.open(b"/tmp", O_TMPFILE | O_RDWR | O_EXCL)
    with failure(Errno.ENOENT):
        box.call("linkat", closed, b"", AT_FDCWD, b"/tmp/no", 0x1000)


def test_the_file_size_limit_is_a_signal_and_efbig(box: Files) -> None:
    box.task.process.limits[1] = (10, 10)
    box.h.handle(box.task, Signo.SIGXFSZ)
    fd = box.open(b"/tmp/f", O_CREAT | O_RDWR)
    assert box.put(fd, b"0123456789abc") == 10
    with failure(Errno.EFBIG):
        box.put(fd, b"x")
    frame = box.h.sigfetch(box.task)
    assert frame is not None
    assert frame.signo == Signo.SIGXFSZ
    with failure(Errno.EFBIG):
        box.call("ftruncate64", fd, 11, 0)


def test_o_path_is_a_place_and_nothing_else(box: Files) -> None:
    box.write(b"/tmp/f", b"x")
    fd = box.open(b"/tmp/f", O_PATH)
    for name, *args in (("read", 4096, 1), ("write", 4096, 1), ("fchmod", 0o600), ("ftruncate64", 0, 0)):
        with failure(Errno.EBADF):
            box.call(str(name), fd, *map(int, args))
    assert box.stat(fd).size == 1


def test_a_memory_file(box: Files) -> None:
    fd = box.call("memfd_create", b"name", 1)
    box.put(fd, b"kept")
    assert box.pread(fd, 9, 0) == b"kept"
    assert box.stat(fd).nlink == 0


# --- attributes


def test_times(box: Files) -> None:
    box.write(b"/tmp/f", b"1")
    made = box.stat(b"/tmp/f")
    box.h.advance(SECOND)
    box.read(b"/tmp/f")
    assert box.stat(b"/tmp/f").atime == made.mtime + SECOND
    box.h.advance(SECOND)
    box.read(b"/tmp/f")
    assert box.stat(b"/tmp/f").atime == made.mtime + SECOND  # relatime
    box.write(b"/tmp/f", b"2", O_WRONLY)
    changed = box.stat(b"/tmp/f")
    assert changed.mtime == changed.ctime == made.mtime + 2 * SECOND
    box.get(box.open(b"/tmp/f", O_NOATIME))
    assert box.stat(b"/tmp/f").atime == made.mtime + SECOND
    box.pread(box.open(b"/tmp/f"), 1, 0)
    assert box.stat(b"/tmp/f").atime == made.mtime + 2 * SECOND
    times = box.h.longs(box.task, 5, 7, 9, 0x3FFFFFFE)
    box.call("utimensat_time64", AT_FDCWD, b"/tmp/f", times, 0)
    assert (box.stat(b"/tmp/f").atime, box.stat(b"/tmp/f").mtime) == (5 * SECOND + 7, changed.mtime)


def test_a_directory_changes_with_its_names(box: Files) -> None:
    box.mkdir(b"/tmp/d")
    before = box.stat(b"/tmp/d").mtime
    box.h.advance(SECOND)
    box.mkdir(b"/tmp/d/e")
    assert (box.stat(b"/tmp/d").mtime, box.stat(b"/tmp/d").nlink) == (before + SECOND, 3)
    box.rmdir(b"/tmp/d/e")
    assert box.stat(b"/tmp/d").nlink == 2


def test_a_setgid_directory_hands_its_group_on(box: Files) -> None:
    box.mkdir(b"/tmp/d")
    box.call("fchownat", AT_FDCWD, b"/tmp/d", 1000, 50, 0)
    box.chmod(b"/tmp/d", 0o2777)
    box.become(1000)
    box.write(b"/tmp/d/f", b"")
    box.mkdir(b"/tmp/d/e")
    assert (box.stat(b"/tmp/d/f").gid, box.stat(b"/tmp/d/e").gid) == (50, 50)
    assert box.stat(b"/tmp/d/e").mode & 0o7777 == 0o2755


def test_a_sticky_directory_keeps_others_files(box: Files) -> None:
    box.write(b"/tmp/f", b"")
    box.become(1000)
    with failure(Errno.EPERM):
        box.unlink(b"/tmp/f")
    with failure(Errno.EPERM):
        box.rename(b"/tmp/f", b"/tmp/g")
    box.write(b"/tmp/own", b"")
    box.unlink(b"/tmp/own")


def test_who_may_change_what(box: Files) -> None:
    box.write(b"/tmp/f", b"")
    box.become(1000)
    for name, *args in (("fchmodat", 0o777), ("fchownat", 1000, -1, 0)):
        with failure(Errno.EPERM):
            box.call(str(name), AT_FDCWD, b"/tmp/f", *map(int, args))
    with failure(Errno.EACCES):
        box.call("utimensat_time64", AT_FDCWD, b"/tmp/f", 0, 0)
    box.write(b"/tmp/own", b"")
    box.call("fchownat", AT_FDCWD, b"/tmp/own", -1, 1000, 0)
    with failure(Errno.EPERM):
        box.call("fchownat", AT_FDCWD, b"/tmp/own", 0, -1, 0)


def test_access_asks_for_the_real_user(box: Files) -> None:
    box.write(b"/tmp/f", b"")
    box.chmod(b"/tmp/f", 0o600)
    box.task.process.cred.uid = 1000
    box.task.process.cred.gid = 1000
    with failure(Errno.EACCES):
        box.call("faccessat", AT_FDCWD, b"/tmp/f", 4)
    assert box.call("faccessat2", AT_FDCWD, b"/tmp/f", 4, 0x200) == 0
    assert box.task.process.cred.euid == 0


def test_statfs(box: Files) -> None:
    address = box.h.room(box.task, 88)
    box.call("statfs64", b"/tmp", 88, address)
    data = box.h.get(box.task, address, 88)
    assert int.from_bytes(data[:4], "little") == 0x01021994
    assert int.from_bytes(data[8:16], "little") == MB // 1024
    with failure(Errno.EINVAL):
        box.call("statfs64", b"/tmp", 40, address)


# --- directories


def test_cookies_keep_their_meaning_while_entries_come_and_go(box: Files) -> None:
    names = [b"%03d" % number for number in range(100)]
    for name in names:
        box.write(b"/tmp/" + name, b"")
    fd = box.open(b"/tmp", O_DIRECTORY)
    seen = [name for name, _, _ in box.entries(fd, 512)][2:]
    for name in seen:
        box.unlink(b"/tmp/" + name)
    box.write(b"/tmp/new", b"")
    while part := box.entries(fd, 512):
        seen += [name for name, _, _ in part]
    assert seen == names
    box.seek(fd, 0)
    assert b"new" in [name for name, _, _ in box.entries(fd, 8192)]


def test_a_directory_can_be_left_and_entered_at_a_cookie(box: Files) -> None:
    for name in (b"a", b"b", b"c"):
        box.mkdir(b"/tmp/" + name)
    fd = box.open(b"/tmp", O_DIRECTORY)
    entries = box.entries(fd)
    assert [(name, kind) for name, kind, _ in entries] == [
        (name, 4) for name in (b".", b"..", b"a", b"b", b"c")
    ]
    box.seek(fd, entries[2][2])
    assert [name for name, _, _ in box.entries(fd)] == [b"b", b"c"]
    with failure(Errno.EINVAL):
        box.seek(fd, 0)
        box.entries(fd, 10)
    with failure(Errno.EISDIR):
        box.get(fd)


def test_copy_inside_the_kernel(box: Files) -> None:
    box.write(b"/tmp/a", bytes(range(256)) * 1000)
    source, target = box.open(b"/tmp/a"), box.open(b"/tmp/b", O_CREAT | O_WRONLY)
    assert box.call("copy_file_range", source, 0, target, 0, 1 << 30, 0) == 256000
    assert box.read(b"/tmp/b") == box.read(b"/tmp/a")
    offset = box.h.longs(box.task, 255990)
    out = box.open(b"/tmp/c", O_CREAT | O_WRONLY)
    assert box.call("sendfile64", out, source, offset, 100) == 10
    assert box.read(b"/tmp/c") == bytes(range(246, 256))
    both = box.open(b"/tmp/a", O_RDWR)
    with failure(Errno.EINVAL):
        box.call("copy_file_range", both, box.h.longs(box.task, 0), both, box.h.longs(box.task, 5), 100, 0)
