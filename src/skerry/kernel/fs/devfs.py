# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""/dev: a tmpfs filled with the devices every program expects.

Standard: Linux Documentation/admin-guide/devices.txt; pts(4), null(4), random(4), full(4).
Invariant: st_ino of a device is its number and st_dev that of nameless files, so that fstat(2)
           of a terminal and stat(2) of its name agree (ttyname(3)).
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import S_IFCHR, S_IFDIR, S_IFLNK
from skerry.kernel.file import Buffer, File
from skerry.kernel.fs.tmpfs import TmpDir, Tmpfs, TmpNode
from skerry.kernel.regular import InodeFile
from skerry.kernel.vfs import Inode, New
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.task import Task

DEVICE = 1  # st_dev of files that lie on no disk, see stat.py
TTY_GROUP = 5
LIMIT = 256 << 20  # of /dev/shm, in effect
RANDOM_MAX = 1 << 16  # of one read: a stream of random bytes never fails, but may be short
PTS_MAJOR = 136


class Null(InodeFile):
    """/dev/null: takes everything, gives nothing."""

    def read(self, task: Task, size: int) -> Buffer:
        """See File."""
        return b""

    def write(self, task: Task, data: Buffer) -> int:
        """See File."""
        return len(data)

    def pread(self, task: Task, size: int, offset: int) -> Buffer | Step[Buffer]:
        """See File."""
        return self.read(task, size)

    def pwrite(self, task: Task, data: Buffer, offset: int) -> int | Step[int]:
        """See File."""
        return self.write(task, data)

    def seek(self, task: Task, offset: int, whence: int) -> int:
        """See File."""
        return 0

    def sync(self, task: Task) -> int:
        """See File."""
        raise SysError(Errno.EINVAL)


class Zero(Null):
    """/dev/zero."""

    def read(self, task: Task, size: int) -> Buffer:
        """See File."""
        return bytes(size)


class Full(Zero):
    """/dev/full: a disk without space."""

    def write(self, task: Task, data: Buffer) -> int:
        """See File."""
        raise SysError(Errno.ENOSPC)


class Random(Null):
    """/dev/random and /dev/urandom, which are the same."""

    def read(self, task: Task, size: int) -> Buffer:
        """See File."""
        return task.kernel.entropy(min(size, RANDOM_MAX))


Opener = Callable[["Device", "Task", int], "File | Step[File]"]


class Device(TmpNode):
    """A character device."""

    __slots__ = ("opener",)

    def __init__(
        self, fs: Tmpfs, number: tuple[int, int], mode: int, opener: Opener, uid: int = 0, gid: int = 0
    ) -> None:
        rdev = number[0] << 8 | number[1]
        super().__init__(fs, New(S_IFCHR | mode, uid, gid, rdev))
        self.ino = rdev
        self.opener = opener

    def open(self, task: Task, flags: int) -> File | Step[File]:
        """See Inode."""
        return self.opener(self, task, flags)


class PtsDir(TmpDir):
    """/dev/pts: one device for each pseudo-terminal that has a master."""

    __slots__ = ()

    fs: Devfs

    def lookup(self, name: bytes) -> Inode | None:
        """See Inode."""
        assert self.fs.kernel is not None
        if name.isdigit() and len(name) < 8 and int(name) in self.fs.kernel.ptys.numbers():
            number = int(name)
            return self.fs.slave(number) if name == b"%d" % number else None
        return super().lookup(name)

    def entries(self) -> Iterable[tuple[bytes, int, int]]:
        """See Inode."""
        assert self.fs.kernel is not None
        found = list(super().entries())
        for number in self.fs.kernel.ptys.numbers():
            found.append((b"%d" % number, PTS_MAJOR << 8 | number, S_IFCHR))
        return found


class Devfs(Tmpfs):
    """One /dev; `uid` is the person's, who owns the terminals."""

    kind = b"devtmpfs"
    root: TmpDir

    def __init__(self, uid: int = 1000, limit: int = LIMIT) -> None:
        super().__init__(limit, mode=0o755)
        self.source = b"dev"
        self.uid = uid
        self._slaves: dict[int, Device] = {}
        self._enter()

    def attach(self, kernel: Kernel, device: int) -> None:
        """See Filesystem."""
        super().attach(kernel, DEVICE)

    def _enter(self) -> None:
        """Fill it."""
        for name, number, mode, opener in DEVICES:
            owner = self.uid if name == b"console" else 0
            group = TTY_GROUP if name in (b"console", b"tty", b"ptmx") else 0
            self.root.scaffold(name, Device(self, number, mode, opener, owner, group))
        for name, target in LINKS:
            self.root.scaffold(name, TmpNode(self, New(S_IFLNK | 0o777, 0, 0, target=target)))
        pts = PtsDir(self, S_IFDIR | 0o755, 0, 0)
        pts.scaffold(b"ptmx", Device(self, (5, 2), 0o666, _open_master, gid=TTY_GROUP))
        self.root.scaffold(b"pts", pts)
        self.root.scaffold(b"shm", TmpDir(self, S_IFDIR | 0o1777, 0, 0))

    def slave(self, number: int) -> Device:
        """The inode of /dev/pts/`number`."""
        if number not in self._slaves:
            self._slaves[number] = Device(
                self, (PTS_MAJOR, number), 0o620, _open_slave, self.uid, TTY_GROUP
            )
        return self._slaves[number]


def _open_master(device: Device, task: Task, flags: int) -> File | Step[File]:
    return task.kernel.ptys.open_master(task, flags)


def _open_slave(device: Device, task: Task, flags: int) -> File | Step[File]:
    return task.kernel.ptys.open_slave(task, device.rdev & 0xFF, flags)


def _open_tty(device: Device, task: Task, flags: int) -> File | Step[File]:
    return task.kernel.console.open_tty(task, flags)


def _open_console(device: Device, task: Task, flags: int) -> File | Step[File]:
    return task.kernel.console.open_console(task, flags)


DEVICES: tuple[tuple[bytes, tuple[int, int], int, Opener], ...] = (
    (b"null", (1, 3), 0o666, lambda device, task, flags: Null(device, flags)),
    (b"zero", (1, 5), 0o666, lambda device, task, flags: Zero(device, flags)),
    (b"full", (1, 7), 0o666, lambda device, task, flags: Full(device, flags)),
    (b"random", (1, 8), 0o666, lambda device, task, flags: Random(device, flags)),
    (b"urandom", (1, 9), 0o666, lambda device, task, flags: Random(device, flags)),
    (b"tty", (5, 0), 0o666, _open_tty),
    (b"console", (5, 1), 0o620, _open_console),
    (b"ptmx", (5, 2), 0o666, _open_master),
)

LINKS = (
    (b"fd", b"/proc/self/fd"),
    (b"stdin", b"/proc/self/fd/0"),
    (b"stdout", b"/proc/self/fd/1"),
    (b"stderr", b"/proc/self/fd/2"),
)
