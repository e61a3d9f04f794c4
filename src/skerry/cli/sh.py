# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry sh`: a shell in a new box."""

from __future__ import annotations

import argparse

from skerry import box

from .options import add_box_options, box_config
from .parser import new_parser

_DESCRIPTION = """\
Open a shell in a new box: dash, with the Unix programs of `skerry ports list` beside it.
With -c, run one command line and leave with its exit status; with FILE, run a script that lies
inside the box (mount it). Files you make vanish with the box, unless they lie under a --mount.
"""

_EXAMPLES = """\
Examples:
  skerry sh                                     type commands; `exit` or Ctrl-D closes the box
  skerry sh -c 'seq 10 | sort -r | head -3'     one pipeline
  skerry sh --mount .:/mnt --cwd /mnt           a shell that sees this folder, and may change it
  echo 'ls /proc' | skerry sh                   commands from a pipe
"""


def parser(verb: str) -> argparse.ArgumentParser:
    """Describe the verb's options and help."""
    found = new_parser(
        f"skerry {verb}", _DESCRIPTION, usage="[OPTIONS] [-c COMMAND | FILE] [ARGUMENTS…]", epilog=_EXAMPLES
    )
    found.add_argument(
        "-c", dest="command", action="store_true", help="run the COMMAND that follows, then leave"
    )
    add_box_options(found)
    found.add_argument("words", nargs=argparse.REMAINDER, metavar="ARGUMENTS", help=argparse.SUPPRESS)
    return found


def main(verb: str, argv: list[str]) -> int:
    """Start the box and return the shell's exit status."""
    found = parser(verb)
    arguments = found.parse_args(argv)
    words: list[str] = arguments.words
    if arguments.command and not words:
        found.error("-c wants a command, as in: skerry sh -c 'ls /'")
    shell = ["sh", "-c", *words] if arguments.command else ["sh", *words]
    return box.run(box_config(arguments, shell))
