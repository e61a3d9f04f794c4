# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""poll_oneoff: wait for clocks and descriptors.

Standard: wasi_snapshot_preview1, "poll_oneoff".
Blocking: until an event has occurred; one whose subscription is wrong occurs at once, with an error.
"""
from __future__ import annotations

from skerry.abi import poll
from skerry.abi import wasi as w
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import S_IFMT, S_IFREG
from skerry.kernel.file import File
from skerry.kernel.pipe import PipeEnd
from skerry.kernel.poll import UNASKED, Entry, look, queues
from skerry.kernel.socket import Socket
from skerry.kernel.task import Task
from skerry.kernel.usermem import U32
from skerry.kernel.wait import Step, Wait
from skerry.kernel.wasi.state import file_of
from skerry.kernel.wasi.table import wasi

U64 = 0xFFFFFFFFFFFFFFFF
FOREVER_NS = 1 << 62
COUNT_MAX = 65_536  # a bound for our own memory; Linux bounds poll(2) by RLIMIT_NOFILE


class _Subscription:
    """One thing waited for: a clock until `deadline_ns`, or a file; or wrong from the start."""

    __slots__ = ("deadline_ns", "error", "file", "kind", "userdata", "wanted")

    def __init__(self, userdata: int, kind: int) -> None:
        self.userdata, self.kind = userdata, kind
        self.error = 0
        self.deadline_ns: int | None = None
        self.file: File | None = None
        self.wanted = 0

    @property
    def entry(self) -> Entry:
        """As `look` takes it; a clock never becomes ready there."""
        return self.file, self.wanted


@wasi
def poll_oneoff(task: Task, subscriptions: int, events: int, count: int, told: int) -> int | Step[int]:
    """Wait until at least one of the subscriptions has occurred."""
    count &= U32
    if not 0 < count <= COUNT_MAX:
        raise SysError(Errno.EINVAL)
    task.mem.check(told, 4)
    task.mem.check(events, count * w.EVENT.size)
    structures = task.mem.window(subscriptions, count * w.SUBSCRIPTION.size)
    found = [_subscription(task, *fields) for fields in w.SUBSCRIPTION.iter_unpack(structures)]
    occurred = _occurred(task, found)
    if occurred:
        return _put_events(task, events, occurred, told)
    return _wait(task, found, events, told)


def _wait(task: Task, subscriptions: list[_Subscription], events: int, told: int) -> Step[int]:
    deadlines = [one.deadline_ns for one in subscriptions if one.deadline_ns is not None]
    wait = Wait(queues([one.entry for one in subscriptions]), min(deadlines, default=None))
    while True:
        yield wait
        occurred = _occurred(task, subscriptions)
        if occurred:
            return _put_events(task, events, occurred, told)


def _subscription(
    task: Task, userdata: int, kind: int, target: int, timeout: int, precision: int, flags: int
) -> _Subscription:
    """Read one subscription; what is wrong with it alone becomes its event."""
    one = _Subscription(userdata, kind)
    if kind == w.EVENT_CLOCK:
        _clock(task, one, target, timeout, flags)
    elif kind in (w.EVENT_FD_READ, w.EVENT_FD_WRITE):
        try:
            one.file = file_of(task, target, w.POLL_FD_READWRITE)
        except SysError as error:
            one.error = w.error_of(error.errno)
        bits = poll.READABLE if kind == w.EVENT_FD_READ else poll.WRITABLE
        one.wanted = bits | UNASKED
    else:
        raise SysError(Errno.EINVAL)
    return one


def _clock(task: Task, one: _Subscription, clock: int, timeout: int, flags: int) -> None:
    """When a clock's subscription occurs, on the monotonic clock."""
    if clock not in (w.CLOCK_REALTIME, w.CLOCK_MONOTONIC):
        one.error = w.NOTSUP if clock in (2, 3) else w.INVAL  # processor time passes while one works
        return
    now = task.kernel.clock.monotonic_ns()
    if not flags & w.CLOCK_ABSTIME:
        one.deadline_ns = now + min(timeout, FOREVER_NS)
    elif clock == w.CLOCK_MONOTONIC:
        one.deadline_ns = min(timeout, FOREVER_NS)
    else:
        one.deadline_ns = now + min(timeout - task.kernel.clock.realtime_ns(), FOREVER_NS)


def _occurred(task: Task, subscriptions: list[_Subscription]) -> list[bytes]:
    """The events that have occurred, as WASI lays them out."""
    now = task.kernel.clock.monotonic_ns()
    bits, _ = look([one.entry for one in subscriptions])
    found = []
    for one, ready in zip(subscriptions, bits, strict=True):
        if one.error:
            found.append(w.EVENT.pack(one.userdata, one.error, one.kind, 0, 0))
        elif one.file is None:
            if one.deadline_ns is not None and one.deadline_ns <= now:
                found.append(w.EVENT.pack(one.userdata, 0, one.kind, 0, 0))
        elif ready:
            size = readable_size(one.file) if one.kind == w.EVENT_FD_READ else 0
            flags = w.EVENT_HANGUP if ready & poll.POLLHUP else 0
            found.append(w.EVENT.pack(one.userdata, 0, one.kind, size, flags))
    return found


def readable_size(file: File) -> int:
    """How much can be read at once; 1 where nobody counts, as other runtimes say."""
    if file.inode is not None and file.inode.mode & S_IFMT == S_IFREG:
        return max(file.inode.size - file.offset, 0)
    if isinstance(file, PipeEnd):
        return file.pipe.used
    if isinstance(file, Socket) and not file.listening:
        return file.unread()
    return 1 if file.poll() & poll.READABLE else 0


def _put_events(task: Task, events: int, occurred: list[bytes], told: int) -> int:
    task.mem.write(events, b"".join(occurred))
    task.mem.put_u32(told, len(occurred))
    return 0
