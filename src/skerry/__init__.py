# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Skerry: programs opened like pages, each on an island of its own.

The rooms, from the person down to the numbers; imports point down only:

cli        one file per verb of the `skerry` command
box        what one sealed app is given; its life, its monitor, its engines
kernel     a Unix in pure Python: events in, commands out
toolchain  sysroot, compiler driver, ports: C sources become WebAssembly programs
delivery   link -> manifest -> trust -> verified tree
policy     may this box do that? a decision, never its effect
abi        numbers, layouts, error families; no behaviour
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skerry.box.aio import AsyncUnix as AsyncUnix
    from skerry.box.unix import Unix as Unix


def __getattr__(name: str) -> object:
    """Load the Python interface when it is first used: the command line never needs it."""
    if name == "Unix":
        from skerry.box.unix import Unix

        return Unix
    if name == "AsyncUnix":
        from skerry.box.aio import AsyncUnix

        return AsyncUnix
    raise AttributeError(f"module 'skerry' has no attribute {name!r}")
