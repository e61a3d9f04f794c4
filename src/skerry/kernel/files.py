# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Files for the owner of a box: what a host program may do to the box's files from outside.

Each `FileCall` is carried out as a system call would be: with the person's credentials,
through namei, so that a mount, a permission or a full file system means the same as inside.

Units:    offsets and sizes are bytes; times nanoseconds.
Errors:   a `FileReply` with the errno.
Blocking: a call may wait for the host (a mounted tree); a FIFO is opened non-blocking.
"""
from __future__ import annotations

from collections.abc import Callable
from struct import pack
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import AT_FDCWD
from skerry.kernel import dirent
from skerry.kernel.commands import FileReply
from skerry.kernel.fdtable import FdTable
from skerry.kernel.file import File
from skerry.kernel.namei import find
from skerry.kernel.open import open_at
from skerry.kernel.process import FsContext, Process
from skerry.kernel.sys.table import Call
from skerry.kernel.task import Task
from skerry.kernel.usermem import UserMemory
from skerry.kernel.vfs import owns, settle
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.events import FileCall
    from skerry.kernel.kernel import Kernel

READ_MAX = 1 << 20
"""The most bytes one `read` returns; a caller asks again with a larger offset."""

_CALL = Call("file", lambda task: 0)
_SAFE = fcntl.O_NONBLOCK | fcntl.O_NOCTTY


def serve(kernel: Kernel, event: FileCall) -> None:
    """Take a `FileCall`; a `FileReply` follows."""
    root = kernel.namespace.root_location()
    person = Process(kernel, 1, None, FsContext(root, root), kernel.namespace.user.copy(), FdTable())
    task = Task(kernel, 1, person, UserMemory(lambda: memoryview(b"")), thread=0)
    kernel.sched.begin(task, _CALL, _run(task, event))


def _run(task: Task, event: FileCall) -> Step[None]:
    errno, data = 0, b""
    try:
        operation = _OPERATIONS.get(event.operation)
        if operation is None:
            raise SysError(Errno.ENOSYS)
        data = yield from operation(task, event)
    except SysError as error:
        errno = int(error.errno)
    task.kernel.commands.append(FileReply(event.request, errno, data))


def _done(result: Any) -> Step[Any]:
    """The result of a call that may be plain or still to be stepped."""
    if isinstance(result, GeneratorType):
        result = yield from result
    return result


def _open(task: Task, path: bytes, flags: int, mode: int = 0) -> Step[File]:
    file: File = yield from _done(settle(open_at, task, AT_FDCWD, path, flags | _SAFE, mode))
    return file.acquire()


def _read(task: Task, event: FileCall) -> Step[bytes]:
    file = yield from _open(task, event.path, fcntl.O_RDONLY)
    try:
        data = yield from _done(file.pread(task, min(event.number, READ_MAX), event.offset))
        return bytes(data)
    finally:
        file.release()


def _write(task: Task, event: FileCall) -> Step[bytes]:
    """Write at `offset`; offset 0 starts the file anew, -1 appends. `number` is the mode of a new file."""
    how = {0: fcntl.O_CREAT | fcntl.O_TRUNC, -1: fcntl.O_CREAT}.get(event.offset, 0)
    file = yield from _open(task, event.path, fcntl.O_WRONLY | how, event.number)
    try:
        offset = event.offset
        if offset < 0:
            offset = yield from _done(file.seek(task, 0, fcntl.SEEK_END))
        done = 0
        while done < len(event.argument):
            done += yield from _done(file.pwrite(task, event.argument[done:], offset + done))
        return b""
    finally:
        file.release()


def _stat(task: Task, event: FileCall) -> Step[bytes]:
    """Sixteen 64-bit numbers; `number` 1 does not follow a link."""
    inode = yield from _done(settle(find, task, AT_FDCWD, event.path, not event.number))
    st = yield from _done(inode.stat())
    return pack(
        "<12q", st.mode, st.ino, st.dev, st.nlink, st.uid, st.gid, st.size, st.blocks, st.rdev,
        st.atime_ns, st.mtime_ns, st.ctime_ns,
    )  # fmt: skip


def _list(task: Task, event: FileCall) -> Step[bytes]:
    """Names, each ended by NUL."""

    def look(task: Task, path: bytes) -> list[bytes]:
        inode = find(task, AT_FDCWD, path)
        if not inode.is_dir:
            raise SysError(Errno.ENOTDIR)
        return [name for name, _, _ in inode.entries() if name not in (b".", b"..")]

    names = yield from _done(settle(look, task, event.path))
    return b"".join(name + b"\0" for name in sorted(names))


def _readlink(task: Task, event: FileCall) -> Step[bytes]:
    def look(task: Task, path: bytes) -> bytes:
        inode = find(task, AT_FDCWD, path, False)
        if inode.mode & fcntl.S_IFMT != fcntl.S_IFLNK:
            raise SysError(Errno.EINVAL)
        return inode.readlink_for(task)

    text: bytes = yield from _done(settle(look, task, event.path))
    return text


def _mkdir(task: Task, event: FileCall) -> Step[bytes]:
    mode = fcntl.S_IFDIR | event.number & 0o1777
    yield from _done(settle(dirent.create, task, AT_FDCWD, event.path, mode))
    return b""


def _symlink(task: Task, event: FileCall) -> Step[bytes]:
    mode = fcntl.S_IFLNK | 0o777
    yield from _done(settle(dirent.create, task, AT_FDCWD, event.path, mode, 0, event.argument))
    return b""


def _unlink(task: Task, event: FileCall) -> Step[bytes]:
    yield from _done(settle(dirent.unlink, task, AT_FDCWD, event.path))
    return b""


def _rmdir(task: Task, event: FileCall) -> Step[bytes]:
    yield from _done(settle(dirent.rmdir, task, AT_FDCWD, event.path))
    return b""


def _rename(task: Task, event: FileCall) -> Step[bytes]:
    yield from _done(settle(dirent.rename, task, AT_FDCWD, event.path, AT_FDCWD, event.argument, 0))
    return b""


def _chmod(task: Task, event: FileCall) -> Step[bytes]:
    def change(task: Task, path: bytes) -> Step[None] | None:
        inode = find(task, AT_FDCWD, path)
        if inode.fs.read_only:
            raise SysError(Errno.EROFS)
        if not owns(inode, task.process.cred):
            raise SysError(Errno.EPERM)
        return inode.setattr(mode=event.number & 0o7777)

    yield from _done(settle(change, task, event.path))
    return b""


_OPERATIONS: dict[str, Callable[[Task, FileCall], Step[bytes]]] = {
    "read": _read, "write": _write, "stat": _stat, "list": _list, "readlink": _readlink, "mkdir": _mkdir,
    "symlink": _symlink, "unlink": _unlink, "rmdir": _rmdir, "rename": _rename, "chmod": _chmod,
}  # fmt: skip
