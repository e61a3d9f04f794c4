# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Open files: position, size, directory entries, syncing, locks, copying between two.

Standard: POSIX.1-2024 lseek(), ftruncate(), fsync(), flock(); getdents64(2), fallocate(2),
          sendfile(2), copy_file_range(2).
Units:    64-bit arguments come as two words, low first.
"""
from __future__ import annotations

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import AT_FDCWD, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG
from skerry.kernel.file import File
from skerry.kernel.namei import find, path_argument
from skerry.kernel.notify import IN_MODIFY, notify
from skerry.kernel.regular import SIZE_LIMIT, DirectoryFile, RegularFile, check_size, nothing
from skerry.kernel.sys.fd import join
from skerry.kernel.sys.table import absent, syscall
from skerry.kernel.task import Task
from skerry.kernel.vfs import WRITE, New, drop_setuid, require, settled
from skerry.kernel.wait import Step

FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE = 1, 2
MFD_CLOEXEC, MFD_FLAGS = 1, 0x1F
MEMFD_NAME_MAX = 249  # mm/memfd.c


# --- position


@syscall("_llseek")
@settled
def llseek(task: Task, fd: int, high: int, low: int, result: int, whence: int) -> int | Step[int]:
    """Implements lseek(2)."""
    position = task.process.fds.get(fd).seek(task, join(low, high), whence)
    if isinstance(position, int):
        task.mem.put_u64(result, position)
        return 0
    return _seek_later(task, position, result)


def _seek_later(task: Task, step: Step[int], result: int) -> Step[int]:
    position = yield from step
    task.mem.put_u64(result, position)
    return 0


@syscall()
@settled
def getdents64(task: Task, fd: int, buf: int, size: int) -> int:
    """Implements getdents64(2)."""
    file = task.process.fds.get(fd)
    if not isinstance(file, DirectoryFile):
        raise SysError(Errno.EBADF if file.flags & fcntl.O_PATH else Errno.ENOTDIR)
    size &= 0xFFFFFFFF
    task.mem.check(buf, min(size, 1))
    data = file.getdents(size)
    task.mem.write(buf, data)
    return len(data)


# --- size


@syscall()
@settled
def truncate64(task: Task, path: int, low: int, high: int) -> int | Step[int]:
    """Implements truncate(2)."""
    size = join(low, high)
    if size < 0:
        raise SysError(Errno.EINVAL)
    inode = find(task, AT_FDCWD, path_argument(task, path))
    kind = inode.mode & S_IFMT
    if kind != S_IFREG:
        raise SysError(Errno.EISDIR if kind == S_IFDIR else Errno.EINVAL)
    require(inode, task.process.cred, WRITE)
    check_size(task, size)
    drop_setuid(inode, task.process.cred)
    step = inode.truncate(size)
    if inode.watches is not None:
        notify(inode, None, IN_MODIFY)
    return 0 if step is None else nothing(step)


@syscall()
@settled
def ftruncate64(task: Task, fd: int, low: int, high: int) -> int | Step[int]:
    """Implements ftruncate(2)."""
    file = task.process.fds.get(fd)
    size = join(low, high)
    if file.flags & fcntl.O_PATH:
        raise SysError(Errno.EBADF)
    if size < 0 or file.flags & fcntl.O_ACCMODE == fcntl.O_RDONLY:
        raise SysError(Errno.EINVAL)
    return file.truncate(task, size)


@syscall(missing="modes other than 0, KEEP_SIZE and PUNCH_HOLE: EOPNOTSUPP")
def fallocate(
    task: Task, fd: int, mode: int, low: int, high: int, size_low: int, size_high: int
) -> int:  # fmt: skip
    """Implements fallocate(2)."""
    file = task.process.fds.get(fd)
    offset, size = join(low, high), join(size_low, size_high)
    if offset < 0 or size <= 0:
        raise SysError(Errno.EINVAL)
    if mode & ~(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE) or mode == FALLOC_PUNCH_HOLE:
        raise SysError(Errno.EOPNOTSUPP)
    file.writable()
    inode = file.inode
    if inode is None or inode.mode & S_IFMT == S_IFIFO:
        raise SysError(Errno.ESPIPE)
    if inode.mode & S_IFMT != S_IFREG:
        raise SysError(Errno.ENODEV)
    if offset + size > SIZE_LIMIT:
        raise SysError(Errno.EFBIG)
    if mode & FALLOC_PUNCH_HOLE:
        inode.punch(offset, size)
        return 0
    grows = not mode & FALLOC_KEEP_SIZE and offset + size > inode.size
    if grows:
        check_size(task, offset + size)
    inode.allocate(offset, size)
    if grows:
        inode.truncate(offset + size)
    return 0


# --- durability


@syscall()
def fsync(task: Task, fd: int) -> int | Step[int]:
    """Implements fsync(2)."""
    return task.process.fds.get(fd).sync(task)


@syscall()
def fdatasync(task: Task, fd: int) -> int | Step[int]:
    """Implements fdatasync(2)."""
    return task.process.fds.get(fd).sync(task)


@syscall()
def sync(task: Task) -> int:
    """Implements sync(2): what is in memory needs none, the host has what was written to it."""
    return 0


@syscall()
def syncfs(task: Task, fd: int) -> int:
    """Implements syncfs(2), as sync(2)."""
    task.process.fds.get(fd)
    return 0


@syscall()
def sync_file_range(
    task: Task, fd: int, low: int, high: int, size_low: int, size_high: int, flags: int
) -> int:  # fmt: skip
    """Implements sync_file_range(2): there is nothing to write back."""
    _stored(task.process.fds.get(fd))
    if flags & ~7 or join(low, high) < 0 or join(size_low, size_high) < 0:
        raise SysError(Errno.EINVAL)
    return 0


@syscall()
def readahead(task: Task, fd: int, low: int, high: int, size: int) -> int:
    """Implements readahead(2): advice that needs no action."""
    file = task.process.fds.get(fd)
    file.readable()
    if file.inode is None or file.inode.mode & S_IFMT != S_IFREG:
        raise SysError(Errno.EINVAL)
    return 0


@syscall()
def fadvise64_64(
    task: Task, fd: int, low: int, high: int, size_low: int, size_high: int, advice: int
) -> int:  # fmt: skip
    """Implements posix_fadvise(2): advice that needs no action."""
    _stored(task.process.fds.get(fd))
    if not 0 <= advice <= 5 or join(size_low, size_high) < 0:
        raise SysError(Errno.EINVAL)
    return 0


def _stored(file: File) -> None:
    """Raise unless the file has positions at all."""
    if file.flags & fcntl.O_PATH:
        raise SysError(Errno.EBADF)
    if file.inode is None or file.inode.mode & S_IFMT == S_IFIFO:
        raise SysError(Errno.ESPIPE)


# --- locks


@syscall(restart=True)
def flock(task: Task, fd: int, operation: int) -> int | Step[int]:
    """Implements flock(2)."""
    return task.kernel.locks.flock(task, task.process.fds.get(fd), operation)


# --- files without a name


@syscall(missing="seals: F_ADD_SEALS is EINVAL")
def memfd_create(task: Task, name: int, flags: int) -> int:
    """Implements memfd_create(2)."""
    if flags & ~MFD_FLAGS:
        raise SysError(Errno.EINVAL)
    try:
        text = task.mem.string(name, MEMFD_NAME_MAX)
    except SysError as error:
        raise SysError(Errno.EINVAL if error.errno == Errno.ENAMETOOLONG else error.errno) from None
    memory = task.kernel.namespace.memory
    cred = task.process.cred
    inode = memory.root.make_nameless(New(S_IFREG | 0o777, cred.euid, cred.egid), linkable=False)
    file = RegularFile(inode, fcntl.O_RDWR | fcntl.O_LARGEFILE)
    file.place = (memory.root, b"memfd:" + text)
    return task.process.fds.add(file, bool(flags & MFD_CLOEXEC))


absent(
    Errno.EPERM, "a box's mounts are made before it starts",
    "mount", "umount2", "pivot_root", "open_tree", "move_mount", "fsopen", "fsmount",
)  # fmt: skip
absent(Errno.EOPNOTSUPP, "files have no handles", "name_to_handle_at", "open_by_handle_at")
