# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The one name space of a box: which file system is where.

It is made by the box before the kernel starts and never changes: mount(2) and umount(2) are
EPERM. Places to mount on are made as needed, without asking anyone.

    Namespace(root=Overlay(HostTree(0)), mounts=[(b"/tmp", Tmpfs()), (b"/dev", Devfs()), (b"/proc", Procfs()),
              (b"/home/user", Tmpfs(mode=0o755, uid=1000, gid=1000)), (b"/work", HostFs(1))])
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import AT_FDCWD
from skerry.kernel import namei
from skerry.kernel.fs.tmpfs import Tmpfs
from skerry.kernel.process import Credentials
from skerry.kernel.vfs import FIRST_DEVICE, SEARCH, Filesystem, Inode, require, settle
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.task import Task

USER = 1000  # uid and gid of the person inside a box


class Namespace:
    """The mount table."""

    def __init__(
        self,
        root: Filesystem | None = None,
        mounts: Sequence[tuple[bytes, Filesystem]] = (),
        uid: int = USER,
        gid: int = USER,
    ) -> None:
        self.root = root if root is not None else Tmpfs(mode=0o755)
        self.memory = Tmpfs()  # mounted nowhere: memfd_create(2)
        self.user = Credentials(uid, uid, uid, gid, gid, gid, (gid,))
        # Shorter paths first, so that a mount inside a mount finds its place there.
        self.mounts = [(b"/", self.root), *sorted(mounts, key=lambda mount: (mount[0].count(b"/"), mount[0]))]

    def attach(self, kernel: Kernel) -> None:
        """Give every file system its device number and its place."""
        self.memory.attach(kernel, FIRST_DEVICE - 1)
        for number, (path, filesystem) in enumerate(self.mounts):
            filesystem.attach(kernel, FIRST_DEVICE + number)
            filesystem.path = path
            if number:
                self._mount(path, filesystem)

    def _mount(self, path: bytes, filesystem: Filesystem) -> None:
        names = names_of(path)
        below, rest = self.root, names
        for other_path, other in self.mounts:
            base = names_of(other_path)
            if len(base) < len(names) and names[: len(base)] == base:
                below, rest = other, names[len(base) :]
        place = below.scaffold(rest, filesystem.root.is_dir)
        place.mounted = filesystem.root
        filesystem.covered = place

    def root_location(self) -> Inode:
        """Where the paths of a new process start."""
        return self.root.root

    def chdir(self, task: Task, path: bytes) -> Step[None]:
        """Enter a directory, as chdir(2)."""
        result = settle(change_directory, task, path)
        if result is not None:
            yield from result


def names_of(path: bytes) -> tuple[bytes, ...]:
    """The names in the path of a mount."""
    return tuple(name for name in path.split(b"/") if name)


def change_directory(task: Task, path: bytes) -> None:
    """chdir(2). May raise Cold."""
    inode = namei.find(task, AT_FDCWD, path)
    enter(task, inode)


def enter(task: Task, inode: Inode) -> None:
    """Make a directory the working directory. Raises: SysError(ENOTDIR, EACCES)."""
    if not inode.is_dir:
        raise SysError(Errno.ENOTDIR)
    require(inode, task.process.cred, SEARCH)
    task.process.fs.cwd = inode
