# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Processes of a box, shaped like subprocess.Popen.

Differences, because the process lives elsewhere: `stdin=None` is empty input rather than the
caller's own, `pid` is the box's number, and ending the box ends the process (returncode -9).
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any, Self

from skerry.abi.errno import Errno
from skerry.kernel import commands as c

if TYPE_CHECKING:
    from .lifecycle import Box
    from .owner import Owner

PIPE, STDOUT, DEVNULL = subprocess.PIPE, subprocess.STDOUT, subprocess.DEVNULL

Stdio = int | IO[Any] | None


class Popen:
    """One process of a box."""

    def __init__(
        self,
        owner: Owner,
        args: Sequence[str | bytes],
        *,
        env: Sequence[bytes],
        cwd: str,
        stdin: Stdio = None,
        stdout: Stdio = None,
        stderr: Stdio = None,
        text: bool = False,
    ) -> None:
        """Start it. Raises: FileNotFoundError, PermissionError, OSError as execve(2) fails."""
        self.args = list(args)
        self.pid = 0
        self.returncode: int | None = None
        self.stdin: IO[Any] | None = None
        self.stdout: IO[Any] | None = None
        self.stderr: IO[Any] | None = None
        self._owner, self._text = owner, text
        self._settled, self._ended = threading.Event(), threading.Event()
        self._failure: c.Started | None = None
        owner.ended.append(self._box_ended)
        words = tuple(os.fsencode(word) for word in args)
        owner.call(lambda box: self._start(box, words, tuple(env), os.fsencode(cwd), (stdin, stdout, stderr)))
        self._settled.wait()
        self._check_started(os.fsdecode(words[0]))

    def _check_started(self, name: str) -> None:
        failure = self._failure
        if failure is not None:
            self._close_pipes()
            raise OSError(failure.errno, os.strerror(failure.errno), name)

    # --- on the owner's thread

    def _start(
        self, box: Box, words: tuple[bytes, ...], env: tuple[bytes, ...], cwd: bytes, stdio: tuple[Stdio, ...]
    ) -> None:
        stdin, stdout, stderr = stdio
        names = [self._input(box, stdin), self._output(box, stdout, "stdout", 1)]
        names.append(names[1] if stderr == STDOUT else self._output(box, stderr, "stderr", 2))
        box.start(words, env, cwd, (names[0], names[1], names[2]), False, self._on_start, self._on_exit)

    def _input(self, box: Box, where: Stdio) -> str:
        if where is None or where == DEVNULL:
            return "null"
        if where == PIPE:
            read, write = os.pipe()
            self.stdin = self._wrap(write, "wb")
        else:
            read = os.dup(_fileno(where))
        return box.source(read, own=True)

    def _output(self, box: Box, where: Stdio, name: str, inherited: int) -> str:
        if where == DEVNULL:
            return "null"
        if where == PIPE:
            read, write = os.pipe()
            setattr(self, name, self._wrap(read, "rb"))
        else:
            write = os.dup(inherited if where is None else _fileno(where))
        return box.sink(write, lambda: os.close(write))

    def _wrap(self, fd: int, mode: str) -> IO[Any]:
        raw = open(fd, mode, buffering=-1)  # noqa: SIM115  # closed by the caller, as in subprocess
        return io.TextIOWrapper(raw, write_through=mode == "wb") if self._text else raw

    def _on_start(self, message: c.Started) -> None:
        self.pid = message.pid
        if message.errno:
            self._failure = message
            self._ended.set()
        self._settled.set()

    def _on_exit(self, message: c.Exited) -> None:
        if self._failure is None and self.returncode is None:
            status = message.status
            self.returncode = -(status & 0x7F) if status & 0x7F else status >> 8 & 0xFF
        self._ended.set()

    def _box_ended(self, reason: BaseException) -> None:
        if not self._settled.is_set():
            self._failure = c.Started(0, 0, int(Errno.EIO), str(reason))
            self._settled.set()
        if self.returncode is None:
            self.returncode = -int(signal.SIGKILL)
        self._ended.set()

    # --- as in subprocess

    def poll(self) -> int | None:
        """The return code, or None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises: subprocess.TimeoutExpired."""
        if not self._ended.wait(timeout):
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.args, timeout)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, signo: int) -> None:
        """Send a signal, unless it has ended."""
        if self.returncode is None:
            self._owner.call(lambda box: box.signal(signo, self.pid))

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, input: Any = None, timeout: float | None = None) -> tuple[Any, Any]:  # noqa: A002
        """Feed `input`, read both outputs to their ends, wait. Raises: subprocess.TimeoutExpired."""
        found: dict[str, Any] = {}
        names = ("stdout", "stderr")
        jobs = [threading.Thread(target=self._collect, args=(name, found), daemon=True) for name in names]
        if self.stdin is not None:
            jobs.append(threading.Thread(target=self._feed, args=(input,), daemon=True))
        for job in jobs:
            job.start()
        self.wait(timeout)
        for job in jobs:
            job.join()
        return found.get("stdout"), found.get("stderr")

    def _collect(self, name: str, found: dict[str, Any]) -> None:
        pipe = getattr(self, name)
        if pipe is not None:
            found[name] = pipe.read()
            pipe.close()

    def _feed(self, data: Any) -> None:
        assert self.stdin is not None
        try:
            if data:
                self.stdin.write(data)
            self.stdin.close()
        except BrokenPipeError:  # it did not want all of it
            pass

    def _close_pipes(self) -> None:
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._close_pipes()
        self.wait()


def _fileno(where: Stdio) -> int:
    if isinstance(where, int):
        return where
    assert where is not None
    return where.fileno()
