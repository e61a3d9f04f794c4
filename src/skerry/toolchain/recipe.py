# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Recipes: how one program of the distribution becomes a tree of wasm files.

A recipe is `ports/<name>/recipe.toml`: where the source comes from (pinned by digest), what it
needs, and a short shell script that configures, makes and installs into $DEST. Every key is
listed in `Recipe`; an unknown one is refused.

Errors: UserError naming the file and the key.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from skerry.abi.errors import EXIT_USAGE, UserError

PORTS = Path(__file__).parents[3] / "ports"
"""The recipes live beside the sources of a checkout; `skerry ports` needs one."""

_VERSION = re.compile(r"_([^_]+?)(?:\.orig)?\.tar\.")


@dataclass(frozen=True, slots=True)
class Source:
    """One source tarball of the distribution."""

    package: str
    tarball: str
    sha256: str
    suite: str = "trixie"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One port."""

    name: str
    summary: str
    build: str  # bash, run in an empty folder; ports/prelude.sh has its words
    source: tuple[Source, ...] = ()
    needs: tuple[str, ...] = ()  # ports whose files the build reads: libraries, headers, programs
    native: tuple[str, ...] = ()  # commands of this machine it runs (autoreconf, tic, ...)
    packages: tuple[str, ...] = ()  # binary packages, for data files only
    library: bool = False  # not part of a root, only of other ports
    threads: bool = False  # its programs create threads, so their memory is shared
    long: bool = False  # takes minutes: started before the others
    reason: str = ""  # why it is patched or odd
    digest: str = ""  # of everything in the recipe's folder

    @property
    def version(self) -> str:
        """The upstream version, read from the tarball's name."""
        found = _VERSION.search(self.source[0].tarball) if self.source else None
        return found[1] if found else "-"


def names() -> list[str]:
    """Return all ports, sorted. Raises: UserError without a checkout."""
    if not PORTS.is_dir():
        raise UserError(f"there are no recipes at {PORTS}: ports are built in a checkout of Skerry's sources")
    return sorted(path.parent.name for path in PORTS.glob("*/recipe.toml"))


def load(name: str) -> Recipe:
    """Read one recipe. Raises: UserError."""
    if name not in names():
        raise UserError(f"there is no port {name!r}; `skerry ports list` shows them all", EXIT_USAGE)
    path = PORTS / name / "recipe.toml"
    try:
        raw = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: {error}") from None
    return _check(path, name, raw)


def _check(path: Path, name: str, raw: dict[str, object]) -> Recipe:
    known = {field.name for field in fields(Recipe)} - {"name", "digest"}
    for key in raw:
        if key not in known:
            raise UserError(f"{path}: unknown key {key!r}; known: {', '.join(sorted(known))}")
    for key in ("summary", "build"):
        if not isinstance(raw.get(key), str):
            raise UserError(f"{path}: {key!r} must be a text")
    return Recipe(
        name=name,
        summary=str(raw["summary"]),
        build=str(raw["build"]),
        source=_sources(path, raw.get("source", [])),
        needs=_texts(path, raw, "needs"),
        native=_texts(path, raw, "native"),
        packages=_texts(path, raw, "packages"),
        library=_flag(path, raw, "library"),
        threads=_flag(path, raw, "threads"),
        long=_flag(path, raw, "long"),
        reason=str(raw.get("reason", "")),
        digest=_digest(path.parent),
    )


def _texts(path: Path, raw: dict[str, object], key: str) -> tuple[str, ...]:
    value = raw.get(key, [])
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise UserError(f"{path}: {key!r} must be a list of texts")
    return tuple(value)


def _flag(path: Path, raw: dict[str, object], key: str) -> bool:
    value = raw.get(key, False)
    if not isinstance(value, bool):
        raise UserError(f"{path}: {key!r} must be true or false")
    return value


def _sources(path: Path, raw: object) -> tuple[Source, ...]:
    if not isinstance(raw, list):
        raise UserError(f"{path}: write [[source]] tables")
    try:
        return tuple(Source(**entry) for entry in raw)
    except TypeError as error:
        raise UserError(f"{path}: [[source]]: {error}") from None


def _digest(folder: Path) -> str:
    """Digest of the recipe and the files beside it, names included."""
    whole = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole.update(str(file.relative_to(folder)).encode() + b"\0")
        whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def order(wanted: Iterable[str]) -> list[Recipe]:
    """Return the wanted ports and what they need, needs first.

    Raises: UserError for an unknown name or a circle.
    """
    done: dict[str, Recipe] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise UserError(f"ports need each other in a circle: {' -> '.join((*above, name))}")
        if name in done:
            return
        recipe = load(name)
        for need in recipe.needs:
            visit(need, (*above, name))
        done[name] = recipe

    for name in wanted:
        visit(name, ())
    return list(done.values())
