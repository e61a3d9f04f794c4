# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Terminals: the device with its session and foreground group, and open files of it.

A `Tty` joins a line discipline to a far side: the person's console (console.py) or a
pseudo-terminal's master (pty.py), which say what `room`, `transmit` and `discard` mean.

Standard: POSIX.1-2024 11.1 General Terminal Interface; errnos and hang-up as Linux.
Blocking: read waits for input, write for room at the far side. A call of a background group
          that must stop ends in `again`, so that it is issued anew after SIGCONT.
Invariant: `session.terminal is tty` exactly when `tty.session is session`.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from skerry.abi import fcntl, poll
from skerry.abi import termios as t
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.signal import SIG_IGN, Signo, bit
from skerry.kernel import ttyctl
from skerry.kernel.file import Buffer, File
from skerry.kernel.ldisc import LineDiscipline
from skerry.kernel.session import terminal_of
from skerry.kernel.signal import Pending
from skerry.kernel.stat import Stat
from skerry.kernel.wait import Interrupted, Step, Wait, WaitQueue

if TYPE_CHECKING:
    from skerry.abi.termios import Termios
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.process import Process
    from skerry.kernel.session import Session
    from skerry.kernel.task import Task

TENTH_NS = 100_000_000  # the unit of VTIME
TTY_GID = 5
HUNG_UP = poll.POLLIN | poll.POLLOUT | poll.POLLERR | poll.POLLHUP | poll.POLLRDNORM | poll.POLLWRNORM


def again() -> Step[NoReturn]:
    """End the call as a signal would: it is issued again, or fails with EINTR."""
    yield from ()
    raise Interrupted


