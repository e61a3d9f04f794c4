# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What machine code depends on besides the program: it changes when old code must not be used.

Apart from the compiler so that the monitor does not load an engine to name a cache folder.
"""
from __future__ import annotations

FINGERPRINT = "wasmtime50-safepoints2-stack8"
"""The machine's own features are checked when code is loaded; code that fails is made anew."""
