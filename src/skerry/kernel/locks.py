# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Advisory locks: POSIX record locks, open-file-description locks, flock.

Standard: POSIX.1-2024 fcntl() F_SETLK; fcntl(2) "Open file description locks"; flock(2).
Units:    ranges are bytes [start, end), `END` for "to the end of the file, however it grows".
Errors:   EAGAIN for a conflict, EDEADLK when waiting would close a circle of processes.
Invariant: the ranges of one owner on one inode never overlap and are sorted.
"""
from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import F_RDLCK, F_UNLCK, F_WRLCK
from skerry.kernel.wait import Step, Wait, WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.file import File
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.process import Process
    from skerry.kernel.task import Task
    from skerry.kernel.vfs import Inode

END = 1 << 63
FLOCK = Struct("<hh4xqqi4x")  # struct flock64 of riscv32: type, whence, start, len, pid
OFD_COMMANDS = (fcntl.F_OFD_GETLK, fcntl.F_OFD_SETLK, fcntl.F_OFD_SETLKW)
GET = (fcntl.F_GETLK, fcntl.F_GETLK64, fcntl.F_OFD_GETLK)
WAITING = (fcntl.F_SETLKW, fcntl.F_SETLKW64, fcntl.F_OFD_SETLKW)
SET = (fcntl.F_SETLK, fcntl.F_SETLK64, fcntl.F_OFD_SETLK)


class Lock:
    """One locked range; `owner` is a Process or, for OFD locks, a File."""

    __slots__ = ("end", "kind", "owner", "start")

    def __init__(self, owner: object, kind: int, start: int, end: int) -> None:
        self.owner, self.kind, self.start, self.end = owner, kind, start, end

    def hinders(self, owner: object, kind: int, start: int, end: int) -> bool:
        """Whether it is in the way of another owner's lock."""
        if self.owner is owner or start >= self.end or self.start >= end:
            return False
        return F_WRLCK in (self.kind, kind)


class Locked:
    """Everything locked on one inode."""

    __slots__ = ("changed", "flocks", "ranges")

    def __init__(self) -> None:
        self.ranges: list[Lock] = []
        self.flocks: dict[File, int] = {}
        self.changed = WaitQueue()


