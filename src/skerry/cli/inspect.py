# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry inspect`: what an app says it is, what it asks for, and who stands behind it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from .links import add_link_options, delivery_of, link_of, refusals, size_text
from .parser import new_parser
from .verify import trust_lines

if TYPE_CHECKING:
    from skerry.delivery import Image

_DESCRIPTION = """\
Show what an app says it is, what it asks for, how it starts and who stands behind it. Only lists
are fetched, no files. Asking is not getting: policy and you decide.
"""

_EXAMPLES = """\
Examples:
  skerry inspect https://apps.example/hello/
  skerry inspect --files ./out:1.0                 every name in it
  skerry inspect --json ./out:1.0                  for programs
"""


def parser(verb: str) -> argparse.ArgumentParser:
    """Describe the verb's options and help."""
    found = new_parser(f"skerry {verb}", _DESCRIPTION, usage="[OPTIONS] LINK", epilog=_EXAMPLES)
    found.add_argument("link", metavar="LINK", help="https://…, oci://…, a folder, or a short name")
    found.add_argument("--files", action="store_true", help="list the files too")
    found.add_argument("--json", action="store_true", help="print JSON")
    add_link_options(found)
    return found


def main(verb: str, argv: list[str]) -> int:
    """Show it."""
    arguments = parser(verb).parse_args(argv)
    from skerry.delivery import open_image

    with refusals(), open_image(link_of(arguments.link), delivery_of(arguments), prefetch=False) as image:
        if arguments.json:
            print(json.dumps(as_json(image, arguments.files), indent=2))
            return 0
        for name, value in about(image).items():
            print(f"{name:<12} {value}")
        for line in trust_lines(image):
            print(line)
        if arguments.files:
            for line in file_lines(image):
                print(line)
    return 0


def about(image: Image) -> dict[str, str]:
    """Return what a person wants to know, ready to print."""
    asks, config = image.asks, image.config
    lines = {"link": str(image.ref), "manifest": f"{image.descriptor.digest}"}
    if asks is None:
        lines["kind"] = "an ordinary image; it asks for nothing"
    else:
        lines |= {
            "app": f"{asks.name} {asks.version}",
            "publisher": asks.publisher or "(does not say)",
            "about": asks.description,
            "runs on": " ".join(asks.engines),
            "shows": asks.surface,
            "network": " ".join(asks.network) or "none",
            "portals": " ".join(asks.portals) or "none",
            "storage": size_text(asks.storage_size) if asks.storage_size else "none",
            "memory": size_text(asks.memory_size) if asks.memory_size else "(default)",
            "add-ons": " ".join(asks.addons) or "none",
        }
    lines["starts"] = " ".join(ascii(each)[1:-1] for each in (*config.entrypoint, *config.command))
    size = sum(layer.size for layer in image.manifest.layers)
    lines["size"] = (
        f"{size_text(size)} in {len(image.manifest.layers)} layer(s), {image.tree.node_count - 1} names"
    )
    return {name: ascii_line(value) for name, value in lines.items() if value}


def file_lines(image: Image) -> list[str]:
    """Return one line for each name."""
    lines = []
    for path, node in image.tree.walk():
        target = f" -> {ascii_line(node.link)}" if node.link else ""
        lines.append(f"{node.kind.value:<8} {node.mode:04o} {node.size:>12} /{ascii_line(path)}{target}")
    return lines


def as_json(image: Image, with_files: bool) -> dict[str, object]:
    """Return everything as plain values."""
    found: dict[str, object] = {
        "ref": str(image.ref),
        "digest": image.descriptor.digest,
        "proof": image.proof.name.lower(),
        "publisher": list(image.trusted.publisher.fingerprints) if image.trusted else [],
        "asks": asdict(image.asks) if image.asks else None,
        "entrypoint": list(image.config.entrypoint),
        "command": list(image.config.command),
        "environment": list(image.config.environment),
        "platform": image.config.platform,
        "layers": [{"digest": layer.digest, "size": layer.size} for layer in image.manifest.layers],
    }
    if with_files:
        found["files"] = [
            {
                "path": f"/{path}",
                "kind": node.kind.value,
                "mode": node.mode,
                "size": node.size,
                "link": node.link,
            }
            for path, node in image.tree.walk()
        ]
    return found


def ascii_line(untrusted_text: str) -> str:
    """Return text of a stranger so that a terminal shows it and does not obey it."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in untrusted_text)
