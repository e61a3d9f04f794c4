# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry verify`: check an app from the publisher's key to the last byte, and say what was checked."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from .links import add_link_options, delivery_of, link_of, refusals, size_text
from .parser import new_parser

if TYPE_CHECKING:
    from skerry.delivery import Image

_DESCRIPTION = """\
Check an app from its publisher's key to the last byte of its last file, and say what was checked
against what. Leaves with status 65 when something is not what it must be.
"""

_EXAMPLES = """\
Examples:
  skerry verify https://apps.example/hello/
  skerry verify --quick oci://registry.example/hello:1.0     signatures and names, no file contents
  skerry verify --accept 'ab12 cd34 …' https://apps.example/hello/
"""


def parser(verb: str) -> argparse.ArgumentParser:
    """Describe the verb's options and help."""
    found = new_parser(f"skerry {verb}", _DESCRIPTION, usage="[OPTIONS] LINK", epilog=_EXAMPLES)
    found.add_argument("link", metavar="LINK", help="https://…, oci://…, a folder, or a short name")
    found.add_argument("--quick", action="store_true", help="do not read the files")
    add_link_options(found)
    return found


def main(verb: str, argv: list[str]) -> int:
    """Check, and say what was checked."""
    arguments = parser(verb).parse_args(argv)
    from skerry.delivery import open_image

    with refusals(), open_image(link_of(arguments.link), delivery_of(arguments), prefetch=False) as image:
        for line in trust_lines(image):
            print(line)
        print(f"ok  manifest       {image.descriptor.digest}, {image.descriptor.size} bytes")
        print(f"ok  configuration  {image.manifest.config.digest}, named by the manifest")
        for layer in image.manifest.layers:
            print(f"ok  file list      of the layer {layer.digest}, {size_text(layer.size)}")
        print("-   file contents  not read (--quick)" if arguments.quick else _contents(image))
    return 0


def trust_lines(image: Image) -> list[str]:
    """Say who vouches for the manifest."""
    if image.trusted is None:
        return [f"--  publisher      {image.proof.value}"]
    trusted = image.trusted
    until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(trusted.expires_s))
    source = "as last seen, for it cannot be reached" if trusted.is_offline else "asked or fresh"
    roles = f"TUF root {trusted.publisher.root_version}, timestamp, snapshot and targets"
    return [
        f"ok  publisher      {trusted.publisher}",
        f"ok  signatures     {roles}; {source}",
        f"ok  freshness      no older than what was seen before; valid until {until}",
        f"ok  revocation     not among {len(trusted.revoked)} withdrawn by the publisher, nor by you",
    ]


def _contents(image: Image) -> str:
    """Read every file once."""
    image.fill()
    chunks = {chunk.digest: chunk for _, node in image.tree.walk() for chunk in node.chunks}
    for chunk in chunks.values():
        image.read_chunk(chunk)
    size = sum(chunk.size for chunk in chunks.values())
    return f"ok  file contents  {image.tree.node_count - 1} names, {len(chunks)} chunks, {size_text(size)}"
