# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The kernel: events in, commands out.

`step` takes one event and returns the commands it led to. `syscall` is the fast path an
engine uses for the commonest event: the result comes back directly, or None when a
command addressed to the calling thread will follow. `take` hands out the commands that
piled up. One thread at a time may be inside; the engine holds the lock.

Units:    times are nanoseconds. Clock and entropy are given, never taken.
Errors:   a guest's errors are results; any exception that leaves this class is our bug.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import skerry.kernel.fifo  # noqa: F401  # regular.py imports it late; behind a seal nothing can be loaded
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.syscalls import SYSCALLS
from skerry.kernel import events, files
from skerry.kernel.commands import Command, SetTimer
from skerry.kernel.console import Console
from skerry.kernel.exit import Exits
from skerry.kernel.futex import Futexes
from skerry.kernel.hostconn import connect_from_outside
from skerry.kernel.itimer import IntervalTimers
from skerry.kernel.locks import Locks
from skerry.kernel.mount import Namespace
from skerry.kernel.net import Network
from skerry.kernel.process import Process
from skerry.kernel.pty import Ptys
from skerry.kernel.request import Requests
from skerry.kernel.sched import Scheduler
from skerry.kernel.session import Group
from skerry.kernel.signal import Pending, Signals
from skerry.kernel.start import make_init, start
from skerry.kernel.strace import Tracer
from skerry.kernel.sys import CALLS
from skerry.kernel.sys.table import Call, absent_call
from skerry.kernel.task import Task
from skerry.kernel.timers import Timers
from skerry.kernel.wasi import CALLS as WASI_CALLS


class Clock(Protocol):
    """Time, as the kernel is given it."""

    def realtime_ns(self) -> int:
        """Nanoseconds since the epoch."""

    def monotonic_ns(self) -> int:
        """Nanoseconds since some fixed point, never going back."""

    def task_ns(self, tid: int) -> int:
        """Processor time engine thread `tid` has used."""


class Kernel:
    """One Unix system."""

    def __init__(self, clock: Clock, entropy: Callable[[int], bytes], namespace: Namespace) -> None:
        self.clock = clock
        self.entropy = entropy
        self.commands: list[Command] = []
        self.current: Task | None = None  # the task whose call is being served
        self.tasks: dict[int, Task] = {}
        self.processes: dict[int, Process] = {}
        self.groups: dict[int, Group] = {}
        self.timers = Timers()
        self.sched = Scheduler(self)
        self.signals = Signals(self)
        self.requests = Requests(self)
        self.namespace = namespace
        self.network = Network(self)
        self.console = Console(self)
        self.ptys = Ptys(self)
        self.exits = Exits(self)
        self.futexes = Futexes(self)
        self.itimers = IntervalTimers(self)
        self.locks = Locks(self)
        self.tracer: Tracer | None = None
        self.cpu_count = 1  # what guests are told; the box sets both
        self.memory_size = 1 << 30
        self._armed: int | None = None
        namespace.attach(self)
        self.boot_ns = clock.monotonic_ns()
        self.init = make_init(self)
        self.last_pid = 1

    # --- the two ways in

    def step(self, event: events.Event) -> list[Command]:
        """Take one event; return what must be done about it."""
        self.current = None
        self._dispatch(event)
        self.sched.run()
        return self.take()

    def syscall(self, task: Task, call: Call, *args: int) -> int | None:
        """Serve one call of a running task; None: a command for its thread will follow."""
        if task.acting is not None:
            task = task.acting
        self.current = task
        if self.tracer is not None:
            return self.tracer.syscall(self, task, call, args)
        return self.serve(task, call, args)

    def serve(self, task: Task, call: Call, args: tuple[int, ...]) -> int | None:
        """Serve a call, without tracing."""
        value: int | None
        process = task.process
        if process.stopped:
            self.sched.hold(task, call, args)
            return None
        try:
            result = call.function(task, *args)
        except SysError as error:
            value = -error.errno
        except MemoryError:  # a copy as large as the guest asked for
            value = -Errno.ENOMEM
        else:
            if type(result) is int:
                value = result
            elif result is None:
                value = None
            elif isinstance(result, int):  # a bool or an enumeration's member
                value = int(result)
            else:
                value = self.sched.begin(task, call, result)
        if self.sched.ready:
            self.sched.run()
        if value is not None and (task.process.stopped or task.dead):
            if not task.dead:
                task.deferred = value
            value = None
        return value

    def take(self) -> list[Command]:
        """The commands since the last time, the timer's last."""
        due = self.timers.next_ns()
        if due != self._armed:
            self._armed = due
            self.commands.append(SetTimer(due))
        commands, self.commands = self.commands, []
        return commands if self.tracer is None else self.tracer.commands(commands)

    # --- what engines and calls ask

    def call(self, module: str, name: str) -> Call | None:
        """The entry behind the import `module.name`; None: Skerry has no such import."""
        found = CALLS.get((module, name)) or WASI_CALLS.get((module, name))
        if found is None and module == "linux" and name in SYSCALLS:
            found = absent_call(name)
        return found

    def task(self, tid: int) -> Task:
        """The task an engine thread carries."""
        return self.tasks[tid]

    def _dispatch(self, event: events.Event) -> None:
        match event:
            case events.Syscall():
                self._syscall_event(event)
            case events.Loaded() | events.Answer():
                self.requests.answer(event)
            case events.Timer():
                self._armed = None
                self.timers.fire(self.clock.monotonic_ns())
            case events.Start():
                start(self, event)
            case events.Trapped():
                self._trapped(event)
            case events.Returned():
                task = self.tasks.get(event.tid)
                if task is not None:
                    self.exits.exit_group(task.acting or task, (event.status & 0xFF) << 8)
            case events.Connect():
                connect_from_outside(self.network, event)
            case events.StreamInput() | events.StreamReady() if event.stream in self.network.outside:
                self.network.outside[event.stream].event(event)
            case events.FileCall():
                files.serve(self, event)
            case events.HostSignal():
                self._host_signal(event)
            case _:
                self.console.event(event)

    def _syscall_event(self, event: events.Syscall) -> None:
        """The slow way in, for playbooks and engines that only speak events."""
        from skerry.kernel.commands import Resume  # local: only tests come this way

        call = self.call(event.module, event.name)
        assert call is not None, f"no import {event.module}.{event.name}"
        task = self.tasks[event.tid]
        value = self.syscall(task, call, *event.args)
        if value is not None:
            self.commands.append(Resume(event.tid, value))

    def _trapped(self, event: events.Trapped) -> None:
        task = self.tasks.get(event.tid)
        if task is None:
            return
        task = task.acting or task
        self.exits.trapped(task, event.signo, event.reason)

    def _host_signal(self, event: events.HostSignal) -> None:
        info = Pending(event.signo)
        if event.pid:
            process = self.processes.get(event.pid)
            if process is not None:
                self.signals.send(process, info)
        else:
            self.signals.send_group(self.console.foreground(), info)
