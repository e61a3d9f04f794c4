# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry pack`: make an image of a folder, the same bytes every time."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.abi.errors import EXIT_USAGE, UserError

from .links import refusals, size_text
from .parser import new_parser

if TYPE_CHECKING:
    from skerry.delivery.layout import Recipe
    from skerry.delivery.manifest import Config

_DESCRIPTION = """\
Make an OCI image of a folder, in a folder that any web server can serve. The same files
and the same recipe give the same bytes, whoever packs them, wherever and whenever.
"""

_EXAMPLES = """\
Examples:
  skerry pack ./hello --recipe hello.toml -o ./out           what docs/manifest.md describes
  skerry pack ./hello --recipe hello.toml --profile reads.txt -o ./out
  skerry pack ./files --tag 1.0 --entrypoint /bin/sh -o ./out       an ordinary image

--profile names a file with the paths that a start reads, one on each line, in order. They come
first in the image, and a first start fetches them with one request.
"""

_START_KEYS = {"entrypoint", "command", "environment", "working_dir", "platform"}


def parser(verb: str) -> argparse.ArgumentParser:
    """Describe the verb's options and help."""
    found = new_parser(f"skerry {verb}", _DESCRIPTION, usage="[OPTIONS] FOLDER -o LAYOUT", epilog=_EXAMPLES)
    found.add_argument("folder", metavar="FOLDER", help="the files of the app, as it will see them")
    found.add_argument("-o", "--output", metavar="LAYOUT", required=True, help="the image layout to write to")
    found.add_argument("--recipe", metavar="FILE", help="TOML: what the app is, asks for, and starts with")
    found.add_argument("--profile", metavar="FILE", help="the files a start reads, one on each line")
    found.add_argument("--tag", metavar="TAG", help="tag in the layout (default: the version)")
    found.add_argument("--entrypoint", metavar="PROGRAM", help="program to start, without a recipe")
    found.add_argument(
        "--mtime", metavar="SECONDS", help="time of every file (default: $SOURCE_DATE_EPOCH or 0)"
    )
    return found


def main(verb: str, argv: list[str]) -> int:
    """Pack and say what came out."""
    arguments = parser(verb).parse_args(argv)
    from skerry.delivery.layout import Layout

    folder = Path(arguments.folder)
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder", EXIT_USAGE)
    with refusals():
        recipe = recipe_of(arguments)
        layout = Layout(Path(arguments.output))
        image = layout.pack(folder, recipe)
    size = sum(path.stat().st_size for path in (layout.root / "blobs" / "sha256").iterdir())
    print(f"{arguments.output}:{recipe.tag}@{image.digest}")
    print(
        f"{len(layout.images())} image(s), {size_text(size)}; unsigned until `skerry sign {arguments.output}`"
    )
    return 0


def recipe_of(arguments: argparse.Namespace) -> Recipe:
    """Return the recipe of a command line."""
    import tomllib

    from skerry.abi import oci
    from skerry.delivery.asks import annotations_from
    from skerry.delivery.layout import Recipe

    try:
        table = tomllib.loads(Path(arguments.recipe).read_text()) if arguments.recipe else {}
    except ValueError as error:
        raise UserError(f"{arguments.recipe}: {error}") from None
    start = table.pop("start", {})
    annotations = annotations_from(table) if table else {}
    tag = arguments.tag or annotations.get(oci.ANNOTATION_VERSION) or "latest"
    if not oci.is_tag(tag):
        raise UserError(f"{tag!r} cannot be a tag", EXIT_USAGE)
    if arguments.entrypoint:
        start = {**start, "entrypoint": [arguments.entrypoint]}
    profile = Path(arguments.profile).read_text().splitlines() if arguments.profile else ()
    return Recipe(annotations, _start(start), tag, profile, _mtime(arguments.mtime))


def _start(table: object) -> Config:
    from skerry.delivery.manifest import WASM_PLATFORM, Config

    if not isinstance(table, dict) or not table.keys() <= _START_KEYS:
        raise UserError(f"[start] in the recipe may have {', '.join(sorted(_START_KEYS))}")
    environment = table.get("environment", {})
    lists = {name: table.get(name, []) for name in ("entrypoint", "command")}
    texts = {"working_dir": table.get("working_dir", "/"), "platform": table.get("platform", WASM_PLATFORM)}
    if (
        not isinstance(environment, dict)
        or not all(isinstance(value, str) for value in [*environment.values(), *texts.values()])
        or not all(
            isinstance(value, list) and all(isinstance(each, str) for each in value)
            for value in lists.values()
        )
    ):
        raise UserError(
            "[start] in the recipe: entrypoint and command are lists of texts, the rest are texts"
        )
    return Config(
        texts["platform"],
        tuple(lists["entrypoint"]),
        tuple(lists["command"]),
        tuple(f"{name}={value}" for name, value in environment.items()),
        texts["working_dir"],
    )


def _mtime(given: str | None) -> int:
    text = given if given is not None else os.environ.get("SOURCE_DATE_EPOCH", "0")
    if not text.isascii() or not text.isdecimal() or len(text) > 11:
        raise UserError(f"{text!r} is not a number of seconds since 1970", EXIT_USAGE)
    return int(text)
