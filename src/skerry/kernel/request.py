# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Requests: questions to the world outside, and the calls that wait for the answers.

Blocking: `Requests.ask` and `load` park the caller until the answer event arrives. They are
          interrupted only by death: the effect outside may already have happened.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi.hostfs import Close, Opened
from skerry.kernel.commands import Ask, Load
from skerry.kernel.events import Answer, Loaded
from skerry.kernel.wait import Step, Wait, WaitQueue

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel


class Request:
    """One question under way."""

    __slots__ = ("answered", "reply")

    def __init__(self) -> None:
        self.answered = WaitQueue()
        self.reply: Answer | Loaded | None = None


class Requests:
    """Questions under way, by number."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._open: dict[int, Request] = {}
        self._last = 0

    def ask(self, payload: object) -> Step[object]:
        """Ask the monitor; returns the payload of its answer."""
        self._last += 1
        self._kernel.commands.append(Ask(self._last, payload))
        reply = yield from self._wait(self._last)
        assert isinstance(reply, Answer)
        return reply.payload

    def tell(self, payload: object) -> None:
        """Tell the monitor something no one waits for (close of a host file)."""
        self._last += 1
        self._kernel.commands.append(Ask(self._last, payload))

    def load(self, name: bytes, untrusted_code: bytes) -> Step[Loaded]:
        """Have the engine compile a program."""
        self._last += 1
        self._kernel.commands.append(Load(self._last, name, untrusted_code))
        reply = yield from self._wait(self._last)
        assert isinstance(reply, Loaded)
        return reply

    def answer(self, event: Answer | Loaded) -> None:
        """An answer arrived; one nobody waits for is dropped, an open file in it closed."""
        request = self._open.get(event.request)
        if request is None:
            payload = event.payload if isinstance(event, Answer) else None
            if isinstance(payload, Opened) and payload.handle:
                self.tell(Close(payload.handle))
        else:
            request.reply = event
            request.answered.wake()

    def _wait(self, number: int) -> Step[Answer | Loaded]:
        request = self._open[number] = Request()
        try:
            while request.reply is None:
                yield Wait((request.answered,), killable_only=True)
            return request.reply
        finally:
            del self._open[number]
