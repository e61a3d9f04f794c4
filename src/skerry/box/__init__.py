# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The box: one sealed app, from its configuration to its exit status.

BoxConfig  what the box is given, and all it is given
Mount      one file or folder of the host that it may see
run        start the box, carry its terminal, return its exit status
precompile make the machine code of a tree's programs ahead of their first run

`run` loads the engine on its first call, so that asking for help costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from .config import BoxConfig, Mount

__all__ = ["BoxConfig", "Mount", "precompile", "run"]


def run(config: BoxConfig) -> int:
    """Run one box to its end and return its exit status, 128+n when signal n ended it.

    Raises: UserError when it cannot start.
    """
    from .monitor import run as run_monitor  # the engine: 50 ms that `--help` should not pay

    return run_monitor(config)


def precompile(root: str, tell: Callable[[int, int, str], None]) -> list[str]:
    """Compile the programs below `root` that were not yet; see box/precompile.py."""
    from .precompile import precompile as compile_all

    return compile_all(root, tell)
