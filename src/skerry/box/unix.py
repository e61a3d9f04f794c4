# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A Unix system in a box, for Python programs: `with skerry.Unix(...) as unix: unix.run([...])`.

`run` and `Popen` are shaped like subprocess, `fs` like pathlib, `http` like http.client. Any
thread may call; the box lives until `close` or the end of the `with` block, and then nothing
of it remains.

Blocking: as the model of each call blocks.
Errors:   UserError when the box cannot start or has died; otherwise those of the model.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import PurePosixPath
from typing import Any, Self

from skerry.abi.errors import UserError

from .config import BoxConfig, Mount, check_mounts, parse_mount
from .guestpath import GuestPath
from .http import HttpClient
from .owner import Owner
from .popen import PIPE, Stdio
from .popen import Popen as Process

HOME = "/home/user"
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": HOME, "USER": "user", "LOGNAME": "user",
    "SHELL": "/bin/sh", "LANG": "C.UTF-8", "TERM": "dumb",
}  # fmt: skip


class Unix:
    """One Unix system."""

    def __init__(
        self,
        mounts: Iterable[str | Mount] = (),
        env: Mapping[str, str] | None = None,
        cwd: str = HOME,
        root: str | None = None,
        memory: int | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        """Start a box.

        `mounts` are "HOST:GUEST[:ro]" texts; `root` is a host folder with the programs (the built
        ports when None); `memory` limits all processes together, in bytes; `log` gets lines about
        crashes and refused programs (stderr when None). Raises: UserError.
        """
        self._env = _ENVIRONMENT | dict(env or {})
        self._cwd = cwd
        self._lock = threading.Condition()
        self._listening: set[int] = set()
        self._callbacks: dict[int, list[Callable[[int], None]]] = {}
        given = tuple(one if isinstance(one, Mount) else parse_mount(one) for one in mounts)
        config = BoxConfig(
            argv=(), env=(), cwd=cwd, mounts=check_mounts(given), root=root or default_root(),
            strace=False, time=False, memory_bytes=memory, tty=False,
        )  # fmt: skip
        self._owner = Owner(config, log or _complain)
        self._owner.call(self._adopt)
        self.http = HttpClient(self.connect)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the box and everything in it; twice is no error."""
        self._owner.close()

    # --- processes

    def Popen(  # noqa: N802  # the name it has in subprocess
        self,
        args: str | Sequence[str | bytes],
        *,
        stdin: Stdio = None,
        stdout: Stdio = None,
        stderr: Stdio = None,
        shell: bool = False,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        text: bool = False,
    ) -> Process:
        """Start a process; as subprocess.Popen. `env` is added to the box's environment.

        Raises: FileNotFoundError, PermissionError, OSError.
        """
        if isinstance(args, str):
            args = ["sh", "-c", args] if shell else [args]
        merged = self._env | dict(env or {})
        pairs = [os.fsencode(f"{name}={value}") for name, value in merged.items()]
        return Process(
            self._owner, args, env=pairs, cwd=cwd or self._cwd, stdin=stdin, stdout=stdout, stderr=stderr, text=text
        )

    def run(
        self,
        args: str | Sequence[str | bytes],
        *,
        input: Any = None,  # noqa: A002  # the name it has in subprocess
        capture_output: bool = False,
        timeout: float | None = None,
        check: bool = False,
        **options: Any,
    ) -> subprocess.CompletedProcess[Any]:
        """Run a process to its end; as subprocess.run.

        Raises: subprocess.TimeoutExpired, subprocess.CalledProcessError, and those of Popen.
        """
        if capture_output:
            options["stdout"] = options["stderr"] = PIPE
        if input is not None:
            options["stdin"] = PIPE
        with self.Popen(args, **options) as process:
            try:
                stdout, stderr = process.communicate(input, timeout)
            except BaseException:
                process.kill()
                raise
        assert process.returncode is not None
        done = subprocess.CompletedProcess(args, process.returncode, stdout, stderr)
        if check:
            done.check_returncode()
        return done

    def system(
        self,
        command: str,
        on_exit: Callable[[int, int], None] | None = None,
        stdout: Callable[[bytes], None] | None = None,
        stderr: Callable[[bytes], None] | None = None,
    ) -> Process:
        """Start a shell command; the callbacks get output as it comes and (pid, code) at the end.

        They run on threads of their own; all output has been delivered before `on_exit`.
        """
        process = self.Popen(
            ["sh", "-c", command], stdout=PIPE if stdout else None, stderr=PIPE if stderr else None
        )
        readers = [
            threading.Thread(target=_pump, args=(pipe, callback), daemon=True)
            for pipe, callback in ((process.stdout, stdout), (process.stderr, stderr))
            if callback is not None
        ]

        def finish() -> None:
            code = process.wait()
            for reader in readers:
                reader.join()
            if on_exit is not None:
                on_exit(process.pid, code)

        for thread in (*readers, threading.Thread(target=finish, daemon=True)):
            thread.start()
        return process

    def kill(self, pid: int, signo: int = 15) -> None:
        """Send a signal to a process of the box."""
        self._owner.call(lambda box: box.signal(signo, pid))

    # --- files

    @property
    def fs(self) -> GuestPath:
        """The root of the box's files: `unix.fs / "tmp" / "a.txt"`."""
        return GuestPath(self._file, PurePosixPath("/"))

    def _file(self, operation: str, path: bytes, argument: bytes, offset: int, number: int) -> bytes:
        answer: Future[tuple[int, bytes]] = Future()
        self._owner.call(
            lambda box: box.file(
                operation, path, argument, offset, number, lambda errno, data: answer.set_result((errno, data))
            )
        )
        errno, data = self._await(answer)
        if errno:
            raise OSError(errno, os.strerror(errno), os.fsdecode(path))
        return bytes(data)

    # --- servers

    def connect(self, port: int) -> socket.socket:
        """A connection to a server that listens in the box. Raises: ConnectionRefusedError."""
        answer: Future[int] = Future()
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        fd = theirs.detach()
        self._owner.call(lambda box: box.connect(port, fd, answer.set_result))
        errno = self._await(answer)
        if errno:
            ours.close()
            raise OSError(errno, f"port {port} of the box: {os.strerror(errno)}")
        return ours

    def on_listen(self, port: int, callback: Callable[[int], None] | None = None, timeout: float | None = None) -> bool:
        """Learn that a program listens at TCP `port`: call back, or wait (False after `timeout` s)."""
        with self._lock:
            if callback is None:
                return self._lock.wait_for(lambda: port in self._listening, timeout)
            if port not in self._listening:
                self._callbacks.setdefault(port, []).append(callback)
                return False
        callback(port)
        return True

    # --- on the owner's thread

    def _adopt(self, box: Any) -> None:
        box.listening = self._heard

    def _heard(self, port: int) -> None:
        with self._lock:
            self._listening.add(port)
            callbacks = self._callbacks.pop(port, [])
            self._lock.notify_all()
        for callback in callbacks:
            threading.Thread(target=callback, args=(port,), daemon=True).start()

    def _await(self, answer: Future[Any]) -> Any:
        """The result, or the reason why the box cannot give one any more."""

        def give_up(reason: BaseException) -> None:
            if not answer.done():
                answer.set_exception(reason)

        self._owner.ended.append(give_up)
        try:
            return answer.result()
        finally:
            self._owner.ended.remove(give_up)


def _pump(pipe: Any, callback: Callable[[bytes], None]) -> None:
    while data := pipe.read1(65536):
        callback(data)
    pipe.close()


def _complain(text: str) -> None:
    sys.stderr.write(f"skerry: {text}\n")


def default_root() -> str:
    """The built ports. Raises: UserError when there are none."""
    from skerry.toolchain.place import root_path

    root = root_path()
    if not os.path.isdir(root):
        raise UserError(f"no programs are built yet; run {shlex.join(['skerry', 'ports', 'build'])} once")
    return root
