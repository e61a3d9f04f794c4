# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Where built things are. `skerry sh` asks at every start, so this imports `os` alone."""

from __future__ import annotations

import os


def cache_path() -> str:
    """Return the cache directory: $SKERRY_CACHE, $XDG_CACHE_HOME/skerry or ~/.cache/skerry."""
    given = os.environ.get("SKERRY_CACHE")
    if given:
        return given
    parent = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(parent, "skerry")


def root_path() -> str:
    """Return the tree of built ports: a symbolic link to the newest one, absent before the first."""
    return os.path.join(cache_path(), "root")
