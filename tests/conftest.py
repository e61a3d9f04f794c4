# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Stages: cheap tests first, and no later stage once an earlier one has failed.

A stage is a folder of tests/; its rank is its place in STAGES, unknown ones come last. One run of
pytest goes through them all, so that its closing line counts everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

STAGES = ("unit", "fuzz", "delivery", "toolchain", "guest", "wasi", "ports", "integration", "escape", "posix")
HERE = Path(__file__).parent


def stage(item: pytest.Item) -> str:
    """The folder of tests/ an item lies in."""
    return item.path.relative_to(HERE).parts[0]


def rank(item: pytest.Item) -> int:
    """When its turn is."""
    return STAGES.index(stage(item)) if stage(item) in STAGES else len(STAGES)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the stages in order; inside one, the order stays."""
    items.sort(key=rank)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Stop at the end of a stage that failed."""
    result = yield
    if nextitem is not None and stage(item) != stage(nextitem) and item.session.testsfailed:
        item.session.shouldfail = f"stage {stage(item)} failed; later stages were not run"
    return result
