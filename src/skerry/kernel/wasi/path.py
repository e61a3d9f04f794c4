# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Paths: opening, making, removing, renaming, links, attributes.

A path starts at a directory descriptor and may not lead above it by its own text (EPERM, as other
runtimes answer); links lead where the process may look anyway: its root is the boundary, as for
Linux programs. Two things are peculiar to the directory `.`:

* Its paths may lead upwards: it is the working directory, not a jail.
* wasi-libc sends every path here, without its leading slash (state.py). A path that does not begin
  with `.` is therefore looked for below the working directory first and below the root next; a new
  file goes where its directory exists. `./name` always means the working directory.

Standard: wasi_snapshot_preview1, "path_*".
"""
from __future__ import annotations

from skerry.abi import fcntl
from skerry.abi import wasi as w
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel import dirent
from skerry.kernel.file import File
from skerry.kernel.namei import find, locate
from skerry.kernel.open import open_at
from skerry.kernel.task import Task
from skerry.kernel.usermem import U32
from skerry.kernel.vfs import Inode, settled
from skerry.kernel.wait import Step
from skerry.kernel.wasi.fdstat import open_flags, put_filestat, set_times
from skerry.kernel.wasi.state import HERE, directory_fd, state_of
from skerry.kernel.wasi.table import string, succeed, then, wasi

_OFLAGS = (
    (w.OFLAG_CREAT, fcntl.O_CREAT, w.PATH_CREATE_FILE), (w.OFLAG_DIRECTORY, fcntl.O_DIRECTORY, 0),
    (w.OFLAG_EXCL, fcntl.O_EXCL, 0), (w.OFLAG_TRUNC, fcntl.O_TRUNC, w.PATH_FILESTAT_SET_SIZE),
)  # fmt: skip


# --- where a path starts


def path_at(task: Task, fd: int, address: int, size: int, right: int) -> bytes:
    """Read a path that starts at directory `fd`, as namei takes it.

    Raises: SysError(EPERM) for one that leaves it, and those of `string` and `directory_fd`.
    """
    path = string(task, address, size)
    directory_fd(task, fd, right)
    if not path:
        raise SysError(Errno.ENOENT)
    if path[0] == 47:
        raise SysError(Errno.EPERM)
    if state_of(task).preopens.get(fd) == HERE:
        return _guess(task, fd, path)
    if b".." in path and _climbs(path):
        raise SysError(Errno.EPERM)
    return path


def _climbs(path: bytes) -> bool:
    """Whether a path, read from left to right, is ever above where it starts."""
    depth = 0
    for name in path.split(b"/"):
        if name == b"..":
            depth -= 1
            if depth < 0:
                return True
        elif name and name != b".":
            depth += 1
    return False


def _guess(task: Task, fd: int, path: bytes) -> bytes:
    """What wasi-libc made `path` from: itself, or itself with a slash before it. May raise Cold."""
    fs = task.process.fs
    if fs.root is fs.cwd or path.partition(b"/")[0] in (b".", b".."):
        return path
    here = _look(task, fd, path)
    if here > 1:
        return path
    there = _look(task, fd, b"/" + path)
    return b"/" + path if there > here else path


def _look(task: Task, fd: int, path: bytes) -> int:
    """2 when a path leads to something, 1 when only its last name is missing, else 0."""
    try:
        return 1 if locate(task, fd, path, False)[2] is None else 2
    except SysError:
        return 0


def _follow(flags: int) -> bool:
    if flags & ~w.SYMLINK_FOLLOW:
        raise SysError(Errno.EINVAL)
    return bool(flags)


# --- open


@wasi
@settled
def path_open(
    task: Task, fd: int, lookup: int, path: int, size: int, oflags: int, base: int, inheriting: int,
    fdflags: int, told: int,
) -> int | Step[int]:  # fmt: skip
    """Open or make a file. The access mode is what `base` says of reading and writing.

    Other rights cannot be asked for: the file has those of its kind, less what was taken from the
    directory's inheriting ones.
    """
    flags, right = _open_flags(oflags, base)
    flags |= open_flags(fdflags) | (0 if _follow(lookup) else fcntl.O_NOFOLLOW)
    task.mem.check(told, 4)
    name = path_at(task, fd, path, size, right)
    limit = state_of(task).limits.get(fd)
    if limit is not None and base & (w.FD_READ | w.FD_WRITE) & ~limit[1]:
        raise SysError(w.ENOTCAPABLE)
    task.process.fds.lowest()  # before a file is made that could get no descriptor
    return then(open_at(task, fd, name, flags, 0o666), lambda file: _opened(task, file, limit, told))


def _open_flags(oflags: int, base: int) -> tuple[int, int]:
    """The flags of open(2), and the rights they take."""
    if oflags & ~w.OFLAGS:
        raise SysError(Errno.EINVAL)
    if base & w.FD_WRITE:
        flags = fcntl.O_RDWR if base & w.FD_READ else fcntl.O_WRONLY
    else:
        flags = fcntl.O_RDONLY
    right = w.PATH_OPEN
    for ours, theirs, needed in _OFLAGS:
        if oflags & ours:
            flags |= theirs
            right |= needed
    return flags | fcntl.O_LARGEFILE, right


def _opened(task: Task, file: File, limit: tuple[int, int] | None, told: int) -> int:
    try:
        fd = task.process.fds.add(file, cloexec=True)
    except SysError:
        file.acquire().release()
        raise
    if limit is not None:
        state_of(task).limits[fd] = (limit[1], limit[1])
    task.mem.put_u32(told, fd)
    return 0


# --- make, remove, rename


@wasi
@settled
def path_create_directory(task: Task, fd: int, path: int, size: int) -> int | Step[int]:
    """Make a directory."""
    name = path_at(task, fd, path, size, w.PATH_CREATE_DIRECTORY)
    return succeed(dirent.create(task, fd, name, fcntl.S_IFDIR | 0o777))


@wasi
@settled
def path_symlink(task: Task, target: int, target_size: int, fd: int, path: int, size: int) -> int | Step[int]:
    """Make a symbolic link."""
    text = string(task, target, target_size)
    name = path_at(task, fd, path, size, w.PATH_SYMLINK)
    if not text:
        raise SysError(Errno.ENOENT)
    return succeed(dirent.create(task, fd, name, fcntl.S_IFLNK | 0o777, target=text))


@wasi
@settled
def path_link(
    task: Task, fd: int, lookup: int, path: int, size: int, new_fd: int, new_path: int, new_size: int
) -> int | Step[int]:
    """Give a file one more name."""
    follow = _follow(lookup)
    name = path_at(task, fd, path, size, w.PATH_LINK_SOURCE)
    new_name = path_at(task, new_fd, new_path, new_size, w.PATH_LINK_TARGET)
    return succeed(dirent.link(task, find(task, fd, name, follow), new_fd, new_name))


@wasi
@settled
def path_unlink_file(task: Task, fd: int, path: int, size: int) -> int | Step[int]:
    """Remove the name of anything but a directory."""
    return succeed(dirent.unlink(task, fd, path_at(task, fd, path, size, w.PATH_UNLINK_FILE)))


@wasi
@settled
def path_remove_directory(task: Task, fd: int, path: int, size: int) -> int | Step[int]:
    """Remove an empty directory."""
    return succeed(dirent.rmdir(task, fd, path_at(task, fd, path, size, w.PATH_REMOVE_DIRECTORY)))


@wasi
@settled
def path_rename(
    task: Task, fd: int, path: int, size: int, new_fd: int, new_path: int, new_size: int
) -> int | Step[int]:
    """Move a name."""
    name = path_at(task, fd, path, size, w.PATH_RENAME_SOURCE)
    new_name = path_at(task, new_fd, new_path, new_size, w.PATH_RENAME_TARGET)
    return succeed(dirent.rename(task, fd, name, new_fd, new_name, 0))


# --- attributes


def _inode(task: Task, fd: int, lookup: int, path: int, size: int, right: int) -> Inode:
    follow = _follow(lookup)
    return find(task, fd, path_at(task, fd, path, size, right), follow)


@wasi
@settled
def path_filestat_get(task: Task, fd: int, lookup: int, path: int, size: int, address: int) -> int:
    """Attributes of a file."""
    inode = _inode(task, fd, lookup, path, size, w.PATH_FILESTAT_GET)
    return put_filestat(task, address, None, inode.stat())


@wasi
@settled
def path_filestat_set_times(
    task: Task, fd: int, lookup: int, path: int, size: int, atim: int, mtim: int, flags: int
) -> int | Step[int]:
    """Set the times of a file."""
    inode = _inode(task, fd, lookup, path, size, w.PATH_FILESTAT_SET_TIMES)
    return set_times(task, inode, atim, mtim, flags)


@wasi
@settled
def path_readlink(task: Task, fd: int, path: int, size: int, buf: int, buf_size: int, told: int) -> int:
    """The text of a symbolic link, cut where the buffer ends."""
    task.mem.check(told, 4)
    inode = _inode(task, fd, 0, path, size, w.PATH_READLINK)
    if inode.mode & fcntl.S_IFMT != fcntl.S_IFLNK:
        raise SysError(Errno.EINVAL)
    text = inode.readlink_for(task)[: buf_size & U32]
    task.mem.write(buf, text)
    task.mem.put_u32(told, len(text))
    return 0
