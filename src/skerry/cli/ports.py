# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry ports`: the Unix programs that come with Skerry, built from unmodified sources."""

from __future__ import annotations

import argparse
import sys

from skerry import box
from skerry.abi.errors import EXIT_FAILED, EXIT_USAGE, UserError

from .parser import HelpFormat, Parser, new_parser

_DESCRIPTION = """\
The Unix programs a box starts with: each is one recipe under ports/, built from the
distribution's unmodified source, cached outside the tree and never rebuilt in vain.
"""

_EXAMPLES = """\
Examples:
  skerry ports list                     what there is, and what is built
  skerry ports build                    everything; only what changed is built
  skerry ports build dash coreutils     these, and what they need
  skerry ports verify                   do the cached programs still match their digests?
"""

_JOBS_MAXIMUM = 256


def parser(verb: str) -> argparse.ArgumentParser:
    """Describe the verb's options and help."""
    found = new_parser(
        f"skerry {verb}", _DESCRIPTION, usage="list|build|verify [OPTIONS] [NAMES…]", epilog=_EXAMPLES
    )
    actions = found.add_subparsers(dest="action", metavar="ACTION", parser_class=Parser, title="Actions")
    _add(actions, "list", "show each program, its version and whether it is built")
    build = _add(actions, "build", "build what is missing or changed; without names, everything")
    build.add_argument(
        "-j", "--jobs", metavar="N", type=_jobs, help="so many at once (default: one per processor)"
    )
    build.add_argument(
        "-f", "--force", action="store_true", help="build the named programs again in any case"
    )
    _add(actions, "verify", "check the cached programs against their recorded digests")
    return found


def _add(actions: argparse._SubParsersAction[Parser], name: str, summary: str) -> argparse.ArgumentParser:
    action = actions.add_parser(
        name,
        help=summary,
        description=summary.capitalize() + ".",
        prog=f"skerry ports {name}",
        usage=f"skerry ports {name} [OPTIONS] [NAMES…]",
        formatter_class=HelpFormat,
        allow_abbrev=False,
        add_help=False,
    )
    action._optionals.title, action._positionals.title = "Options", "Arguments"
    action.add_argument("-h", "--help", action="help", help="show this help and leave")
    action.add_argument(
        "names", nargs="*", metavar="NAMES", help="programs of `skerry ports list`; none: all of them"
    )
    return action


def main(verb: str, argv: list[str]) -> int:
    """Do what was asked and return the exit status."""
    found = parser(verb)
    arguments = found.parse_args(argv)
    if arguments.action is None:
        found.error("list, build or verify?")
    from skerry.toolchain import ports

    names: list[str] = arguments.names
    if arguments.action == "list":
        return ports.show(names)
    if arguments.action == "verify":
        return ports.verify(names)
    status = ports.build(names, jobs=arguments.jobs, force=arguments.force)
    return _precompile() or status


def _precompile() -> int:
    """Make the machine code of all built programs now: a first start should be like any other."""
    from skerry.toolchain.place import root_path
    from skerry.toolchain.progress import Progress

    progress: Progress | None = None

    def tell(done: int, total: int, name: str) -> None:
        nonlocal progress
        progress = progress or Progress("machine code", total)
        progress.step(name)

    failures = box.precompile(root_path(), tell)
    if progress is not None:
        progress.finish()
    for line in failures:
        print(f"skerry: {line}", file=sys.stderr)
    return EXIT_FAILED if failures else 0


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _JOBS_MAXIMUM:
        raise UserError(f"jobs {text!r}: want a number from 1 to {_JOBS_MAXIMUM}", EXIT_USAGE)
    return int(text)
