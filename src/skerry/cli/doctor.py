# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry doctor`: what this machine can do, what is missing, and the command that installs it."""

from __future__ import annotations

import argparse

from .machine import PROBES, Finding, State
from .parser import new_parser

_DESCRIPTION = """\
Say what this machine can do and what is missing, each with the command that installs it.
Leaves with status 1 when something is missing that Skerry cannot work without.
"""

_EXAMPLES = """\
Marks:
  ok    there
  -     not there; only what the line says needs it
  MISS  not there, and Skerry does not work without it
"""

_MARKS = {State.OK: "ok", State.OPTIONAL: "-", State.MISSING: "MISS"}


def parser(verb: str) -> argparse.ArgumentParser:
    """Describe the verb's options and help."""
    return new_parser(f"skerry {verb}", _DESCRIPTION, usage="", epilog=_EXAMPLES)


def main(verb: str, argv: list[str]) -> int:
    """Print one line per finding; 1 when something needed is missing."""
    parser(verb).parse_args(argv)
    missing = 0
    for group, probes in PROBES.items():
        print(f"{group}:")
        for probe in probes:
            finding = probe()
            missing += finding.state is State.MISSING
            print(line(finding))
    print("Something needed is missing." if missing else "Everything needed is there.")
    return 1 if missing else 0


def line(finding: Finding) -> str:
    """One finding as a person reads it."""
    text = f"  {_MARKS[finding.state]:<5} {finding.name:<15} {finding.detail}"
    return f"{text}\n{'':>24}-> {finding.remedy}" if finding.remedy else text
