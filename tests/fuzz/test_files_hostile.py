# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""File calls with arguments no honest program makes: an errno at worst, never an exception.

SKERRY_FUZZ=N makes N times as many calls.
"""
from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from skerry.abi.syscalls import SYSCALLS
from skerry.kernel.fs.devfs import Devfs
from skerry.kernel.fs.hostfs import HostFs
from skerry.kernel.fs.hosttree import HostTree
from skerry.kernel.fs.overlay import Overlay
from skerry.kernel.fs.procfs import Procfs
from skerry.kernel.fs.tmpfs import Tmpfs
from skerry.kernel.mount import Namespace
from tests.unit.kernel.fakehost import FakeHost
from tests.unit.kernel.harness import PARKED, Harness

CALLS = (
    "openat", "openat2", "mkdirat", "mknodat", "symlinkat", "linkat", "unlinkat", "renameat2", "readlinkat",
    "getcwd", "chdir", "fchdir", "umask", "statx", "faccessat", "faccessat2", "statfs64", "fstatfs64",
    "fchmodat", "fchmodat2", "fchmod", "fchownat", "fchown", "utimensat_time64", "getxattr", "fgetxattr",
    "listxattr", "_llseek", "getdents64", "truncate64", "ftruncate64", "fallocate", "fsync", "sync", "syncfs",
    "sync_file_range", "readahead", "fadvise64_64", "flock", "memfd_create", "sendfile64", "copy_file_range",
    "inotify_init1", "inotify_add_watch", "inotify_rm_watch", "fcntl64", "read", "write", "pread64", "pwrite64",
    "readv", "writev", "close", "dup", "dup3", "openat", "openat", "close", "chroot",
)  # fmt: skip
SEEDS = 3
PATHS = (
    b"/", b"/tmp", b"/tmp/a", b"/tmp/a/b", b"/dev/null", b"/dev/zero", b"/proc/self/fd/3", b"/proc/self/status",
    b"/proc/1/cwd/tmp", b"/proc/self/exe", b"/dev/fd/0", b"/dev/stdin", b"/work/x", b"/work/dir/y", b"/bin/prog",
    b"/bin", b"/work/", b"/proc/self/task", b"/dev/pts/0", b"/dev/ptmx", b"..", b".", b"", b"a//b/../c",
    b"\xff\xfe", b"/work/" + b"n" * 300, b"/tmp/fifo", b"/dev/full", b"/dev/urandom", b"/proc/self/mountinfo",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_argument_breaks_the_kernel(seed: int, tmp_path: Path) -> None:
    pick = random.Random(seed)
    (tmp_path / "root" / "bin").mkdir(parents=True)
    (tmp_path / "root" / "bin" / "prog").write_bytes(b"\0asm")
    (tmp_path / "work" / "dir").mkdir(parents=True)
    (tmp_path / "work" / "x").write_text("text")
    mounts = [
        (b"/tmp", Tmpfs(1 << 20)), (b"/dev", Devfs()), (b"/proc", Procfs()), (b"/work", HostFs(1)),
        (b"/work/in", Tmpfs(1 << 16)),
    ]  # fmt: skip
    h = Harness(Namespace(Overlay(HostTree(0), 1 << 20), mounts))
    host = FakeHost({0: tmp_path / "root", 1: tmp_path / "work"})
    h.kernel.init.cred.euid = pick.choice((0, 1000))

    def value(task: object) -> int:
        kind = pick.randrange(8)
        if kind < 2:
            return pick.choice((0, 1, 2, 3, 4, 5, 6, -1, -100))
        if kind < 4:
            return pick.randrange(0, 70000)
        if kind == 4:
            return pick.choice((0x7FFFFFFF, -0x80000000, 0x40000, 0x3FFFF, -2, 1 << 24))
        if kind == 5:
            return 1 << pick.randrange(31)
        if kind == 6:
            return pick.getrandbits(32) - (1 << 31)
        return pick.choice((0o102, 0o1101, 0o200000, 0o20200002, 0o10000000, 0o2000, 0o100644, 0o10644))

    task = h.process()
    for number in range(4000 * int(os.environ.get("SKERRY_FUZZ", "1"))):
        if number % 500 == 0:
            h.call(task, "exit_group", 0)
            host.serve(h)
            task = h.process()
        name = pick.choice(CALLS)
        args: list[int | bytes] = [value(task) for _ in range(SYSCALLS[name][1])]
        for position in range(min(2, len(args))):
            if pick.random() < 0.5:
                args[position] = pick.choice(PATHS)
        if name in ("openat", "mkdirat", "statx", "unlinkat") and pick.random() < 0.7:
            args[:2] = [-100, pick.choice(PATHS)]
        result = h.call(task, name, *args)
        host.serve(h)
        if result is PARKED and h.resumed(task) is PARKED:
            h.call(h.process(), "kill", task.tid, 9)  # it waits for good: a FIFO, a terminal, a lock
            task = h.process()
        h.commands.clear()
