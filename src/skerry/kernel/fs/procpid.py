# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What the files of /proc/[pid] say about a process.

Standard: proc_pid_stat(5), proc_pid_status(5), ...; figures Skerry does not keep are zero.
Units:    ticks are hundredths of a second, pages 4096 bytes.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.limits import PAGE_SIZE
from skerry.abi.signal import SIG_DFL, SIG_IGN, bit
from skerry.kernel.namei import path_of
from skerry.kernel.process import INFINITY

if TYPE_CHECKING:
    from skerry.kernel.file import File
    from skerry.kernel.process import Process
    from skerry.kernel.task import Task
    from skerry.kernel.vfs import Filesystem, Inode, Place

TICK_NS = 10_000_000
STATES = {b"R": b"R (running)", b"S": b"S (sleeping)", b"T": b"T (stopped)", b"Z": b"Z (zombie)"}
CAPABILITY_SETS = (b"CapInh", b"CapPrm", b"CapEff", b"CapBnd", b"CapAmb")
LIMIT_NAMES = (
    (b"Max cpu time", b"seconds"), (b"Max file size", b"bytes"), (b"Max data size", b"bytes"),
    (b"Max stack size", b"bytes"), (b"Max core file size", b"bytes"), (b"Max resident set", b"bytes"),
    (b"Max processes", b"processes"), (b"Max open files", b"files"), (b"Max locked memory", b"bytes"),
    (b"Max address space", b"bytes"), (b"Max file locks", b"locks"), (b"Max pending signals", b"signals"),
    (b"Max msgqueue size", b"bytes"), (b"Max nice priority", b""), (b"Max realtime priority", b""),
    (b"Max realtime timeout", b"us"),
)  # fmt: skip


def state_of(process: Process, task: Task | None) -> bytes:
    """The letter ps shows."""
    if not process.alive:
        return b"Z"
    if process.stopped:
        return b"T"
    if task is None:
        return b"S"
    return b"S" if task.parked is not None else b"R"


def name(process: Process, task: Task | None) -> bytes:
    """The name of a thread, or of the process it was."""
    if task is not None and task.name:
        return task.name
    if process.pid == 1:
        return b"init"
    return process.exe.rpartition(b"/")[2][:15]


def _memory(task: Task | None) -> int:
    return task.mem.size if task is not None else 0


def user_ns(process: Process, task: Task | None = None) -> int:
    """Processor time of one thread, or of all."""
    clock = process.kernel.clock
    if task is not None:
        return clock.task_ns(task.thread)
    return process.usage.user_ns + sum(clock.task_ns(each.thread) for each in process.threads.values())


def _stat_line(process: Process, task: Task | None, tid: int, used_ns: int) -> bytes:
    group = process.group
    session = group.session if group is not None else None
    terminal = session.terminal if session is not None else None
    size = _memory(task)
    started = (process.start_ns - process.kernel.boot_ns) // TICK_NS
    fields: list[int] = [
        process.parent.pid if process.parent is not None else 0,
        group.pgid if group is not None else 0,
        session.sid if session is not None else 0,
        terminal.rdev if terminal is not None else 0,
        terminal.foreground if terminal is not None else -1,
        0, process.usage.minor_faults, 0, 0, 0,
        used_ns // TICK_NS, process.usage.system_ns // TICK_NS,
        process.children_usage.user_ns // TICK_NS, process.children_usage.system_ns // TICK_NS,
        20 + process.nice, process.nice, max(len(process.threads), 1), 0, max(started, 0),
        size, size // PAGE_SIZE, 0xFFFFFFFF,
        *[0] * 5, _pending(process, task), task.mask if task is not None else 0, *_actions(process),
        0, 0, 0, 17, 0, 0, 0, 0, 0, 0, *[0] * 7, process.status or 0,
    ]  # fmt: skip
    head = b"%d (%s) %s " % (tid, name(process, task), state_of(process, task))
    return head + b" ".join(b"%d" % field for field in fields) + b"\n"


def _stat(process: Process, asker: Task) -> bytes:
    return _stat_line(process, process.main(), process.pid, user_ns(process))


def _thread_stat(process: Process, task: Task) -> bytes:
    return _stat_line(process, task, task.tid, user_ns(process, task))


