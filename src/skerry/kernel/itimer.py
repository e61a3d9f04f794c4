# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Timers that send signals: setitimer, alarm, timer_create, and the limit of processor time.

A timer counts on a clock. Time passes on the kernel's heap of deadlines; a processor clock
runs at most as fast per thread, so its timers look again when the rest could have been used,
and ever more seldom while the process sleeps.

Standard: POSIX.1-2024 setitimer() (XSI), timer_create(), timer_settime(), timer_getoverrun().
Units:    nanoseconds; an interval of 0 means once.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi import time as abi
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.resource import RLIM_INFINITY, RLIMIT_CPU, RLIMIT_SIGPENDING
from skerry.abi.signal import SI_TIMER, Signo
from skerry.kernel import clocks
from skerry.kernel.signal import Pending
from skerry.kernel.timers import Deadline

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.process import Process
    from skerry.kernel.task import Task

_LOOK_SOONEST_NS = 10_000_000  # a processor clock is not watched more closely than this
_LOOK_LATEST_NS = abi.SECOND
_ITIMER_SIGNALS = {
    abi.ITIMER_REAL: Signo.SIGALRM,
    abi.ITIMER_VIRTUAL: Signo.SIGVTALRM,
    abi.ITIMER_PROF: Signo.SIGPROF,
}
_TIMER_CLOCKS = frozenset(
    {abi.CLOCK_REALTIME, abi.CLOCK_MONOTONIC, abi.CLOCK_BOOTTIME, abi.CLOCK_TAI}
    | {abi.CLOCK_REALTIME_ALARM, abi.CLOCK_BOOTTIME_ALARM}
)


