# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Random file operations in the kernel and on this machine: the same results, the same errnos.

The tree stands at the bottom of a tower of directories, so that ".." in paths and links
stays inside on both sides. SKERRY_FUZZ=N runs N times as many operations.
"""
from __future__ import annotations

import ctypes
import os
import random
import stat
import sys
import tempfile
from pathlib import Path

import pytest
from tests.unit.kernel.fakehost import FakeHost
from tests.unit.kernel.harness import PARKED, Harness

from skerry.kernel.fs.hostfs import HostFs
from skerry.kernel.fs.overlay import Overlay
from skerry.kernel.fs.tmpfs import Tmpfs
from skerry.kernel.mount import Namespace
from skerry.kernel.vfs import Filesystem

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux is the oracle")

TOWER = 60
OPERATIONS = 1500 * int(os.environ.get("SKERRY_FUZZ", "1"))
NAMES = (b"a", b"b", b"c", b"d")
SOMEONE = 4321
LIBC = ctypes.CDLL(None, use_errno=True)


class Guest:
    """The kernel's side."""

    def __init__(self, root: Filesystem, folder: Path | None = None) -> None:
        mounts = [(b"/t", HostFs(1))] if folder is not None else []
        self.h = Harness(Namespace(root, mounts))
        self.host = FakeHost({1: folder} if folder is not None else {})
        self.task = self.h.process()
        cred = self.task.process.cred
        cred.uid = cred.euid = cred.suid = os.getuid()
        cred.gid = cred.egid = cred.sgid = os.getgid()
        cred.groups = tuple(os.getgroups())
        self.task.process.fs.umask = 0o022
        root.root.mode = stat.S_IFDIR | 0o777
        path = b"/"
        for level in range(TOWER):
            path += b"t/"
            made = self.call("mkdirat", -100, path, 0o755)
            assert made == 0 or (made == -17 and level == 0)
        self.top = self.call("openat", -100, b"/t", os.O_DIRECTORY, 0)
        self.dir = self.call("openat", -100, path, os.O_DIRECTORY, 0)

    def call(self, name: str, *args: int | bytes) -> int:
        value = self.h.call(self.task, name, *args)
        self.host.serve(self.h)
        if value is PARKED:
            value = self.h.resumed(self.task)
        assert isinstance(value, int), f"{name} parked"
        return value

    def data(self, name: str, fd: int, size: int, *args: int) -> int | bytes:
        address = self.h.room(self.task, size)
        count = self.call(name, fd, address, size, *args)
        return count if count < 0 else self.h.get(self.task, address, count)

    def stat(self, dirfd: int, path: bytes, flags: int) -> int | tuple[int, ...]:
        address = self.h.room(self.task, 256)
        result = self.call("statx", dirfd, path, flags, 0x7FF, address)
        if result < 0:
            return result
        data = self.h.get(self.task, address, 256)
        fields = ((28, 30), (16, 20), (40, 48))  # mode, nlink, size
        return tuple(int.from_bytes(data[at:end], "little") for at, end in fields)

    def names(self, fd: int) -> int | list[bytes]:
        self.call("_llseek", fd, 0, 0, self.h.room(self.task, 8), 0)
        found: list[bytes] = []
        while True:
            data = self.data("getdents64", fd, 4096)
            if isinstance(data, int):
                return data
            if not data:
                return sorted(name for name in found if name not in (b".", b".."))
            while data:
                size = int.from_bytes(data[16:18], "little")
                found.append(data[19:size].split(b"\0")[0])
                data = data[size:]


class Native:
    """This machine's side, under the same words."""

    def __init__(self, folder: Path) -> None:
        path = os.fsencode(folder)
        for _ in range(TOWER):
            path += b"/t"
            os.mkdir(path, 0o755)
        self.dir = os.open(path, os.O_DIRECTORY)

    def call(self, name: str, *args: int | bytes) -> int:
        result = LIBC[name](*args)
        return -ctypes.get_errno() if result == -1 else int(result)

    def stat(self, dirfd: int, path: bytes, flags: int) -> int | tuple[int, ...]:
        try:
            if flags & 0x1000:
                st = os.fstat(dirfd)
            else:
                st = os.stat(path, dir_fd=dirfd, follow_symlinks=not flags & 0x100)
        except OSError as error:
            return -(error.errno or 0)
        return st.st_mode, st.st_nlink, st.st_size

    def names(self, fd: int) -> int | list[bytes]:
        try:
            return sorted(os.fsencode(name) for name in os.listdir(fd))
        except OSError as error:
            return -(error.errno or 0)


