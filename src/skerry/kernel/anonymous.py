# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Files that have no name in any directory: pipes, sockets, eventfds, epolls.

Standard: Linux pipefs, sockfs and anon_inodefs; `link_name` is what /proc/[pid]/fd shows.
Units:    times are nanoseconds.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.kernel.file import File
from skerry.kernel.stat import Stat
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.process import Credentials


class Anonymous(File):
    """A file with an inode of its own and no path."""

    kind = b"anon_inode:[unknown]"  # with a %d when the inode number belongs into the name
    mode = 0o600

    def __init__(self, kernel: Kernel, cred: Credentials, flags: int) -> None:
        super().__init__(flags)
        self.kernel = kernel
        self.ino = kernel.network.allocate_ino()
        self.uid = cred.euid
        self.gid = cred.egid
        self.made_ns = kernel.clock.realtime_ns()

    def link_name(self) -> bytes:
        """The target of the link in /proc/[pid]/fd."""
        return self.kind % self.ino if b"%d" in self.kind else self.kind

    def stat(self) -> Stat | Step[Stat]:
        """What fstat(2) says: an empty file of its own."""
        return Stat(
            self.mode, self.ino, uid=self.uid, gid=self.gid, dev=0xA,
            atime_ns=self.made_ns, mtime_ns=self.made_ns, ctime_ns=self.made_ns,
        )  # fmt: skip
