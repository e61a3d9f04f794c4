# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A WASI program for tests: its calls, with results as the guest sees them.

    program = WasiProgram()
    fd = program.open(b"name", OFLAG_CREAT)
    assert program.write(fd, b"hello") == 5
    assert program.call("fd_seek", fd, 0, 9, program.out) == E.EINVAL

A bytes argument is placed in memory and passed as address and size, as paths are. Results are
WASI's error numbers, given here under Linux' names; PARKED while a call waits.
"""
from __future__ import annotations

from struct import unpack

from tests.unit.kernel.harness import Harness, Value

from skerry.abi import wasi as w
from skerry.abi.errno import Errno
from skerry.kernel.events import Syscall
from skerry.kernel.file import File
from skerry.kernel.mount import Namespace
from skerry.kernel.task import Task

ALL_RIGHTS = (1 << 30) - 1
READ_WRITE = w.FD_READ | w.FD_WRITE
ROOT_FD, HERE_FD = 3, 4  # where the preopened directories are when nothing is in their way


class E:
    """WASI's error numbers under Linux' names."""

    EACCES = w.ERRORS[Errno.EACCES]
    EAGAIN = w.ERRORS[Errno.EAGAIN]
    EBADF = w.ERRORS[Errno.EBADF]
    EEXIST = w.ERRORS[Errno.EEXIST]
    EFAULT = w.ERRORS[Errno.EFAULT]
    EINVAL = w.ERRORS[Errno.EINVAL]
    EISDIR = w.ERRORS[Errno.EISDIR]
    ELOOP = w.ERRORS[Errno.ELOOP]
    EMFILE = w.ERRORS[Errno.EMFILE]
    ENAMETOOLONG = w.ERRORS[Errno.ENAMETOOLONG]
    ENOENT = w.ERRORS[Errno.ENOENT]
    ENOTCAPABLE = w.NOTCAPABLE
    ENOTDIR = w.ERRORS[Errno.ENOTDIR]
    ENOTEMPTY = w.ERRORS[Errno.ENOTEMPTY]
    ENOTSOCK = w.ERRORS[Errno.ENOTSOCK]
    ENOTSUP = w.ERRORS[Errno.EOPNOTSUPP]
    EPERM = w.ERRORS[Errno.EPERM]
    EROFS = w.ERRORS[Errno.EROFS]
    ESPIPE = w.ERRORS[Errno.ESPIPE]


class WasiProgram:
    """One process that makes WASI calls."""

    def __init__(
        self,
        argv: tuple[bytes, ...] = (b"test",),
        namespace: Namespace | None = None,
        h: Harness | None = None,
    ) -> None:
        self.h = h or Harness(namespace)
        self.task: Task = self.h.process(argv)
        self.task.flag = 0  # WASI's libc knows no signals
        self.out = self.h.room(self.task, 64)
        for fd in range(3):
            self.give(self.h.kernel.console.open(self.task, "null", fd), fd)

    # --- calls

    def call(self, name: str, *args: int | bytes) -> Value:
        """Make a call; returns its error number, 0 for success."""
        words: list[int] = []
        for arg in args:
            words += [arg] if isinstance(arg, int) else [self.put(arg), len(arg)]
        kinds = w.FUNCTIONS[name]
        assert len(kinds) == len(words), f"{name} takes {len(kinds)} words"
        signed = [_signed(word, 32 if kind == "i" else 64) for word, kind in zip(words, kinds, strict=True)]
        self.h.step(Syscall(self.task.thread, w.MODULE, name, tuple(signed)))
        return self.resumed()

    def resumed(self) -> Value:
        """What the parked call returned, once; PARKED while it has not."""
        value = self.h.resumed(self.task)
        return w.error_of(-value) if isinstance(value, int) and value < 0 else value

    def done(self, name: str, *args: int | bytes) -> None:
        """Make a call that must succeed."""
        error = self.call(name, *args)
        assert error == 0, f"{name}: {error}"

    # --- memory

    def put(self, data: bytes) -> int:
        """Place bytes in memory."""
        return self.h.put(self.task, data)

    def room(self, size: int) -> int:
        """Fresh zero bytes."""
        return self.h.room(self.task, size)

    def get(self, address: int, size: int) -> bytes:
        """Read memory."""
        return self.h.get(self.task, address, size)

    @property
    def told(self) -> int:
        """The 32-bit result of the last call that was given `out`."""
        return self.task.mem.u32(self.out)

    @property
    def told64(self) -> int:
        """The 64-bit one."""
        return self.task.mem.u64(self.out)

    def vector(self, *parts: tuple[int, int]) -> int:
        """Place iovec structures."""
        return self.h.words(self.task, *[word for part in parts for word in part])

    # --- the common calls

    def give(self, file: File, fd: int = -1) -> int:
        """Let the program have inherited `file`."""
        fds = self.task.process.fds
        if fd < 0:
            return fds.add(file)
        fds.put(fd, file)
        return fd

    def open(
        self, path: bytes, oflags: int = 0, rights: int = READ_WRITE, fdflags: int = 0, at: int = HERE_FD
    ) -> int:
        """Open a file; returns its descriptor."""
        self.done("path_open", at, w.SYMLINK_FOLLOW, path, oflags, rights, ALL_RIGHTS, fdflags, self.out)
        return self.told

    def make(self, path: bytes, content: bytes = b"", at: int = HERE_FD) -> None:
        """Make a file."""
        fd = self.open(path, w.OFLAG_CREAT | w.OFLAG_TRUNC, at=at)
        if content:
            assert self.write(fd, content) == len(content)
        self.done("fd_close", fd)

    def write(self, fd: int, data: bytes) -> int:
        """Write; returns how much was written."""
        self.done("fd_write", fd, self.vector((self.put(data), len(data))), 1, self.out)
        return self.told

    def read(self, fd: int, size: int = 100) -> bytes:
        """Read up to `size` bytes."""
        buf = self.room(size)
        self.done("fd_read", fd, self.vector((buf, size)), 1, self.out)
        return self.get(buf, self.told)

    def fdstat(self, fd: int) -> tuple[int, int, int, int]:
        """File type, flags, rights, inheriting rights."""
        self.done("fd_fdstat_get", fd, self.out)
        kind, flags, rights, inheriting = w.FDSTAT.unpack(self.get(self.out, w.FDSTAT.size))
        return kind, flags, rights, inheriting

    def stat(self, path: bytes, at: int = HERE_FD, follow: bool = True) -> tuple[int, ...]:
        """dev, ino, filetype, nlink, size, atim, mtim, ctim."""
        self.done("path_filestat_get", at, int(follow), path, self.out)
        return w.FILESTAT.unpack(self.get(self.out, w.FILESTAT.size))

    def entries(self, fd: int, cookie: int = 0, size: int = 4096) -> list[tuple[bytes, int, int]]:
        """(name, type, cookie of the next) of the entries that fit whole."""
        buf = self.room(size)
        self.done("fd_readdir", fd, buf, size, cookie, self.out)
        data, found = self.get(buf, self.told), []
        while len(data) >= w.DIRENT.size:
            following, _, length, kind = w.DIRENT.unpack_from(data)
            name = data[w.DIRENT.size : w.DIRENT.size + length]
            if len(name) < length:
                break
            found.append((name, kind, following))
            data = data[w.DIRENT.size + length :]
        return found

    def strings(self, pointers: int, count: int) -> list[bytes]:
        """A vector of strings, as args_get leaves it."""
        places = unpack(f"<{count}I", self.get(pointers, 4 * count))
        return [self.task.mem.string(place, 4096) for place in places]


def _signed(word: int, bits: int) -> int:
    word &= (1 << bits) - 1
    return word - (1 << bits) if word >> (bits - 1) else word
