# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Which port is built when: several at a time, needs first, and a line that says how far it is.

A configure script uses one processor at best, so two builds keep two processors busy.
"""

from __future__ import annotations

import signal
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from skerry.abi.errors import UserError
from skerry.toolchain import port
from skerry.toolchain.recipe import Recipe

_MOST_AT_ONCE = 8
_REDRAW_S = 1.0


class Schedule:
    """The builds of some ports: waiting, running, finished, failed."""

    def __init__(self, recipes: list[Recipe], places: dict[str, Path], jobs: int) -> None:
        # A long build started last would be waited for alone.
        self._waiting = {recipe.name: recipe for recipe in sorted(recipes, key=lambda r: not _leads_to_long(r, recipes))}
        self._places = places
        self._jobs = jobs
        self._running: dict[Future[None], str] = {}
        self._started: dict[str, float] = {}
        self._total = len(recipes)
        self._failed: dict[str, str] = {}

    def run(self) -> dict[str, str]:
        """Build them all; return the failed ones' names and what to say about each."""
        at_once = min(self._jobs, _MOST_AT_ONCE)
        begun = time.monotonic()
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        with ThreadPoolExecutor(at_once, "port") as pool:
            try:
                while self._start(pool, at_once):
                    finished, _ = wait(self._running, timeout=_REDRAW_S, return_when=FIRST_COMPLETED)
                    for job in finished:
                        self._finish(job)
                    self._draw()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                port.stop()
                raise
            finally:
                signal.signal(signal.SIGTERM, before)
        self._say(f"ports: {self._total - len(self._failed)} built in {time.monotonic() - begun:.0f} s")
        return self._failed

    def _start(self, pool: ThreadPoolExecutor, at_once: int) -> bool:
        """Start what can be started; return whether anything is still to come."""
        for recipe in list(self._waiting.values()):
            lost = [name for name in recipe.needs if name in self._failed]
            if lost:
                del self._waiting[recipe.name]
                self._failed[recipe.name] = f"{recipe.name} needs {', '.join(lost)}"
        for recipe in list(self._waiting.values()):
            busy = {*self._waiting, *self._running.values()}
            if len(self._running) < at_once and not busy & set(recipe.needs):
                del self._waiting[recipe.name]
                job = pool.submit(port.build, recipe, self._places[recipe.name], self._places, self._jobs)
                self._running[job] = recipe.name
                self._started[recipe.name] = time.monotonic()
        return bool(self._running or self._waiting)

    def _finish(self, job: Future[None]) -> None:
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
        if not sys.stderr.isatty():
            return
        now = time.monotonic()
        under_way = ", ".join(f"{name} ({now - self._started[name]:.0f} s)" for name in self._running.values())
        done = self._total - len(self._waiting) - len(self._running)
        print(f"\r\x1b[Kports: {done}/{self._total}, building {under_way}"[:120], end="", file=sys.stderr, flush=True)


def _leads_to_long(recipe: Recipe, recipes: list[Recipe]) -> bool:
    """Say whether a long build is this one or waits for it."""
    return recipe.long or any(recipe.name in other.needs and _leads_to_long(other, recipes) for other in recipes)
