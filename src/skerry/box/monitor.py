# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The monitor of a box at a command line: from its configuration to its exit status.

The worker is started before anything else is imported: it loads while we do.
"""

from __future__ import annotations

import os
import resource
import sys

from .config import BoxConfig
from .launch import Worker


def run(config: BoxConfig) -> int:
    """Run one box to its end; returns its exit status, 128+n when signal n ended it.

    Raises: UserError when it cannot start or fails by itself.
    """
    _open_standard_descriptors()
    _raise_descriptor_limit()
    worker = Worker("worker")
    try:
        from .session import Session  # 15 ms

        session = Session(config, worker)
    except BaseException:
        worker.kill()
        worker.close()
        raise
    return session.run()


def _open_standard_descriptors() -> None:
    """A caller may have closed 0, 1 or 2; nothing of ours may come to stand there."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _raise_descriptor_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if sys.platform == "linux" and soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