def _pending(process: Process, task: Task | None) -> int:
    return _mask([info.signo for info in task.pending] if task is not None else [])


def _mask(signos: list[int]) -> int:
    return sum(bit(signo) for signo in set(signos))


def _actions(process: Process) -> tuple[int, int]:
    """(ignored, caught) signals as masks."""
    actions = process.actions.items()
    ignored = _mask([signo for signo, action in actions if action.handler == SIG_IGN])
    caught = _mask([signo for signo, action in actions if action.handler not in (SIG_DFL, SIG_IGN)])
    return ignored, caught


def _status_of(process: Process, task: Task | None, tid: int) -> bytes:
    cred = process.cred
    kilobytes = _memory(task) // 1024
    ignored, caught = _actions(process)
    uids = b"\t".join(b"%d" % uid for uid in (cred.uid, cred.euid, cred.suid, cred.euid))
    gids = b"\t".join(b"%d" % gid for gid in (cred.gid, cred.egid, cred.sgid, cred.egid))
    rows: list[tuple[bytes, bytes]] = [
        (b"Name", name(process, task)), (b"Umask", b"%04o" % process.fs.umask),
        (b"State", STATES[state_of(process, task)]),
        (b"Tgid", b"%d" % process.pid), (b"Ngid", b"0"), (b"Pid", b"%d" % tid),
        (b"PPid", b"%d" % (process.parent.pid if process.parent is not None else 0)), (b"TracerPid", b"0"),
        (b"Uid", uids), (b"Gid", gids), (b"FDSize", b"%d" % max(64, len(process.fds.files))),
        (b"Groups", b"".join(b"%d " % gid for gid in cred.groups)),
    ]  # fmt: skip
    if process.alive:
        sizes = ((b"VmPeak", kilobytes), (b"VmSize", kilobytes), (b"VmLck", 0), (b"VmHWM", kilobytes),
                 (b"VmRSS", kilobytes), (b"VmData", kilobytes), (b"VmStk", 0), (b"VmExe", 0), (b"VmLib", 0),
                 (b"VmSwap", 0))  # fmt: skip
        rows += [(label, b"%8d kB" % size) for label, size in sizes]
    masks = (
        (b"SigPnd", _pending(process, task)), (b"ShdPnd", _mask([info.signo for info in process.pending])),
        (b"SigBlk", task.mask if task is not None else 0), (b"SigIgn", ignored), (b"SigCgt", caught),
    )  # fmt: skip
    rows += [(b"Threads", b"%d" % len(process.threads)), (b"SigQ", b"0/1000")]
    rows += [(label, b"%016x" % mask) for label, mask in masks]
    capabilities = (1 << 41) - 1 if cred.euid == 0 else 0
    rows += [(label, b"%016x" % capabilities) for label in CAPABILITY_SETS]
    rows += [(b"NoNewPrivs", b"0"), (b"Seccomp", b"0"), (b"Cpus_allowed", b"1"), (b"Cpus_allowed_list", b"0"),
             (b"voluntary_ctxt_switches", b"0"), (b"nonvoluntary_ctxt_switches", b"0")]  # fmt: skip
    return b"".join(b"%s:\t%s\n" % row for row in rows)


def _status(process: Process, asker: Task) -> bytes:
    return _status_of(process, process.main(), process.pid)


def _thread_status(process: Process, task: Task) -> bytes:
    return _status_of(process, task, task.tid)


def _comm(process: Process, asker: Task) -> bytes:
    return name(process, process.main()) + b"\n"


def _thread_comm(process: Process, task: Task) -> bytes:
    return name(process, task) + b"\n"


def _cmdline(process: Process, asker: Task) -> bytes:
    return b"".join(argument + b"\0" for argument in process.argv) if process.alive else b""


def _environ(process: Process, asker: Task) -> bytes:
    return b"".join(text + b"\0" for text in process.env) if process.alive else b""


def _statm(process: Process, asker: Task) -> bytes:
    pages = _memory(process.main()) // PAGE_SIZE
    return b"%d %d 0 0 0 %d 0\n" % (pages, pages, pages)


