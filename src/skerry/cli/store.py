# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry store`: what is kept of the apps that were opened, is it sound, and make room."""

from __future__ import annotations

import argparse
import json
import re

from skerry.abi.errors import EXIT_USAGE, UserError

from .links import EXIT_REFUSED, open_store, size_text
from .parser import HelpFormat, Parser, new_parser

_DESCRIPTION = """\
The verified pieces of apps that were opened on this machine, each under its digest and kept once,
however many apps share it. Everything here can be fetched again.
"""

_EXAMPLES = """\
Examples:
  skerry store ls                       the apps that were opened, and how much is kept
  skerry store verify                   read everything; damaged pieces are removed
  skerry store gc --size 2GiB           remove what was unused for longest
"""

_DEFAULT_SIZE = "10GiB"


def parser(verb: str) -> argparse.ArgumentParser:
    """Describe the verb's options and help."""
    found = new_parser(f"skerry {verb}", _DESCRIPTION, usage="ls|verify|gc [OPTIONS]", epilog=_EXAMPLES)
    actions = found.add_subparsers(dest="action", metavar="ACTION", parser_class=Parser, title="Actions")
    _add(actions, "ls", "show the apps that were opened and how much is kept")
    _add(actions, "verify", "read every piece and remove the damaged ones")
    collect = _add(actions, "gc", "remove what was unused for longest")
    collect.add_argument(
        "--size", metavar="SIZE", default=_DEFAULT_SIZE, help=f"how much may stay (default: {_DEFAULT_SIZE})"
    )
    return found


def _add(actions: argparse._SubParsersAction[Parser], name: str, summary: str) -> argparse.ArgumentParser:
    action = actions.add_parser(
        name,
        help=summary,
        description=summary.capitalize() + ".",
        prog=f"skerry store {name}",
        usage=f"skerry store {name} [OPTIONS]",
        formatter_class=HelpFormat,
        allow_abbrev=False,
        add_help=False,
    )
    action._optionals.title = "Options"
    action.add_argument("-h", "--help", action="help", help="show this help and leave")
    return action


def main(verb: str, argv: list[str]) -> int:
    """Do what was asked."""
    found = parser(verb)
    arguments = found.parse_args(argv)
    if arguments.action == "ls":
        return _list()
    if arguments.action == "verify":
        return _verify()
    if arguments.action == "gc":
        return _collect(arguments.size)
    found.error("ls, verify or gc?")


def _list() -> int:
    store = open_store()
    for data in store.refs():
        if data.startswith(b"{"):  # the other notes are of layers
            note = json.loads(data)
            print(f"{note['proof'].lower():<12} {note['ref']}  {note['digest']}")
    blobs = list(store.blobs())
    print(f"{len(blobs)} pieces, {size_text(sum(blob.size for blob in blobs))} in {store.root}")
    return 0


def _verify() -> int:
    sound_count, damaged = open_store().verify()
    for digest in damaged:
        print(f"damaged, removed: {digest}")
    print(f"{sound_count} pieces are sound" + (f", {len(damaged)} were damaged" if damaged else ""))
    return EXIT_REFUSED if damaged else 0


def _collect(text: str) -> int:
    from skerry.delivery.asks import parse_size
    from skerry.delivery.unpacked import collect

    if not re.fullmatch(r"0|[1-9][0-9]{0,8}(?:B|KiB|MiB|GiB)", text):
        raise UserError(f"size {text!r}: write it such as 500MiB or 2GiB", EXIT_USAGE)
    size_max = 0 if text == "0" else parse_size(text)
    store = open_store()
    tree_size = collect(store, size_max // 2)  # half for whole trees, half for pieces
    done = store.gc(size_max - size_max // 2)
    pieces = f"{done.removed_count} pieces ({size_text(done.removed_size)})"
    print(f"removed {pieces} and trees of {size_text(tree_size)}")
    print(f"kept {size_text(done.kept_size)} of pieces")
    return 0
