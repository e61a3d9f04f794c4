# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""One box at a command line: its terminal, signals and exit status are the box's.

Blocking: until the program has ended.
"""

from __future__ import annotations

import os
import resource
import signal
import time
from types import FrameType

from skerry.abi.errno import Errno
from skerry.abi.errors import EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, EXIT_SIGNAL, UserError
from skerry.kernel import commands as c
from skerry.kernel import events

from .config import BoxConfig
from .launch import Worker
from .lifecycle import Box
from .loop import READ, WRITE
from .terminal import Terminal, complain

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_CONSOLE_MAX = 65_536


class Session:
    """One run, from start to exit status."""

    def __init__(self, config: BoxConfig, worker: Worker) -> None:
        """`worker` was started already; it is ended with the box. Raises: UserError."""
        self._config = config
        self._terminal = Terminal(0) if config.tty else None
        self._shown = bytearray()  # console output still to write
        self._exit: int | None = None
        self._failure: c.Started | None = None
        self._said: list[str] = []
        self._user_ns = 0
        self._wakeup: tuple[int, int] = (-1, -1)
        self._begin = time.monotonic()
        self._box = Box(config, self._log, worker)

    def run(self) -> int:
        """Run to the end. Raises: UserError."""
        try:
            self._catch_signals()
            self._start()
            while self._exit is None:
                self._box.step()
            while self._shown or not self._box.drained():
                self._box.step()
        finally:
            if self._terminal is not None:
                self._terminal.leave()
            self._box.close()
        if self._failure is not None:
            raise self._not_started(self._failure)
        if self._config.time:
            self._tell_time()
        return self._exit or int(self._box.output_lost)

    # --- start and end

    def _start(self) -> None:
        config, box = self._config, self._box
        if self._terminal is not None:
            box.console = self._show
            self._tell_size()
            self._terminal.enter()
            box.loop.watch(0, READ, self._typed)
            stdio = ("console", "console", "console" if os.isatty(2) else box.sink(2))
        else:
            stdio = (box.source(0), box.sink(1), box.sink(2))
        box.start(
            tuple(os.fsencode(word) for word in config.argv),
            tuple(os.fsencode(f"{name}={value}") for name, value in config.env),
            os.fsencode(config.cwd),
            stdio,
            True,
            self._started,
            self._exited,
        )

    def _started(self, message: c.Started) -> None:
        if message.errno:
            self._failure, self._exit = message, EXIT_NOT_FOUND

    def _exited(self, message: c.Exited) -> None:
        if self._exit is None:
            status = message.status
            self._exit = EXIT_SIGNAL + (status & 0x7F) if status & 0x7F else status >> 8 & 0xFF
            self._user_ns = message.user_ns

    def _not_started(self, message: c.Started) -> UserError:
        name = self._config.argv[0]
        if message.errno == Errno.ENOENT:
            return UserError(f"{name}: command not found", EXIT_NOT_FOUND)
        if message.errno == Errno.ENOEXEC:
            return UserError(f"{name}: not a program Skerry can run", EXIT_NOT_EXECUTABLE)
        reason = message.reason or os.strerror(message.errno & 0xFFF)
        return UserError(f"{name}: {reason}", EXIT_NOT_EXECUTABLE)

    def _tell_time(self) -> None:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        real, user = time.monotonic() - self._begin, self._user_ns / 1e9
        complain(f"real {real:.3f}\nuser {user:.3f}\nbox  {usage.ru_utime + usage.ru_stime:.3f}", raw=False)

    # --- the terminal

    def _show(self, untrusted_data: bytes) -> None:
        self._shown += untrusted_data
        self._box.loop.watch(1, WRITE, self._shown_ready)

    def _shown_ready(self) -> None:
        try:
            size = os.write(1, self._shown[:4096])
        except BlockingIOError:
            return
        except OSError:  # the terminal is gone: hang up
            size = len(self._shown)
            self._box.send(events.ConsoleInput(b""))
        del self._shown[:size]
        self._box.console_taken(size)
        if not self._shown:
            self._box.loop.forget(1, WRITE)

    def _typed(self) -> None:
        try:
            data = os.read(0, _CONSOLE_MAX // 2)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._box.loop.forget(0, READ)
        self._box.send(events.ConsoleInput(data))

    def _tell_size(self) -> None:
        assert self._terminal is not None
        self._box.send(events.ConsoleSize(*self._terminal.size()))

    def _log(self, text: str) -> None:
        prefix = "" if self._config.strace else "skerry: "  # strace's lines are what they are
        complain(prefix + text, raw=self._terminal is not None and self._terminal.entered)

    # --- signals

    def _catch_signals(self) -> None:
        """Signals arrive as bytes in a pipe, between two messages."""
        self._wakeup = os.pipe()
        for fd in self._wakeup:
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(self._wakeup[1], warn_on_full_buffer=False)
        for signo in (*FORWARDED, signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT):
            signal.signal(signo, _nothing)
        self._box.loop.watch(self._wakeup[0], READ, self._signalled)

    def _signalled(self) -> None:
        for signo in os.read(self._wakeup[0], 100):
            if signo == signal.SIGWINCH:
                if self._terminal is not None:
                    self._tell_size()
            elif signo == signal.SIGTSTP:
                self._suspend()
            elif signo == signal.SIGHUP and self._terminal is not None:
                self._box.send(events.ConsoleInput(b""))
            elif signo in FORWARDED:
                self._box.signal(signo)

    def _suspend(self) -> None:
        """Stop as we were asked to, with the terminal as we found it; come back as we were."""
        if self._terminal is not None:
            self._terminal.leave()
        self._box.pause()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._box.resume()
        if self._terminal is not None:
            self._terminal.enter()
            self._tell_size()


def _nothing(signo: int, frame: FrameType | None) -> None:
    """The wake-up descriptor carries the news."""
