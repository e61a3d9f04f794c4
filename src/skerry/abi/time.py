# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Clocks, timers and the structures that carry time.

Standard: Linux include/uapi/linux/time.h, time_types.h; seconds are 64 bits wide except where
          musl's riscv32 port passes longs (itimerval, tms).
"""
from __future__ import annotations

from struct import Struct
from typing import Final

CLOCK_REALTIME: Final = 0
CLOCK_MONOTONIC: Final = 1
CLOCK_PROCESS_CPUTIME_ID: Final = 2
CLOCK_THREAD_CPUTIME_ID: Final = 3
CLOCK_MONOTONIC_RAW: Final = 4
CLOCK_REALTIME_COARSE: Final = 5
CLOCK_MONOTONIC_COARSE: Final = 6
CLOCK_BOOTTIME: Final = 7
CLOCK_REALTIME_ALARM: Final = 8
CLOCK_BOOTTIME_ALARM: Final = 9
CLOCK_TAI: Final = 11
CPUCLOCK_WHICH: Final = 3  # of a negative clock id: 0 to 2 are processor time, 3 a device
CPUCLOCK_PERTHREAD: Final = 4

TIMER_ABSTIME: Final = 1

ITIMER_REAL: Final = 0
ITIMER_VIRTUAL: Final = 1
ITIMER_PROF: Final = 2

SIGEV_SIGNAL: Final = 0
SIGEV_NONE: Final = 1
SIGEV_THREAD_ID: Final = 4

SECOND: Final = 1_000_000_000
CLOCK_TICK_NS: Final = 10_000_000  # clock_t counts hundredths of a second
COARSE_NS: Final = 4_000_000  # what clock_getres says of the coarse clocks
FOREVER_NS: Final = 1 << 62  # longest timeout; Linux clamps at KTIME_MAX likewise

TIMESPEC: Final = Struct("<qi4x")
"""struct timespec; what is above the low word of tv_nsec is padding that libc may not have set."""
ITIMERSPEC: Final = Struct("<qi4xqi4x")
"""struct itimerspec: interval, value."""
ITIMERVAL: Final = Struct("<iiii")
"""struct itimerval as musl passes it: interval and value, longs (src/signal/setitimer.c)."""
SIGEVENT: Final = Struct("<Iiii")
"""What musl's timer_create passes: sigev_value, signo, notify, tid."""
TMS: Final = Struct("<iiii")
"""struct tms: user, system, and those of reaped children."""
