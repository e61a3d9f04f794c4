# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""File systems: tmpfs, overlay, the host's trees, devices, processes."""
from __future__ import annotations
