# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Pseudo-terminals: terminals whose far side is a process that holds the master.

Standard: POSIX.1-2024 posix_openpt(); pty(7), ioctl_tty(2) for packet mode.
Units:    sizes are bytes; `number` is N of /dev/pts/N.
Blocking: the master's read waits for output, its write for room on the terminal's side.
Errors:   EIO for a master's read once every slave is closed, until one is opened again.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from skerry.abi import fcntl, poll
from skerry.abi import termios as t
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.signal import NSIG
from skerry.kernel import ttyctl
from skerry.kernel.file import Buffer
from skerry.kernel.stat import Stat
from skerry.kernel.tty import Tty, TtyFile
from skerry.kernel.wait import Interrupted, Step, Wait, WaitQueue

if TYPE_CHECKING:
    from skerry.abi.termios import Termios
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.task import Task

PTYS_MAX = 256  # ours: the minor numbers of one major; Linux: kernel.pty.max
CAPACITY = 16384  # output the master has not read; Linux holds about 19,000 bytes
READ_AHEAD = 4095  # of it, what a flush can no longer take back: the master's own buffer
_TYPED_MAX = 65536  # ours: what one write types; the line discipline looks at each byte, and all else waits
RDEV_SLAVE = 136 << 8
RDEV_MASTER = 5 << 8 | 2


class Ptys:
    """All pseudo-terminals that have a master."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._open: dict[int, Pty] = {}

    def open_master(self, task: Task, flags: int) -> MasterFile:
        """Open /dev/ptmx: a new pair, its slave locked.

        Raises: SysError(ENOSPC) when there are too many.
        """
        number = 0
        while number in self._open:
            number += 1
        if number >= PTYS_MAX:
            raise SysError(Errno.ENOSPC)
        pty = self._open[number] = Pty(self.kernel, self, number)
        return MasterFile(pty, flags)

    def open_slave(self, task: Task, number: int, flags: int) -> TtyFile:
        """Open /dev/pts/`number`.

        Raises: SysError(ENXIO) without a master, EIO while it is locked, EBUSY with TIOCEXCL.
        """
        pty = self._open.get(number)
        if pty is None:
            raise SysError(Errno.ENXIO)
        if pty.locked:
            raise SysError(Errno.EIO)
        return pty.open(task, flags)

    def numbers(self) -> list[int]:
        """What /dev/pts lists."""
        return sorted(self._open)

    def forget(self, number: int) -> None:
        """The master is closed."""
        self._open.pop(number, None)


class Pty(Tty):
    """The terminal of a pair, with what lies between it and the master."""

    def __init__(self, kernel: Kernel, ptys: Ptys, number: int) -> None:
        self.sent = bytearray()  # output the master has not read
        self.packet = False
        self.status = 0  # TIOCPKT_* bits the master has not read
        self.master_readable = WaitQueue()
        self.master_writable = WaitQueue()
        super().__init__(kernel, b"/dev/pts/%d" % number, RDEV_SLAVE + number)
        self.ptys = ptys
        self.number = number
        self.locked = True
        self.deserted = False  # every slave that was open is closed

    def room(self) -> int:
        """What fits before the master reads."""
        return max(0, CAPACITY - len(self.sent))

    def transmit(self, data: bytes) -> None:
        """Hand bytes to the master."""
        self.sent += data
        self.master_readable.wake()

    def discard(self) -> None:
        """Take back what the master cannot have seen."""
        del self.sent[READ_AHEAD:]
        self.report(t.TIOCPKT_FLUSHWRITE)

    def report(self, status: int, clear: int = 0) -> None:
        """Packet mode: tell the master what happened to the terminal."""
        if self.packet:
            self.status = self.status & ~clear | status
            self.master_readable.wake()

    def input_drained(self) -> None:
        """The master may write more."""
        self.master_writable.wake()

    def flow(self, stopped: bool) -> None:
        """Packet mode reports flow control."""
        if stopped:
            self.report(t.TIOCPKT_STOP, clear=t.TIOCPKT_START)
        else:
            self.report(t.TIOCPKT_START, clear=t.TIOCPKT_STOP)

    def input_flushed(self) -> None:
        """Packet mode reports tcflush, and signals that flush."""
        self.report(t.TIOCPKT_FLUSHREAD)

    def set_termios(self, termios: Termios) -> None:
        """Packet mode reports whether ^S and ^Q still mean flow control."""
        before = _usual_flow(self.ldisc.termios)
        super().set_termios(termios)
        after = _usual_flow(termios)
        if before != after:
            bits = t.TIOCPKT_DOSTOP if after else t.TIOCPKT_NOSTOP
            self.report(bits, clear=t.TIOCPKT_DOSTOP | t.TIOCPKT_NOSTOP)

    def open(self, task: Task, flags: int, acquire: bool = True) -> TtyFile:
        """A new open slave."""
        file = super().open(task, flags, acquire)
        self.deserted = False
        return file

    def closed(self, file: TtyFile) -> None:
        """The last slave's end tells the master."""
        super().closed(file)
        if not self.files:
            self.deserted = True
            self.master_readable.wake()
            self.master_writable.wake()

    def master_closed(self) -> None:
        """Hang up, and free the number."""
        self.ptys.forget(self.number)
        self.hangup()


