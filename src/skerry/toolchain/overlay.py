# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Where the folder `libc/` is, our part of the C library. Imports `os` alone, as the driver asks for it."""

from __future__ import annotations

import os


def overlay_path() -> str:
    """Return the folder `libc/`: beside the source tree, or inside an installed package."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    beside = os.path.join(os.path.dirname(os.path.dirname(package)), "libc")
    return beside if os.path.isdir(beside) else os.path.join(package, "libc")