class ClockTimer:
    """A timer on one clock; a kind says what happens when it expires."""

    def __init__(self, process: Process, clock_id: int, owner: Process | Task | None) -> None:
        self.process = process
        self.clock_id = clock_id
        self.owner = owner  # of a processor clock
        self.interval_ns = 0
        self.expiry_ns: int | None = None  # on the clock; None: disarmed
        self._deadline: Deadline | None = None
        self._look_ns = _LOOK_SOONEST_NS
        self._seen_ns = 0

    def expired(self, count: int) -> None:
        """The timer expired `count` times since it was last told."""
        raise NotImplementedError

    def now_ns(self) -> int:
        """What the clock shows."""
        if self.owner is not None:
            return clocks.used_ns(self.owner)
        clock = self.process.kernel.clock
        return clock.realtime_ns() if self.clock_id in clocks.REAL else clock.monotonic_ns()

    def left_ns(self) -> int:
        """Time to the next expiration, at least 1; 0 when disarmed."""
        return 0 if self.expiry_ns is None else max(self.expiry_ns - self.now_ns(), 1)

    def arm(self, expiry_ns: int, interval_ns: int) -> None:
        """Expire at `expiry_ns` of the clock and then every interval."""
        self.disarm()
        self.expiry_ns, self.interval_ns = expiry_ns, interval_ns
        self._look_ns = _LOOK_SOONEST_NS
        self._watch()

    def disarm(self) -> None:
        """Expire no more."""
        self.process.kernel.timers.cancel(self._deadline)
        self._deadline = self.expiry_ns = None

    def due(self) -> None:
        """The deadline passed: see what the clock says."""
        if self.expiry_ns is None:
            return
        now_ns = self.now_ns()
        if now_ns < self.expiry_ns:
            self._watch()
            return
        count = 1
        if self.interval_ns:
            count += (now_ns - self.expiry_ns) // self.interval_ns
            self.expiry_ns += count * self.interval_ns
            self._watch()
        else:
            self.expiry_ns = None
        self.expired(count)

    def _watch(self) -> None:
        assert self.expiry_ns is not None
        kernel, now_ns = self.process.kernel, self.now_ns()
        wait_ns = max(self.expiry_ns - now_ns, 0)
        if self.owner is not None:
            idle = now_ns == self._seen_ns
            self._look_ns = min(self._look_ns * 2, _LOOK_LATEST_NS) if idle else _LOOK_SOONEST_NS
            self._seen_ns = now_ns
            wait_ns = max(wait_ns // max(len(self.process.threads), 1), self._look_ns)
        self._deadline = kernel.timers.add(kernel.clock.monotonic_ns() + wait_ns, self.due)


class Itimer(ClockTimer):
    """setitimer(2): one signal, merged while it is pending."""

    def __init__(self, process: Process, which: int) -> None:
        real = which == abi.ITIMER_REAL
        super().__init__(process, abi.CLOCK_MONOTONIC, None if real else process)
        self.signo = _ITIMER_SIGNALS[which]

    def expired(self, count: int) -> None:
        """Send the signal."""
        self.process.kernel.signals.send(self.process, Pending(self.signo))


class CpuLimit(ClockTimer):
    """RLIMIT_CPU: SIGXCPU every second past the soft limit, SIGKILL at the hard one."""

    def __init__(self, process: Process) -> None:
        super().__init__(process, abi.CLOCK_PROCESS_CPUTIME_ID, process)

    def expired(self, count: int) -> None:
        """Send the signal the used time earns."""
        hard = self.process.limits[RLIMIT_CPU][1] * abi.SECOND
        signo = Signo.SIGKILL if self.now_ns() >= hard else Signo.SIGXCPU
        self.process.kernel.signals.send(self.process, Pending(signo))


class PosixTimer(ClockTimer):
    """timer_create(2): a signal of its own, which counts what it missed while pending."""

    def __init__(
        self, process: Process, clock_id: int, owner: Process | Task | None, number: int
    ) -> None:
        super().__init__(process, clock_id, owner)
        self.number = number
        self.signo = 0  # 0: no notification
        self.value = 0
        self.target: Task | None = None  # the thread that gets it; None: the process
        self._overrun = 0

    def expired(self, count: int) -> None:
        """Send the signal, or count an overrun of the one that is still pending."""
        if not self.signo:
            return
        queue = self.process.pending if self.target is None else self.target.pending
        for place, info in enumerate(queue):
            if info.code == SI_TIMER and info.timer == self.number:
                self._overrun += count
                queue[place] = self._info()
                return
        self._overrun = count - 1
        signals = self.process.kernel.signals
        if self.target is None:
            signals.send(self.process, self._info())
        else:
            signals.send_task(self.target, self._info())

    def overrun(self) -> int:
        """Expirations that found the last signal undelivered."""
        return min(self._overrun, 0x7FFFFFFF)

    def _info(self) -> Pending:
        return Pending(
            self.signo, SI_TIMER, value=self.value, timer=self.number, overrun=self.overrun()
        )


class IntervalTimers:
    """The signal timers of all processes."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def itimer(self, process: Process, which: int) -> Itimer:
        """The interval timer `which` of a process, made when first asked for.

        Raises: SysError(EINVAL).
        """
        if which not in _ITIMER_SIGNALS:
            raise SysError(Errno.EINVAL)
        timer = process.alarms.get(which)
        if timer is None:
            timer = process.alarms[which] = Itimer(process, which)
        assert isinstance(timer, Itimer)
        return timer

    def create(self, task: Task, clock_id: int) -> PosixTimer:
        """A new POSIX timer that notifies nobody yet.

        Raises: SysError(EINVAL) for no clock, EOPNOTSUPP for one without timers, EAGAIN.
        """
        owner = None
        if clock_id not in _TIMER_CLOCKS:
            if clock_id in clocks.REAL or clock_id in clocks.MONOTONIC:
                raise SysError(Errno.EOPNOTSUPP)
            owner = clocks.cpu_owner(task, clock_id)
        process = task.process
        if len(process.posix_timers) >= process.limits[RLIMIT_SIGPENDING][0]:
            raise SysError(Errno.EAGAIN)
        number = 0
        while number in process.posix_timers:
            number += 1
        timer = process.posix_timers[number] = PosixTimer(process, clock_id, owner, number)
        return timer

    def timer(self, process: Process, number: int) -> PosixTimer:
        """The POSIX timer of that number.

        Raises: SysError(EINVAL).
        """
        timer = process.posix_timers.get(number)
        if not isinstance(timer, PosixTimer):
            raise SysError(Errno.EINVAL)
        return timer

    def delete(self, process: Process, number: int) -> None:
        """Forget a POSIX timer; a signal it has sent stays."""
        self.timer(process, number).disarm()
        del process.posix_timers[number]

    def limit_cpu(self, process: Process) -> None:
        """RLIMIT_CPU of a process was set or inherited."""
        timer = process.alarms.get(-1)
        if timer is None:
            timer = process.alarms[-1] = CpuLimit(process)
        assert isinstance(timer, CpuLimit)
        timer.disarm()
        soft, hard = process.limits[RLIMIT_CPU]
        if min(soft, hard) != RLIM_INFINITY:
            timer.arm(min(soft, hard) * abi.SECOND, abi.SECOND)

    def clear(self, process: Process) -> None:
        """The process has ended."""
        for timer in process.alarms.values():
            assert isinstance(timer, ClockTimer)
            timer.disarm()
        process.alarms.clear()
        self.clear_posix(process)

    def clear_posix(self, process: Process) -> None:
        """The process has a new image: timers made by timer_create are gone."""
        for timer in process.posix_timers.values():
            assert isinstance(timer, PosixTimer)
            timer.disarm()
        process.posix_timers.clear()