def _maps(process: Process, asker: Task) -> bytes:
    """One linear memory: the program's data, then what it grew to."""
    size = _memory(process.main())
    return b"00000000-%08x rwxp 00000000 00:00 0                          [heap]\n" % size if size else b""


def _limits(process: Process, asker: Task) -> bytes:
    rows = [b"%-25s %-20s %-20s %-10s\n" % (b"Limit", b"Soft Limit", b"Hard Limit", b"Units")]
    for number, (label, units) in enumerate(LIMIT_NAMES):
        soft, hard = (
            b"unlimited" if value == INFINITY else b"%d" % value for value in process.limits[number]
        )
        rows.append(b"%-25s %-20s %-20s %-10s\n" % (label, soft, hard, units))
    return b"".join(rows)


def _mounts(process: Process, asker: Task) -> bytes:
    return b"".join(
        b"%s %s %s %s,relatime 0 0\n" % (fs.source, path, fs.kind, _mode(fs))
        for path, fs in process.kernel.namespace.mounts
    )


def _mountinfo(process: Process, asker: Task) -> bytes:
    return b"".join(
        b"%d %d 0:%d / %s %s,relatime - %s %s %s\n"
        % (20 + number, 20 if number else 1, fs.device, path, _mode(fs), fs.kind, fs.source, _mode(fs))
        for number, (path, fs) in enumerate(process.kernel.namespace.mounts)
    )


def _mode(fs: Filesystem) -> bytes:
    return b"ro" if fs.read_only else b"rw"


def fdinfo(file: File) -> bytes:
    """/proc/[pid]/fdinfo/N."""
    return b"pos:\t%d\nflags:\t0%o\nmnt_id:\t20\n" % (file.offset, file.flags)


def _oom(process: Process, asker: Task) -> bytes:
    return b"0\n"


def _cgroup(process: Process, asker: Task) -> bytes:
    return b"0::/\n"


Entry = tuple[bytes, int, Callable[["Process", "Task"], bytes]]

FILES: tuple[Entry, ...] = (
    (b"stat", 0o444, _stat), (b"status", 0o444, _status), (b"comm", 0o444, _comm),
    (b"cmdline", 0o444, _cmdline), (b"environ", 0o400, _environ), (b"statm", 0o444, _statm),
    (b"maps", 0o444, _maps), (b"limits", 0o444, _limits), (b"mounts", 0o444, _mounts),
    (b"mountinfo", 0o444, _mountinfo), (b"oom_score", 0o444, _oom), (b"oom_score_adj", 0o444, _oom),
    (b"cgroup", 0o444, _cgroup),
)  # fmt: skip
THREAD_FILES: tuple[Entry, ...] = (
    (b"stat", 0o444, _thread_stat), (b"status", 0o444, _thread_status), (b"comm", 0o444, _thread_comm),
    (b"cmdline", 0o444, _cmdline),
)  # fmt: skip


def _own(process: Process, asker: Task) -> None:
    """Where a process is and what it runs is for its owner and root. Raises: SysError(EACCES)."""
    if asker.process.cred.euid not in (0, process.cred.uid):
        raise SysError(Errno.EACCES)


def _cwd(process: Process, asker: Task) -> bytes:
    _own(process, asker)
    return _directory(process.fs.cwd, asker)


def _root(process: Process, asker: Task) -> bytes:
    _own(process, asker)
    return _directory(process.fs.root, asker)


def _directory(inode: Inode, asker: Task) -> bytes:
    try:
        return path_of(inode, asker.process.fs.root)
    except SysError:
        return b"/" + inode.name + b" (deleted)"


def _exe(process: Process, asker: Task) -> bytes:
    _own(process, asker)
    if not process.exe or not process.alive:
        raise SysError(Errno.ENOENT)
    return process.exe


def _place(inode: Inode) -> Place:
    return inode.parent or inode, inode.name, inode, False


LINKS: tuple[
    tuple[bytes, Callable[[Process, Task], bytes], Callable[[Process], Place | None] | None], ...
] = (
    (b"cwd", _cwd, lambda process: _place(process.fs.cwd)),
    (b"root", _root, lambda process: _place(process.fs.root)),
    (b"exe", _exe, None),
)
