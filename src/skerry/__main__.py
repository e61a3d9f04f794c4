# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`python -m skerry` is the `skerry` command."""

from __future__ import annotations

import sys

from skerry.cli import main

if __name__ == "__main__":
    sys.exit(main())
