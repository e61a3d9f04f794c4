# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""How options are declared and help is laid out, the same for every verb.

Errors: a wrong command line is a UserError of one line (exit code 2) that names the help to read.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

from skerry.abi.errors import EXIT_USAGE, UserError

from .verbs import VERBS

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


class Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of printing its usage and leaving."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        verb = self.prog.removeprefix("skerry").strip()
        raise UserError(f"{verb + ': ' if verb else ''}{message} (see `{self.prog} --help`)", EXIT_USAGE)

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        # argparse would hide a full disk, and print on stderr when stdout is closed.
        if file is not None:
            file.write(message)


class HelpFormat(argparse.RawDescriptionHelpFormatter):
    """Help as written, options indented by two and explained from column 26."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=96)

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None = None,
    ) -> None:
        """Begin with `Usage:`, as the other headings are capitalised."""
        super().add_usage(usage, actions, groups, "Usage: " if prefix is None else prefix)

    def _format_action(self, action: argparse.Action) -> str:
        text = super()._format_action(action)
        # A list of actions is headed by a line that repeats its title.
        return text.partition("\n")[2] if isinstance(action, argparse._SubParsersAction) else text


def new_parser(
    prog: str,
    description: str,
    *,
    usage: str,
    epilog: str = "",
    help_flags: tuple[str, ...] = ("-h", "--help"),
) -> Parser:
    """A parser for one verb; `usage` is what follows the name, `epilog` holds the examples."""
    parser = Parser(
        prog=prog,
        usage=f"{prog} {usage}".strip(),
        description=description,
        epilog=epilog,
        formatter_class=HelpFormat,
        allow_abbrev=False,  # a script must not break when a new option shares a prefix
        add_help=False,
    )
    parser._optionals.title, parser._positionals.title = "Options", "Arguments"
    parser.add_argument(*help_flags, action="help", help="show this help and leave")
    return parser


def top_parser() -> Parser:
    """The parser of `skerry` itself: verbs by group, and `--version`."""
    from skerry import __version__

    parser = new_parser("skerry", _DESCRIPTION + _verb_list(), usage="VERB [ARGUMENTS…]", epilog=_EPILOG)
    parser.add_argument(
        "--version", action="version", version=f"skerry {__version__}", help="show the version and leave"
    )
    return parser


def _verb_list() -> str:
    lines: list[str] = []
    group = ""
    for name, verb in VERBS.items():
        if verb.group != group:
            group = verb.group
            lines.append(f"\n{group}:")
        lines.append(f"  {name:<22}  {verb.summary}")
    return "\n".join(lines)


_DESCRIPTION = """\
Run Unix programs, compiled to WebAssembly, in a sealed box. A box sees its own files,
its own processes and what you mount; nothing else of this machine.
"""

_EPILOG = """\
Examples:
  skerry sh                                a shell in a fresh box
  skerry sh -c 'seq 10 | sort -r'          one command line
  skerry run --mount .:/mnt ls /mnt        a program that sees this folder
  skerry cc hello.c -o hello               compile, then …
  skerry run ./hello                       … run what you compiled

`skerry VERB --help` explains a verb.

Exit status: that of the program; 128+n when signal n ended it; 127 when it was not found, 126 when it
cannot be executed, 125 when Skerry itself failed, 2 for a wrong command line.
"""
