# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry mirror`: copy an app, with its signatures, into a folder that can be served or carried."""

from __future__ import annotations

import argparse
from pathlib import Path

from .links import link_of, refusals
from .parser import new_parser

_DESCRIPTION = """\
Copy an app, whole and with its publisher's signatures, into a folder. The copy opens like the
original, serves as a cache for others (--cache), and need not be trusted by anybody.
"""

_EXAMPLES = """\
Examples:
  skerry mirror https://apps.example/hello/ ./hello
  skerry mirror oci://registry.example/hello:1.0 /media/stick/hello
"""


def parser(verb: str) -> argparse.ArgumentParser:
    """Describe the verb's options and help."""
    found = new_parser(f"skerry {verb}", _DESCRIPTION, usage="LINK FOLDER", epilog=_EXAMPLES)
    found.add_argument("link", metavar="LINK", help="https://…, oci://…, a folder, or a short name")
    found.add_argument("folder", metavar="FOLDER", help="where the copy goes")
    return found


def main(verb: str, argv: list[str]) -> int:
    """Copy and say what was copied."""
    arguments = parser(verb).parse_args(argv)
    from skerry.delivery import Http, source_of
    from skerry.delivery.copying import mirror
    from skerry.delivery.layout import Layout

    ref = link_of(arguments.link)
    with refusals():
        images = mirror(source_of(ref, Http()), ref, Layout(Path(arguments.folder)))
    for image in images:
        print(f"{arguments.folder}@{image.digest}")
    return 0
