# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A kernel with everything around it faked, so that a test reads as a dialogue.

    h = Harness()
    parent = h.process()
    child = h.fork(parent)
    assert h.call(parent, "wait4", -1, status := h.room(parent, 4), 0, 0) is PARKED
    h.exit(child, 3)
    assert h.resumed(parent) == child.tid

The clock moves only by `advance`; entropy is a counter; the engine gives every process a
bytearray for a memory and does at once what a command asks. Every command is kept in
`h.commands`, and `h.taken(Kind)` takes those of one kind out.
"""
from __future__ import annotations

from struct import pack, unpack
from typing import TYPE_CHECKING, Final, TypeVar

from skerry.abi.signal import SIGACTION, SIGFETCH, SIGINFO_SIZE
from skerry.kernel.clone import allocate_pid
from skerry.kernel.commands import (
    Command,
    Exec,
    Load,
    Poke,
    Resume,
    SetTimer,
    Spawn,
    SpawnKind,
    Stop,
)
from skerry.kernel.events import Answer, Event, Loaded, Timer
from skerry.kernel.fdtable import FdTable
from skerry.kernel.fs.tmpfs import Tmpfs
from skerry.kernel.kernel import Kernel
from skerry.kernel.mount import Namespace
from skerry.kernel.process import FsContext, Process
from skerry.kernel.session import Group, Session
from skerry.kernel.sys import SKERRY
from skerry.kernel.task import Task
from skerry.kernel.usermem import UserMemory

if TYPE_CHECKING:
    from collections.abc import Sequence

MEMORY_SIZE = 256 * 1024
FIRST_ADDRESS = 4096  # low addresses stay unused, so that a stray NULL shows
FLAG_ADDRESS = 64  # where `process` puts the word libc would test
SECOND = 1_000_000_000
MILLISECOND = 1_000_000

Kind = TypeVar("Kind", bound=Command)


class _Parked:
    """What `call` answers when the caller must wait for a command."""

    def __repr__(self) -> str:
        return "PARKED"


PARKED: Final = _Parked()
Value = int | _Parked


class FakeClock:
    """A clock that moves by hand."""

    def __init__(self) -> None:
        self.now_ns = 1000 * SECOND
        self.epoch_ns = 1_700_000_000 * SECOND
        self.used_ns: dict[int, int] = {}

    def realtime_ns(self) -> int:
        return self.epoch_ns + self.now_ns

    def monotonic_ns(self) -> int:
        return self.now_ns

    def task_ns(self, tid: int) -> int:
        return self.used_ns.get(tid, 0)


class Entropy:
    """Bytes 0, 1, 2, ... for ever."""

    def __init__(self) -> None:
        self.next = 0

    def __call__(self, size: int) -> bytes:
        data = bytes((self.next + i) & 0xFF for i in range(size))
        self.next = (self.next + size) & 0xFF
        return data


class Frame:
    """What sigfetch wrote: one signal on its way to its handler."""

    def __init__(self, data: bytes) -> None:
        self.signo, self.flags, self.handler, _, self.old_mask = SIGFETCH.unpack_from(data)
        self.siginfo = data[SIGFETCH.size :]
        _, _, self.code, self.pid, self.uid, self.status = unpack("<iiiiIi", self.siginfo[:24])
        self.value = self.status  # si_value of queued and timer signals shares the place


class Harness:
    """A kernel, a fake engine and fake programs."""

    def __init__(self, namespace: Namespace | None = None) -> None:
        self.clock = FakeClock()
        self.kernel = Kernel(self.clock, Entropy(), namespace or make_namespace())
        self.commands: list[Command] = []
        self.refuse: str | None = None  # make the engine refuse programs, with this text
        self.hold_loads = False  # keep Load commands for the test to answer
        self.armed_ns: int | None = None
        self._results: dict[int, int] = {}
        self._bump: dict[int, int] = {}
        self._images = 0

    # --- processes

    def process(
        self,
        argv: Sequence[bytes] = (b"test",),
        *,
        parent: Process | None = None,
        threads: bool = False,
        session: bool = True,
    ) -> Task:
        """A live process with one task, as if it had been started and executed.

        It leads a session of its own, or with session=False only a group of init's session.
        """
        kernel = self.kernel
        parent = parent or kernel.init
        root = kernel.namespace.root_location()
        process = Process(
            kernel, allocate_pid(kernel), parent, FsContext(root, root), kernel.namespace.user.copy(), FdTable()
        )
        process.argv = tuple(argv)
        process.shared_memory = threads
        process.start_ns = self.clock.now_ns
        parent.children[process.pid] = process
        kernel.processes[process.pid] = process
        assert kernel.init.group is not None
        Group(process.pid, Session(process) if session else kernel.init.group.session).add(process)
        task = Task(kernel, process.pid, process, new_memory(), thread=process.pid)
        task.name = argv[0].rpartition(b"/")[2][:15]
        task.flag = FLAG_ADDRESS
        process.threads[task.tid] = kernel.tasks[task.tid] = task
        return task

    def fork(self, task: Task) -> Task:
        """The child of a fork call."""
        pid = self.done(task, "fork", 0)
        return self.kernel.tasks[pid]

    def vfork(self, task: Task) -> Task:
        """The acting child of a vfork call; call with the parent's task, as its thread would."""
        assert self.done(task, "vfork") == 0
        assert task.acting is not None
        return task.acting

    def thread(self, task: Task) -> Task:
        """One more thread of the process."""
        flags = 0x7D0F00  # what pthread_create passes: VM, FS, FILES, SIGHAND, THREAD, ... SETTLS
        stack = self.room(task, 16)
        tid = self.done(task, "clone", flags, stack, self.room(task, 4), 0, self.room(task, 4))
        new = self.kernel.tasks[tid]
        new.flag = self.room(task, 4)
        return new

    def exit(self, task: Task, status: int = 0) -> None:
        """The process ends by exit_group."""
        self.call(task, "exit_group", status)

    # --- calls

    def call(self, task: Task, name: str, *args: int | bytes) -> Value:
        """Make a system call; a bytes argument is placed in memory with a NUL after it."""
        words = [arg if isinstance(arg, int) else self.put(task, arg + b"\0") for arg in args]
        call = self.kernel.call("skerry" if name in SKERRY else "linux", name)
        assert call is not None, f"no call {name}"
        carrier = task.vfork_parent or task
        self._results.pop(carrier.thread, None)
        value = self.kernel.syscall(carrier, call, *[signed(word) for word in words])
        self._perform(self.kernel.take())
        return PARKED if value is None else value

    def done(self, task: Task, name: str, *args: int | bytes) -> int:
        """Make a call that must not park (or whose resumption has come already)."""
        value = self.call(task, name, *args)
        if isinstance(value, _Parked):
            value = self.resumed(task)
        assert isinstance(value, int), f"{name} parked"
        return value

    def resumed(self, task: Task) -> Value:
        """The value the parked call of `task` returned, once; PARKED while it has not."""
        return self._results.pop(task.thread, PARKED)

    def step(self, event: Event) -> list[Command]:
        """Hand the kernel an event; the commands are carried out, kept and returned."""
        commands = self.kernel.step(event)
        self._perform(commands)
        return commands

    def answer(self, request: int, payload: object) -> None:
        """Answer an Ask."""
        self.step(Answer(request, payload))

    # --- time

    def advance(self, ns: int) -> None:
        """Let time pass; every deadline on the way fires at its own moment."""
        target = self.clock.now_ns + ns
        while self.armed_ns is not None and self.armed_ns <= target:
            self.clock.now_ns = max(self.clock.now_ns, self.armed_ns)
            self.armed_ns = None
            self.step(Timer())
        self.clock.now_ns = target

    # --- memory

    def room(self, task: Task, size: int) -> int:
        """The address of `size` fresh zero bytes in the memory of `task`."""
        key = id(task.mem)
        address = self._bump.get(key, FIRST_ADDRESS)
        if address + size > task.mem.size:  # a long test: use the room again
            address = FIRST_ADDRESS
        self._bump[key] = address + (size + 15) // 16 * 16
        task.mem.write(address, bytes(size))
        return address

    def put(self, task: Task, data: bytes) -> int:
        """Place bytes in memory; returns their address."""
        address = self.room(task, len(data))
        task.mem.write(address, data)
        return address

    def words(self, task: Task, *values: int) -> int:
        """Place 32-bit words in memory: an argument vector, a struct."""
        return self.put(task, b"".join(pack("<I", value & 0xFFFFFFFF) for value in values))

    def longs(self, task: Task, *values: int) -> int:
        """Place 64-bit words in memory: a timespec, a signal set."""
        return self.put(task, b"".join(pack("<Q", value & 0xFFFFFFFFFFFFFFFF) for value in values))

    def strings(self, task: Task, texts: Sequence[bytes]) -> int:
        """Place a NULL-terminated vector of strings: argv, envp."""
        return self.words(task, *[self.put(task, text + b"\0") for text in texts], 0)

    def timespec(self, task: Task, ns: int) -> int:
        """Place a struct timespec."""
        return self.longs(task, ns // SECOND, ns % SECOND)

    def get(self, task: Task, address: int, size: int) -> bytes:
        """Read memory."""
        return task.mem.read(address, size)

    def i32(self, task: Task, address: int) -> int:
        """Read a signed 32-bit word."""
        return task.mem.i32(address)

    # --- signals, as libc does them

    def handle(self, task: Task, signo: int, handler: int = 100, flags: int = 0, mask: int = 0) -> None:
        """Install an action: a table index, 0 for default, 1 to ignore."""
        action = self.put(task, SIGACTION.pack(handler, flags & 0xFFFFFFFF, mask))
        assert self.done(task, "rt_sigaction", signo, action, 0, 8) == 0

    def block(self, task: Task, *signos: int) -> None:
        """Block signals."""
        assert self.done(task, "rt_sigprocmask", 0, self.longs(task, sigset(*signos)), 0, 8) == 0

    def unblock(self, task: Task, *signos: int) -> None:
        """Unblock signals."""
        assert self.done(task, "rt_sigprocmask", 1, self.longs(task, sigset(*signos)), 0, 8) == 0

    def flagged(self, task: Task) -> bool:
        """Whether libc has been told to look for signals; telling is over with this question."""
        told = task.mem.u32(task.flag) != 0
        task.mem.put_u32(task.flag, 0)
        return told

    def sigfetch(self, task: Task) -> Frame | None:
        """The next signal whose handler must run."""
        address = self.room(task, SIGFETCH.size + SIGINFO_SIZE)
        signo = self.done(task, "sigfetch", address)
        return Frame(self.get(task, address, SIGFETCH.size + SIGINFO_SIZE)) if signo > 0 else None

    def sigreturn(self, task: Task, frame: Frame) -> None:
        """The handler has returned: libc puts the old mask back."""
        assert self.done(task, "rt_sigprocmask", 2, self.longs(task, frame.old_mask), 0, 8) == 0

    # --- commands

    def taken(self, kind: type[Kind]) -> list[Kind]:
        """Take the commands of one kind out of those kept."""
        found: list[Kind] = [command for command in self.commands if isinstance(command, kind)]
        self.commands = [command for command in self.commands if not isinstance(command, kind)]
        return found

    def stopped(self, task: Task) -> bool:
        """Whether the engine was told to end the thread of `task`."""
        return any(isinstance(c, Stop) and c.tid == task.thread for c in self.commands)

    def poked(self, task: Task) -> bool:
        """Whether the engine was told to interrupt the image of `task`; asking takes it out."""
        return any(poke.tid == task.thread for poke in self.taken(Poke))

    def _perform(self, commands: list[Command]) -> None:
        """Be the engine."""
        self.commands += commands
        for command in commands:
            match command:
                case Resume():
                    assert command.tid not in self._results, "one call was answered twice"
                    self._results[command.tid] = command.value
                case SetTimer():
                    self.armed_ns = command.deadline_ns
                case Spawn():
                    self._spawn(command)
                case Exec():
                    self._fresh_image(self.carried(command.tid))
                case Load() if not self.hold_loads:
                    self._images += 1
                    module = None if self.refuse else f"module {self._images}"
                    self.step(Loaded(command.request, module, self.refuse or ""))
                case _:
                    pass

    def _spawn(self, command: Spawn) -> None:
        if command.tid not in self.kernel.tasks:
            return  # a signal killed it before its first instruction; a Stop follows
        task = self.carried(command.tid)
        if command.kind is SpawnKind.EXEC:
            self._fresh_image(task)
        elif command.kind is SpawnKind.FORK:
            parent = self.carried(command.parent)
            key = id(parent.mem)
            task.mem = new_memory(bytearray(parent.mem.view))
            self._bump[id(task.mem)] = self._bump.get(key, FIRST_ADDRESS)

    def _fresh_image(self, task: Task) -> None:
        task.mem = new_memory()
        self._bump.pop(id(task.mem), None)
        task.flag = FLAG_ADDRESS

    def carried(self, thread: int) -> Task:
        """The task whose code runs on an engine thread."""
        for task in self.kernel.tasks.values():
            if task.thread == thread and task.vfork_parent is None:
                return task
        raise AssertionError(f"no task on thread {thread}")


def new_memory(data: bytearray | None = None) -> UserMemory:
    """The memory of a fake image."""
    memory = data if data is not None else bytearray(MEMORY_SIZE)
    return UserMemory(lambda: memoryview(memory))


def make_namespace() -> Namespace:
    """A name space with one empty file system that everybody may write."""
    return Namespace(Tmpfs(mode=0o1777))


def sigset(*signos: int) -> int:
    """A signal set."""
    return sum(1 << (signo - 1) for signo in set(signos))


def signed(word: int) -> int:
    """A 32-bit word as the engine hands it in."""
    word &= 0xFFFFFFFF
    return word - 0x100000000 if word & 0x80000000 else word
