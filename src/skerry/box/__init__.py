# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The box: one sealed app, from its configuration to its exit status.

BoxConfig  what the box is given, and all it is given
Mount      one file or folder of the host that it may see
run        start the box, carry its terminal, return its exit status

`run` loads the engine on its first call, so that asking for help costs nothing.
"""

from __future__ import annotations

from .config import BoxConfig, Mount

__all__ = ["BoxConfig", "Mount", "run"]


def run(config: BoxConfig) -> int:
    """Run one box to its end and return its exit status, 128+n when signal n ended it.

    Raises: UserError when it cannot start.
    """
    from .monitor import run as run_monitor  # the engine: 50 ms that `--help` should not pay

    return run_monitor(config)
