# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""File calls as a test wants to write them: values out, SysError for errnos.

    box = Files(mounts=[(b"/tmp", Tmpfs())])
    box.write(b"/tmp/a", b"hi")
    assert box.read(b"/tmp/a") == b"hi"
"""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from struct import unpack_from
from types import SimpleNamespace

import pytest
from tests.unit.kernel.fakehost import FakeHost
from tests.unit.kernel.harness import PARKED, Harness

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import AT_FDCWD, O_CREAT, O_DIRECTORY, O_RDONLY, O_TRUNC, O_WRONLY
from skerry.kernel.mount import Namespace
from skerry.kernel.process import Credentials
from skerry.kernel.task import Task
from skerry.kernel.vfs import Filesystem

ROOM = 70000


def failure(errno: Errno) -> pytest.RaisesExc[SysError]:
    """`with failure(Errno.ENOENT):` the calls inside fail with that errno."""
    return pytest.RaisesExc(SysError, check=lambda error: error.errno == errno)


def user(uid: int) -> Credentials:
    """A user whose group has the same number."""
    return Credentials(uid, uid, uid, uid, uid, uid)


class Files:
    """One process and its file calls; `host` gives trees of this machine."""

    def __init__(
        self,
        root: Filesystem | None = None,
        mounts: Sequence[tuple[bytes, Filesystem]] = (),
        host: dict[int, Path] | None = None,
        uid: int = 0,
    ) -> None:
        self.h = Harness(Namespace(root, mounts))
        self.host = FakeHost(host or {})
        self.uid = uid
        self.task: Task = self.process()

    def process(self) -> Task:
        """One more process of the same user."""
        task = self.h.process()
        task.process.cred = user(self.uid)
        return task

    def become(self, uid: int) -> None:
        """Be another user."""
        self.task.process.cred = user(uid)

    def call(self, name: str, *args: int | bytes, task: Task | None = None) -> int:
        """A call; the host answers meanwhile. Raises: SysError."""
        task = task or self.task
        value = self.h.call(task, name, *args)
        self.host.serve(self.h)
        if value is PARKED:
            value = self.h.resumed(task)
        assert isinstance(value, int), f"{name} parked"
        if value < 0:
            raise SysError(-value)
        return value

    def open(self, path: bytes, flags: int = O_RDONLY, mode: int = 0o666, dirfd: int = AT_FDCWD) -> int:
        return self.call("openat", dirfd, path, flags, mode)

    def close(self, fd: int) -> None:
        self.call("close", fd)

    def get(self, fd: int, size: int = ROOM) -> bytes:
        """read(2)."""
        address = self.h.room(self.task, size)
        return self.h.get(self.task, address, self.call("read", fd, address, size))

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        address = self.h.room(self.task, size)
        return self.h.get(self.task, address, self.call("pread64", fd, address, size, offset, 0))

    def put(self, fd: int, data: bytes) -> int:
        """write(2)."""
        return self.call("write", fd, self.h.put(self.task, data), len(data))

    def read(self, path: bytes) -> bytes:
        """Everything in a file."""
        fd, parts = self.open(path), []
        while data := self.get(fd):
            parts.append(data)
        self.close(fd)
        return b"".join(parts)

    def write(self, path: bytes, data: bytes, flags: int = O_WRONLY | O_CREAT | O_TRUNC) -> None:
        """Make or fill a file."""
        fd = self.open(path, flags)
        for start in range(0, len(data), ROOM):
            assert self.put(fd, data[start : start + ROOM]) == len(data[start : start + ROOM])
        self.close(fd)

    def mkdir(self, path: bytes, mode: int = 0o777) -> None:
        self.call("mkdirat", AT_FDCWD, path, mode)

    def symlink(self, target: bytes, path: bytes) -> None:
        self.call("symlinkat", target, AT_FDCWD, path)

    def link(self, path: bytes, new: bytes) -> None:
        self.call("linkat", AT_FDCWD, path, AT_FDCWD, new, 0)

    def unlink(self, path: bytes) -> None:
        self.call("unlinkat", AT_FDCWD, path, 0)

    def rmdir(self, path: bytes) -> None:
        self.call("unlinkat", AT_FDCWD, path, 0x200)

    def rename(self, path: bytes, new: bytes, flags: int = 0) -> None:
        self.call("renameat2", AT_FDCWD, path, AT_FDCWD, new, flags)

    def chmod(self, path: bytes, mode: int) -> None:
        self.call("fchmodat", AT_FDCWD, path, mode)

    def readlink(self, path: bytes) -> bytes:
        address = self.h.room(self.task, 4096)
        return self.h.get(self.task, address, self.call("readlinkat", AT_FDCWD, path, address, 4096))

    def chdir(self, path: bytes) -> None:
        self.call("chdir", path)

    def getcwd(self) -> bytes:
        address = self.h.room(self.task, 4096)
        return self.h.get(self.task, address, self.call("getcwd", address, 4096))[:-1]

    def seek(self, fd: int, offset: int, whence: int = 0) -> int:
        address = self.h.room(self.task, 8)
        self.call("_llseek", fd, offset >> 32, offset, address, whence)
        return int.from_bytes(self.h.get(self.task, address, 8), "little")

    def stat(self, path: bytes | int, flags: int = 0) -> SimpleNamespace:
        """statx of a path, or of a descriptor."""
        address = self.h.room(self.task, 256)
        if isinstance(path, int):
            self.call("statx", path, b"", 0x1000, 0x7FF, address)
        else:
            self.call("statx", AT_FDCWD, path, flags, 0x7FF, address)
        data = self.h.get(self.task, address, 256)
        nlink, uid, gid, mode = unpack_from("<IIIH", data, 16)
        ino, size, blocks = unpack_from("<QQQ", data, 32)
        times = [unpack_from("<qI", data, at) for at in range(64, 128, 16)]
        atime, btime, ctime, mtime = (seconds * 10**9 + part for seconds, part in times)
        return SimpleNamespace(
            nlink=nlink, uid=uid, gid=gid, mode=mode, ino=ino, size=size, blocks=blocks,
            atime=atime, btime=btime, ctime=ctime, mtime=mtime,
            rdev=unpack_from("<II", data, 128), dev=unpack_from("<II", data, 136),
        )  # fmt: skip

    def entries(self, fd: int, size: int = 4096) -> list[tuple[bytes, int, int]]:
        """What one getdents64 gives: (name, type, cookie)."""
        address = self.h.room(self.task, size)
        data = self.h.get(self.task, address, self.call("getdents64", fd, address, size))
        found = []
        while data:
            _, cookie, length, kind = unpack_from("<QqHB", data)
            found.append((data[19:length].split(b"\0")[0], kind, cookie))
            data = data[length:]
        return found

    def list(self, path: bytes) -> list[bytes]:
        """The names in a directory, in its order, without the dots."""
        fd, names = self.open(path, O_DIRECTORY), []
        while part := self.entries(fd):
            names += [name for name, _, _ in part]
        self.close(fd)
        assert names[:2] == [b".", b".."]
        return names[2:]