class Tty:
    """One terminal; a kind of it overrides the far side: room, transmit, discard."""

    def __init__(self, kernel: Kernel, path: bytes, rdev: int) -> None:
        self.kernel = kernel
        self.path = path
        self.rdev = rdev
        self.winsize = (0, 0, 0, 0)
        self.session: Session | None = None
        self.foreground = 0  # process group id, 0: none yet
        self.exclusive = False
        self.files: dict[TtyFile, None] = {}
        self.readable = WaitQueue()
        self.writable = WaitQueue()
        self.writer: TtyFile | None = None  # a long write goes out in one piece
        self.ldisc = LineDiscipline(self, t.new_terminal())

    # --- the far side

    def room(self) -> int:
        """How many bytes the far side takes now."""
        return 0

    def transmit(self, data: bytes) -> None:
        """Send bytes to the far side."""

    def discard(self) -> None:
        """Forget sent bytes that the far side has not seen."""

    def input_flushed(self) -> None:
        """What was typed has been forgotten."""

    def input_drained(self) -> None:
        """There may be room for more input."""

    def flow(self, stopped: bool) -> None:
        """Output was stopped or started by a flow control character."""

    def signal(self, signo: int) -> None:
        """A signal for the foreground group."""
        group = self.kernel.groups.get(self.foreground)
        if group is not None:
            self.kernel.signals.send_group(group.members.values(), Pending(signo))

    def input_ready(self) -> None:
        """Wake readers."""
        self.readable.wake()

    def output_ready(self) -> None:
        """Wake writers."""
        self.writable.wake()

    # --- opening and closing

    def open(self, task: Task, flags: int, acquire: bool = True) -> TtyFile:
        """A new open file; a session leader without a terminal acquires this one."""
        if self.exclusive and task.process.cred.euid:
            raise SysError(Errno.EBUSY)
        process = task.process
        assert process.group is not None
        session = process.group.session
        wanted = acquire and not flags & fcntl.O_NOCTTY and flags & fcntl.O_ACCMODE != fcntl.O_WRONLY
        if wanted and session.leader is process and session.terminal is None and self.session is None:
            self.acquire(process)
        file = TtyFile(self, flags, session)
        self.files[file] = None
        return file

    def closed(self, file: TtyFile) -> None:
        """The last reference to an open file is gone."""
        self.files.pop(file, None)

    # --- sessions

    def acquire(self, process: Process) -> None:
        """Become the controlling terminal of a session leader, its group in the foreground."""
        assert process.group is not None
        self.session = process.group.session
        self.session.terminal = self
        self.session.detached.clear()
        self.foreground = process.group.pgid

    def release(self) -> None:
        """Be no session's terminal any more."""
        if self.session is not None:
            self.session.terminal = None
        self.session = None
        self.foreground = 0

    def disassociate(self, session: Session) -> None:
        """The session leader is gone: the foreground group loses its terminal."""
        if self.session is session:
            self.signal(Signo.SIGHUP)
            self.release()

    def hangup(self) -> None:
        """The far side is gone: open files read end of file, writes fail, the session is told."""
        for file in self.files:
            file.hung = True
        self._signal_hangup()
        self.release()
        self.ldisc.pending.clear()
        self.ldisc.flush_input()
        self.ldisc.echo.clear()
        self.readable.wake()
        self.writable.wake()

    def _signal_hangup(self) -> None:
        session, signals = self.session, self.kernel.signals
        if session is None:
            return
        told = [session.leader] if session.leader is not None else []
        group = self.kernel.groups.get(self.foreground)
        if group is not None:
            told += [process for process in group.members.values() if process is not session.leader]
        signals.send_group(told, Pending(Signo.SIGHUP))
        signals.send_group(told, Pending(Signo.SIGCONT))

    # --- job control

    def job_control(self, task: Task, signo: int) -> Step[NoReturn] | None:
        """Check a background group's access: None to go on, or the step that ends the call.

        Raises: SysError(EIO) where stopping could never be undone.
        """
        process = task.process
        group = process.group
        if group is None or self.foreground in (0, group.pgid) or terminal_of(process) is not self:
            return None
        if process.action(signo).handler == SIG_IGN or task.mask & bit(signo):
            if signo == Signo.SIGTTIN:
                raise SysError(Errno.EIO)
            return None
        if group.orphaned():
            raise SysError(Errno.EIO)
        self.kernel.signals.send_group(group.members.values(), Pending(signo))
        return again()

    # --- settings

    def set_termios(self, termios: Termios) -> None:
        """Change the settings."""
        self.ldisc.configure(termios)

    def flush_input(self) -> None:
        """Forget what was typed and not read."""
        self.ldisc.flush_input()
        self.ldisc.pump()
        self.input_drained()

    def send_flow(self, c: int) -> None:
        """tcflow: tell the far side to stop or start sending, ahead of other output."""
        if c and self.room() > 0:
            self.transmit(bytes((c,)))

    def resize(self, winsize: tuple[int, int, int, int]) -> None:
        """A new window size; the foreground group hears of a change."""
        if winsize != self.winsize:
            self.winsize = winsize
            self.signal(Signo.SIGWINCH)


