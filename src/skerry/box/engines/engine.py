# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What an engine is: the one that makes guests, and what a guest can do.

`Host` (host.py) owns the kernel and gives each task a Carrier, an OS thread. The carrier runs
one Guest after another: an image made by an Engine, which calls `Carrier.syscall` and is called
back with `interrupt` and `kill` from other threads.

Blocking: only `Guest.run` and `Carrier.syscall` block.
Errors:   a guest's misdeeds are `Trap`; NoMemory when an image cannot be made; any other
          exception is our bug and ends the box.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from skerry.kernel.commands import Command, Image

    from .host import Carrier


class Trap(Exception):
    """The image did something impossible; `signo` is what it earned."""

    def __init__(self, signo: int, reason: str) -> None:
        super().__init__(reason)
        self.signo = signo
        self.reason = reason


class Unwind(Exception):
    """The image must go: the carrier has an Exec or a Stop to carry out."""


class Refused(Exception):
    """The file is no program for this engine; the text says why."""


class NoMemory(Exception):
    """The box has no memory left for another image."""


class Guest(Protocol):
    """One image, ready to run on one carrier."""

    def memory(self) -> memoryview:
        """The whole linear memory as it is now; it only grows."""

    def run(self) -> int:
        """Run to the end; returns the exit status when the start function returned.

        Raises: Trap, Unwind.
        """

    def interrupt(self) -> None:
        """Make a busy image call into the kernel soon. Any thread."""

    def kill(self, hard: bool) -> None:
        """Make a busy image end soon; `hard` when asking did not help. Any thread."""

    def thread(self, carrier: Carrier, stack: int) -> Guest:
        """One more image on the same memory. Raises: NoMemory."""

    def adopt(self, child: Carrier) -> None:
        """A fork under way: `child` gets a copy of this image and is then started."""

    def close(self) -> None:
        """Free what the image held; it never runs again."""


class Engine(Protocol):
    """Makes guests."""

    def image(self, carrier: Carrier, image: Image) -> Guest:
        """An image that starts from the beginning. Raises: NoMemory."""

    def load(self, name: bytes, untrusted_code: bytes, done: Callable[[object | None, str], None]) -> None:
        """Compile a program; `done(module, "")` or `done(None, why)` is called later, on any thread."""


class Outside(Protocol):
    """Where commands go that are not the engine's: the monitor."""

    def command(self, command: Command) -> None:
        """Pass one command on. Must not block for long: the kernel waits."""

    def crashed(self, error: BaseException) -> None:
        """A bug of ours: say so and end the box. May not return."""
