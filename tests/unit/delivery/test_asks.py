# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Asks: every one in the table is read, everything else under our prefix is refused by name."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from skerry.abi import oci
from skerry.abi.errors import UserError, VerifyError
from skerry.delivery.asks import ASKS, annotations_from, parse_asks, parse_size
from skerry.delivery.schema import schema, schema_text, table_text

DOCS = Path(__file__).parents[3] / "docs"
FULL = {ask.key: ask.example for ask in ASKS}
VALID = {
    "the least": {
        "dev.skerry.schema": "1",
        oci.ANNOTATION_TITLE: "a",
        oci.ANNOTATION_VERSION: "1",
        "dev.skerry.engine": "wasm",
        "dev.skerry.surface": "none",
    },
    "everything": FULL,
    "foreign annotations beside ours": FULL | {"org.example.anything": "goes"},
    "wildcard hosts": FULL | {"dev.skerry.network": "*:443 *.example.org:80 [2001:db8::1]:53"},
}
REFUSED = {
    "an ask nobody knows": ({"dev.skerry.rocket": "1"}, "dev.skerry.rocket"),
    "a later schema": ({"dev.skerry.schema": "2"}, "schema"),
    "an unknown engine": ({"dev.skerry.engine": "wasm ring0"}, "ring0"),
    "an engine twice": ({"dev.skerry.engine": "wasm wasm"}, "each item once"),
    "an unknown portal": ({"dev.skerry.portals": "clipboard webcam"}, "webcam"),
    "a host without a port": ({"dev.skerry.network": "example.org"}, "network"),
    "port 70000": ({"dev.skerry.network": "example.org:70000"}, "network"),
    "a host with a user": ({"dev.skerry.network": "u@example.org:443"}, "network"),
    "two spaces": ({"dev.skerry.network": "a:1  b:2"}, "network"),
    "a size without a unit": ({"dev.skerry.storage": "64"}, "storage"),
    "a negative size": ({"dev.skerry.memory": "-1MiB"}, "memory"),
    "a publisher with a line break": ({oci.ANNOTATION_VENDOR: "A\nB"}, "vendor"),
    "a publisher written backwards": ({oci.ANNOTATION_VENDOR: "A\u202eB"}, "vendor"),
    "an icon that climbs": ({"dev.skerry.icon": "/../../etc/passwd"}, "icon"),
    "a name with a slash": ({oci.ANNOTATION_TITLE: "a/b"}, "title"),
    "a trailing line break": ({"dev.skerry.surface": "none\n"}, "surface"),
    "a very long value": ({"dev.skerry.network": "a" * 70_000}, "at most 65536 characters"),
}


@pytest.mark.parametrize("annotations", VALID.values(), ids=VALID.keys())
def test_valid(annotations: dict[str, str]) -> None:
    assert parse_asks(annotations) is not None
    jsonschema.validate(annotations, schema())


@pytest.mark.parametrize(("change", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(change: dict[str, str], reason: str) -> None:
    with pytest.raises(VerifyError, match=reason):
        parse_asks(FULL | change)


@pytest.mark.parametrize("key", [ask.key for ask in ASKS if ask.is_required])
def test_required(key: str) -> None:
    without = {name: value for name, value in FULL.items() if name != key}
    with pytest.raises(VerifyError, match=key):
        parse_asks(without)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(without, schema())


def test_the_schema_refuses_unknown_asks_too() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(FULL | {"dev.skerry.rocket": "1"}, schema())


def test_an_ordinary_image_asks_for_nothing() -> None:
    assert parse_asks({oci.ANNOTATION_TITLE: "Ubuntu", "org.example": "x"}) is None


def test_values_are_what_the_text_says() -> None:
    asks = parse_asks(FULL)
    assert asks is not None
    assert (asks.name, asks.version, asks.engines) == ("hello", "1.0", ("wasm", "native"))
    assert (asks.storage_size, asks.memory_size, asks.cpu_count, asks.process_count) == (
        64 << 20,
        512 << 20,
        2,
        64,
    )
    assert parse_size("3B") == 3 and parse_size("2GiB") == 2 << 30 and parse_size("") == 0


def test_a_recipe_gives_the_same_annotations() -> None:
    recipe: dict[str, object] = {
        ask.recipe_key: ask.example.split(" ") if ask.is_list else ask.example for ask in ASKS
    }
    assert annotations_from(recipe) == FULL
    with pytest.raises(UserError, match="'rocket'"):
        annotations_from(recipe | {"rocket": 1})
    with pytest.raises(UserError, match="engine"):
        annotations_from(recipe | {"engines": ["steam"]})


def test_the_documents_are_made_from_the_table() -> None:
    assert (DOCS / "manifest.schema.json").read_text() == schema_text()
    assert table_text() in (DOCS / "manifest.md").read_text()