class TtyFile(File):
    """An open terminal."""

    def __init__(self, tty: Tty, flags: int, session: Session | None) -> None:
        super().__init__(flags & ~fcntl.O_NOCTTY)
        self.tty = tty
        self.session = session  # of the process that opened it
        self.hung = False
        self.master = False

    def read(self, task: Task, size: int) -> Buffer | Step[Buffer]:
        """A line or what raw mode has; b"" is end of file or hang-up."""
        if self.hung:
            return b""
        stop = self.tty.job_control(task, Signo.SIGTTIN)
        if stop is not None:
            return stop
        if size == 0:
            return b""
        ldisc = self.tty.ldisc
        data = ldisc.read(size)
        if data is not None:
            return data
        if self.nonblocking:
            if ldisc.canonical or not ldisc.buffer:
                raise SysError(Errno.EAGAIN)
            return ldisc.take(size)
        return self._read_later(task, size)

    def _read_later(self, task: Task, size: int) -> Step[Buffer]:
        """Wait for input. Bytes stay in the discipline until the call returns."""
        ldisc = self.tty.ldisc
        data = None
        while data is None:
            deadline = self._deadline()
            had = len(ldisc.buffer)
            try:
                in_time = yield from self._pause(task, had, deadline)
            except Interrupted:
                if ldisc.canonical or not ldisc.buffer:
                    raise
                return ldisc.take(size)
            if self.hung:
                return b""
            data = ldisc.read(size)
            if data is None and not in_time:
                data = ldisc.take(size)
        return data

    def _pause(self, task: Task, had: int, deadline: int | None) -> Step[bool]:
        """Wait until input arrives or raw mode's timer runs out (False).

        Signals wake it, too: after a stop and a continue it may be in the background.
        """
        tty = self.tty
        queues = (tty.readable, task.process.signal_arrived)
        while (yield Wait(queues, deadline)):
            if self.hung:
                return True
            stop = tty.job_control(task, Signo.SIGTTIN)
            if stop is not None:
                yield from stop
            if len(tty.ldisc.buffer) != had or tty.ldisc.readable():
                return True
        return tty.ldisc.canonical

    def _deadline(self) -> int | None:
        """When VTIME runs out: from now with VMIN 0, else once a first byte is there."""
        ldisc = self.tty.ldisc
        cc = ldisc.termios.cc
        if ldisc.canonical or not cc[t.VTIME] or (cc[t.VMIN] and not ldisc.buffer):
            return None
        return self.tty.kernel.clock.monotonic_ns() + cc[t.VTIME] * TENTH_NS

    def write(self, task: Task, data: Buffer) -> int | Step[int]:
        """Send bytes through output processing to the far side."""
        if self.hung:
            raise SysError(Errno.EIO)
        stop = self._may_write(task)
        if stop is not None:
            return stop
        tty = self.tty
        data = data if isinstance(data, bytes) else bytes(data)
        done = tty.ldisc.write(data) if tty.writer is None else 0
        if done == len(data):
            return done
        if self.nonblocking:
            if done:
                return done
            raise SysError(Errno.EAGAIN)
        return self._write_later(task, data, done)

    def _may_write(self, task: Task) -> Step[NoReturn] | None:
        if self.tty.ldisc.termios.lflag & t.TOSTOP:
            return self.tty.job_control(task, Signo.SIGTTOU)
        return None

    def _write_later(self, task: Task, data: bytes, done: int) -> Step[int]:
        tty = self.tty
        queues = (tty.writable, task.process.signal_arrived)
        mine = tty.writer is None
        if mine:
            tty.writer = self
        try:
            while done < len(data):
                yield Wait(queues)
                if self.hung:
                    raise SysError(Errno.EIO)
                stop = self._may_write(task)
                if stop is not None:
                    yield from stop
                if not mine and tty.writer is None:
                    tty.writer, mine = self, True
                if mine:
                    done += tty.ldisc.write(data[done:])
        except (Interrupted, SysError):
            if not done:
                raise
        finally:
            if mine:
                tty.writer = None
                tty.writable.wake()
        return done

    def ioctl(self, task: Task, request: int, argument: int) -> int | Step[int]:
        """Device control; see ttyctl.py."""
        if self.hung:
            raise SysError(Errno.ENOTTY if request == t.TIOCSPGRP else Errno.EIO)
        return ttyctl.ioctl(task, self, request, argument)

    def flush(self, typed: bool, written: bool) -> None:
        """tcflush: forget input, output, or both."""
        if typed:
            self.tty.flush_input()
        if written:
            self.tty.discard()

    def waiting(self) -> int:
        """What FIONREAD says."""
        return self.tty.ldisc.waiting()

    def stat(self) -> Stat | Step[Stat]:
        """A character device: the one it was opened by, or as devfs would show it."""
        if self.inode is not None:
            return self.inode.stat()
        tty = self.tty
        owner = tty.kernel.namespace.user.uid
        return Stat(fcntl.S_IFCHR | 0o620, tty.rdev, uid=owner, gid=TTY_GID, rdev=tty.rdev)

    def poll(self) -> int:
        """Readable with input waiting, writable with room at the far side."""
        if self.hung:
            return HUNG_UP
        ldisc = self.tty.ldisc
        ready = poll.READABLE if ldisc.readable() else 0
        return ready | poll.WRITABLE if ldisc.output.room() > 0 else ready

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Both directions."""
        return self.tty.readable, self.tty.writable

    def close(self) -> None:
        """The last descriptor is gone."""
        self.tty.kernel.locks.released(self)
        self.tty.closed(self)
