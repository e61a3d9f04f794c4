# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The `skerry` command.

main      the entry point: runs one verb, turns errors into one line and an exit code
verbs     the table of verbs; a verb's module is imported only when it is used
parser    how every verb's options and help are laid out
options   the options that describe a box, shared by `sh` and `run`

Every other file here is one verb: `parser(verb)` describes it, `main(verb, argv)` does it.
"""

from __future__ import annotations

from .dispatch import main

__all__ = ["main"]
