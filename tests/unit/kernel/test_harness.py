# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The harness itself: what other tests rely on."""
from __future__ import annotations

from tests.unit.kernel.harness import MILLISECOND, Harness


def test_a_process_has_memory_of_its_own() -> None:
    h = Harness()
    one, two = h.process(), h.process()
    address = h.put(one, b"hello")
    assert h.get(one, address, 5) == b"hello"
    assert h.get(two, address, 5) == bytes(5)


def test_deadlines_fire_in_order_while_time_advances() -> None:
    h = Harness()
    seen: list[tuple[str, int]] = []
    start = h.clock.now_ns
    for name, ms in (("late", 30), ("early", 10)):
        h.kernel.timers.add(start + ms * MILLISECOND, lambda n=name: seen.append((n, h.clock.now_ns - start)))  # type: ignore[misc]
    h.process()
    h._perform(h.kernel.take())
    h.advance(50 * MILLISECOND)
    assert seen == [("early", 10 * MILLISECOND), ("late", 30 * MILLISECOND)]
    assert h.clock.now_ns - start == 50 * MILLISECOND
