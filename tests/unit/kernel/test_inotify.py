# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""inotify."""
from __future__ import annotations

from struct import unpack_from

import pytest
from tests.unit.kernel.files import Files, failure
from tests.unit.kernel.harness import PARKED

from skerry.abi.errno import Errno
from skerry.abi.fcntl import O_APPEND, O_NONBLOCK, O_WRONLY
from skerry.abi.poll import POLLIN
from skerry.kernel import inotify, notify
from skerry.kernel.fs.tmpfs import Tmpfs

ALL = notify.IN_ALL_EVENTS


@pytest.fixture
def box() -> Files:
    box = Files(mounts=[(b"/tmp", Tmpfs())])
    box.mkdir(b"/tmp/d")
    box.write(b"/tmp/d/f", b"text")
    return box


def events(box: Files, fd: int) -> list[tuple[int, int, int, bytes]]:
    """What waits: (watch, mask, cookie, name)."""
    try:
        data = box.get(fd, 4096)
    except Exception:
        return []
    found = []
    while data:
        number, mask, cookie, size = unpack_from("<iIII", data)
        found.append((number, mask, cookie, data[16 : 16 + size].rstrip(b"\0")))
        assert size % 16 == 0
        data = data[16 + size :]
    return found


def watching(box: Files, path: bytes, mask: int = ALL) -> int:
    fd = box.call("inotify_init1", O_NONBLOCK)
    assert box.call("inotify_add_watch", fd, path, mask) == 1
    return fd


def test_what_tail_waits_for(box: Files) -> None:
    fd = box.call("inotify_init1", 0)
    mask = notify.IN_MODIFY | notify.IN_ATTRIB | notify.IN_DELETE_SELF | notify.IN_MOVE_SELF
    box.call("inotify_add_watch", fd, b"/tmp/d/f", mask)
    address = box.h.room(box.task, 4096)
    assert box.h.call(box.task, "read", fd, address, 4096) is PARKED
    other = box.process()
    out = box.call("openat", -100, b"/tmp/d/f", O_WRONLY | O_APPEND, 0, task=other)
    box.call("write", out, b"more", 4, task=other)
    assert box.h.resumed(box.task) == 16
    assert unpack_from("<iI", box.h.get(box.task, address, 8)) == (1, notify.IN_MODIFY)
    assert box.h.kernel.tasks[box.task.tid].process.fds.get(fd).poll() & POLLIN == 0


def test_a_directory_tells_of_its_names(box: Files) -> None:
    moves = notify.IN_MOVED_FROM | notify.IN_MOVED_TO
    fd = watching(box, b"/tmp/d", notify.IN_CREATE | notify.IN_DELETE | moves)
    box.write(b"/tmp/d/new", b"")
    box.mkdir(b"/tmp/d/sub")
    box.rename(b"/tmp/d/new", b"/tmp/d/name")
    box.rename(b"/tmp/d/name", b"/tmp/away")
    box.unlink(b"/tmp/d/f")
    assert events(box, fd) == [
        (1, notify.IN_CREATE, 0, b"new"),
        (1, notify.IN_CREATE | notify.IN_ISDIR, 0, b"sub"),
        (1, notify.IN_MOVED_FROM, 1, b"new"),
        (1, notify.IN_MOVED_TO, 1, b"name"),
        (1, notify.IN_MOVED_FROM, 2, b"name"),
        (1, notify.IN_DELETE, 0, b"f"),
    ]


def test_a_file_is_followed_through_its_directory(box: Files) -> None:
    fd = watching(box, b"/tmp/d")
    box.read(b"/tmp/d/f")
    assert [(mask, name) for _, mask, _, name in events(box, fd)] == [
        (notify.IN_OPEN, b"f"), (notify.IN_ACCESS, b"f"), (notify.IN_CLOSE_NOWRITE, b"f"),
    ]  # fmt: skip


def test_the_end_of_a_file(box: Files) -> None:
    fd = watching(box, b"/tmp/d/f", notify.IN_ATTRIB | notify.IN_DELETE_SELF)
    held = box.open(b"/tmp/d/f")
    box.unlink(b"/tmp/d/f")
    assert [mask for _, mask, _, _ in events(box, fd)] == [notify.IN_ATTRIB]
    box.close(held)
    assert [mask for _, mask, _, _ in events(box, fd)] == [notify.IN_DELETE_SELF, notify.IN_IGNORED]
    with failure(Errno.EINVAL):
        box.call("inotify_rm_watch", fd, 1)


def test_watches(box: Files) -> None:
    fd = watching(box, b"/tmp/d", notify.IN_CREATE)
    assert box.call("inotify_add_watch", fd, b"/tmp/d", notify.IN_DELETE | inotify.IN_MASK_ADD) == 1
    assert box.call("inotify_add_watch", fd, b"/tmp", notify.IN_CREATE) == 2
    with failure(Errno.EEXIST):
        box.call("inotify_add_watch", fd, b"/tmp", notify.IN_CREATE | inotify.IN_MASK_CREATE)
    box.write(b"/tmp/d/x", b"")
    box.unlink(b"/tmp/d/x")
    box.call("inotify_rm_watch", fd, 1)
    box.write(b"/tmp/d/y", b"")
    masks = [mask for _, mask, _, _ in events(box, fd)]
    assert masks == [notify.IN_CREATE, notify.IN_DELETE, notify.IN_IGNORED]
    for mask, errno in ((0, Errno.EINVAL), (notify.IN_OPEN | 0x01000000, Errno.ENOTDIR)):
        with failure(errno):
            box.call("inotify_add_watch", fd, b"/tmp/d/f", mask)
    with failure(Errno.EINVAL):
        box.call("inotify_add_watch", box.open(b"/tmp"), b"/", 1)


def test_the_queue_has_an_end(box: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inotify, "EVENTS_MAX", 3)
    fd = watching(box, b"/tmp/d", notify.IN_CREATE)
    for number in range(9):
        box.mkdir(b"/tmp/d/%d" % number)
    found = events(box, fd)
    assert len(found) == 4
    assert found[-1][:2] == (-1, notify.IN_Q_OVERFLOW)


def test_one_shot_and_closing(box: Files) -> None:
    fd = watching(box, b"/tmp/d", notify.IN_CREATE | inotify.IN_ONESHOT)
    box.mkdir(b"/tmp/d/1")
    box.mkdir(b"/tmp/d/2")
    assert [mask & 0xFFFF for _, mask, _, _ in events(box, fd)] == [notify.IN_CREATE, notify.IN_IGNORED]
    box.call("inotify_add_watch", fd, b"/tmp/d", ALL)
    box.close(fd)
    box.mkdir(b"/tmp/d/3")
