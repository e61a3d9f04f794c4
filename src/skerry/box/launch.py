# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Starting workers: fresh interpreters with an empty environment and one descriptor.

Errors: UserError when the engine or the interpreter cannot be found.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from importlib.util import find_spec

from skerry.abi.errors import UserError

_CODE = (
    "import gc, sys; gc.disable(); sys.path.insert(0, {path!r});"
    " from skerry.box.{module} import main; main({library!r}, {parent})"
)
_SUFFIX = {"linux": "so", "darwin": "dylib"}


def engine_library() -> str:
    """The shared library of the wasmtime package, found without importing the package."""
    spec = find_spec("wasmtime")
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    machine = os.uname().machine.replace("arm64", "aarch64")
    for place in places:
        path = f"{place}/{sys.platform}-{machine}/_libwasmtime.{_SUFFIX.get(sys.platform, 'so')}"
        if os.path.exists(path):
            return path
    raise UserError("the wasmtime package is not installed: run `pip install wasmtime`")


class Worker:
    """A started worker: its process, the connection to it, and what it says before it is sealed."""

    def __init__(self, module: str) -> None:
        library = engine_library()
        path = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        code = _CODE.format(path=path, module=module, library=library, parent=os.getpid())
        self.socket, theirs = socket.socketpair()
        complaints, their_complaints = os.pipe()
        self.complaints = complaints
        """Its standard output and error until it is sealed: why it could not start."""
        flags = ["-I", "-S"]
        try:
            self.pid = os.posix_spawn(
                sys.executable,
                [sys.executable, *flags, "-c", code],
                {},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, theirs.fileno(), 0),
                    (os.POSIX_SPAWN_DUP2, their_complaints, 1),
                    (os.POSIX_SPAWN_DUP2, their_complaints, 2),
                ],
                setsid=True,  # signals of the person's terminal are for the monitor alone
            )
        except OSError as error:
            raise UserError(f"cannot start {sys.executable}: {error.strerror}") from None
        finally:
            theirs.close()
            os.close(their_complaints)

    def read_complaints(self) -> str:
        """What it wrote on standard error, once it has ended."""
        parts = []
        while part := os.read(self.complaints, 65_536):
            parts.append(part)
        return b"".join(parts).decode(errors="replace")

    def kill(self) -> None:
        """End it now and reap it."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def wait(self) -> int:
        """Reap it; returns the status as os.waitpid gives it."""
        status = os.waitpid(self.pid, 0)[1] if self.pid else 0
        self.pid = 0
        return status

    def close(self) -> None:
        """Forget the connection; a worker that still runs ends."""
        self.socket.close()
        os.close(self.complaints)
