# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""poll, select and epoll: decode what to wait for, write back what is ready.

Standard: POSIX.1-2024 poll(), pselect(); ppoll(2), epoll(7).
Units:    timeouts are struct timespec of two 64-bit words, or milliseconds for epoll_pwait.
"""
from __future__ import annotations

from struct import iter_unpack, pack_into

from skerry.abi import poll
from skerry.abi.epoll import (
    EP_MAX_EVENTS,
    EPOLL_CLOEXEC,
    EPOLL_CTL_ADD,
    EPOLL_CTL_DEL,
    EPOLL_CTL_MOD,
    EPOLL_EVENT,
)
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.time import FOREVER_NS
from skerry.kernel.clocks import read_timespec
from skerry.kernel.epoll import Epoll, Ready, pollable
from skerry.kernel.file import File
from skerry.kernel.poll import UNASKED, Entry, attend, later, look
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task
from skerry.kernel.usermem import U32
from skerry.kernel.wait import Step

SIGSET_SIZE = 8


def deadline(task: Task, address: int) -> int | None:
    """When a relative timeout ends; None for no timeout, 0 for a timeout of zero.

    Raises: SysError(EINVAL, EFAULT).
    """
    if not address:
        return None
    timeout = read_timespec(task.mem, address)
    if timeout == FOREVER_NS:
        return None
    return task.kernel.clock.monotonic_ns() + timeout if timeout else 0


def sigmask(task: Task, address: int, size: int) -> int | None:
    """The temporary signal mask; None when there is none."""
    if not address:
        return None
    if size != SIGSET_SIZE:
        raise SysError(Errno.EINVAL)
    return task.mem.u64(address)


def interrupted(task: Task) -> bool:
    """Whether a signal that the temporary mask lets through must be handled first."""
    return task.kernel.signals.handler_waits(task)


# --- poll


@syscall("ppoll_time64")
def ppoll(
    task: Task, fds: int, count: int, timeout: int, mask: int, mask_size: int
) -> int | Step[int]:
    """Implements ppoll(2)."""
    deadline_ns = deadline(task, timeout)
    signals = sigmask(task, mask, mask_size)
    if count & U32 > task.process.fds.limit:
        raise SysError(Errno.EINVAL)
    entries = _pollfds(task, fds, count)
    if signals is not None:
        task.kernel.signals.swap_mask(task, signals)
    found, ready = look(entries)
    if ready or (deadline_ns == 0 and not interrupted(task)):
        task.kernel.signals.restore_mask(task)
        return _write_revents(task, fds, found, ready)
    if deadline_ns == 0:
        raise SysError(Errno.EINTR)
    return _ppoll_later(task, fds, entries, deadline_ns)


def _ppoll_later(
    task: Task, fds: int, entries: list[Entry], deadline_ns: int | None
) -> Step[int]:
    found, ready = yield from later(entries, deadline_ns)
    task.kernel.signals.restore_mask(task)
    return _write_revents(task, fds, found, ready)


def _pollfds(task: Task, fds: int, count: int) -> list[Entry]:
    """Read struct pollfd[]. A negative descriptor is skipped: a file never asked of nothing."""
    files = task.process.fds.files
    entries: list[Entry] = []
    if not count:
        return entries
    for fd, events, _ in iter_unpack("<iHH", task.mem.window(fds, count * 8)):
        file = files.get(fd)
        if file is not None:
            attend(task, file)
            entries.append((file, events | UNASKED))
        else:
            entries.append((None, poll.POLLNVAL if fd >= 0 else 0))
    return entries


def _write_revents(task: Task, fds: int, found: list[int], ready: int) -> int:
    window = task.mem.window(fds, len(found) * 8)
    for index, bits in enumerate(found):
        pack_into("<H", window, index * 8 + 6, bits)
    return ready


# --- select

SELECT_IN = poll.POLLIN | poll.POLLRDNORM | poll.POLLRDBAND | poll.POLLHUP | poll.POLLERR
SELECT_OUT = poll.POLLOUT | poll.POLLWRNORM | poll.POLLWRBAND | poll.POLLERR
SELECT_EX = poll.POLLPRI
SELECT_BITS = (SELECT_IN, SELECT_OUT, SELECT_EX)

SelectSets = tuple[int, int, int]
"""Addresses of readfds, writefds and exceptfds."""


@syscall("pselect6_time64")
def pselect6(
    task: Task, count: int, readfds: int, writefds: int, exceptfds: int, timeout: int, mask: int
) -> int | Step[int]:
    """Implements pselect(2)."""
    deadline_ns = deadline(task, timeout)
    signals = None
    if mask:  # a pointer to {address, size}
        signals = sigmask(task, task.mem.u32(mask), task.mem.u32(mask + 4))
    if count < 0:
        raise SysError(Errno.EINVAL)
    sets = (readfds, writefds, exceptfds)
    count = min(count, _fd_size(task))
    size = -(-count // 32) * 4
    fds, entries = _selected(task, sets, count, size)
    if signals is not None:
        task.kernel.signals.swap_mask(task, signals)
    found, ready = look(entries)
    if ready or (deadline_ns == 0 and not interrupted(task)):
        task.kernel.signals.restore_mask(task)
        return _write_sets(task, sets, size, fds, entries, found)
    if deadline_ns == 0:
        raise SysError(Errno.EINTR)
    return _pselect_later(task, sets, size, fds, entries, deadline_ns)


def _pselect_later(
    task: Task, sets: SelectSets, size: int, fds: list[int], entries: list[Entry], deadline_ns: int | None
) -> Step[int]:
    found, _ = yield from later(entries, deadline_ns)
    task.kernel.signals.restore_mask(task)
    return _write_sets(task, sets, size, fds, entries, found)


def _fd_size(task: Task) -> int:
    """How far a set is looked at: Linux stops at the table's size, which grows in steps."""
    highest = max(task.process.fds.files, default=0)
    return max(256, 1 << highest.bit_length())


