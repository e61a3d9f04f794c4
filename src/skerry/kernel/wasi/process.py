# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The process itself: arguments, environment, clocks, random numbers, its end.

Standard: wasi_snapshot_preview1, "args_*", "environ_*", "clock_*", "proc_*", "random_get".
"""
from __future__ import annotations

from collections.abc import Sequence
from struct import pack

from skerry.abi import wasi as w
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import AT_FDCWD
from skerry.abi.signal import SI_TKILL
from skerry.kernel import clocks
from skerry.kernel.namei import find, path_of
from skerry.kernel.signal import Pending
from skerry.kernel.task import Task
from skerry.kernel.usermem import U32
from skerry.kernel.vfs import settled
from skerry.kernel.wasi.table import wasi

RANDOM_BLOCK = 65_536
CLOCKS = 4  # WASI's clock ids are the first four of Linux


# --- arguments and environment


@wasi
def args_sizes_get(task: Task, count: int, size: int) -> int:
    """How many arguments there are, and their bytes."""
    return _put_sizes(task, task.process.argv, count, size)


@wasi
def args_get(task: Task, pointers: int, buf: int) -> int:
    """The arguments."""
    return _put_strings(task, task.process.argv, pointers, buf)


@wasi
@settled
def environ_sizes_get(task: Task, count: int, size: int) -> int:
    """How many environment variables there are, and their bytes."""
    return _put_sizes(task, environment(task), count, size)


@wasi
@settled
def environ_get(task: Task, pointers: int, buf: int) -> int:
    """The environment."""
    return _put_strings(task, environment(task), pointers, buf)


def environment(task: Task) -> Sequence[bytes]:
    """The environment, with a PWD that is right: WASI has no working directory, Go asks PWD for it.

    It is left out where it was not given and is the root, which is what Go takes then. May raise Cold.
    """
    env, fs = task.process.env, task.process.fs
    given = next((text for text in env if text.startswith(b"PWD=")), None)
    if given is None and fs.cwd is fs.root:
        return env
    try:
        right = b"PWD=" + path_of(fs.cwd, fs.root)
    except SysError:  # it was removed and has no name
        return env
    if given == right or (given is not None and _leads(task, given[4:])):
        return env
    return (*[text for text in env if not text.startswith(b"PWD=")], right)


def _leads(task: Task, path: bytes) -> bool:
    """Whether a path leads to the working directory."""
    try:
        return path[:1] == b"/" and find(task, AT_FDCWD, path) is task.process.fs.cwd
    except SysError:
        return False


def _put_sizes(task: Task, texts: Sequence[bytes], count: int, size: int) -> int:
    task.mem.check(size, 4)
    task.mem.put_u32(count, len(texts))
    task.mem.put_u32(size, sum(len(text) + 1 for text in texts))
    return 0


def _put_strings(task: Task, texts: Sequence[bytes], pointers: int, buf: int) -> int:
    places, at = [], buf & U32
    for text in texts:
        places.append(at & U32)
        at += len(text) + 1
    task.mem.check(buf, at - (buf & U32))
    task.mem.write(pointers, pack(f"<{len(places)}I", *places))
    task.mem.write(buf, b"".join([text + b"\0" for text in texts]))
    return 0


# --- clocks


@wasi
def clock_time_get(task: Task, clock: int, precision: int, address: int) -> int:
    """What a clock shows."""
    if not 0 <= clock < CLOCKS:
        raise SysError(Errno.EINVAL)
    task.mem.put_u64(address, clocks.clock_ns(task, clock))
    return 0


@wasi
def clock_res_get(task: Task, clock: int, address: int) -> int:
    """How fine a clock is: all count nanoseconds."""
    if not 0 <= clock < CLOCKS:
        raise SysError(Errno.EINVAL)
    task.mem.put_u64(address, 1)
    return 0


# --- the rest


@wasi
def random_get(task: Task, buf: int, size: int) -> int:
    """Fill a buffer with random bytes."""
    size &= U32
    buf = task.mem.check(buf, size)
    for done in range(0, size, RANDOM_BLOCK):
        task.mem.write(buf + done, task.kernel.entropy(min(RANDOM_BLOCK, size - done)))
    return 0


@wasi
def sched_yield(task: Task) -> int:
    """Let others run: the engine's lock changes hands between any two calls."""
    return 0


@wasi
def proc_exit(task: Task, status: int) -> None:
    """End the process."""
    task.kernel.exits.exit_group(task, (status & 0xFF) << 8)


@wasi
def proc_raise(task: Task, signal: int) -> int:
    """Send the caller a signal; nobody can catch it, so its default action follows."""
    if not 0 <= signal < len(w.SIGNALS):
        raise SysError(Errno.EINVAL)
    if signal:
        info = Pending(w.SIGNALS[signal], SI_TKILL, task.process.pid, task.process.cred.uid)
        task.kernel.signals.send_task(task, info)
    return 0
