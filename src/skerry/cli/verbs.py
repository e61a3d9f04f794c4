# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The table of verbs: the one place that knows which there are."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Verb(NamedTuple):
    """One row: which module does it, and what it is for."""

    module: str  # a file of this folder
    group: str  # heading in `skerry --help`
    summary: str  # one line, in the imperative


VERBS = {
    "sh": Verb("sh", "Run", "open a shell in a new box, or run one command line in it"),
    "run": Verb("run", "Run", "run one program in a new box"),
    "cc": Verb("cc", "Build", "compile and link C for the box"),
    "c++": Verb("cc", "Build", "compile and link C++ for the box"),
    "ar": Verb("cc", "Build", "make a static library of wasm objects"),
    "ranlib": Verb("cc", "Build", "index a static library"),
    "ports": Verb("ports", "Build", "list, build and verify the programs that come with Skerry"),
    "pack": Verb("pack", "Publish", "make an image of a folder, the same bytes every time"),
    "sign": Verb("sign", "Publish", "vouch for the images of a layout, or withdraw one"),
    "publish": Verb("publish", "Publish", "bring a layout to a registry or a web server's folder"),
    "inspect": Verb("inspect", "Links", "show what an app says, asks for, and who stands behind it"),
    "verify": Verb("verify", "Links", "check an app from its publisher's key to the last byte"),
    "mirror": Verb("mirror", "Links", "copy an app with its signatures into a folder"),
    "store": Verb("store", "Links", "list, verify and clean the store of verified pieces"),
    "doctor": Verb("doctor", "This machine", "say what this machine can do and what is missing"),
    "completion": Verb("completion", "This machine", "print the completion script of a shell"),
}


class VerbModule(Protocol):
    """What every verb's file offers."""

    def parser(self, verb: str) -> ArgumentParser:
        """Describe the verb's options and help."""

    def main(self, verb: str, argv: list[str]) -> int:
        """Do it and return the exit status."""


def load(verb: str) -> VerbModule:
    """Import the file of one verb."""
    return cast(VerbModule, import_module(f"{__package__}.{VERBS[verb].module}"))
