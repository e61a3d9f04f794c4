# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A small app for the tests: packed, and signed if asked."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from securesystemslib.signer import CryptoSigner

from skerry.abi.oci import Descriptor
from skerry.delivery.asks import annotations_from
from skerry.delivery.image import Delivery
from skerry.delivery.layout import Layout, Recipe
from skerry.delivery.manifest import Config
from skerry.delivery.ref import Ref
from skerry.delivery.signing import Repository
from skerry.delivery.store import Store
from skerry.delivery.transport import Http, Limits
from skerry.delivery.trust import Publisher
from skerry.delivery.trust_store import TrustStore

NOISE = random.Random(5).randbytes(50_000)
FILES: Mapping[str, bytes] = {
    "bin/hello": b"#!/bin/sh\necho hello\n",
    "lib/big": NOISE,
    "lib/other": NOISE[::-1],
    "share/empty": b"",
}
IMPATIENT = Limits(
    connect_s=2, silence_s=0.6, headers_s=0.6, grace_s=0.3, rate_min=20_000, redirect_count_max=3
)


def write_files(folder: Path, files: Mapping[str, bytes] = FILES) -> Path:
    """Write files below a folder and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def recipe(version: str = "1.0", profile: tuple[str, ...] = ("bin/hello",), name: str = "hello") -> Recipe:
    """Return the recipe of the test app."""
    annotations = annotations_from(
        {"name": name, "version": version, "engines": ["wasm"], "surface": "terminal"}
    )
    return Recipe(annotations, Config("linux/wasm", ("/bin/hello",)), version, profile, chunk_size=8192)


def pack(
    folder: Path, version: str = "1.0", files: Mapping[str, bytes] = FILES, name: str = "hello"
) -> Descriptor:
    """Pack the test app into `folder`/layout and return its descriptor."""
    source = write_files(folder / f"files-{version}", files)
    profile = tuple(each for each in ("bin/hello",) if each in files)
    return Layout(folder / "layout").pack(source, recipe(version, profile, name))


def sign(
    folder: Path,
    image: Descriptor,
    signer: CryptoSigner,
    *,
    tag: str = "1.0",
    app: str = "hello",
    now: datetime | None = None,
    days: int = 30,
) -> None:
    """Sign an image of `folder`/layout."""
    repository = Repository(folder / "layout" / "tuf", [signer], now)
    repository.add(tag, image, app, is_latest=True)
    repository.write(days)


class Person:
    """Answers the question of first use, and notes what it was shown."""

    def __init__(self, answer: bool = True) -> None:
        self.answer = answer
        self.shown: list[str] = []

    def ask(self, ref: Ref, app: str, publisher: Publisher) -> bool:
        self.shown.append(f"{ref} {app} {publisher}")
        return self.answer


def delivery(folder: Path, person: Person | None = None, **changes: object) -> Delivery:
    """Return a delivery with a store (and trust, if there is a person) below a folder."""
    trust = TrustStore(folder / "trust", person.ask) if person else None
    return Delivery(Store(folder / "store"), Http(IMPATIENT), trust, **changes)  # type: ignore[arg-type]
