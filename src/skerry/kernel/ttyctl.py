# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""ioctl(2) on terminals: settings, window size, job control, queues, pseudo-terminals.

A request on a pseudo-terminal's master acts on the terminal itself.

Standard: ioctl_tty(2); the order of checks and the errnos as Linux.
Errors:   EIO for a background group that must not be stopped (ENOTTY for TIOCSPGRP), EPERM
          for TIOCSTI: it feeds input to whoever reads the terminal next, a known way out.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from skerry.abi import termios as t
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.signal import Signo
from skerry.abi.termios import Termios
from skerry.kernel.session import terminal_of
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.task import Task
    from skerry.kernel.tty import TtyFile

Result = int | Step[int]
Handler = Callable[["Task", "TtyFile", int], Result]


def ioctl(task: Task, file: TtyFile, request: int, argument: int) -> Result:
    """Do one request."""
    if request in CHANGES:
        try:
            stop = file.tty.job_control(task, Signo.SIGTTOU)
        except SysError:
            if request == t.TIOCSPGRP:
                raise SysError(Errno.ENOTTY) from None
            raise
        if stop is not None:
            return stop
    handler = REQUESTS.get(request)
    if handler is None:
        raise SysError(Errno.ENOTTY)
    return handler(task, file, argument)


# --- settings


def _tcgets(task: Task, file: TtyFile, argument: int) -> int:
    task.mem.write(argument, t.TERMIOS.pack(*file.tty.ldisc.termios.fields()))
    return 0


def _tcgets2(task: Task, file: TtyFile, argument: int) -> int:
    layout = t.TERMIOS.pack(*file.tty.ldisc.termios.fields())
    task.mem.write(argument, layout + t.SPEEDS.pack(t.BAUD, t.BAUD))
    return 0


def _tcsets(task: Task, file: TtyFile, argument: int) -> int:
    iflag, oflag, cflag, lflag, line, cc = t.TERMIOS.unpack(task.mem.read(argument, t.TERMIOS.size))
    cflag = cflag & ~(t.CSIZE | t.PARENB) | t.CS8 | t.CREAD  # as a Linux pseudo-terminal
    file.tty.set_termios(Termios(iflag, oflag, cflag, lflag, line, cc))
    return 0


def _tcsetsf(task: Task, file: TtyFile, argument: int) -> int:
    task.mem.check(argument, t.TERMIOS.size)
    file.tty.flush_input()
    return _tcsets(task, file, argument)


def _tcgeta(task: Task, file: TtyFile, argument: int) -> int:
    iflag, oflag, cflag, lflag, line, cc = file.tty.ldisc.termios.fields()
    low = 0xFFFF
    task.mem.write(argument, t.TERMIO.pack(iflag & low, oflag & low, cflag & low, lflag & low, line, cc[:8]))
    return 0


def _tcseta(task: Task, file: TtyFile, argument: int) -> int:
    iflag, oflag, cflag, lflag, line, cc = t.TERMIO.unpack(task.mem.read(argument, t.TERMIO.size))
    now = file.tty.ldisc.termios
    high = 0xFFFF0000
    file.tty.set_termios(
        Termios(
            now.iflag & high | iflag,
            now.oflag & high | oflag,
            now.cflag & high | cflag,
            now.lflag & high | lflag,
            line,
            cc + now.cc[8:],
        )
    )
    return 0


def _tcsetaf(task: Task, file: TtyFile, argument: int) -> int:
    task.mem.check(argument, t.TERMIO.size)
    file.tty.flush_input()
    return _tcseta(task, file, argument)


def _getd(task: Task, file: TtyFile, argument: int) -> int:
    task.mem.put_u32(argument, 0)  # N_TTY
    return 0


def _setd(task: Task, file: TtyFile, argument: int) -> int:
    if task.mem.i32(argument) != 0:
        raise SysError(Errno.EINVAL)
    return 0


def _softcar(task: Task, file: TtyFile, argument: int) -> int:
    task.mem.put_u32(argument, int(bool(file.tty.ldisc.termios.cflag & t.CLOCAL)))
    return 0


def _nothing(task: Task, file: TtyFile, argument: int) -> int:
    """TCSBRK: there is no line to break, and output is with the far side when write returns."""
    return 0


# --- queues and flow


def _flow(task: Task, file: TtyFile, argument: int) -> int:
    """TCXONC."""
    ldisc = file.tty.ldisc
    if argument in (t.TCOOFF, t.TCOON):
        ldisc.suspend(argument == t.TCOOFF)
    elif argument in (t.TCIOFF, t.TCION):
        file.tty.send_flow(ldisc.termios.cc[t.VSTOP if argument == t.TCIOFF else t.VSTART])
    else:
        raise SysError(Errno.EINVAL)
    return 0


def _flush(task: Task, file: TtyFile, argument: int) -> int:
    """TCFLSH."""
    if argument not in (t.TCIFLUSH, t.TCOFLUSH, t.TCIOFLUSH):
        raise SysError(Errno.EINVAL)
    file.flush(argument != t.TCOFLUSH, argument != t.TCIFLUSH)
    return 0


def _fionread(task: Task, file: TtyFile, argument: int) -> int:
    task.mem.put_u32(argument, file.waiting())
    return 0


def _outq(task: Task, file: TtyFile, argument: int) -> int:
    task.mem.put_u32(argument, 0)
    return 0


def _sti(task: Task, file: TtyFile, argument: int) -> int:
    raise SysError(Errno.EPERM)


# --- window size


