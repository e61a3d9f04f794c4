# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Resource limits, usage, priorities and scheduling.

Standard: Linux asm-generic/resource.h, linux/resource.h, linux/sched.h.
"""
from __future__ import annotations

from struct import Struct
from typing import Final

RLIMIT_CPU: Final = 0
RLIMIT_FSIZE: Final = 1
RLIMIT_DATA: Final = 2
RLIMIT_STACK: Final = 3
RLIMIT_CORE: Final = 4
RLIMIT_RSS: Final = 5
RLIMIT_NPROC: Final = 6
RLIMIT_NOFILE: Final = 7
RLIMIT_MEMLOCK: Final = 8
RLIMIT_AS: Final = 9
RLIMIT_LOCKS: Final = 10
RLIMIT_SIGPENDING: Final = 11
RLIMIT_MSGQUEUE: Final = 12
RLIMIT_NICE: Final = 13
RLIMIT_RTPRIO: Final = 14
RLIMIT_RTTIME: Final = 15
RLIMIT_COUNT: Final = 16
RLIM_INFINITY: Final = 0xFFFFFFFFFFFFFFFF

RLIMIT: Final = Struct("<QQ")
"""struct rlimit64: soft, hard."""

RUSAGE_SELF: Final = 0
RUSAGE_CHILDREN: Final = -1
RUSAGE_THREAD: Final = 1
RUSAGE: Final = Struct("<18i")
"""struct rusage with 32-bit longs: two timevals, then maxrss and thirteen counters."""

PRIO_PROCESS: Final = 0
PRIO_PGRP: Final = 1
PRIO_USER: Final = 2
NICE_MIN: Final = -20
NICE_MAX: Final = 19

SCHED_OTHER: Final = 0
SCHED_FIFO: Final = 1
SCHED_RR: Final = 2
SCHED_BATCH: Final = 3
SCHED_IDLE: Final = 5
SCHED_RESET_ON_FORK: Final = 0x40000000
