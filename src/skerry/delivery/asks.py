# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What an app says it is and what it asks for: the annotations of its manifest.

`ASKS` is the one table; docs/manifest.md and docs/manifest.schema.json are made from it.

Standard:  OCI image-spec annotations.md; the names under `dev.skerry.` are ours.
Units:     sizes are bytes, written with B, KiB, MiB or GiB.
Errors:    `VerifyError`, naming the annotation.
Invariant: an ask is a wish, never a grant. An annotation under our prefix that is not in the
           table is refused by name: asking in words we do not know must not pass unseen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from skerry.abi import oci
from skerry.abi.errors import UserError, VerifyError
from skerry.delivery.document import shown

PREFIX = "dev.skerry."
SCHEMA_VERSION = "1"
VALUE_LENGTH_MAX = 65536  # characters of one annotation

ENGINES = ("wasm", "native")
SURFACES = ("terminal", "window", "web", "none")
PORTALS = ("clipboard", "devices", "file-chooser", "neighbours", "notifications", "open-link")

_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"(?:\*|(?:\*\.)?{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])"
_PORT = r"(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_NAME = r"[a-z0-9]+(?:[._-][a-z0-9]+)*"
_SIZE = r"[1-9][0-9]{0,8}(?:B|KiB|MiB|GiB)"
_COUNT = r"[1-9][0-9]{0,5}"
_LINE = r"[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]{1,200}"


@dataclass(frozen=True, slots=True)
class Ask:
    """One annotation: its key, the grammar of one item, and what it means."""

    key: str  # the whole annotation name
    recipe_key: str  # its name in a pack recipe (TOML)
    pattern: str  # of one item
    doc: str
    example: str
    is_list: bool = False  # items separated by one space
    is_required: bool = False  # in an image that has any of our annotations


def _choice(words: tuple[str, ...]) -> str:
    return f"(?:{'|'.join(words)})"


ASKS: tuple[Ask, ...] = (
    Ask(
        PREFIX + "schema",
        "schema",
        SCHEMA_VERSION,
        "Version of this table. An image with none of our names is ordinary and asks for nothing.",
        "1",
        is_required=True,
    ),
    Ask(
        oci.ANNOTATION_TITLE,
        "name",
        _NAME,
        "Name of the app; it must be the one its publisher signed.",
        "hello",
        is_required=True,
    ),
    Ask(
        oci.ANNOTATION_VERSION,
        "version",
        r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}",
        "Version; also the tag.",
        "1.0",
        is_required=True,
    ),
    Ask(
        oci.ANNOTATION_VENDOR,
        "publisher",
        _LINE,
        "Who publishes it, in the publisher's own words. Only the key's fingerprint is proof.",
        "Example Press",
    ),
    Ask(oci.ANNOTATION_DESCRIPTION, "description", _LINE, "One line for people.", "Says hello"),
    Ask(
        PREFIX + "icon",
        "icon",
        r"/[^\u0000-\u001f\u007f]{1,1023}",
        "Path of a PNG or SVG file in the tree.",
        "/share/icon.svg",
    ),
    Ask(
        PREFIX + "engine",
        "engines",
        _choice(ENGINES),
        "Engines it can run on, best first.",
        "wasm native",
        is_list=True,
        is_required=True,
    ),
    Ask(
        PREFIX + "surface",
        "surface",
        _choice(SURFACES),
        "What a person sees of it.",
        "terminal",
        is_required=True,
    ),
    Ask(
        PREFIX + "network",
        "network",
        rf"{_HOST}:{_PORT}",
        "Places it wants to reach, host:port. `*.host` is every name below a host, `*` every host.",
        "api.example.org:443",
        is_list=True,
    ),
    Ask(
        PREFIX + "portals",
        "portals",
        _choice(PORTALS),
        "Services of the shell it wants to use.",
        "clipboard file-chooser",
        is_list=True,
    ),
    Ask(PREFIX + "storage", "storage", _SIZE, "Room for files of its own that outlive its window.", "64MiB"),
    Ask(PREFIX + "memory", "memory", _SIZE, "Memory it needs at most.", "512MiB"),
    Ask(PREFIX + "cpus", "cpus", _COUNT, "Processors it can use at once.", "2"),
    Ask(PREFIX + "processes", "processes", _COUNT, "Processes and threads it needs at most.", "64"),
    Ask(PREFIX + "addons", "addons", _NAME, "Kinds of add-on it accepts.", "dictionary theme", is_list=True),
)
_BY_KEY = {ask.key: ask for ask in ASKS}


