# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""/proc: what ps, top, free and shells ask for; anything else is ENOENT.

A file's text is made when it is opened, or read again from its beginning. What the files
say is in procsys.py (the system) and procpid.py (a process).

Standard: proc(5).
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from skerry.abi import fcntl
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import S_IFDIR, S_IFLNK, S_IFREG
from skerry.kernel.file import Buffer, File
from skerry.kernel.fs import procpid, procsys
from skerry.kernel.namei import name_of
from skerry.kernel.process import Process
from skerry.kernel.regular import InodeFile
from skerry.kernel.stat import Stat
from skerry.kernel.vfs import Filesystem, Inode, Place
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.task import Task

Text = Callable[["Task"], bytes]
DEVICES = {0x103: b"/dev/null", 0x500: b"/dev/tty", 0x501: b"/dev/console", 0x502: b"/dev/ptmx"}


class TextFile(InodeFile):
    """An open file whose text is made by the kernel."""

    def __init__(self, inode: ProcFile, flags: int) -> None:
        super().__init__(inode, flags)
        self._make = inode.text
        self._text: bytes | None = None

    def read(self, task: Task, size: int) -> Buffer:
        """See File."""
        data = self.pread(task, size, self.offset)
        self.offset += len(data)
        return data

    def pread(self, task: Task, size: int, offset: int) -> Buffer:
        """See File."""
        if self._text is None or offset == 0:
            self._text = self._make(task)
        return self._text[offset : offset + size]

    def seek(self, task: Task, offset: int, whence: int) -> int:
        """See File."""
        if whence == fcntl.SEEK_CUR:
            offset += self.offset
        elif whence != fcntl.SEEK_SET:
            raise SysError(Errno.EINVAL)
        if offset < 0:
            raise SysError(Errno.EINVAL)
        self.offset = offset
        return offset


class ProcFile(Inode):
    """A file with a text."""

    __slots__ = ("text",)

    def __init__(self, fs: Filesystem, text: Text, mode: int = 0o444, uid: int = 0, gid: int = 0) -> None:
        super().__init__(fs, S_IFREG | mode, uid, gid)
        self.text = text

    def open(self, task: Task, flags: int) -> File:
        """See Inode."""
        if flags & fcntl.O_ACCMODE != fcntl.O_RDONLY:
            raise SysError(Errno.EACCES)
        return TextFile(self, flags)


