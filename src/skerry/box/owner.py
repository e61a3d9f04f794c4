# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A box that other threads may use: the thread that owns it, and the way to ask it.

A `Box` belongs to the thread that made it. Here that is a thread of its own; everyone else
hands it functions to run between two messages.

Blocking: `call` waits for its function to have run.
Errors:   after the box has ended, every call raises BoxFailed with the reason.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from skerry.abi.errors import UserError

from .config import BoxConfig
from .lifecycle import Box, BoxFailed
from .loop import READ

T = TypeVar("T")
_CLOSED = BoxFailed("the box has been closed")


class Owner:
    """A box and its thread."""

    def __init__(self, config: BoxConfig, log: Callable[[str], None]) -> None:
        """Start the box. Raises: UserError."""
        self.ended: list[Callable[[BaseException], None]] = []
        """Called once, on the owner's thread, when the box has ended."""
        self._jobs: deque[tuple[Callable[[Box], Any], Future[Any]]] = deque()
        self._failure: BaseException | None = None
        self._closing = False
        self._lock = threading.Lock()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(config, log, started), daemon=True, name="skerry")
        self._thread.start()
        started.result()

    def call(self, job: Callable[[Box], T]) -> T:
        """Run `job` with the box and return its result. Raises: what it raises; BoxFailed."""
        future: Future[T] = Future()
        with self._lock:
            if self._failure is not None:
                raise self._failure
            self._jobs.append((job, future))
            self._wake()
        return future.result()

    def close(self) -> None:
        """End the box and its thread; twice is no error."""
        with self._lock:
            if not self._closing:
                self._closing = True
                self._wake()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"x")
        except (BlockingIOError, OSError):  # woken already, or ended
            pass

    def _run(self, config: BoxConfig, log: Callable[[str], None], started: Future[None]) -> None:
        try:
            box = Box(config, log)
        except BaseException as error:
            self._failure = error
            started.set_exception(error)
            return
        started.set_result(None)
        failure: BaseException = _CLOSED
        try:
            box.loop.watch(self._wake_read, READ, lambda: self._serve(box))
            while not self._closing:
                box.step()
        except UserError as error:
            failure = error
        except Exception as error:  # our bug must not leave callers waiting
            failure = BoxFailed(f"internal error: {type(error).__name__}: {error}")
        finally:
            box.close()
            self._end(failure)

    def _serve(self, box: Box) -> None:
        os.read(self._wake_read, 4096)
        while self._jobs:
            job, future = self._jobs.popleft()
            try:
                future.set_result(job(box))
            except BaseException as error:
                future.set_exception(error)

    def _end(self, failure: BaseException) -> None:
        with self._lock:
            self._failure = failure
            jobs, self._jobs = list(self._jobs), deque()
            os.close(self._wake_read)
            os.close(self._wake_write)
        for _, future in jobs:
            future.set_exception(failure)
        for tell in self.ended:
            tell(failure)
