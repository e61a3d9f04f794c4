# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Which port is built when: several at a time, needs first, and a line that says how far it is.

A configure script uses one processor at best, so two builds keep two processors busy.

Blocking: `Schedule.run`, until all is built. Ctrl-C or SIGTERM ends the builds under way.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path

from skerry.abi.errors import UserError
from skerry.toolchain import port
from skerry.toolchain.recipe import Recipe

_MOST_AT_ONCE = 8
_REDRAW_S = 1.0
_GRACE_S = 5.0
_LINE = 120


class Schedule:
    """The builds of some ports: waiting, running, finished, failed."""

    def __init__(self, recipes: list[Recipe], places: dict[str, Path], jobs: int) -> None:
        # A long build started last would be waited for alone.
        in_turn = sorted(recipes, key=lambda recipe: not _leads_to_long(recipe, recipes))
        self._waiting = {recipe.name: recipe for recipe in in_turn}
        self._places = places
        self._jobs = jobs
        self._running: dict[Future[None], str] = {}
        self._started: dict[str, float] = {}
        self._total = len(recipes)
        self._failed: dict[str, str] = {}

    def run(self) -> dict[str, str]:
        """Build them all; return the failed ones' names and what to say about each."""
        begun = time.monotonic()
        with _sigterm_interrupts():
            try:
                while self._start_more():
                    finished, _ = wait(self._running, timeout=_REDRAW_S, return_when=FIRST_COMPLETED)
                    for job in finished:
                        self._finish(job)
                    self._draw()
            except BaseException:
                port.stop()
                wait(self._running, timeout=_GRACE_S)  # they remove what they left half done
                raise
        self._say(f"ports: {self._total - len(self._failed)} built in {time.monotonic() - begun:.0f} s")
        return self._failed

    def _start_more(self) -> bool:
        """Start what can be started; return whether anything is still to come."""
        for recipe in list(self._waiting.values()):
            lost = [name for name in recipe.needs if name in self._failed]
            busy = {*self._waiting, *self._running.values()}
            if lost:
                del self._waiting[recipe.name]
                self._failed[recipe.name] = f"{recipe.name} needs {', '.join(lost)}"
            elif len(self._running) < min(self._jobs, _MOST_AT_ONCE) and not busy & set(recipe.needs):
                del self._waiting[recipe.name]
                self._start(recipe)
        return bool(self._running or self._waiting)

    def _start(self, recipe: Recipe) -> None:
        """Build one port in a thread, which does not keep the process alive once it shall end."""
        job: Future[None] = Future()

        def work() -> None:
            try:
                port.build(recipe, self._places[recipe.name], self._places, self._jobs)
            except BaseException as error:
                job.set_exception(error)
            else:
                job.set_result(None)

        self._running[job] = recipe.name
        self._started[recipe.name] = time.monotonic()
        threading.Thread(target=work, name=f"port-{recipe.name}", daemon=True).start()

    def _finish(self, job: Future[None]) -> None:
        """Take note of a build's end. Raises: whatever is not the recipe's fault."""
        name = self._running.pop(job)
        try:
            job.result()
        except UserError as error:
            self._failed[name] = str(error)
        took = time.monotonic() - self._started[name]
        done = self._total - len(self._waiting) - len(self._running)
        word = "failed" if name in self._failed else "built"
        self._say(f"ports: {done}/{self._total} {name} {word} in {took:.0f} s")

    def _say(self, line: str) -> None:
        """Print a whole line, above the status line if there is one."""
        lead = "\r\x1b[K" if sys.stderr.isatty() else ""
        print(f"{lead}{line}", file=sys.stderr, flush=True)

    def _draw(self) -> None:
        """Redraw the status line of a terminal."""
        if not sys.stderr.isatty() or not self._running:
            return
        now = time.monotonic()
        under_way = ", ".join(f"{name} ({now - self._started[name]:.0f} s)" for name in self._running.values())
        done = self._total - len(self._waiting) - len(self._running)
        line = f"ports: {done}/{self._total}, building {under_way}"
        print(f"\r\x1b[K{line[:_LINE]}", end="", file=sys.stderr, flush=True)


def _leads_to_long(recipe: Recipe, recipes: list[Recipe]) -> bool:
    """Say whether a long build is this one or waits for it."""
    return recipe.long or any(recipe.name in other.needs and _leads_to_long(other, recipes) for other in recipes)


@contextlib.contextmanager
def _sigterm_interrupts() -> Iterator[None]:
    """Let SIGTERM end the builds as Ctrl-C does: they are in sessions of their own, no signal reaches them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