def blurred(found: int | tuple[int, ...]) -> int | tuple[int, ...]:
    """Sizes and link counts of directories are each file system's own affair."""
    if isinstance(found, tuple) and stat.S_ISDIR(found[0]):
        return found[:1]
    return found


class Duel:
    """One random run."""

    def __init__(self, seed: int, guest: Guest, native: Native) -> None:
        self.random = random.Random(seed)
        self.guest, self.native = guest, native
        self.fds: list[tuple[int, int]] = []
        self.log: list[str] = []
        self.odd_modes: tuple[int, ...] = (0o2755, 0o4755)
        self.simple = False  # no FIFOs, no O_TMPFILE, no exchange: a host folder has none

    def path(self) -> bytes:
        pick = self.random
        parts = [pick.choice(NAMES) for _ in range(pick.choice((1, 1, 2, 2, 3)))]
        if pick.random() < 0.1:
            parts.insert(pick.randrange(len(parts) + 1), pick.choice((b".", b"..")))
        if pick.random() < 0.02:
            parts.append(b"n" * pick.choice((255, 256)))
        text = pick.choice((b"/", b"/", b"/", b"//")).join(parts)
        if pick.random() < 0.08:
            text += b"/"
        return b"" if pick.random() < 0.01 else text

    def same(self, what: str, guest: object, native: object) -> None:
        self.log.append(f"{what} -> {native}")
        assert guest == native, "\n".join([*self.log[-25:], f"kernel: {guest}, Linux: {native}"])

    def both(self, name: str, *args: object) -> int:
        """The same call; "dir" stands for the directory."""
        mine = [self.guest.dir if arg == "dir" else arg for arg in args]
        theirs = [self.native.dir if arg == "dir" else arg for arg in args]
        guest = self.guest.call(name, *mine)  # type: ignore[arg-type]
        native = self.native.call(name, *theirs)  # type: ignore[arg-type]
        self.same(f"{name}{args}", guest, native)
        return native

    def step(self) -> None:
        getattr(self, self.random.choice(STEPS))()

    def mkdir(self) -> None:
        self.both("mkdirat", "dir", self.path(), self.random.choice((0o755, 0o700, 0o1777)))

    def mknod(self) -> None:
        kinds = (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFIFO)
        kind = self.random.choice(kinds[:3] if self.simple else kinds)
        path = self.path()
        self.same(
            f"mknod {path!r} {kind:o}", self.guest.call("mknodat", self.guest.dir, path, kind | 0o644, 0),
            self.native.call("mknodat", self.native.dir, path, kind | 0o644, 0),
        )  # fmt: skip

    def unlink(self) -> None:
        self.both("unlinkat", "dir", self.path(), 0)

    def rmdir(self) -> None:
        self.both("unlinkat", "dir", self.path(), 0x200)

    def symlink(self) -> None:
        self.both("symlinkat", self.path(), "dir", self.path())

    def link(self) -> None:
        self.both("linkat", "dir", self.path(), "dir", self.path(), self.random.choice((0, 0, 0x400)))

    def rename(self) -> None:
        flags = self.random.choice((0, 0, 0, 1) if self.simple else (0, 0, 0, 1, 2, 3))
        self.both("renameat2", "dir", self.path(), "dir", self.path(), flags)

    def readlink(self) -> None:
        path = self.path()
        address = self.guest.h.room(self.guest.task, 100)
        count = self.guest.call("readlinkat", self.guest.dir, path, address, 100)
        buffer = ctypes.create_string_buffer(100)
        theirs = self.native.call("readlinkat", self.native.dir, path, buffer, 100)  # type: ignore[arg-type]
        self.same(f"readlink {path!r}", count, theirs)
        if count > 0:
            self.same("  text", self.guest.h.get(self.guest.task, address, count), buffer.raw[:count])

    def chmod(self) -> None:
        modes = (0o755, 0o755, 0o644, 0o600, *self.odd_modes)
        path, mode = self.path(), self.random.choice(modes)
        self.same(
            f"chmod {path!r} {mode:o}", self.guest.call("fchmodat", self.guest.dir, path, mode),
            self.native.call("fchmodat", self.native.dir, path, mode, 0),
        )  # fmt: skip

    def stat(self) -> None:
        path, flags = self.path(), self.random.choice((0, 0x100))
        guest, native = (side.stat(side.dir, path, flags) for side in (self.guest, self.native))
        self.same(f"stat {path!r} {flags:x}", blurred(guest), blurred(native))

    def access(self) -> None:
        path, mode = self.path(), self.random.randrange(8)
        self.same(
            f"access {path!r} {mode}", self.guest.call("faccessat", self.guest.dir, path, mode),
            self.native.call("faccessat", self.native.dir, path, mode, 0),
        )  # fmt: skip

    def open(self) -> None:
        pick = self.random
        flags = pick.choice((os.O_RDONLY, os.O_WRONLY, os.O_RDWR)) | os.O_NONBLOCK
        for flag in OPEN_FLAGS:
            flags |= flag if pick.random() < 0.25 else 0
        if pick.random() < 0.05 and not self.simple:
            flags |= os.O_TMPFILE
        if pick.random() < 0.05:
            flags |= os.O_PATH
        path, mode = self.path(), 0o644
        guest = self.guest.call("openat", self.guest.dir, path, flags, mode)
        native = self.native.call("openat", self.native.dir, path, flags, mode)
        self.same(f"open {path!r} {flags:o}", min(guest, 0), min(native, 0))
        if guest >= 0:
            self.fds.append((guest, native))
            if len(self.fds) > 20:
                self.close()

    def close(self) -> None:
        if self.fds:
            guest, native = self.fds.pop(self.random.randrange(len(self.fds)))
            self.same("close", self.guest.call("close", guest), self.native.call("close", native))

    def file(self) -> None:
        """Something with an open file."""
        if self.fds:
            guest, native = self.random.choice(self.fds)
            if stat.S_ISFIFO(os.fstat(native).st_mode):
                return
            getattr(self, self.random.choice(FILE_STEPS))(guest, native)

    def read(self, guest: int, native: int) -> None:
        size = self.random.choice((0, 1, 100, 70000))
        data = self.guest.data("read", guest, size)
        buffer = ctypes.create_string_buffer(max(size, 1))
        count = self.native.call("read", native, buffer, size)  # type: ignore[arg-type]
        self.same(f"read {size}", data, buffer.raw[:count] if count >= 0 else count)

    def pread(self, guest: int, native: int) -> None:
        size, offset = self.random.choice((1, 100, 70000)), self.random.choice((0, 50, 65530, 200000))
        data = self.guest.data("pread64", guest, size, offset, 0)
        buffer = ctypes.create_string_buffer(size)
        count = self.native.call("pread64", native, buffer, size, ctypes.c_int64(offset))  # type: ignore[arg-type]
        self.same(f"pread {size} {offset}", data, buffer.raw[:count] if count >= 0 else count)

    def _some(self) -> bytes:
        return self.random.randbytes(self.random.choice((0, 1, 10, 5000, 66000)))

    def write(self, guest: int, native: int) -> None:
        data = self._some()
        address = self.guest.h.put(self.guest.task, data)
        self.same(
            f"write {len(data)}", self.guest.call("write", guest, address, len(data)),
            self.native.call("write", native, data, len(data)),
        )  # fmt: skip

    def pwrite(self, guest: int, native: int) -> None:
        data, offset = self._some(), self.random.choice((0, 10, 4095, 65530, 150000))
        address = self.guest.h.put(self.guest.task, data)
        self.same(
            f"pwrite {len(data)} {offset}", self.guest.call("pwrite64", guest, address, len(data), offset, 0),
            self.native.call("pwrite64", native, data, len(data), ctypes.c_int64(offset)),  # type: ignore[arg-type]
        )  # fmt: skip

    def seek(self, guest: int, native: int) -> None:
        offset, whence = self.random.choice((-10, 0, 7, 65536, 300000)), self.random.choice((0, 1, 2, 9))
        if stat.S_ISDIR(os.fstat(native).st_mode):
            return  # cookies are each file system's own affair
        address = self.guest.h.room(self.guest.task, 8)
        result = self.guest.call("_llseek", guest, offset >> 32, offset, address, whence)
        place = int.from_bytes(self.guest.h.get(self.guest.task, address, 8), "little")
        try:
            theirs = os.lseek(native, offset, whence)
        except OSError as error:
            theirs = -(error.errno or 0)
        self.same(f"seek {offset} {whence}", place if result == 0 else result, theirs)

    def truncate(self, guest: int, native: int) -> None:
        size = self.random.choice((0, 5, 4096, 65537, 130000))
        self.same(
            f"ftruncate {size}", self.guest.call("ftruncate64", guest, size, 0),
            self.native.call("ftruncate64", native, ctypes.c_int64(size)),  # type: ignore[arg-type]
        )  # fmt: skip

    def fstat(self, guest: int, native: int) -> None:
        mine, theirs = self.guest.stat(guest, b"", 0x1000), self.native.stat(native, b"", 0x1000)
        self.same("fstat", blurred(mine), blurred(theirs))

    def fchmod(self, guest: int, native: int) -> None:
        mode = self.random.choice((0o600, 0o755))
        mine, theirs = self.guest.call("fchmod", guest, mode), self.native.call("fchmod", native, mode)
        self.same(f"fchmod {mode:o}", mine, theirs)

    def names(self, guest: int, native: int) -> None:
        if stat.S_ISDIR(os.fstat(native).st_mode) and os.fstat(native).st_nlink:
            mine, theirs = self.guest.names(guest), self.native.names(native)
            self.same("names", mine, theirs)

    def relink(self, guest: int, native: int) -> None:
        """linkat with AT_EMPTY_PATH: O_TMPFILE gets its name. Who else may depends on Linux' version."""
        if os.geteuid() == 0 and not self.simple and stat.S_ISREG(os.fstat(native).st_mode):
            path = self.path()
            self.same(
                f"relink {path!r}", self.guest.call("linkat", guest, b"", self.guest.dir, path, 0x1000),
                self.native.call("linkat", native, b"", self.native.dir, path, 0x1000),
            )  # fmt: skip

    def own(self) -> None:
        """Make the directory someone's, and let him reach it."""
        os.chmod(self.native.dir, 0o777)
        assert self.guest.call("fchmod", self.guest.dir, 0o777) == 0
        os.fchown(self.native.dir, SOMEONE, -1)
        assert self.guest.call("fchown", self.guest.dir, SOMEONE, -1) == 0

    def become(self, uid: int) -> None:
        """Continue as another user."""
        os.seteuid(os.getuid())
        os.seteuid(uid)
        cred = self.guest.task.process.cred
        cred.euid = uid

    def compare(self) -> None:
        """The whole trees."""
        self._compare(b".")

    def _compare(self, path: bytes) -> None:
        mine = self.guest.call("openat", self.guest.dir, path, os.O_DIRECTORY, 0)
        theirs = os.open(path, os.O_DIRECTORY, dir_fd=self.native.dir)
        names = self.guest.names(mine)
        self.same(f"tree {path!r}", names, self.native.names(theirs))
        self.guest.call("close", mine)
        os.close(theirs)
        assert isinstance(names, list)
        for name in names:
            child = path + b"/" + name
            native = self.native.stat(self.native.dir, child, 0x100)
            guest = self.guest.stat(self.guest.dir, child, 0x100)
            self.same(f"tree {child!r}", blurred(guest), blurred(native))
            assert isinstance(native, tuple)
            if stat.S_ISDIR(native[0]):
                self._compare(child)


