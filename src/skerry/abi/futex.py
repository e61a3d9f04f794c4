# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Futex operations and the robust list.

Standard: Linux include/uapi/linux/futex.h; futex(2), get_robust_list(2).
"""
from __future__ import annotations

from struct import Struct
from typing import Final

FUTEX_WAIT: Final = 0
FUTEX_WAKE: Final = 1
FUTEX_REQUEUE: Final = 3
FUTEX_CMP_REQUEUE: Final = 4
FUTEX_WAKE_OP: Final = 5
FUTEX_LOCK_PI: Final = 6
FUTEX_UNLOCK_PI: Final = 7
FUTEX_TRYLOCK_PI: Final = 8
FUTEX_WAIT_BITSET: Final = 9
FUTEX_WAKE_BITSET: Final = 10

FUTEX_COMMAND: Final = 0x7F
FUTEX_PRIVATE: Final = 0x80
FUTEX_CLOCK_REALTIME: Final = 0x100
MATCH_ANY: Final = 0xFFFFFFFF

TID_MASK: Final = 0x3FFFFFFF
OWNER_DIED: Final = 0x40000000
WAITERS: Final = 0x80000000

ROBUST_LIST_HEAD: Final = Struct("<IiI")
"""struct robust_list_head: first entry, offset from an entry to its futex, entry under way."""
ROBUST_LIST_LIMIT: Final = 2048
"""Most entries that are walked (linux/futex.h), so that a circle ends."""
