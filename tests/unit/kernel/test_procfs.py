# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""/proc."""
from __future__ import annotations

import pytest
from tests.unit.kernel.files import Files, failure
from tests.unit.kernel.harness import SECOND

from skerry.abi.errno import Errno
from skerry.abi.fcntl import AT_SYMLINK_NOFOLLOW, O_CREAT, O_RDWR, O_TMPFILE
from skerry.kernel.fs.procfs import Procfs
from skerry.kernel.fs.tmpfs import Tmpfs


@pytest.fixture
def box() -> Files:
    return Files(mounts=[(b"/tmp", Tmpfs()), (b"/proc", Procfs())], uid=1000)


def fields(box: Files, path: bytes) -> dict[bytes, bytes]:
    pairs = (line.partition(b":") for line in box.read(path).splitlines())
    return {name: value.strip() for name, _, value in pairs}


def test_processes_come_and_go(box: Files) -> None:
    child = box.h.fork(box.task)
    pid = b"%d" % child.tid
    assert {b"1", b"%d" % box.task.tid, pid, b"self", b"meminfo"} <= set(box.list(b"/proc"))
    fd = box.open(b"/proc/" + pid + b"/stat")
    box.h.exit(child)
    assert box.get(fd).split()[2] == b"Z"
    box.call("wait4", child.tid, 0, 0, 0)
    assert pid not in box.list(b"/proc")
    for name in (pid, b"0", b"01", b"99999999999", b"-1", b"x"):
        with failure(Errno.ENOENT):
            box.stat(b"/proc/" + name)


def test_the_line_ps_reads(box: Files) -> None:
    box.task.name = b"a) b"
    box.h.clock.used_ns[box.task.thread] = 3 * SECOND
    line = box.read(b"/proc/self/stat")
    pid, rest = line.split(b" (a) b) ")
    values = rest.split()
    assert int(pid) == box.task.tid
    assert len(values) == 50
    assert values[0] == b"R"
    assert [int(value) for value in values[1:4]] == [1, box.task.tid, box.task.tid]
    assert (int(values[11]), int(values[20])) == (300, box.task.mem.size)


def test_status(box: Files) -> None:
    box.h.block(box.task, 10)
    found = fields(box, b"/proc/self/status")
    assert found[b"Name"] == b"test"
    assert found[b"State"] == b"R (running)"
    assert found[b"Uid"] == b"1000\t1000\t1000\t1000"
    assert found[b"Threads"] == b"1"
    assert found[b"SigBlk"] == b"0000000000000200"
    assert found[b"VmRSS"] == b"256 kB"


def test_words_of_a_process(box: Files) -> None:
    box.task.process.argv, box.task.process.env = (b"prog", b"arg"), (b"A=1",)
    box.task.process.exe = b"/bin/prog"
    assert box.read(b"/proc/self/cmdline") == b"prog\0arg\0"
    assert box.read(b"/proc/self/environ") == b"A=1\0"
    assert box.read(b"/proc/thread-self/comm") == b"test\n"
    assert box.readlink(b"/proc/self/exe") == b"/bin/prog"
    assert box.readlink(b"/proc/self") == b"%d" % box.task.tid
    assert b"Max open files            1024                 4096                 files" in box.read(
        b"/proc/self/limits"
    )
    with failure(Errno.EACCES):
        box.read(b"/proc/1/environ")


def test_the_working_directory_as_a_link(box: Files) -> None:
    box.mkdir(b"/tmp/d")
    box.write(b"/tmp/d/f", b"x")
    box.chdir(b"/tmp/d")
    assert box.readlink(b"/proc/self/cwd") == b"/tmp/d"
    assert box.read(b"/proc/self/cwd/f") == b"x"
    assert box.list(b"/proc/self/root/tmp") == [b"d"]
    assert box.stat(b"/proc/self/cwd").mode == box.stat(b"/tmp/d").mode
    box.unlink(b"/tmp/d/f")
    box.rmdir(b"/tmp/d")
    assert box.readlink(b"/proc/self/cwd") == b"/d (deleted)"


def test_descriptors(box: Files) -> None:
    fd = box.open(b"/tmp/f", O_CREAT | O_RDWR)
    box.put(fd, b"text")
    link = b"/proc/self/fd/%d" % fd
    assert box.readlink(link) == b"/tmp/f"
    assert box.stat(link, AT_SYMLINK_NOFOLLOW).mode == 0o120700
    box.rename(b"/tmp/f", b"/tmp/g")
    box.unlink(b"/tmp/g")
    assert box.readlink(link).endswith(b" (deleted)")
    assert box.read(link) == b"text"
    assert box.read(b"/proc/self/fdinfo/%d" % fd).startswith(b"pos:\t4\nflags:\t02")
    pair = box.h.room(box.task, 8)
    box.call("pipe2", pair, 0)
    out = box.h.i32(box.task, pair + 4)
    assert box.readlink(b"/proc/self/fd/%d" % out).startswith(b"pipe:[")
    box.put(box.open(b"/proc/self/fd/%d" % out, O_RDWR), b"through")
    assert box.get(box.h.i32(box.task, pair)) == b"through"


def test_a_file_without_a_name_gets_one(box: Files) -> None:
    fd = box.open(b"/tmp", O_TMPFILE | O_RDWR)
    box.put(fd, b"text")
    box.call("linkat", -100, b"/proc/self/fd/%d" % fd, -100, b"/tmp/name", 0x400)
    assert box.read(b"/tmp/name") == b"text"


def test_threads(box: Files) -> None:
    task = box.h.process(threads=True)
    other = box.h.thread(task)
    other.name = b"worker"
    base = b"/proc/%d/task/" % task.tid
    assert box.list(base) == [b"%d" % task.tid, b"%d" % other.tid]
    assert box.read(base + b"%d/comm" % other.tid) == b"worker\n"
    assert fields(box, base + b"%d/status" % other.tid)[b"Tgid"] == b"%d" % task.tid


def test_the_system(box: Files) -> None:
    memory = fields(box, b"/proc/meminfo")
    total, free = (int(memory[name].split()[0]) for name in (b"MemTotal", b"MemAvailable"))
    assert total - free >= 256
    box.h.advance(90 * SECOND)
    assert box.read(b"/proc/uptime").split()[0] == b"90.00"
    assert len(box.read(b"/proc/loadavg").split()) == 5
    assert box.read(b"/proc/stat").startswith(b"cpu  ")
    assert box.read(b"/proc/sys/kernel/ostype") == b"Linux\n"
    assert box.read(b"/proc/version").startswith(b"Linux version ")
    assert len(box.read(b"/proc/sys/kernel/random/uuid")) == 37


def test_mounts(box: Files) -> None:
    assert box.read(b"/proc/mounts").splitlines() == [
        b"tmpfs / tmpfs rw,relatime 0 0",
        b"proc /proc proc rw,relatime 0 0",
        b"tmpfs /tmp tmpfs rw,relatime 0 0",
    ]
    assert all(b" - " in line for line in box.read(b"/proc/self/mountinfo").splitlines())


def test_nothing_can_be_changed(box: Files) -> None:
    with failure(Errno.EACCES):
        box.write(b"/proc/meminfo", b"")
    box.become(0)
    with failure(Errno.ENOENT):
        box.mkdir(b"/proc/x")
    with failure(Errno.ENOENT):
        box.write(b"/proc/x", b"")
    with failure(Errno.EPERM):
        box.unlink(b"/proc/meminfo")