class ProcLink(Inode):
    """A link; `leads` says where without a path, when it can."""

    __slots__ = ("leads", "text")

    def __init__(
        self, fs: Filesystem, text: Text, leads: Callable[[Task], Place | None] | None = None,
        uid: int = 0, gid: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(fs, S_IFLNK | 0o777, uid, gid)
        self.text, self.leads = text, leads

    def readlink_for(self, task: Task) -> bytes:
        """See Inode."""
        return self.text(task)

    def jump(self, task: Task) -> Place | None:
        """See Inode."""
        return self.leads(task) if self.leads is not None else None


class ProcDir(Inode):
    """A directory that does not change."""

    __slots__ = ("names",)

    def __init__(self, fs: Filesystem, mode: int = 0o555, uid: int = 0, gid: int = 0) -> None:
        super().__init__(fs, S_IFDIR | mode, uid, gid)
        self.names: dict[bytes, Inode] = {}
        self.nlink = 2

    def lookup(self, name: bytes) -> Inode | None:
        """See Inode."""
        return self.names.get(name)

    def entries(self) -> Iterable[tuple[bytes, int, int]]:
        """See Inode."""
        return [(name, inode.ino, inode.mode) for name, inode in self.names.items()]

    def make(self, name: bytes, new: object) -> Inode:
        """See Inode."""
        raise SysError(Errno.ENOENT)  # what Linux says, even to root

    def add(self, name: bytes, inode: Inode) -> Inode:
        """Enter something."""
        self.names[name] = inode
        if inode.is_dir:
            inode.parent, inode.name = self, name
            self.nlink += 1
        return inode


class RootDir(ProcDir):
    """/proc itself: the system's files and one directory for each process."""

    __slots__ = ()

    fs: Procfs

    def lookup(self, name: bytes) -> Inode | None:
        """See Inode."""
        if name.isdigit():
            assert self.fs.kernel is not None
            process = self.fs.kernel.processes.get(int(name)) if len(name) < 8 and name[0] != 48 else None
            return self.fs.directory(process) if process is not None else None
        return self.names.get(name)

    def entries(self) -> Iterable[tuple[bytes, int, int]]:
        """See Inode."""
        assert self.fs.kernel is not None
        found = list(super().entries())
        for process in self.fs.kernel.processes.values():
            found.append((b"%d" % process.pid, self.fs.directory(process).ino, S_IFDIR))
        return found


class FdDir(ProcDir):
    """/proc/[pid]/fd, or fdinfo with `info`."""

    __slots__ = ("info", "process")

    fs: Procfs

    def __init__(self, fs: Procfs, process: Process, info: bool) -> None:
        super().__init__(fs, 0o500, process.cred.euid, process.cred.egid)
        self.process, self.info = process, info

    def lookup(self, name: bytes) -> Inode | None:
        """See Inode."""
        if not name.isdigit() or len(name) > 8 or name != b"%d" % int(name):
            return None
        file = self.process.fds.files.get(int(name))
        return self._inode(int(name), file) if file is not None else None

    def _inode(self, fd: int, file: File) -> Inode:
        cred = self.process.cred
        inode: Inode
        if self.info:
            inode = ProcFile(self.fs, lambda task: procpid.fdinfo(file), 0o400, cred.euid, cred.egid)
        else:
            leads = lambda task: self._leads(fd, file)  # noqa: E731  # short and used once
            inode = ProcLink(self.fs, lambda task: link_name(task, file), leads, cred.euid, cred.egid)
            access = file.flags & fcntl.O_ACCMODE
            inode.mode = S_IFLNK | (0o500, 0o300, 0o700, 0o700)[access]
        inode.ino = self.ino * 10000 + fd
        return inode

    def _leads(self, fd: int, file: File) -> Place:
        if file.inode is not None and file.place is not None:
            return (*file.place, file.inode, False)
        return self, b"%d" % fd, NamelessInode(self.fs, file), False

    def entries(self) -> Iterable[tuple[bytes, int, int]]:
        """See Inode."""
        kind = S_IFREG if self.info else S_IFLNK
        return [(b"%d" % fd, self.ino * 10000 + fd, kind) for fd in sorted(self.process.fds.files)]


class NamelessInode(Inode):
    """A pipe, socket or terminal that was reached through /proc/[pid]/fd: opening it shares it."""

    __slots__ = ("file",)
    named = False

    def __init__(self, fs: Filesystem, file: File) -> None:
        found = file.stat()
        mode = found.mode if isinstance(found, Stat) else S_IFREG | 0o600
        super().__init__(fs, mode)
        if isinstance(found, Stat):
            self.ino, self.uid, self.gid = found.ino, found.uid, found.gid
        # Who has the descriptor may have it again, whatever its owner is.
        self.mode |= 0o666
        self.file = file

    def open(self, task: Task, flags: int) -> File | Step[File]:
        """See Inode."""
        if self.mode & fcntl.S_IFMT == fcntl.S_IFSOCK:
            raise SysError(Errno.ENXIO)
        return self.file

    def stat(self) -> Stat:
        """See Inode."""
        found = self.file.stat()
        return found if isinstance(found, Stat) else super().stat()


def link_name(task: Task, file: File) -> bytes:
    """What readlink(2) says of a descriptor."""
    own = getattr(file, "link_name", None)
    if own is not None:
        text: bytes = own()
        return text
    if file.inode is not None and file.place is not None:
        return name_of(*file.place, file.inode, task.process.fs.root)
    found = file.stat()
    if not isinstance(found, Stat):
        return b"anon_inode:[unknown]"
    kind = found.mode & fcntl.S_IFMT
    if kind == fcntl.S_IFCHR:
        return DEVICES.get(found.rdev, b"/dev/pts/%d" % (found.rdev & 0xFF))
    return (b"socket:[%d]" if kind == fcntl.S_IFSOCK else b"pipe:[%d]") % found.ino


class Procfs(Filesystem):
    """One /proc."""

    kind = b"proc"
    magic = 0x9FA0

    root: RootDir

    def __init__(self) -> None:
        super().__init__()
        self.source = b"proc"
        self.root = RootDir(self)
        self._processes: dict[int, tuple[Process, ProcDir]] = {}
        self.root.add(b"self", ProcLink(self, lambda task: b"%d" % task.process.pid))
        self.root.add(
            b"thread-self", ProcLink(self, lambda task: b"%d/task/%d" % (task.process.pid, task.tid))
        )
        self.root.add(b"mounts", ProcLink(self, lambda task: b"self/mounts"))
        for path, text in procsys.FILES:
            self._enter(path, text)

    def _enter(self, path: bytes, text: Text) -> None:
        directory: ProcDir = self.root
        *folders, name = path.split(b"/")
        for folder in folders:
            found = directory.names.get(folder) or directory.add(folder, ProcDir(self))
            assert isinstance(found, ProcDir)
            directory = found
        directory.add(name, ProcFile(self, text))

    def directory(self, process: Process) -> ProcDir:
        """/proc/[pid]."""
        held = self._processes.get(process.pid)
        if held is None or held[0] is not process:
            assert self.kernel is not None
            for pid in [pid for pid in self._processes if pid not in self.kernel.processes]:
                del self._processes[pid]
            held = self._processes[process.pid] = (process, self._make(process))
        return held[1]

    def _make(self, process: Process) -> ProcDir:
        cred = process.cred
        directory = ProcDir(self, 0o555, cred.euid, cred.egid)
        directory.parent, directory.name = self.root, b"%d" % process.pid
        for name, mode, text in procpid.FILES:
            make = lambda task, text=text: text(process, task)  # noqa: E731  # one line for each file
            directory.add(name, ProcFile(self, make, mode, cred.euid, cred.egid))
        for name, link, leads in procpid.LINKS:
            say = lambda task, link=link: link(process, task)  # noqa: E731
            go = None if leads is None else lambda task, leads=leads: leads(process)
            directory.add(name, ProcLink(self, say, go, cred.euid, cred.egid))
        directory.add(b"fd", FdDir(self, process, info=False))
        directory.add(b"fdinfo", FdDir(self, process, info=True))
        directory.add(b"task", TaskDir(self, process))
        return directory


class TaskDir(ProcDir):
    """/proc/[pid]/task: one directory for each thread."""

    __slots__ = ("process",)

    fs: Procfs

    def __init__(self, fs: Procfs, process: Process) -> None:
        super().__init__(fs)
        self.process = process

    def lookup(self, name: bytes) -> Inode | None:
        """See Inode."""
        task = self.process.threads.get(int(name)) if name.isdigit() and len(name) < 8 else None
        if task is None:
            return None
        directory = ProcDir(self.fs)
        directory.ino = self.ino * 10000 + task.tid
        directory.parent, directory.name = self, name
        for file, mode, text in procpid.THREAD_FILES:
            make = lambda asker, text=text: text(self.process, task)  # noqa: E731
            directory.add(file, ProcFile(self.fs, make, mode))
        return directory

    def entries(self) -> Iterable[tuple[bytes, int, int]]:
        """See Inode."""
        return [(b"%d" % tid, self.ino * 10000 + tid, S_IFDIR) for tid in self.process.threads]