def _usual_flow(termios: Termios) -> bool:
    cc = termios.cc
    return bool(termios.iflag & t.IXON) and cc[t.VSTOP] == 0x13 and cc[t.VSTART] == 0x11


class MasterFile(TtyFile):
    """The open master of a pair; terminal requests on it act on the slave's side."""

    def __init__(self, pty: Pty, flags: int) -> None:
        super().__init__(pty, flags, None)
        self.pty = pty
        self.master = True
        self.paused = False  # by tcflow on the master

    def read(self, task: Task, size: int) -> Buffer | Step[Buffer]:
        """What the terminal sent; in packet mode with a status byte before it."""
        data = self._read(size)
        if data is not None:
            return data
        if self.nonblocking:
            raise SysError(Errno.EAGAIN)
        return self._master_read_later(size)

    def _read(self, size: int) -> bytes | None:
        pty = self.pty
        if size == 0:
            return b""
        if pty.packet and pty.status:
            status, pty.status = pty.status, 0
            return bytes((status,))
        if pty.sent:
            return b"\0" + self._take(size - 1) if pty.packet else self._take(size)
        if pty.deserted:
            raise SysError(Errno.EIO)
        return None

    def _take(self, size: int) -> bytes:
        pty = self.pty
        data = bytes(pty.sent[:size])
        del pty.sent[: len(data)]
        pty.ldisc.resume_output()
        return data

    def _master_read_later(self, size: int) -> Step[Buffer]:
        data = None
        while data is None:
            yield Wait((self.pty.master_readable,))
            data = self._read(size)
        return data

    def write(self, task: Task, data: Buffer) -> int | Step[int]:
        """Type `data` at the terminal."""
        data = bytes(data[:_TYPED_MAX])
        done = self._type(data)
        if done == len(data):
            return done
        if self.nonblocking:
            if done:
                return done
            raise SysError(Errno.EAGAIN)
        return self._type_later(data, done)

    def _type(self, data: bytes) -> int:
        """Send what there is room for.

        In pieces: what a piece leads to (a signal, an echo) happens before the next.
        """
        ldisc = self.pty.ldisc
        done = 0
        if self.paused:
            return 0
        while done < len(data) and (room := ldisc.input_room()) > 0:
            piece = data[done : done + room]
            ldisc.receive(piece)
            done += len(piece)
        return done

    def _type_later(self, data: bytes, done: int) -> Step[int]:
        try:
            while done < len(data):
                yield Wait((self.pty.master_writable,))
                done += self._type(data[done:])
        except Interrupted:
            if not done:
                raise
        return done

    def ioctl(self, task: Task, request: int, argument: int) -> int | Step[int]:
        """Requests of masters, then those of all terminals."""
        handler = MASTER_REQUESTS.get(request)
        if handler is not None:
            return handler(task, self, argument)
        return ttyctl.ioctl(task, self, request, argument)

    def flush(self, typed: bool, written: bool) -> None:
        """tcflush seen from here: "input" is what the terminal sent."""
        if typed:
            self.pty.sent.clear()
            self.pty.ldisc.resume_output()
        if written:
            self.pty.ldisc.pending.clear()
            self.pty.master_writable.wake()

    def waiting(self) -> int:
        """What FIONREAD says."""
        return len(self.pty.sent)

    def stat(self) -> Stat | Step[Stat]:
        """/dev/ptmx."""
        if self.inode is not None:
            return self.inode.stat()
        return Stat(fcntl.S_IFCHR | 0o666, RDEV_MASTER, gid=5, rdev=RDEV_MASTER)

    def poll(self) -> int:
        """Readable with output or a packet status, hung up without slaves."""
        pty = self.pty
        ready = poll.READABLE if pty.sent else 0
        if pty.packet and pty.status:
            ready |= poll.READABLE | poll.POLLPRI
        if pty.deserted:
            ready |= poll.POLLHUP
        if pty.ldisc.input_room() > 0 and not self.paused:
            ready |= poll.WRITABLE
        return ready

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Both directions."""
        return self.pty.master_readable, self.pty.master_writable

    def close(self) -> None:
        """The terminal's far side is gone."""
        self.pty.kernel.locks.released(self)
        self.pty.master_closed()