class Locks:
    """All advisory locks of the system."""

    COMMANDS = frozenset((*GET, *SET, *WAITING))

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._inodes: dict[Inode, Locked] = {}
        self._waits: dict[Process, Process] = {}  # who waits for whose record lock

    # --- fcntl

    def fcntl(self, task: Task, file: File, command: int, argument: int) -> int | Step[int]:
        """Record locks: F_GETLK, F_SETLK, F_SETLKW and their OFD_ kin."""
        kind, whence, start, size, pid = task.mem.unpack(FLOCK, argument)
        inode = file.inode
        if inode is None or file.flags & fcntl.O_PATH:
            raise SysError(Errno.EBADF)
        ofd = command in OFD_COMMANDS
        if ofd and pid:
            raise SysError(Errno.EINVAL)
        owner: Process | File = file if ofd else task.process
        low, high = _range(file, inode, whence, start, size)
        if command in GET:
            if kind not in (F_RDLCK, F_WRLCK):
                raise SysError(Errno.EINVAL)
            self._tell(task, argument, inode, Lock(owner, kind, low, high))
            return 0
        _check_mode(file, kind)
        return self._set(inode, Lock(owner, kind, low, high), command in WAITING)

    def _set(self, inode: Inode, wanted: Lock, wait: bool) -> int | Step[int]:
        if wanted.kind != F_UNLCK and self._hindrance(inode, wanted) is not None:
            if not wait:
                raise SysError(Errno.EAGAIN)
            return self._wait(inode, wanted)
        self._apply(inode, wanted)
        return 0

    def _wait(self, inode: Inode, wanted: Lock) -> Step[int]:
        from skerry.kernel.process import Process  # process.py needs namei first

        owner = wanted.owner
        try:
            while (other := self._hindrance(inode, wanted)) is not None:
                if isinstance(owner, Process) and isinstance(other.owner, Process):
                    self._check_circle(owner, other.owner)
                    self._waits[owner] = other.owner
                yield Wait((self._inodes[inode].changed,))
        finally:
            if isinstance(owner, Process):
                self._waits.pop(owner, None)
        self._apply(inode, wanted)
        return 0

    def _check_circle(self, owner: Process, other: Process) -> None:
        while (following := self._waits.get(other)) is not None:
            if following is owner:
                raise SysError(Errno.EDEADLK)
            other = following

    def _hindrance(self, inode: Inode, wanted: Lock) -> Lock | None:
        locked = self._inodes.get(inode)
        if locked is None:
            return None
        for lock in locked.ranges:
            if lock.hinders(wanted.owner, wanted.kind, wanted.start, wanted.end):
                return lock
        return None

    def _tell(self, task: Task, address: int, inode: Inode, wanted: Lock) -> None:
        """F_GETLK: describe a lock in the way, or say that there is none."""
        from skerry.kernel.process import Process

        lock = self._hindrance(inode, wanted)
        if lock is None:
            _, whence, start, size, pid = task.mem.unpack(FLOCK, address)
            task.mem.pack(FLOCK, address, F_UNLCK, whence, start, size, pid)
            return
        pid = lock.owner.pid if isinstance(lock.owner, Process) else -1
        size = 0 if lock.end == END else lock.end - lock.start
        task.mem.pack(FLOCK, address, lock.kind, fcntl.SEEK_SET, lock.start, size, pid)

    def _apply(self, inode: Inode, new: Lock) -> None:
        """Put a lock over the owner's own ones: cut what it covers, join what it touches."""
        locked = self._inodes.setdefault(inode, Locked())
        kept: list[Lock] = []
        for lock in locked.ranges:
            if lock.owner is not new.owner or lock.end < new.start or new.end < lock.start:
                kept.append(lock)
            elif lock.kind == new.kind:
                new = Lock(new.owner, new.kind, min(lock.start, new.start), max(lock.end, new.end))
            else:
                if lock.start < new.start:
                    kept.append(Lock(lock.owner, lock.kind, lock.start, new.start))
                if new.end < lock.end:
                    kept.append(Lock(lock.owner, lock.kind, new.end, lock.end))
        if new.kind != F_UNLCK:
            kept.append(new)
        kept.sort(key=lambda lock: lock.start)
        locked.ranges = kept
        self._settle(inode, locked)

    def _settle(self, inode: Inode, locked: Locked) -> None:
        """Wake who waits; forget an inode without locks."""
        locked.changed.wake()
        if not locked.ranges and not locked.flocks and not locked.changed.waiters:
            self._inodes.pop(inode, None)

    # --- flock

    def flock(self, task: Task, file: File, operation: int) -> int | Step[int]:
        """flock(2): whole files, owned by open file descriptions."""
        inode = file.inode
        kind = operation & ~fcntl.LOCK_NB
        if kind not in (fcntl.LOCK_SH, fcntl.LOCK_EX, fcntl.LOCK_UN):
            raise SysError(Errno.EINVAL)
        if inode is None or file.flags & fcntl.O_PATH:
            raise SysError(Errno.EBADF)
        locked = self._inodes.setdefault(inode, Locked())
        # A conversion is not atomic: the old lock goes first (flock(2)).
        if locked.flocks.get(file) != kind and locked.flocks.pop(file, None) is not None:
            self._settle(inode, locked)
        if kind == fcntl.LOCK_UN:
            self._settle(inode, locked)
            return 0
        if _flock_free(locked, file, kind):
            self._inodes.setdefault(inode, locked).flocks[file] = kind
            return 0
        if operation & fcntl.LOCK_NB:
            raise SysError(Errno.EAGAIN)
        return self._wait_flock(inode, file, kind)

    def _wait_flock(self, inode: Inode, file: File, kind: int) -> Step[int]:
        while True:
            locked = self._inodes.setdefault(inode, Locked())
            if _flock_free(locked, file, kind):
                locked.flocks[file] = kind
                return 0
            yield Wait((locked.changed,))

    # --- release

    def closed(self, process: Process, file: File) -> None:
        """A process closed a descriptor: its record locks on that inode go (POSIX)."""
        if self._inodes and file.inode in self._inodes:
            self._drop(file.inode, process)

    def forget(self, process: Process) -> None:
        """The process is gone."""
        self._waits.pop(process, None)
        for inode in tuple(self._inodes):
            self._drop(inode, process)

    def released(self, file: File) -> None:
        """The last descriptor of an open file is gone: its OFD locks and flocks go."""
        inode = file.inode
        if self._inodes and inode is not None and inode in self._inodes:
            locked = self._inodes[inode]
            if locked.flocks.pop(file, None) is not None:
                self._settle(inode, locked)
            self._drop(inode, file)

    def _drop(self, inode: Inode, owner: object) -> None:
        locked = self._inodes.get(inode)
        if locked is not None and any(lock.owner is owner for lock in locked.ranges):
            locked.ranges = [lock for lock in locked.ranges if lock.owner is not owner]
            self._settle(inode, locked)


def _flock_free(locked: Locked, file: File, kind: int) -> bool:
    others = [held for other, held in locked.flocks.items() if other is not file]
    return not others or (kind == fcntl.LOCK_SH and fcntl.LOCK_EX not in others)


def _check_mode(file: File, kind: int) -> None:
    """A read lock needs a readable descriptor, a write lock a writable one."""
    if kind == F_RDLCK:
        file.readable()
    elif kind == F_WRLCK:
        file.writable()
    elif kind != F_UNLCK:
        raise SysError(Errno.EINVAL)


def _range(file: File, inode: Inode, whence: int, start: int, size: int) -> tuple[int, int]:
    """The byte range of a struct flock."""
    if whence == fcntl.SEEK_CUR:
        start += file.offset
    elif whence == fcntl.SEEK_END:
        start += inode.size
    elif whence != fcntl.SEEK_SET:
        raise SysError(Errno.EINVAL)
    end = END if size == 0 else start + size
    if size < 0:
        start, end = start + size, start
    if start < 0:
        raise SysError(Errno.EINVAL)
    if end > END:
        raise SysError(Errno.EOVERFLOW)
    return start, end
