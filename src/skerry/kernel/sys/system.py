# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The system itself: its name, its state, random numbers, prctl and capabilities.

Standard: uname(2), sysinfo(2), getrandom(2), prctl(2), capabilities(7), membarrier(2),
          personality(2).
"""
from __future__ import annotations

from struct import Struct

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.signal import NSIG
from skerry.kernel.sys.table import syscall
from skerry.kernel.task import Task

UNAME = (b"Linux", b"skerry", b"6.1.0-skerry", b"#1 Skerry", b"wasm32", b"(none)")
UTSNAME_FIELD = 65
SYSINFO = Struct("<I3I6IHHIII8x")
RANDOM_MAX = 0x1FFFFFF  # drivers/char/random.c answers no more at once
GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE = 1, 2, 4
CAPABILITY_LAST = 40
CAPABILITY_VERSIONS = {0x19980330: 1, 0x20071026: 2, 0x20080522: 2}  # version -> 32-bit words
CAPABILITY_V3 = 0x20080522


@syscall()
def uname(task: Task, address: int) -> int:
    """Implements uname(2)."""
    task.mem.write(address, b"".join(field.ljust(UTSNAME_FIELD, b"\0") for field in UNAME))
    return 0


@syscall(missing="memory figures are the box's limit, not its use")
def sysinfo(task: Task, address: int) -> int:
    """Implements sysinfo(2)."""
    kernel = task.kernel
    uptime = (kernel.clock.monotonic_ns() - kernel.boot_ns) // 10**9
    pages = kernel.memory_size // 4096
    memory = (pages, pages, 0, 0, 0, 0)
    task.mem.pack(SYSINFO, address, uptime, 0, 0, 0, *memory, len(kernel.tasks), 0, 0, 0, 4096)
    return 0


@syscall()
def getrandom(task: Task, address: int, size: int, flags: int) -> int:
    """Implements getrandom(2)."""
    if flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE):
        raise SysError(Errno.EINVAL)
    if flags & GRND_RANDOM and flags & GRND_INSECURE:
        raise SysError(Errno.EINVAL)
    size = min(size & 0xFFFFFFFF, RANDOM_MAX)
    task.mem.check(address, size)
    task.mem.write(address, task.kernel.entropy(size))
    return size


@syscall(missing="PER_LINUX only")
def personality(task: Task, persona: int) -> int:
    """Implements personality(2)."""
    if persona not in (0, -1):
        raise SysError(Errno.EINVAL)
    return 0


@syscall(missing="offers no command; MEMBARRIER_CMD_QUERY says so")
def membarrier(task: Task, command: int, flags: int, cpu: int) -> int:
    """Implements membarrier(2)."""
    if command != 0 or flags:
        raise SysError(Errno.EINVAL)
    return 0


# --- prctl

PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE = 1, 2, 3, 4
PR_GET_KEEPCAPS, PR_SET_KEEPCAPS, PR_SET_NAME, PR_GET_NAME = 7, 8, 15, 16
PR_GET_SECCOMP, PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_GET_SECUREBITS = 21, 23, 24, 27
PR_SET_TIMERSLACK, PR_GET_TIMERSLACK = 29, 30
PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER = 36, 37
PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_GET_THP_DISABLE = 38, 39, 42
_ALWAYS_ZERO = (PR_GET_KEEPCAPS, PR_GET_SECCOMP, PR_GET_SECUREBITS, PR_GET_THP_DISABLE)
DEFAULT_SLACK_NS = 50_000


@syscall(missing="names, death signal, dumpable, subreaper, no_new_privs, timer slack; the rest is EINVAL")
def prctl(task: Task, option: int, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    """Implements prctl(2)."""
    if option in _ALWAYS_ZERO:
        return 0
    if option in (PR_SET_NAME, PR_GET_NAME):
        return _name(task, option, arg2)
    if option in (PR_CAPBSET_READ, PR_CAPBSET_DROP):
        return _bounding_set(task, option, arg2)
    found = _get(task, option, arg2)
    return found if found is not None else _set(task, option, arg2)


def _name(task: Task, option: int, address: int) -> int:
    if option == PR_GET_NAME:
        task.mem.write(address, task.name.ljust(16, b"\0"))
        return 0
    size = min(16, max(task.mem.size - (address & 0xFFFFFFFF), 1))
    task.name = task.mem.read(address, size).partition(b"\0")[0][:15]
    return 0


def _bounding_set(task: Task, option: int, capability: int) -> int:
    if not 0 <= capability <= CAPABILITY_LAST:
        raise SysError(Errno.EINVAL)
    if option == PR_CAPBSET_READ:
        return int(task.process.cred.euid == 0)
    raise SysError(Errno.EPERM)


def _get(task: Task, option: int, address: int) -> int | None:
    process = task.process
    if option == PR_GET_PDEATHSIG:
        task.mem.put_u32(address, process.death_signal)
        return 0
    if option == PR_GET_CHILD_SUBREAPER:
        task.mem.put_u32(address, int(process.child_subreaper))
        return 0
    values = {
        PR_GET_DUMPABLE: process.dumpable,
        PR_GET_TIMERSLACK: process.timer_slack_ns,
        PR_GET_NO_NEW_PRIVS: int(process.no_new_privs),
    }
    return values.get(option)


def _set(task: Task, option: int, value: int) -> int:
    process = task.process
    if option == PR_SET_PDEATHSIG and 0 <= value <= NSIG:
        process.death_signal = value
    elif option == PR_SET_DUMPABLE and value in (0, 1):
        process.dumpable = value
    elif option == PR_SET_CHILD_SUBREAPER:
        process.child_subreaper = value != 0
    elif option == PR_SET_NO_NEW_PRIVS and value == 1:
        process.no_new_privs = True
    elif option == PR_SET_TIMERSLACK:
        process.timer_slack_ns = value & 0x7FFFFFFF or DEFAULT_SLACK_NS
    elif option != PR_SET_KEEPCAPS or value not in (0, 1):
        raise SysError(Errno.EINVAL)
    return 0


# --- capabilities


@syscall(missing="root has all, others none")
def capget(task: Task, header: int, data: int) -> int:
    """Implements capget(2)."""
    words, pid = _capability_header(task, header, data)
    process = task.kernel.processes.get(pid) if pid else task.process
    if process is None:
        raise SysError(Errno.ESRCH)
    if data:
        everything = (1 << CAPABILITY_LAST + 1) - 1 if process.cred.euid == 0 else 0
        for word in range(words):
            part = everything >> 32 * word & 0xFFFFFFFF
            task.mem.write(data + 12 * word, Struct("<III").pack(part, part, 0))
    return 0


@syscall(missing="no capability can be gained or dropped")
def capset(task: Task, header: int, data: int) -> int:
    """Implements capset(2)."""
    words, pid = _capability_header(task, header, data)
    if pid not in (0, task.process.pid, task.tid):
        raise SysError(Errno.EPERM)
    wanted = any(task.mem.read(data, 12 * words))
    if wanted and task.process.cred.euid != 0:
        raise SysError(Errno.EPERM)
    return 0


def _capability_header(task: Task, header: int, data: int) -> tuple[int, int]:
    """(words per set, pid); an unknown version is answered with the one we know."""
    words = CAPABILITY_VERSIONS.get(task.mem.u32(header))
    if words is None:
        task.mem.put_u32(header, CAPABILITY_V3)
        raise SysError(Errno.EINVAL)
    return words, task.mem.i32(header + 4)
