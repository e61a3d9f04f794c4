# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry sign`: vouch for the images of a layout, withdraw one, or hand over to another key."""

from __future__ import annotations

import argparse
from pathlib import Path

from skerry.abi.errors import EXIT_USAGE, UserError

from .links import refusals
from .parser import new_parser

_DESCRIPTION = """\
Vouch for the images of a layout with your key. The signatures (TUF metadata) stand beside the
image in the folder tuf/ and expire: sign again before they do.
"""

_EXAMPLES = """\
Examples:
  skerry sign --new-key ~/my.key                     make a key, once; keep it, and a copy, safe
  skerry sign ./out --key ~/my.key                   vouch for every tag in the layout
  skerry sign ./out --key ~/my.key --tag 1.1         for one; it becomes `latest`
  skerry sign ./out --key ~/my.key --revoke 1.0 --reason 'CVE-2026-1'
  skerry sign ./out --key ~/old.key --rotate ~/new.key
"""

_DAYS_MAX = 365


def parser(verb: str) -> argparse.ArgumentParser:
    """Describe the verb's options and help."""
    found = new_parser(f"skerry {verb}", _DESCRIPTION, usage="[OPTIONS] [LAYOUT]", epilog=_EXAMPLES)
    found.add_argument("layout", metavar="LAYOUT", nargs="?", help="an image layout on this machine")
    found.add_argument(
        "--key", metavar="FILE", action="append", default=[], help="your private key (PEM, Ed25519)"
    )
    found.add_argument("--new-key", metavar="FILE", help="make a key and show its fingerprint")
    found.add_argument("--tag", metavar="TAG", help="vouch for this tag only, and make it `latest`")
    found.add_argument("--days", metavar="N", default="30", help="how long the signature holds (default: 30)")
    found.add_argument("--revoke", metavar="TAG", help="withdraw a version: nobody will start it any more")
    found.add_argument("--reason", metavar="TEXT", default="", help="what people are told about --revoke")
    found.add_argument("--rotate", metavar="FILE", action="append", default=[], help="hand over to this key")
    return found


def main(verb: str, argv: list[str]) -> int:
    """Sign and say by whom."""
    found = parser(verb)
    arguments = found.parse_args(argv)
    from skerry.delivery.signing import Repository, load_key, new_key
    from skerry.delivery.trust import fingerprint, spell

    if arguments.new_key:
        signer = new_key(Path(arguments.new_key))
        print(f"{arguments.new_key}: {spell(fingerprint(signer.public_key.keyval['public']))}")
    if not arguments.layout:
        return 0 if arguments.new_key else found.error("which layout?")
    if not arguments.key:
        found.error("with which --key?")
    if not arguments.days.isdecimal() or not 1 <= int(arguments.days) <= _DAYS_MAX:
        raise UserError(f"days {arguments.days!r}: want a number from 1 to {_DAYS_MAX}", EXIT_USAGE)
    signers = [load_key(Path(each)) for each in arguments.key]
    layout = Path(arguments.layout)
    if not (layout / "index.json").is_file():
        raise UserError(f"{layout} is not an image layout; `skerry pack` makes one")
    with refusals():
        repository = Repository(layout / "tuf", signers)
        if arguments.revoke:
            digest = repository.revoke(arguments.revoke, arguments.reason)
            print(f"withdrawn: {arguments.revoke} sha256:{digest}")
        else:
            _vouch(repository, layout, arguments.tag)
        if arguments.rotate:
            repository.rotate([load_key(Path(each)) for each in arguments.rotate])
        repository.write(int(arguments.days))
    prints = (spell(fingerprint(key.keyval["public"])) for key in repository.root.signed.keys.values())
    print(f"signed for {arguments.days} days by {' and '.join(sorted(prints))}")
    return 0


def _vouch(repository: object, folder: Path, only: str | None) -> None:
    """Add the layout's images to the signed list; the last one is the latest."""
    from skerry.abi import oci
    from skerry.delivery.layout import Layout
    from skerry.delivery.manifest import parse_manifest
    from skerry.delivery.signing import Repository
    from skerry.delivery.verify import check

    assert isinstance(repository, Repository)
    layout = Layout(folder)
    images = {each.annotations.get(oci.ANNOTATION_REF_NAME, ""): each for each in layout.images()}
    if only is not None and only not in images:
        raise UserError(f"{folder} has no image {only}; it has {', '.join(sorted(images)) or 'none'}")
    for tag, image in images.items():
        if not tag or (only is not None and tag != only):
            continue
        data = (folder / oci.blob_path(image.digest)).read_bytes()
        check(data, image.digest, image.size, f"the manifest of {tag}")
        is_manifest = image.media_type in oci.MANIFEST_TYPES
        annotations = parse_manifest(data).annotations if is_manifest else {}
        repository.add(tag, image, annotations.get(oci.ANNOTATION_TITLE, ""), is_latest=True)
        print(f"{tag}  {image.digest}")
