# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The network inside the kernel: what all sockets share.

Names, ports, files under way between processes, and the connections that come from outside.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.commands import Listening
from skerry.kernel.ports import Ports

if TYPE_CHECKING:
    from skerry.kernel.file import File
    from skerry.kernel.hostconn import HostConnection
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.tcp import TcpSocket
    from skerry.kernel.unix import UnixSocket

AUTOBIND_MAX = 1 << 20  # names of five hexadecimal digits, unix(7)


class Network:
    """Everything sockets share."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.abstract: dict[tuple[int, bytes], UnixSocket] = {}  # by type and name
        self.tcp = Ports()
        self.udp = Ports()
        self.flying: dict[File, int] = {}  # files in messages nobody has received, see ancillary.py
        self.collecting = False
        self.outside: dict[int, HostConnection] = {}  # connections the monitor made, by stream
        self.announce = False  # whether the monitor wants to hear of `Listening`
        self._last_ino = 0
        self._last_name = 0

    def allocate_ino(self) -> int:
        """An inode number for a file without a name."""
        self._last_ino += 1
        return self._last_ino

    def free_abstract_name(self, kind: int) -> bytes:
        """A name for a socket that does not mind which.

        Raises: SysError(ENOSPC) when all are taken.
        """
        for _ in range(AUTOBIND_MAX):
            self._last_name = (self._last_name + 1) % AUTOBIND_MAX
            name = b"\0%05x" % self._last_name
            if (kind, name) not in self.abstract:
                return name
        raise SysError(Errno.ENOSPC)

    def listening(self, socket: TcpSocket) -> None:
        """A TCP socket began to listen."""
        if self.announce:
            self.kernel.commands.append(Listening(socket.port))