OPEN_FLAGS = (os.O_CREAT, os.O_CREAT, os.O_EXCL, os.O_TRUNC, os.O_APPEND, os.O_NOFOLLOW, os.O_DIRECTORY)
STEPS = (
    "mkdir", "rmdir", "unlink", "unlink", "symlink", "link", "rename", "rename", "readlink", "chmod",
    "stat", "access", "mknod", "close", *["open"] * 6, *["file"] * 10,
)  # fmt: skip
FILE_STEPS = (
    "read", "pread", "write", "write", "pwrite", "seek", "truncate", "fstat", "fchmod", "names", "relink",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["tmpfs", "overlay", "user", "host"])
def test_the_kernel_and_linux_agree(seed: int, kind: str) -> None:
    if kind == "user" and os.getuid() != 0:
        pytest.skip("needs root to become someone else and to look at what he did")
    root = Overlay(Tmpfs(mode=0o755)) if kind == "overlay" else Tmpfs(mode=0o755)
    memory = Path("/dev/shm")  # a real tmpfs is the best oracle
    before = os.umask(0o022)
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        (Path(folder) / "host").mkdir()
        host = Path(folder) / "host" if kind == "host" else None
        duel = Duel(seed, Guest(root, host), Native(Path(folder)))
        if kind == "host":
            duel.simple, duel.odd_modes = True, ()
        if kind == "user":
            duel.odd_modes = (0o2755, 0o4755, 0, 0o111, 0o311, 0o444, 0o500, 0o666)
            duel.own()
        try:
            for _ in range(OPERATIONS // 100):
                duel.become(SOMEONE if kind == "user" else os.getuid())
                for _ in range(100):
                    duel.step()
                duel.become(os.getuid())
                duel.compare()
        finally:
            os.seteuid(os.getuid())
            os.umask(before)
            for _, fd in duel.fds:
                os.close(fd)
            os.close(duel.native.dir)
