# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""epoll(7): operations, flags and the event structure; the EPOLL* bits are in abi/poll.py.

Standard: Linux linux/eventpoll.h.
"""
from __future__ import annotations

from struct import Struct
from typing import Final

EPOLL_CTL_ADD: Final = 1
EPOLL_CTL_DEL: Final = 2
EPOLL_CTL_MOD: Final = 3
EPOLL_CLOEXEC: Final = 0o2000000

EP_MAX_NESTS: Final = 4  # fs/eventpoll.c
EP_MAX_EVENTS: Final = 0x7FFFFFFF // 16  # fs/eventpoll.c, INT_MAX / sizeof(struct epoll_event)

EPOLL_EVENT: Final = Struct("<I4xQ")
"""struct epoll_event: events, data. Unpacked as everywhere but x86-64: 16 bytes on wasm32."""
