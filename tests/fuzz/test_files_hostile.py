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
from tests.unit.kernel.fakehost import FakeHost
from tests.unit.kernel.harness import PARKED, Harness

from skerry.abi.syscalls import SYSCALLS
from skerry.kernel.fs.devfs import Devfs
from skerry.kernel.fs.hostfs import HostFs
from skerry.kernel.fs.hosttree import HostTree
from skerry.kernel.fs.overlay import Overlay
from skerry.kernel.fs.procfs import Procfs
from skerry.kernel.fs.tmpfs import Tmpfs
from skerry.kernel.mount import Namespace

# d: directory, p: path, f: descriptor, g: flags, often none; every other argument is anything.
CALLS = {
    "openat": "dp", "openat2": "dp", "mkdirat": "dp", "mknodat": "dp", "symlinkat": "pdp", "linkat": "dpdpg",
    "unlinkat": "dpg", "renameat2": "dpdpg", "readlinkat": "dp", "getcwd": "", "chdir": "p", "fchdir": "f",
    "umask": "", "statx": "dpg", "faccessat": "dp", "faccessat2": "dp.g", "statfs64": "p", "fstatfs64": "f",
    "fchmodat": "dp", "fchmodat2": "dp.g", "fchmod": "f", "fchownat": "dp..g", "fchown": "f",
    "utimensat_time64": "dp.g", "getxattr": "p", "fgetxattr": "f", "listxattr": "p", "_llseek": "f",
    "getdents64": "f", "truncate64": "p.g", "ftruncate64": "f.g", "fallocate": "f.gg.g", "fsync": "f",
    "sync": "", "syncfs": "f", "sync_file_range": "f.g.gg", "readahead": "f", "fadvise64_64": "f.g.gg",
    "flock": "f", "memfd_create": "pg", "sendfile64": "ffg", "copy_file_range": "fgfg.g",
    "inotify_init1": "g", "inotify_add_watch": "fp", "inotify_rm_watch": "f", "fcntl64": "f",
    "read": "f", "write": "f",
    "pread64": "f..g", "pwrite64": "f..g", "readv": "f", "writev": "f", "close": "f", "dup": "f", "dup3": "f",
    "chroot": "p",
}  # fmt: skip
SEEDS = 3
PATHS = (
    b"/", b"/tmp", b"/tmp/a", b"/tmp/a/b", b"/dev/null", b"/dev/zero", b"/proc/self/fd/3",
    b"/proc/self/status",
    b"/proc/1/cwd/tmp", b"/proc/self/exe", b"/dev/fd/0", b"/dev/stdin", b"/work/x", b"/work/dir/y",
    b"/bin/prog",
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
    h.kernel.namespace.user.euid = pick.choice((0, 1000))

    def value() -> int:
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

    def likely(kind: str) -> int | bytes:
        if kind == "d":
            return pick.choice((-100, -100, -100, *task.process.fds.files))
        if kind == "p":
            return pick.choice(PATHS)
        if kind == "f" and task.process.fds.files:
            return pick.choice(list(task.process.fds.files))
        return 0 if kind == "g" and pick.random() < 0.7 else value()

    task = h.process()
    for number in range(4000 * int(os.environ.get("SKERRY_FUZZ", "1"))):
        if number % 500 == 0:
            h.call(task, "exit_group", 0)
            host.serve(h)
            task = h.process()
        name = pick.choice(("openat", "openat", *CALLS))
        kinds = CALLS[name].ljust(SYSCALLS[name][1], ".")
        args = [likely(kind) if pick.random() < 0.9 else value() for kind in kinds]
        result = h.call(task, name, *args)
        host.serve(h)
        if result is PARKED and h.resumed(task) is PARKED:
            h.call(h.process(), "kill", task.tid, 9)  # it waits for good: a FIFO, a terminal, a lock
            task = h.process()
        h.commands.clear()
