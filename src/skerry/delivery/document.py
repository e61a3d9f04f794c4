# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Strict reading of JSON documents that strangers wrote.

A `Fields` is one JSON object and the words for it in an error ("the manifest's layers[3]").

Standard:  RFC 8259, without duplicate names, NaN and infinities (RFC 7493, I-JSON).
Errors:    `VerifyError`, naming the field, what was wanted and what came.
Invariant: nothing is converted: a number in quotes is not a number, true is not 1.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NoReturn

from skerry.abi.errors import VerifyError
from skerry.abi.oci import Digest, is_digest

SHOWN_LENGTH_MAX = 60  # characters of a hostile value that an error repeats


def shown(untrusted_value: object) -> str:
    """Return a short, printable form of a value for an error text."""
    text = ascii(untrusted_value)
    if len(text) <= SHOWN_LENGTH_MAX:
        return text
    return f"{text[:SHOWN_LENGTH_MAX]}… ({len(text)} characters)"


def read_object(untrusted_data: bytes, what: str, size_max: int) -> Fields:
    """Parse one JSON object of at most `size_max` bytes.

    Raises:
        VerifyError: too long, not JSON, not an object, nested too deep, or with a name twice.
    """
    if len(untrusted_data) > size_max:
        raise VerifyError(what, wanted=f"at most {size_max} bytes", got=f"{len(untrusted_data)} bytes")
    try:
        value = json.loads(
            untrusted_data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except RecursionError:
        raise VerifyError(what, wanted="JSON of sane depth", got="nesting without end") from None
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are ValueErrors
        raise VerifyError(
            what, wanted="a JSON object", got=f"{shown(untrusted_data[:40])} ({error})"
        ) from None
    if not isinstance(value, dict):
        _reject(what, "a JSON object", value)
    return Fields(value, what)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _reject(what: str, wanted: str, untrusted_value: object) -> NoReturn:
    raise VerifyError(what, wanted=wanted, got=shown(untrusted_value))


class Fields:
    """One JSON object; each getter returns a checked value or refuses."""

    __slots__ = ("values", "what")

    def __init__(self, values: dict[str, object], what: str) -> None:
        self.what = what
        self.values = values

    def _name(self, key: str) -> str:
        return f"{self.what}'s {key}"

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def text(self, key: str, default: str | None = None) -> str:
        """Return a string; absent and null give the default, if there is one."""
        value = self.values.get(key)
        if value is None and default is not None:
            return default
        return value if isinstance(value, str) else _reject(self._name(key), "a text", value)

    def number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Return a whole number from `low` to `high`, both included."""
        value = self.values.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            _reject(self._name(key), f"a whole number from {low} to {high}", value)
        return value

    def digest(self, key: str) -> Digest:
        """Return a sha256 or sha512 digest."""
        value = self.values.get(key)
        if not isinstance(value, str) or not is_digest(value):
            _reject(self._name(key), "a sha256 or sha512 digest", value)
        return value

    def object(self, key: str) -> Fields:
        """Return an object; absent and null give an empty one."""
        value = self.values.get(key)
        if value is None:
            return Fields({}, self._name(key))
        if not isinstance(value, dict):
            _reject(self._name(key), "an object", value)
        return Fields(value, self._name(key))

    def objects(self, key: str, count_max: int) -> Iterator[Fields]:
        """Yield each object of a list of at most `count_max`."""
        value = self.values.get(key)
        if not isinstance(value, list) or len(value) > count_max:
            got = f"a list of {len(value)}" if isinstance(value, list) else value
            _reject(self._name(key), f"a list of at most {count_max} objects", got)
        for position, item in enumerate(value):
            name = f"{self._name(key)}[{position}]"
            yield Fields(item, name) if isinstance(item, dict) else _reject(name, "an object", item)

    def texts(self, key: str, count_max: int) -> tuple[str, ...]:
        """Return a list of strings; absent and null give an empty one."""
        value = self.values.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > count_max:
            _reject(self._name(key), f"a list of at most {count_max} texts", value)
        for position, item in enumerate(value):
            if not isinstance(item, str):
                _reject(f"{self._name(key)}[{position}]", "a text", item)
        return tuple(value)

    def text_map(self, key: str, count_max: int) -> dict[str, str]:
        """Return a map of strings to strings; absent and null give an empty one."""
        value = self.values.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict) or len(value) > count_max:
            _reject(self._name(key), f"an object of at most {count_max} texts", value)
        for name, item in value.items():
            if not isinstance(item, str):
                _reject(f"{self._name(key)}.{shown(name)}", "a text", item)
        return dict(value)
