# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The same for asyncio: `async with skerry.AsyncUnix(...) as unix: await unix.run([...])`.

Every call is the synchronous one on a thread of asyncio's pool, so a program of the box can run
while the event loop goes on. A cancelled `run` kills its process.
"""

from __future__ import annotations

import asyncio
import subprocess
from typing import Any, Self

from .guestpath import GuestPath
from .popen import Popen
from .unix import Unix


class AsyncProcess:
    """A process of a box, for asyncio."""

    def __init__(self, process: Popen) -> None:
        self.process = process
        self.pid = process.pid

    @property
    def returncode(self) -> int | None:
        """The return code, or None while it runs."""
        return self.process.returncode

    async def wait(self) -> int:
        """Wait for its end."""
        return await asyncio.to_thread(self.process.wait)

    async def communicate(self, input: Any = None) -> tuple[Any, Any]:  # noqa: A002  # as in asyncio.subprocess
        """Feed `input`, read both outputs to their ends, wait."""
        return await asyncio.to_thread(self.process.communicate, input)

    def send_signal(self, signo: int) -> None:
        """Send a signal, unless it has ended."""
        self.process.send_signal(signo)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.process.kill()


class AsyncUnix:
    """One Unix system, for asyncio. Takes the arguments of `Unix`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._arguments, self._options = arguments, options
        self.unix: Unix

    async def __aenter__(self) -> Self:
        self.unix = await asyncio.to_thread(Unix, *self._arguments, **self._options)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.to_thread(self.unix.close)

    async def start(self, args: Any, **options: Any) -> AsyncProcess:
        """Start a process; as Unix.Popen."""
        return AsyncProcess(await asyncio.to_thread(self.unix.Popen, args, **options))

    async def run(self, args: Any, *, input: Any = None, **options: Any) -> subprocess.CompletedProcess[Any]:  # noqa: A002
        """Run a process to its end; as Unix.run."""
        if options.pop("capture_output", False):
            options["stdout"] = options["stderr"] = subprocess.PIPE
        check, timeout = options.pop("check", False), options.pop("timeout", None)
        if input is not None:
            options["stdin"] = subprocess.PIPE
        process = await self.start(args, **options)
        try:
            stdout, stderr = await asyncio.wait_for(process.communicate(input), timeout)
        except TimeoutError:
            process.kill()
            raise subprocess.TimeoutExpired(args, timeout or 0) from None
        except BaseException:
            process.kill()
            raise
        assert process.returncode is not None
        done = subprocess.CompletedProcess(args, process.returncode, stdout, stderr)
        if check:
            done.check_returncode()
        return done

    @property
    def fs(self) -> GuestPath:
        """The root of the box's files; call its methods with asyncio.to_thread where they may be slow."""
        return self.unix.fs

    async def on_listen(self, port: int, timeout: float | None = None) -> bool:
        """Wait until a program listens at TCP `port`; False after `timeout` seconds."""
        return await asyncio.to_thread(self.unix.on_listen, port, None, timeout)
