# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry completion`: the completion script of a shell, made from the verbs' own parsers."""

from __future__ import annotations

import argparse
import sys

from .parser import new_parser, top_parser
from .shells import WRITERS, Command, Option
from .verbs import VERBS, load

_DESCRIPTION = """\
Print a script that teaches your shell to complete `skerry` commands.
"""

_EXAMPLES = """\
Examples:
  source <(skerry completion bash)                         in ~/.bashrc
  source <(skerry completion zsh)                          in ~/.zshrc, after compinit
  skerry completion fish >~/.config/fish/completions/skerry.fish
"""


def parser(verb: str) -> argparse.ArgumentParser:
    """Describe the verb's options and help."""
    found = new_parser(f"skerry {verb}", _DESCRIPTION, usage="bash|zsh|fish", epilog=_EXAMPLES)
    found.add_argument("shell", metavar="SHELL", choices=tuple(WRITERS), help="bash, zsh or fish")
    return found


def main(verb: str, argv: list[str]) -> int:
    """Print the script."""
    arguments = parser(verb).parse_args(argv)
    commands = [describe(name, row.summary, load(name).parser(name)) for name, row in VERBS.items()]
    sys.stdout.write(WRITERS[arguments.shell](describe("skerry", "", top_parser()).options, commands))
    return 0


def describe(name: str, summary: str, source: argparse.ArgumentParser) -> Command:
    """What a shell needs to know of one parser."""
    options: list[Option] = []
    actions: list[Command] = []
    choices: tuple[str, ...] = ()
    for action in source._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {row.dest: row.help or "" for row in action._choices_actions}
            actions = [describe(key, helps.get(key, ""), value) for key, value in action.choices.items()]
        elif action.option_strings:
            options.append(
                Option(
                    flags=tuple(action.option_strings),
                    summary=(action.help or "").partition(";")[0],
                    value=str(action.metavar or action.dest) if action.nargs != 0 else "",
                )
            )
        elif action.choices is not None:
            choices = tuple(str(choice) for choice in action.choices)
    return Command(name, summary, tuple(options), tuple(actions), choices)
