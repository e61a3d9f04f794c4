# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A monitor for tests of the kernel: folders of this machine as host trees."""
from __future__ import annotations

from pathlib import Path

from tests.unit.kernel.harness import Harness

from skerry.box.hostfiles import HostTrees
from skerry.kernel.commands import Ask


class FakeHost:
    """Trees by number, tree 0 read-only as in a box; `asked` keeps every request."""

    def __init__(self, trees: dict[int, Path]) -> None:
        self.asked: list[object] = []
        self._trees = HostTrees()
        for number, path in trees.items():
            self._trees.add(number, str(path), read_only=number == 0)

    @property
    def handles(self) -> int:
        """How many files are open."""
        return len(self._trees._handles)

    def serve(self, h: Harness) -> None:
        """Answer everything that waits, and what the answers lead to."""
        while asks := h.taken(Ask):
            for command in asks:
                self.asked.append(command.payload)
                h.answer(command.request, self._trees.answer(command.payload))

    def names(self) -> list[str]:
        """What was asked, by kind; asking this forgets it."""
        names = [type(request).__name__ for request in self.asked]
        self.asked.clear()
        return names
