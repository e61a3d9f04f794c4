# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""System calls: decode and check what a guest passes, then call the object that does the work.

One file per family; `table.py` is the one table. `CALLS` maps an import (module, name) to
its entry.
"""
from __future__ import annotations

from skerry.kernel.sys import (
    absent,  # noqa: F401  # each import enters a family into the table
    attribute,  # noqa: F401
    copy,  # noqa: F401
    credentials,  # noqa: F401
    event,  # noqa: F401
    fd,  # noqa: F401
    file,  # noqa: F401
    futex,  # noqa: F401
    limits,  # noqa: F401
    path,  # noqa: F401
    poll,  # noqa: F401
    process,  # noqa: F401
    session,  # noqa: F401
    signal,  # noqa: F401
    socket,  # noqa: F401
    system,  # noqa: F401
    time,  # noqa: F401
    watch,  # noqa: F401
)
from skerry.kernel.sys.table import TABLE, Call

SKERRY = {"sigfetch", "start_size", "start", "thread"}
"""Names of the private import module; everything else belongs to `linux`."""

CALLS: dict[tuple[str, str], Call] = {
    ("skerry" if name in SKERRY else "linux", name): call for name, call in TABLE.items()
}