def _get_winsize(task: Task, file: TtyFile, argument: int) -> int:
    task.mem.pack(t.WINSIZE, argument, *file.tty.winsize)
    return 0


def _set_winsize(task: Task, file: TtyFile, argument: int) -> int:
    rows, columns, width, height = task.mem.unpack(t.WINSIZE, argument)
    file.tty.resize((rows, columns, width, height))
    return 0


# --- sessions and groups


def _controls(task: Task, file: TtyFile) -> bool:
    """A master may ask about the terminal whoever holds it."""
    return file.master or terminal_of(task.process) is file.tty


def _get_foreground(task: Task, file: TtyFile, argument: int) -> int:
    if not _controls(task, file):
        raise SysError(Errno.ENOTTY)
    task.mem.put_u32(argument, file.tty.foreground)
    return 0


def _set_foreground(task: Task, file: TtyFile, argument: int) -> int:
    pgid = task.mem.i32(argument)
    if pgid < 0:
        raise SysError(Errno.EINVAL)
    if terminal_of(task.process) is not file.tty:
        raise SysError(Errno.ENOTTY)
    group = task.kernel.groups.get(pgid)
    if group is None and pgid in task.kernel.processes:
        group = task.kernel.processes[pgid].group  # Linux takes the number of any process
    if group is None:
        raise SysError(Errno.ESRCH)
    if group.session is not file.tty.session:
        raise SysError(Errno.EPERM)
    file.tty.foreground = pgid
    return 0


def _get_session(task: Task, file: TtyFile, argument: int) -> int:
    if not _controls(task, file) or file.tty.session is None:
        raise SysError(Errno.ENOTTY)
    task.mem.put_u32(argument, file.tty.session.sid)
    return 0


def _acquire(task: Task, file: TtyFile, argument: int) -> int:
    """TIOCSCTTY; argument 1 lets a privileged process take another session's terminal."""
    process, tty = task.process, file.tty
    session = process.group.session if process.group is not None else None
    leads = session is not None and session.leader is process
    if leads and tty.session is session:
        return 0
    if session is None or not leads or session.terminal is not None:
        raise SysError(Errno.EPERM)
    if tty.session is not None:
        if argument != 1 or process.cred.euid:
            raise SysError(Errno.EPERM)
        tty.release()
    tty.acquire(process)
    return 0


def _give_up(task: Task, file: TtyFile, argument: int) -> int:
    """TIOCNOTTY: a session leader takes the terminal from the whole session."""
    process, tty = task.process, file.tty
    if terminal_of(process) is not tty or tty.session is None:
        raise SysError(Errno.ENOTTY)
    if tty.session.leader is process:
        tty.signal(Signo.SIGHUP)
        tty.signal(Signo.SIGCONT)
        tty.release()
    else:
        tty.session.detached.add(process.pid)
    return 0


def _exclusive(task: Task, file: TtyFile, argument: int) -> int:
    file.tty.exclusive = True
    return 0


def _not_exclusive(task: Task, file: TtyFile, argument: int) -> int:
    file.tty.exclusive = False
    return 0


def _get_exclusive(task: Task, file: TtyFile, argument: int) -> int:
    task.mem.put_u32(argument, int(file.tty.exclusive))
    return 0


def _device(task: Task, file: TtyFile, argument: int) -> int:
    task.mem.put_u32(argument, file.tty.rdev)
    return 0


CHANGES = frozenset(
    (
        t.TCSETS, t.TCSETSW, t.TCSETSF, t.TCSETS2, t.TCSETSW2, t.TCSETSF2, t.TCSETA, t.TCSETAW, t.TCSETAF,
        t.TCSBRK, t.TCSBRKP, t.TCXONC, t.TCFLSH, t.TIOCSETD, t.TIOCSPGRP,
    )
)  # fmt: skip
"""What a background group is stopped for, POSIX.1-2024 11.1.4."""

REQUESTS: dict[int, Handler] = {
    t.TCGETS: _tcgets,
    t.TCSETS: _tcsets,
    t.TCSETSW: _tcsets,
    t.TCSETSF: _tcsetsf,
    t.TCGETS2: _tcgets2,
    t.TCSETS2: _tcsets,
    t.TCSETSW2: _tcsets,
    t.TCSETSF2: _tcsetsf,
    t.TCGETA: _tcgeta,
    t.TCSETA: _tcseta,
    t.TCSETAW: _tcseta,
    t.TCSETAF: _tcsetaf,
    t.TCSBRK: _nothing,
    t.TCSBRKP: _nothing,
    t.TCXONC: _flow,
    t.TCFLSH: _flush,
    t.TIOCGETD: _getd,
    t.TIOCSETD: _setd,
    t.TIOCGSOFTCAR: _softcar,
    t.TIOCSSOFTCAR: _nothing,
    t.FIONREAD: _fionread,
    t.TIOCOUTQ: _outq,
    t.TIOCSTI: _sti,
    t.TIOCCONS: _sti,
    t.TIOCVHANGUP: _sti,
    t.TIOCGWINSZ: _get_winsize,
    t.TIOCSWINSZ: _set_winsize,
    t.TIOCGPGRP: _get_foreground,
    t.TIOCSPGRP: _set_foreground,
    t.TIOCGSID: _get_session,
    t.TIOCSCTTY: _acquire,
    t.TIOCNOTTY: _give_up,
    t.TIOCEXCL: _exclusive,
    t.TIOCNXCL: _not_exclusive,
    t.TIOCGEXCL: _get_exclusive,
    t.TIOCGDEV: _device,
}
