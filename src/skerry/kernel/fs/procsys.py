# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What the files of /proc say about the system.

Standard: proc(5); figures Skerry does not keep are zero.
Units:    kB are 1024 bytes, ticks hundredths of a second.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from skerry.abi.limits import OPEN_HARD, PID_MAX, PIPE_SIZE
from skerry.kernel.sys.system import UNAME

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.task import Task

NSEC = 10**9
TICK_NS = NSEC // 100
NOT_KEPT = (
    b"Buffers", b"Cached", b"SwapCached", b"Active", b"Inactive", b"SwapTotal", b"SwapFree", b"Dirty",
    b"Writeback", b"Mapped", b"Shmem", b"Slab", b"SReclaimable", b"SUnreclaim", b"Committed_AS",
)  # fmt: skip


def used_memory(kernel: Kernel) -> int:
    """Bytes of all guests' memories."""
    seen = {id(task.mem): task.mem.size for task in kernel.tasks.values()}
    return sum(seen.values())


def _meminfo(task: Task) -> bytes:
    total = task.kernel.memory_size
    free = max(total - used_memory(task.kernel), 0)
    rows = [(b"MemTotal", total), (b"MemFree", free), (b"MemAvailable", free)]
    rows += [(name, 0) for name in NOT_KEPT]
    return b"".join(b"%-16s%8d kB\n" % (name + b":", size // 1024) for name, size in rows)


def _cpu_ns(task: Task) -> tuple[int, int]:
    """(busy, since boot)."""
    kernel = task.kernel
    busy = sum(kernel.clock.task_ns(each.thread) for each in kernel.tasks.values())
    processes = kernel.processes.values()
    busy += sum(each.usage.user_ns + each.children_usage.user_ns for each in processes)
    return busy, kernel.clock.monotonic_ns() - kernel.boot_ns


def _stat(task: Task) -> bytes:
    busy, passed = _cpu_ns(task)
    user, idle = busy // TICK_NS, max(passed - busy, 0) // TICK_NS
    kernel = task.kernel
    booted = (kernel.clock.realtime_ns() - passed) // NSEC
    cpu = b"%d 0 0 %d 0 0 0 0 0 0\n" % (user, idle)
    running = sum(each.parked is None for each in kernel.tasks.values())
    return (
        b"cpu  " + cpu + b"cpu0 " + cpu + b"intr 0\nctxt 0\n"
        + b"btime %d\nprocesses %d\n" % (booted, kernel.last_pid)
        + b"procs_running %d\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n" % running
    )  # fmt: skip


def _hundredths(ns: int) -> bytes:
    return b"%d.%02d" % (ns // NSEC, ns % NSEC // TICK_NS)


def _uptime(task: Task) -> bytes:
    busy, passed = _cpu_ns(task)
    return b"%s %s\n" % (_hundredths(passed), _hundredths(max(passed - busy, 0)))


def _loadavg(task: Task) -> bytes:
    tasks = task.kernel.tasks.values()
    running = sum(each.parked is None for each in tasks)
    return b"0.00 0.00 0.00 %d/%d %d\n" % (running, len(tasks), task.kernel.last_pid)


def _cpuinfo(task: Task) -> bytes:
    return (
        b"processor\t: 0\nvendor_id\t: Skerry\nmodel name\t: WebAssembly\n"
        b"cpu MHz\t\t: 1000.000\nbogomips\t: 2000.00\n\n"
    )


def _version(task: Task) -> bytes:
    return b"%s version %s (skerry) %s\n" % (UNAME[0], UNAME[2], UNAME[3])


def _filesystems(task: Task) -> bytes:
    return b"nodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\nnodev\toverlay\nnodev\thost\n"


def _uuid(data: bytes) -> bytes:
    text = data.hex().encode()
    return b"-".join((text[:8], text[8:12], b"4" + text[13:16], b"a" + text[17:20], text[20:32])) + b"\n"


def _boot_id(task: Task) -> bytes:
    return _uuid(b"%016d" % (task.kernel.boot_ns % 10**16))


def _random_uuid(task: Task) -> bytes:
    return _uuid(task.kernel.entropy(16))


def _always(text: bytes) -> Callable[[Task], bytes]:
    return lambda task: text


FILES: tuple[tuple[bytes, Callable[[Task], bytes]], ...] = (
    (b"meminfo", _meminfo),
    (b"stat", _stat),
    (b"uptime", _uptime),
    (b"loadavg", _loadavg),
    (b"cpuinfo", _cpuinfo),
    (b"version", _version),
    (b"filesystems", _filesystems),
    (b"cmdline", _always(b"\n")),
    (b"swaps", _always(b"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n")),
    (b"partitions", _always(b"major minor  #blocks  name\n\n")),
    (b"diskstats", _always(b"")),
    (b"devices", _always(
        b"Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n136 pts\n")),
    (b"vmstat", _always(b"nr_free_pages 0\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault 0\n")),
    (b"tty/drivers", _always(
        b"/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
        b"/dev/console         /dev/console    5       1 system:console\n"
        b"/dev/ptmx            /dev/ptmx       5       2 system\n"
        b"pty_slave            /dev/pts      136 0-1048575 pty:slave\n")),
    (b"sys/kernel/ostype", _always(UNAME[0] + b"\n")),
    (b"sys/kernel/hostname", _always(UNAME[1] + b"\n")),
    (b"sys/kernel/osrelease", _always(UNAME[2] + b"\n")),
    (b"sys/kernel/version", _always(UNAME[3] + b"\n")),
    (b"sys/kernel/domainname", _always(UNAME[5] + b"\n")),
    (b"sys/kernel/pid_max", _always(b"%d\n" % PID_MAX)),
    (b"sys/kernel/threads-max", _always(b"%d\n" % PID_MAX)),
    (b"sys/kernel/cap_last_cap", _always(b"40\n")),
    (b"sys/kernel/ngroups_max", _always(b"65536\n")),
    (b"sys/kernel/overflowuid", _always(b"65534\n")),
    (b"sys/kernel/overflowgid", _always(b"65534\n")),
    (b"sys/kernel/random/boot_id", _boot_id),
    (b"sys/kernel/random/uuid", _random_uuid),
    (b"sys/vm/overcommit_memory", _always(b"0\n")),
    (b"sys/vm/max_map_count", _always(b"65530\n")),
    (b"sys/vm/swappiness", _always(b"60\n")),
    (b"sys/fs/file-max", _always(b"%d\n" % OPEN_HARD)),
    (b"sys/fs/nr_open", _always(b"%d\n" % OPEN_HARD)),
    (b"sys/fs/pipe-max-size", _always(b"%d\n" % (PIPE_SIZE * 16))),
    (b"sys/net/core/somaxconn", _always(b"4096\n")),
)  # fmt: skip