@dataclass(frozen=True, slots=True)
class Asks:
    """The annotations of one app, checked. Zero and empty mean: not asked for."""

    name: str
    version: str
    engines: tuple[str, ...]
    surface: str
    publisher: str = ""
    description: str = ""
    icon: str = ""
    network: tuple[str, ...] = ()  # host:port
    portals: tuple[str, ...] = ()
    storage_size: int = 0
    memory_size: int = 0
    cpu_count: int = 0
    process_count: int = 0
    addons: tuple[str, ...] = ()


def parse_asks(untrusted_annotations: Mapping[str, str]) -> Asks | None:
    """Check the annotations of a manifest; None for an ordinary image, which asks for nothing.

    Raises:
        VerifyError: an ask nobody knows, a required one missing, or a value outside its grammar.
    """
    ours = [key for key in untrusted_annotations if key.startswith(PREFIX)]
    if not ours:
        return None
    for key in ours:
        if key not in _BY_KEY:
            raise VerifyError("the app's asks", wanted="only asks this version knows", got=shown(key))
    found = {ask.recipe_key: _items(ask, untrusted_annotations.get(ask.key)) for ask in ASKS}
    one = {name: items[0] if items else "" for name, items in found.items()}
    return Asks(
        name=one["name"],
        version=one["version"],
        engines=found["engines"],
        surface=one["surface"],
        publisher=one["publisher"],
        description=one["description"],
        icon=_icon(one["icon"]),
        network=found["network"],
        portals=found["portals"],
        storage_size=parse_size(one["storage"]),
        memory_size=parse_size(one["memory"]),
        cpu_count=int(one["cpus"] or 0),
        process_count=int(one["processes"] or 0),
        addons=found["addons"],
    )


def annotations_from(recipe: Mapping[str, object]) -> dict[str, str]:
    """Turn the asks of a pack recipe into annotations, checked as a reader will check them.

    Raises:
        UserError: a key of the recipe is unknown, or a value is outside its grammar.
    """
    by_recipe_key = {ask.recipe_key: ask for ask in ASKS}
    annotations = {PREFIX + "schema": SCHEMA_VERSION}
    for name, value in recipe.items():
        ask = by_recipe_key.get(name)
        if ask is None:
            raise UserError(f"the recipe has the key {name!r}; known are {', '.join(sorted(by_recipe_key))}")
        if isinstance(value, list):
            value = " ".join(str(item) for item in value)
        if value != "":
            annotations[ask.key] = str(value)
    try:
        parse_asks(annotations)
    except VerifyError as error:
        raise UserError(f"the recipe cannot be used: {error}") from None
    return annotations


def parse_size(text: str) -> int:
    """Return the bytes of a checked size such as "64MiB"; an empty text is 0."""
    if not text:
        return 0
    digits = text.rstrip("BKMGi")
    return int(digits) * _UNITS[text[len(digits) :]]


def _items(ask: Ask, untrusted_value: str | None) -> tuple[str, ...]:
    if untrusted_value is None:
        if ask.is_required:
            raise VerifyError(f"the app's {ask.key}", wanted=f"such as {ask.example!r}", got="nothing")
        return ()
    if len(untrusted_value) > VALUE_LENGTH_MAX:
        wanted = f"at most {VALUE_LENGTH_MAX} characters"
        raise VerifyError(f"the app's {ask.key}", wanted=wanted, got=f"{len(untrusted_value)} characters")
    items = untrusted_value.split(" ") if ask.is_list else [untrusted_value]
    for item in items:
        if not re.fullmatch(ask.pattern, item):
            raise VerifyError(f"the app's {ask.key}", wanted=f"such as {ask.example!r}", got=shown(item))
    if len(set(items)) != len(items):
        raise VerifyError(f"the app's {ask.key}", wanted="each item once", got=shown(untrusted_value))
    return tuple(items)


def _icon(path: str) -> str:
    if ".." in path.split("/"):
        raise VerifyError(f"the app's {PREFIX}icon", wanted="a path inside the tree", got=shown(path))
    return path