def _selected(task: Task, sets: SelectSets, count: int, size: int) -> tuple[list[int], list[Entry]]:
    """The descriptors named in any set, with the bits that stand for those sets.

    Raises: SysError(EBADF) when one is not open, SysError(EFAULT).
    """
    wanted: dict[int, int] = {}
    for address, bits in zip(sets, SELECT_BITS, strict=True):
        if not address:
            continue
        members = int.from_bytes(task.mem.read(address, size), "little") & ((1 << count) - 1)
        while members:
            lowest = members & -members
            fd = lowest.bit_length() - 1
            wanted[fd] = wanted.get(fd, 0) | bits
            members ^= lowest
    fds = sorted(wanted)
    entries: list[Entry] = []
    for fd in fds:
        file: File = task.process.fds.get(fd)
        attend(task, file)
        entries.append((file, wanted[fd]))
    return fds, entries


def _write_sets(
    task: Task, sets: SelectSets, size: int, fds: list[int], entries: list[Entry], found: list[int]
) -> int:
    """Write the ready members of each set; returns how many there are in all three."""
    total = 0
    for address, bits in zip(sets, SELECT_BITS, strict=True):
        if not address:
            continue
        members = 0
        for fd, (_, wanted), ready in zip(fds, entries, found, strict=True):
            # The sets share POLLERR: it counts only for those that `fd` is in.
            if ready & bits and wanted & bits == bits:
                members |= 1 << fd
                total += 1
        task.mem.write(address, members.to_bytes(size, "little"))
    return total


# --- epoll


@syscall()
def epoll_create1(task: Task, flags: int) -> int:
    """Implements epoll_create1(2)."""
    if flags & ~EPOLL_CLOEXEC:
        raise SysError(Errno.EINVAL)
    return task.process.fds.add(Epoll(task), bool(flags))


@syscall()
def epoll_ctl(task: Task, epfd: int, operation: int, fd: int, address: int) -> int:
    """Implements epoll_ctl(2)."""
    events, data = 0, 0
    if operation != EPOLL_CTL_DEL:
        events, data = task.mem.unpack(EPOLL_EVENT, address)
    fds = task.process.fds
    epoll, file = fds.get(epfd), fds.get(fd)
    if not pollable(file):
        raise SysError(Errno.EPERM)
    if not isinstance(epoll, Epoll) or file is epoll:
        raise SysError(Errno.EINVAL)
    if operation == EPOLL_CTL_ADD:
        epoll.add(task, fd, file, events, data)
    elif operation == EPOLL_CTL_MOD:
        epoll.modify(task, fd, file, events, data)
    elif operation == EPOLL_CTL_DEL:
        epoll.delete(fd, file)
    else:
        raise SysError(Errno.EINVAL)
    return 0


@syscall()
def epoll_pwait(
    task: Task, epfd: int, address: int, count: int, timeout_ms: int, mask: int, mask_size: int
) -> int | Step[int]:
    """Implements epoll_pwait(2)."""
    deadline_ns = None
    if timeout_ms >= 0:
        deadline_ns = task.kernel.clock.monotonic_ns() + timeout_ms * 1_000_000 if timeout_ms else 0
    return _epoll_wait(task, epfd, address, count, deadline_ns, sigmask(task, mask, mask_size))


@syscall()
def epoll_pwait2(
    task: Task, epfd: int, address: int, count: int, timeout: int, mask: int, mask_size: int
) -> int | Step[int]:
    """Implements epoll_pwait2(2)."""
    deadline_ns = deadline(task, timeout)
    return _epoll_wait(task, epfd, address, count, deadline_ns, sigmask(task, mask, mask_size))


def _epoll_wait(
    task: Task, epfd: int, address: int, count: int, deadline_ns: int | None, signals: int | None
) -> int | Step[int]:
    epoll = task.process.fds.get(epfd)
    if not 0 < count <= EP_MAX_EVENTS:
        raise SysError(Errno.EINVAL)
    task.mem.check(address, EPOLL_EVENT.size)
    if not isinstance(epoll, Epoll):
        raise SysError(Errno.EINVAL)
    if signals is not None:
        task.kernel.signals.swap_mask(task, signals)
    found = epoll.collect(count)
    if found or (deadline_ns == 0 and not interrupted(task)):
        task.kernel.signals.restore_mask(task)
        return _write_events(task, address, found)
    if deadline_ns == 0:
        raise SysError(Errno.EINTR)
    return _epoll_later(task, epoll, address, count, deadline_ns)


def _epoll_later(
    task: Task, epoll: Epoll, address: int, count: int, deadline_ns: int | None
) -> Step[int]:
    found = yield from epoll.later(count, deadline_ns)
    task.kernel.signals.restore_mask(task)
    return _write_events(task, address, found)


def _write_events(task: Task, address: int, found: list[Ready]) -> int:
    for index, (bits, data) in enumerate(found):
        task.mem.pack(EPOLL_EVENT, address + index * EPOLL_EVENT.size, bits, data)
    return len(found)
