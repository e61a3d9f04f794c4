# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry publish`: bring a layout to a registry, or to a folder that a web server serves."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from skerry.abi.errors import EXIT_USAGE, UserError

from .links import refusals
from .parser import new_parser

_DESCRIPTION = """\
Bring an image layout, with its signatures, to a registry or into a folder that a web server
serves. People who open it meanwhile see the version before or the version after.
"""

_EXAMPLES = """\
Examples:
  skerry publish ./out oci://registry.example/team/hello
  skerry publish ./out /srv/www/apps/hello
  skerry publish --token-file ~/.token ./out oci://registry.example/team/hello
"""


def parser(verb: str) -> argparse.ArgumentParser:
    """Describe the verb's options and help."""
    found = new_parser(f"skerry {verb}", _DESCRIPTION, usage="[OPTIONS] LAYOUT PLACE", epilog=_EXAMPLES)
    found.add_argument("layout", metavar="LAYOUT", help="what `skerry pack` and `skerry sign` made")
    found.add_argument("place", metavar="PLACE", help="oci://… or a folder")
    found.add_argument("--token-file", metavar="FILE", help="file with a bearer token for the registry")
    found.add_argument("--unsigned", action="store_true", help="publish although nobody vouches for it")
    return found


def main(verb: str, argv: list[str]) -> int:
    """Publish and say where it is."""
    arguments = parser(verb).parse_args(argv)
    from skerry.delivery import Http, parse
    from skerry.delivery.copying import mirror, push
    from skerry.delivery.layout import Layout
    from skerry.delivery.ref import Kind
    from skerry.delivery.sources import Folder

    layout, place = Folder(Path(arguments.layout)), parse(arguments.place)
    if layout.metadata("timestamp.json", 1 << 20) is None and not arguments.unsigned:
        raise UserError(f"{layout.label} is not signed (`skerry sign`); --unsigned publishes it all the same")
    with refusals():
        if place.kind is Kind.REGISTRY:
            token = Path(arguments.token_file).read_text().strip() if arguments.token_file else ""
            for tag in push(layout, place, Http(), token):
                print(f"{place.origin}:{tag}")
        elif place.kind is Kind.FOLDER:
            here = parse(os.path.abspath(arguments.layout))
            for image in mirror(layout, here, Layout(Path(place.path))):
                print(f"{place.path}@{image.digest}")
        else:
            raise UserError("PLACE is a registry (oci://…) or a folder (./… or /…)", EXIT_USAGE)
    return 0
