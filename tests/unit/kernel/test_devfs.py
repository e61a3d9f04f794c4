# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""/dev."""
from __future__ import annotations

import pytest
from tests.unit.kernel.files import Files, failure

from skerry.abi.errno import Errno
from skerry.abi.fcntl import O_CREAT, O_NOCTTY, O_RDWR, O_TRUNC, O_WRONLY, S_IFCHR, S_IFMT
from skerry.kernel.fs.devfs import Devfs
from skerry.kernel.fs.procfs import Procfs


@pytest.fixture
def box() -> Files:
    return Files(mounts=[(b"/dev", Devfs()), (b"/proc", Procfs())], uid=1000)


def test_null_zero_full(box: Files) -> None:
    null = box.open(b"/dev/null", O_RDWR | O_TRUNC | O_CREAT)
    assert (box.put(null, b"gone"), box.get(null)) == (4, b"")
    zero = box.open(b"/dev/zero", O_RDWR)
    assert (box.put(zero, b"gone"), box.get(zero, 5)) == (4, bytes(5))
    full = box.open(b"/dev/full", O_RDWR)
    assert box.get(full, 3) == bytes(3)
    with failure(Errno.ENOSPC):
        box.put(full, b"x")


def test_random_bytes(box: Files) -> None:
    fd = box.open(b"/dev/urandom")
    assert box.get(fd, 4) == bytes((0, 1, 2, 3))
    assert box.get(fd, 70000)[:1] == b"\4"


def test_devices_are_what_they_are(box: Files) -> None:
    status = box.stat(b"/dev/null")
    assert (status.mode, status.rdev, status.ino) == (S_IFCHR | 0o666, (1, 3), 0x103)
    with failure(Errno.EACCES):
        box.unlink(b"/dev/null")
    with failure(Errno.EACCES):
        box.write(b"/dev/new", b"")


def test_shm_is_everyones(box: Files) -> None:
    box.write(b"/dev/shm/sem", b"x")
    assert box.read(b"/dev/shm/sem") == b"x"


def test_no_terminal_no_tty(box: Files) -> None:
    with failure(Errno.ENXIO):
        box.open(b"/dev/tty", O_RDWR)


def test_pseudo_terminals(box: Files) -> None:
    master = box.open(b"/dev/ptmx", O_RDWR | O_NOCTTY)
    assert box.list(b"/dev/pts") == [b"ptmx", b"0"]
    with failure(Errno.EIO):
        box.open(b"/dev/pts/0", O_RDWR)  # still locked
    box.call("ioctl", master, 0x40045431, box.h.words(box.task, 0))
    slave = box.open(b"/dev/pts/0", O_RDWR | O_NOCTTY)
    by_name, by_fd = box.stat(b"/dev/pts/0"), box.stat(slave)
    assert (by_name.ino, by_name.dev, by_name.rdev) == (by_fd.ino, by_fd.dev, by_fd.rdev)
    assert box.readlink(b"/proc/self/fd/%d" % slave) == b"/dev/pts/0"
    for name in (b"1", b"00", b"+0", b"x"):
        with failure(Errno.ENOENT):
            box.stat(b"/dev/pts/" + name)


def test_standard_streams_have_names(box: Files) -> None:
    box.task.process.fds.put(1, box.h.kernel.console.open(box.task, "console", 1))
    assert box.readlink(b"/proc/self/fd/1") == b"/dev/console"
    by_name, by_fd = box.stat(b"/dev/console"), box.stat(1)
    assert (by_name.ino, by_name.dev) == (by_fd.ino, by_fd.dev)
    fd = box.open(b"/dev/stdout", O_WRONLY)
    assert box.stat(fd).rdev == (5, 1)


def test_fd_is_the_process_own(box: Files) -> None:
    box.write(b"/dev/shm/f", b"content")
    fd = box.open(b"/dev/shm/f")
    box.get(fd, 3)
    other = box.open(b"/dev/fd/%d" % fd)
    assert box.get(other) == b"content"  # a file of its own, at its own offset
    assert box.list(b"/dev/fd/") == [b"%d" % number for number in (0, 1, 2)]
    assert S_IFMT & box.stat(b"/dev/fd/0").mode == 0o100000