# --- requests of masters


def _number(task: Task, file: MasterFile, argument: int) -> int:
    task.mem.put_u32(argument, file.pty.number)
    return 0


def _lock(task: Task, file: MasterFile, argument: int) -> int:
    file.pty.locked = bool(task.mem.i32(argument))
    return 0


def _get_lock(task: Task, file: MasterFile, argument: int) -> int:
    task.mem.put_u32(argument, int(file.pty.locked))
    return 0


def _flow(task: Task, file: MasterFile, argument: int) -> int:
    """TCXONC: hold back what the master types, or type ^S and ^Q."""
    if argument in (t.TCOOFF, t.TCOON):
        file.paused = argument == t.TCOOFF
        file.pty.master_writable.wake()
    elif argument in (t.TCIOFF, t.TCION):
        file.pty.ldisc.receive(b"\x13" if argument == t.TCIOFF else b"\x11")
    else:
        raise SysError(Errno.EINVAL)
    return 0


def _packet(task: Task, file: MasterFile, argument: int) -> int:
    wanted = bool(task.mem.i32(argument))
    if wanted and not file.pty.packet:
        file.pty.status = 0
    file.pty.packet = wanted
    return 0


def _get_packet(task: Task, file: MasterFile, argument: int) -> int:
    task.mem.put_u32(argument, int(file.pty.packet))
    return 0


def _signal(task: Task, file: MasterFile, argument: int) -> int:
    """TIOCSIG."""
    if not 0 < argument <= NSIG:
        raise SysError(Errno.EINVAL)
    file.pty.signal(argument)
    return 0


def _peer(task: Task, file: MasterFile, argument: int) -> int:
    """TIOCGPTPEER: open the slave without a path; the argument is open flags."""
    if file.pty.locked:
        raise SysError(Errno.EIO)
    flags = argument & ~fcntl.O_CLOEXEC
    fds = task.process.fds
    fds.lowest()  # EMFILE before there is a file to close
    return fds.add(file.pty.open(task, flags), bool(argument & fcntl.O_CLOEXEC))


MASTER_REQUESTS: dict[int, Callable[[Task, MasterFile, int], int]] = {
    t.TCXONC: _flow,
    t.TIOCGPTN: _number,
    t.TIOCSPTLCK: _lock,
    t.TIOCGPTLCK: _get_lock,
    t.TIOCPKT: _packet,
    t.TIOCGPKT: _get_packet,
    t.TIOCSIG: _signal,
    t.TIOCGPTPEER: _peer,
}
