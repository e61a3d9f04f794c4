# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""G1: whatever a program passes to a system call, only its own memory is touched, nothing crashes or hangs.

Every entry of the table gets hostile words: descriptors of every kind, wild pointers, pointers to
structures that point astray, huge counts, texts without an end. SKERRY_FUZZ=N makes N times as many calls.
"""
from __future__ import annotations

import mmap
import os
import random
import resource
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.kernel.fakehost import FakeHost
from tests.unit.kernel.harness import MEMORY_SIZE, PARKED, Harness, signed

from skerry.abi import wasi
from skerry.abi.syscalls import SYSCALLS
from skerry.kernel.events import HostSignal, Syscall
from skerry.kernel.fs.devfs import Devfs
from skerry.kernel.fs.hostfs import HostFs
from skerry.kernel.fs.procfs import Procfs
from skerry.kernel.fs.tmpfs import Tmpfs
from skerry.kernel.mount import Namespace
from skerry.kernel.sys import CALLS
from skerry.kernel.task import Task
from skerry.kernel.usermem import UserMemory

ROUNDS = 12 * int(os.environ.get("SKERRY_FUZZ", "1"))
CALLS_PER_ROUND = 1500
SLOW_S = 0.5
GROWTH_MAX = 256 << 20
GUARD = 4096
GUARD_BYTES = b"\xa5" * GUARD
GROWTH = 65536  # how far a guest's memory grows while it runs; the kernel learns it late
SKERRY_ARITY = {"start_size": 0, "start": 2, "thread": 1, "sigfetch": 1}
TEXTS = 64 * 1024  # where texts begin in the memory of a guest
STRUCTURES = 128 * 1024

WILD = (
    0, 1, 2, 3, 4, 7, 8, 16, 64, 127, 128, 4095, 4096, -1, -2, -3, -4, -8, -100, -4095, -4096,
    MEMORY_SIZE, MEMORY_SIZE - 1, MEMORY_SIZE - 2, MEMORY_SIZE - 4, MEMORY_SIZE - 7, MEMORY_SIZE - 8, MEMORY_SIZE + 1,
    0x7FFFFFFF, 0x7FFFFFFE, 0x7FFFF000, -0x80000000, -0x7FFFFFFF, 0x10000, 0xFFFF, 0x40000000, 1 << 24, 1 << 20,
)  # fmt: skip
PATHS = (
    b"/", b"/tmp", b"/tmp/a", b"/tmp/loop/x", b"/tmp/loop", b"/tmp/dir/../dir", b"/dev/null", b"/dev/zero",
    b"/dev/full", b"/dev/tty", b"/dev/ptmx", b"/dev/pts/0", b"/dev/urandom", b"/dev/fd/3", b"/dev/shm/x", b"/proc",
    b"/proc/self/fd", b"/proc/self/fd/4", b"/proc/self/root/proc/self/root", b"/proc/self/status", b"/proc/self/maps",
    b"/proc/self/mem", b"/proc/1/environ", b"/proc/self/cmdline", b"/proc/sys/kernel", b"/proc/net", b"", b".",
    b"..", b"../" * 300, b"/" * 5000, b"a/" * 2100, b"n" * 256, b"n" * 255, b"\xff\xfe", b"/tmp/fifo", b"/work",
    b"/work/x", b"/work/../work/x", b"/work/up/etc/passwd", b"user.name", b"/tmp/script", b"/tmp/itself", b"CON",
)  # fmt: skip


class Guest:
    """A process with descriptors of every kind and a memory full of traps, between two guards."""

    def __init__(self, h: Harness, host: FakeHost, pick: random.Random) -> None:
        self.h, self.pick = h, pick
        self.task = h.process(threads=pick.random() < 0.5)
        words = h.strings(self.task, [b"program", b"argument"])
        h.call(self.task, "execve", b"/tmp/program", words, words)
        assert self.task.process.image is not None
        self.size = MEMORY_SIZE
        self.room = bytearray(GUARD_BYTES + bytes(MEMORY_SIZE + GROWTH) + GUARD_BYTES)
        self.task.mem = UserMemory(lambda: memoryview(self.room)[GUARD : GUARD + self.size])
        self._open_everything()
        host.serve(h)
        h.resumed(self.task)
        self.fill()

    def _open_everything(self) -> None:
        h, task = self.h, self.task
        for path, flags in (
            (b"/tmp/a", 0o102), (b"/tmp", 0o200000), (b"/dev/zero", 2), (b"/dev/ptmx", 2), (b"/proc/self/status", 0),
            (b"/tmp/a", 0o10000000), (b"/dev/full", 1), (b"/work/x", 2), (b"/tmp/big", 0o102), (b"/proc", 0),
        ):  # fmt: skip
            h.call(task, "openat", -100, path, flags, 0o666)
        for domain, kind in ((1, 1), (1, 2), (1, 5)):
            h.call(task, "socketpair", domain, kind, 0, h.room(task, 8))
        for domain, kind in ((1, 1), (2, 1), (2, 2), (10, 1), (10, 2)):
            h.call(task, "socket", domain, kind, 0)
        h.call(task, "pipe2", h.room(task, 8), 0o4000)
        h.call(task, "pipe2", h.room(task, 8), 0)
        h.call(task, "epoll_create1", 0)
        h.call(task, "eventfd2", 3, 0)
        h.call(task, "timerfd_create", 1, 0)
        h.call(task, "signalfd4", -1, h.longs(task, 0xFFFF), 8, 0)
        h.call(task, "inotify_init1", 0o4000)
        h.call(task, "memfd_create", b"m", 0)

    def fill(self) -> None:
        """Lay out texts, then structures of words that are addresses, sizes, descriptors, or nonsense."""
        pick, write = self.pick, self.task.mem.write
        at = TEXTS
        self.texts = []
        for path in pick.sample(PATHS, 12):
            self.texts.append(at)
            write(at, path + b"\0")
            at += len(path) + 1
        write(MEMORY_SIZE - 16, b"x" * 16)  # a text that runs out of memory
        self.texts.append(MEMORY_SIZE - 16)
        words = [self.word() for _ in range(2048)]
        write(STRUCTURES, struct.pack("<2048I", *[word & 0xFFFFFFFF for word in words]))
        for place in range(STRUCTURES + 8192, STRUCTURES + 16384, 128):  # addresses of the families
            family = pick.choice((0, 1, 1, 2, 2, 10, 16, 255, 65535))
            write(place, struct.pack("<H", family) + pick.choice((
                b"\0abstract", b"/tmp/sock\0", b"\x1f\x90\x7f\0\0\1", b"\0\0" + bytes(20), pick.randbytes(120),
            )))  # fmt: skip

    def word(self) -> int:
        """One hostile argument."""
        pick = self.pick
        kind = pick.randrange(10)
        if kind < 3:
            return pick.choice(WILD)
        if kind < 5:
            return pick.choice(list(self.task.process.fds.files) or [0])
        if kind == 5:
            return pick.choice(self.texts)
        if kind == 6:
            return STRUCTURES + pick.randrange(0, 16384, 4)
        if kind == 7:
            return 1 << pick.randrange(32)
        if kind == 8:
            return pick.randrange(0, 200)
        return pick.getrandbits(32)

    def guards_hold(self) -> bool:
        """Whether nothing was written around the memory."""
        return self.room[:GUARD] == GUARD_BYTES and self.room[-GUARD:] == GUARD_BYTES


def world(folder: Path) -> tuple[Harness, FakeHost]:
    """A kernel with every kind of file system, and loops of links in it."""
    (folder / "work").mkdir()
    (folder / "work" / "x").write_text("text")
    (folder / "work" / "up").symlink_to("../..")
    mounts = [
        (b"/tmp", Tmpfs(8 << 20)), (b"/dev", Devfs()), (b"/proc", Procfs()), (b"/work", HostFs(1)),
    ]  # fmt: skip
    h = Harness(Namespace(Tmpfs(8 << 20, mode=0o1777), mounts))
    host = FakeHost({1: folder / "work"})
    task = h.process()
    h.call(task, "symlinkat", b"loop", -100, b"/tmp/loop")
    h.call(task, "mkdirat", -100, b"/tmp/dir", 0o777)
    h.call(task, "mknodat", -100, b"/tmp/fifo", 0o10666, 0)
    h.kernel.entropy = os.urandom  # the harness' own counter is slow
    contents = (
        (b"/tmp/program", b"\0asm\1\0\0\0"), (b"/tmp/script", b"#!/tmp/itself\n"), (b"/tmp/itself", b"#!/tmp/itself\n"),
    )  # fmt: skip
    for name, content in contents:
        fd = h.done(task, "openat", -100, name, 0o101, 0o777)
        h.call(task, "write", fd, content, len(content))
        h.call(task, "close", fd)
    return h, host


def arity(module: str, name: str) -> int:
    """How many words a call takes."""
    if module == "skerry":
        return SKERRY_ARITY[name]
    if name in SYSCALLS:
        return SYSCALLS[name][1]
    code = CALLS[module, name].function.__code__
    return code.co_argcount - 1


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_every_call_survives_hostile_arguments(seed: int, tmp_path: Path) -> None:
    pick = random.Random(seed)
    h, host = world(tmp_path)
    names = sorted(key for key in CALLS if key[1] not in ("exit_group", "exit"))
    guest = Guest(h, host, pick)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(CALLS_PER_ROUND):
        module, name = names[number % len(names)] if number < len(names) else pick.choice(names)
        args = [guest.word() for _ in range(arity(module, name))]
        if pick.random() < 0.1:
            guest.fill()
        if pick.random() < 0.01:
            guest.size = MEMORY_SIZE + GROWTH
        begin = time.thread_time()
        result = h.call(guest.task, name, *args)
        host.serve(h)
        took = time.thread_time() - begin
        what = f"{name}{tuple(args)} = {result}"
        assert took < SLOW_S, f"{what} took {took:.2f} s"
        assert guest.guards_hold(), f"{what} wrote outside the memory"
        if result is PARKED:
            result = h.resumed(guest.task)
        if result is PARKED or guest.task.tid not in h.kernel.tasks or guest.task.process.stopped:
            h.step(HostSignal(guest.task.process.pid, 9))
            guest = Guest(h, host, pick)
        else:
            assert isinstance(result, int) and -4096 < result < 1 << 31, what
        if pick.random() < 0.05:
            h.advance(pick.choice((1, 10**6, 10**9, 10**11)))
        h.commands.clear()
        for pid in [pid for pid in h.kernel.processes if pid not in (1, guest.task.process.pid)]:
            h.step(HostSignal(pid, 9))  # what it has started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) << 10
    assert grown < GROWTH_MAX, f"the calls took {grown >> 20} MiB"


@pytest.mark.parametrize("seed", range(3))
def test_every_wasi_function_survives_hostile_arguments(seed: int, tmp_path: Path) -> None:
    pick = random.Random(seed)
    h, host = world(tmp_path)
    names = sorted(set(wasi.FUNCTIONS) - {"proc_exit"})
    guest = Guest(h, host, pick)
    for _ in range(CALLS_PER_ROUND):
        name = pick.choice(names)
        kinds = wasi.FUNCTIONS[name]
        args = [signed(guest.word()) << (32 if kind != "i" and pick.random() < 0.3 else 0) for kind in kinds]
        begin = time.thread_time()
        h.step(Syscall(guest.task.thread, wasi.MODULE, name, tuple(args)))
        h._perform(h.kernel.take())
        host.serve(h)
        took = time.thread_time() - begin
        assert took < SLOW_S, f"{name}{tuple(args)} took {took:.2f} s"
        assert guest.guards_hold(), name
        result = h.resumed(guest.task)
        if result is PARKED or guest.task.tid not in h.kernel.tasks or guest.task.process.stopped:
            h.step(HostSignal(guest.task.process.pid, 9))
            guest = Guest(h, host, pick)
        else:
            assert isinstance(result, int) and -4096 < result < 1 << 31
        h.commands.clear()


Ask = Callable[[Harness, Task, int], tuple[str, tuple[int | bytes, ...]]]
BIG = 256 << 20  # the memory of a guest that can really give the kernel this much room


def opened(h: Harness, task: Task, path: bytes, flags: int) -> int:
    return h.done(task, "openat", -100, path, flags, 0o666)


GREEDY: dict[str, Ask] = {
    "read /dev/zero": lambda h, t, n: ("read", (opened(h, t, b"/dev/zero", 0), 8192, n)),
    "read /dev/urandom": lambda h, t, n: ("read", (opened(h, t, b"/dev/urandom", 0), 8192, n)),
    "getrandom": lambda h, t, n: ("getrandom", (8192, n, 0)),
    "write /dev/null": lambda h, t, n: ("write", (opened(h, t, b"/dev/null", 1), 8192, n)),
    "write a file": lambda h, t, n: ("write", (opened(h, t, b"/tmp/w", 0o101), 8192, n)),
    "write a terminal": lambda h, t, n: ("write", (opened(h, t, b"/dev/ptmx", 2), 8192, n)),
    "grow a file": lambda h, t, n: ("ftruncate64", (opened(h, t, b"/tmp/g", 0o102), 0, 1 << 30)),
    "grow by hole": lambda h, t, n: ("pwrite64", (opened(h, t, b"/tmp/p", 0o102), 8192, 1, -1, 0x3FFFFFFF)),
    "fallocate": lambda h, t, n: ("fallocate", (opened(h, t, b"/tmp/f", 0o102), 0, 0, 0, 0, 1 << 20)),
    "poll": lambda h, t, n: ("ppoll_time64", (8192, n // 8, h.timespec(t, 0), 0, 8)),
    "select": lambda h, t, n: ("pselect6_time64", (n, 8192, 8192, 8192, h.timespec(t, 0), 0)),
    "epoll": lambda h, t, n: ("epoll_pwait", (h.done(t, "epoll_create1", 0), 8192, n // 16, 0, 0, 8)),
    "affinity": lambda h, t, n: ("sched_getaffinity", (0, n, 8192)),
    "set affinity": lambda h, t, n: ("sched_setaffinity", (0, n, 8192)),
    "groups": lambda h, t, n: ("setgroups", (n // 4, 8192)),
    "dup far": lambda h, t, n: ("fcntl64", (opened(h, t, b"/dev/null", 0), 0, n)),
    "pipe size": lambda h, t, n: ("fcntl64", (pipe(h, t)[1], 1031, 0x7FFFFFFF)),
    "splice": lambda h, t, n: ("splice", (opened(h, t, b"/dev/zero", 0), 0, pipe(h, t)[1], 0, n, 0)),
    "sendfile": lambda h, t, n: (
        "sendfile64", (opened(h, t, b"/tmp/s", 0o101), opened(h, t, b"/dev/zero", 0), 0, n)),
    "copy_file_range": lambda h, t, n: (
        "copy_file_range", (opened(h, t, b"/tmp/hole", 0o102), 0, opened(h, t, b"/tmp/c", 0o101), 0, n, 0)),
    "buffers": lambda h, t, n: ("setsockopt", (h.done(t, "socket", 1, 1, 0), 1, 7, h.words(t, 0x7FFFFFFF), 4)),
    "a backlog": lambda h, t, n: ("listen", (h.done(t, "socket", 2, 1, 0), 0x7FFFFFFF)),
    "option text": lambda h, t, n: ("setsockopt", (h.done(t, "socket", 2, 1, 0), 6, 13, 8192, n)),
    "a name": lambda h, t, n: ("sethostname", (8192, n)),
    "an attribute": lambda h, t, n: ("setxattr", (b"/tmp", b"user.a", 8192, n, 0)),
    "a poll of copies": lambda h, t, n: ("futex_time64", (8192, 4, n, n, 12288, 0)),
}  # fmt: skip


def pipe(h: Harness, task: Task) -> tuple[int, int]:
    address = h.room(task, 8)
    h.done(task, "pipe2", address, 0o4000)
    return h.i32(task, address), h.i32(task, address + 4)


@pytest.mark.parametrize("what", GREEDY)
@pytest.mark.parametrize("size", [BIG - 65536, 0x7FFFFFFF, -1])
def test_a_greedy_call_is_cut_short(what: str, size: int, tmp_path: Path) -> None:
    """With real room behind the pointer: the kernel, which serves one call at a time, must not be held up."""
    h, host = world(tmp_path)
    task = h.process()
    h.call(task, "prlimit64", 0, 7, h.longs(task, 1 << 20, 1 << 20), 0)
    with mmap.mmap(-1, BIG) as room:
        view = memoryview(room)
        task.mem = UserMemory(lambda: view)
        if what == "copy_file_range":
            h.call(task, "ftruncate64", opened(h, task, b"/tmp/hole", 0o102), 0, 1)
        name, args = GREEDY[what](h, task, size)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begin = time.thread_time()
        result = h.call(task, name, *args)
        host.serve(h)
        took = time.thread_time() - begin
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) >> 10
        assert took < SLOW_S, f"{name} = {result} took {took:.2f} s"
        assert grown < 600, f"{name} = {result} took {grown} MiB"  # the guest's own room, once filled, counts too
        assert result is PARKED or isinstance(result, int)
        h.step(HostSignal(task.process.pid, 9))
        task.mem.detach()
        view.release()


def test_a_register_of_wild_pointers_is_refused(tmp_path: Path) -> None:
    """The test above would prove nothing if hostile pointers never reached a check."""
    h, _ = world(tmp_path)
    task = h.process()
    fd = opened(h, task, b"/dev/zero", 2)
    for pointer in (MEMORY_SIZE, MEMORY_SIZE - 1, -1, -4096, 0x7FFFFFFF):
        assert h.call(task, "read", fd, pointer, 2) == -14
        assert h.call(task, "getcwd", pointer, 100) == -14
        assert h.call(task, "openat", -100, pointer, 0, 0) in (-2, -14)
        assert h.call(task, "writev", fd, pointer, 1) == -14 or pointer == -1


def test_memory_that_has_just_grown_is_read_whole() -> None:
    """The kernel learns of growth at the first access beyond what it knew, whichever kind that is."""
    accesses: list[Callable[[UserMemory, int], object]] = [
        UserMemory.u16, UserMemory.u32, UserMemory.i32, UserMemory.u64, UserMemory.i64,
        lambda mem, at: mem.read(at, 8), lambda mem, at: mem.write(at, bytes(8)), lambda mem, at: mem.string(at, 100),
        lambda mem, at: mem.put_u32(at, 1), lambda mem, at: mem.put_u64(at, 1), lambda mem, at: mem.iovecs(at, 2),
        lambda mem, at: mem.unpack(struct.Struct("<QQ"), at), lambda mem, at: mem.pack(struct.Struct("<I"), at, 1),
        lambda mem, at: mem.strings(at, 100), lambda mem, at: mem.window(at, 8),
    ]  # fmt: skip
    for access in accesses:
        room = bytearray(MEMORY_SIZE)
        mem = UserMemory(lambda: memoryview(room))  # noqa: B023  # used in this round only
        room = bytearray(MEMORY_SIZE + GROWTH)
        access(mem, MEMORY_SIZE + 8)
