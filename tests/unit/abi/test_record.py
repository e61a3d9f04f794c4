# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
from __future__ import annotations

import pytest

from skerry.abi.record import Record


class Point(Record):
    x: int
    y: int
    name: str = "p"


def test_fields_by_place_by_name_and_by_default() -> None:
    assert Point(1, 2) == Point(x=1, y=2, name="p")
    assert repr(Point(1, y=2)) == "Point(x=1, y=2, name='p')"
    assert Point.FIELDS == (("x", "int"), ("y", "int"), ("name", "str"))


def test_records_are_values() -> None:
    assert {Point(1, 2), Point(1, 2)} == {Point(1, 2)}
    assert Point(1, 2) != Point(2, 1)
    with pytest.raises(AttributeError):
        setattr(Point(1, 2), "x", 3)  # noqa: B010


def test_what_a_function_call_would_refuse() -> None:
    for values, named in (((1,), {}), ((1, 2, "a", 4), {}), ((1, 2), {"z": 3})):
        with pytest.raises(TypeError):
            Point(*values, **named)  # type: ignore[arg-type]


def test_patterns_match() -> None:
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)
