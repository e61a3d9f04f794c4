# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The console: the terminal whose far side is the person, reached through the monitor.

Bytes out are `ConsoleOutput` commands, bytes in `ConsoleInput` events. The monitor grants
credit for output with `ConsoleReady`; it need not grant the first CREDIT bytes. With the
credit used up writers wait, so a guest cannot flood the monitor; keys still work.

Units:    credit is bytes.
Blocking: as tty.py.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import fcntl
from skerry.abi import termios as t
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.signal import Signo
from skerry.abi.termios import Termios
from skerry.kernel import events
from skerry.kernel.commands import ConsoleOutput
from skerry.kernel.ldisc import LineDiscipline
from skerry.kernel.namei import locate
from skerry.kernel.session import terminal_of
from skerry.kernel.signal import Pending
from skerry.kernel.streams import Null, Streams
from skerry.kernel.tty import Tty, TtyFile
from skerry.kernel.vfs import Cold

if TYPE_CHECKING:
    from skerry.kernel.file import File
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.process import Process
    from skerry.kernel.session import Session
    from skerry.kernel.task import Task

CREDIT = 65536  # what the kernel may send before the first ConsoleReady
TYPED_MAX = 1 << 20  # a paste longer than this loses its end
RDEV_CONSOLE = 5 << 8 | 1
RDEV_TTY = 5 << 8


class ConsoleTty(Tty):
    """The console as a terminal."""

    def __init__(self, kernel: Kernel) -> None:
        self.credit = CREDIT
        super().__init__(kernel, b"/dev/console", RDEV_CONSOLE)
        self.ldisc = LineDiscipline(self, console_settings())
        self.winsize = (24, 80, 0, 0)

    def room(self) -> int:
        """What the monitor still takes."""
        return self.credit

    def transmit(self, data: bytes) -> None:
        """Show bytes to the person."""
        self.credit -= len(data)
        self.kernel.commands.append(ConsoleOutput(data))

    def signal(self, signo: int) -> None:
        """Signal the foreground group; without a session, what the monitor started."""
        if self.session is None and signo not in (Signo.SIGHUP, Signo.SIGCONT):
            self.kernel.signals.send_group(started(self.kernel), Pending(signo))
        else:
            super().signal(signo)

    def disassociate(self, session: Session) -> None:
        """The shell is gone: what it left behind must not read the next one's keys."""
        super().disassociate(session)
        for file in self.files:
            if file.session is session:
                file.hung = True
        self.ldisc.configure(console_settings())
        self.ldisc.suspended = False
        self.ldisc.start()
        self.readable.wake()
        self.writable.wake()


def console_settings() -> Termios:
    """The settings a new session finds, whatever the one before left."""
    termios = t.new_terminal()
    termios.iflag |= t.IUTF8
    return termios


def started(kernel: Kernel) -> list[Process]:
    """The processes of all groups that `Start` events made."""
    groups = [process.group for process in kernel.processes.values() if process.tag is not None]
    found = {pid: process for group in groups if group is not None for pid, process in group.members.items()}
    return list(found.values())


def named(task: Task, file: TtyFile) -> TtyFile:
    """Note which path leads to a file nobody opened by path, for /proc/self/fd and ttyname(3)."""
    try:
        directory, name, inode, _ = locate(task, fcntl.AT_FDCWD, file.tty.path, True)
    except (SysError, Cold):
        return file  # a tree without devices, or with others
    if inode is not None and inode.rdev == file.tty.rdev:
        file.place, file.inode = (directory, name), inode
    return file


class Console:
    """What the monitor and the kernel say to each other about terminals and streams."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.tty = ConsoleTty(kernel)
        self.streams = Streams(kernel)

    def event(self, event: events.Event) -> None:
        """Take what the monitor sent."""
        match event:
            case events.ConsoleInput():
                self._input(event.untrusted_data)
            case events.ConsoleSize():
                self.tty.resize((event.rows & 0xFFFF, event.columns & 0xFFFF, 0, 0))
            case events.ConsoleReady():
                self.tty.credit += max(0, event.size)
                self.tty.ldisc.resume_output()
            case events.StreamInput():
                self.streams.input(event.stream, event.untrusted_data)
            case events.StreamReady():
                self.streams.ready(event.stream, event.size)

    def _input(self, untrusted_data: bytes) -> None:
        if untrusted_data:
            room = TYPED_MAX - len(self.tty.ldisc.pending)
            self.tty.ldisc.receive(untrusted_data[: max(0, room)])
        else:
            self.tty.hangup()

    def open(self, task: Task, name: str, fd: int) -> File:
        """What descriptor `fd` of a process made by `Start` is: see events.Start."""
        if name == "console":
            for other in task.process.fds.files.values():
                if isinstance(other, TtyFile) and other.tty is self.tty:
                    return other  # 0, 1 and 2 share one description, as a login does it
            return named(task, self.tty.open(task, fcntl.O_RDWR))
        if name == "null":
            return Null(fcntl.O_RDWR)
        kind, _, number = name.partition(":")
        if kind != "stream" or not number.isdecimal():
            raise SysError(Errno.ENXIO)
        return self.streams.open(int(number), fd == 0)

    def open_tty(self, task: Task, flags: int) -> TtyFile:
        """Open /dev/tty."""
        tty = terminal_of(task.process)
        if tty is None:
            raise SysError(Errno.ENXIO)
        return tty.open(task, flags, acquire=False)

    def open_console(self, task: Task, flags: int) -> TtyFile:
        """Open /dev/console."""
        return self.tty.open(task, flags)

    def foreground(self) -> list[Process]:
        """Who a signal from the person is for."""
        group = self.kernel.groups.get(self.tty.foreground)
        if group is not None:
            return list(group.members.values())
        return started(self.kernel)
