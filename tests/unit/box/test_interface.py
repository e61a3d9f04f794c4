# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""docs/box-interface.md says what messages.py does, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

from skerry.abi.record import Record
from skerry.box import messages as m
from skerry.box import seccomp
from skerry.box.endpoints import WINDOW
from skerry.box.lifecycle import CONSOLE_MAX
from skerry.kernel import console, streams

PAGE = (Path(__file__).parents[3] / "docs" / "box-interface.md").read_text()
ROW = re.compile(r"^\| (\d+) \| `(\w+)` \| (.*?) \|(?: (\d+) ([KM])iB \|)?", re.MULTILINE)


def rows(title: str) -> dict[int, tuple[str, list[str], int]]:
    """The table below a heading: number -> (name, fields, limit)."""
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    return {
        int(number): (
            name,
            re.findall(r"`(\w+)`", fields),
            int(limit or 0) << {"K": 10, "M": 20, "": 0}[unit],
        )
        for number, name, fields, limit, unit in ROW.findall(section)
    }


def said(kind: type[Record]) -> tuple[str, list[str]]:
    return kind.__name__, [name for name, _ in kind.FIELDS]


def test_messages() -> None:
    for title, table in (("Monitor to worker", m.TO_WORKER), ("Worker to monitor", m.TO_MONITOR)):
        assert rows(title) == {number: (*said(kind), limit) for number, (kind, limit) in table.items()}


def test_requests_and_replies() -> None:
    told = {**rows("Requests"), **rows("Replies")}
    assert {number: row[:2] for number, row in told.items()} == {
        number: said(kind) for number, kind in m.PAYLOADS.items()
    }


def test_numbers_of_one_direction_are_not_of_the_other() -> None:
    assert not set(m.TO_WORKER) & set(m.TO_MONITOR)


def test_every_allowed_call_is_told() -> None:
    section = PAGE.split("## The seal")[1].split("\n## ")[0]
    for rule in seccomp.rules(0, 1):
        assert re.search(rf"\b{rule.name}\b", section), rule.name


def test_both_sides_count_alike() -> None:
    assert WINDOW == streams.WINDOW
    assert CONSOLE_MAX == 4 * console.CREDIT
