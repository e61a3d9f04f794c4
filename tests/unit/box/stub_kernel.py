# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A kernel of a dozen calls, for tests of engines alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from skerry.kernel import commands as c
from skerry.kernel import events


class StubProcess:
    def __init__(self) -> None:
        self.shared_memory = False
        self.threads: dict[int, StubTask] = {}
        self.status: int | None = None
        self.tag: int | None = None


class StubTask:
    def __init__(self, tid: int, process: StubProcess, mem: Any) -> None:
        self.tid = tid
        self.process = process
        self.mem = mem
        self.flag = 0
        self.handler = 0  # signal waiting for sigfetch
        process.threads[tid] = self


class StubSignals:
    def handler_waits(self, task: StubTask) -> bool:
        return bool(task.handler)


class StubCall:
    def __init__(self, function: Callable[..., int | None]) -> None:
        self.function = function


class StubKernel:
    """Enough of `skerry.kernel.kernel.Kernel` for a Host."""

    def __init__(self) -> None:
        self.tasks: dict[int, StubTask] = {}
        self.commands: list[c.Command] = []
        self.signals = StubSignals()
        self.output = b""
        self.traps: list[events.Trapped] = []
        self.returned: list[int] = []
        self.loaded: list[events.Loaded] = []
        self.something = threading.Event()
        self.parked: list[StubTask] = []
        self.last_tid = 1

    # --- as the Host sees it

    def call(self, module: str, name: str) -> StubCall:
        return StubCall(getattr(self, "do_" + name))

    def syscall(self, task: StubTask, call: StubCall, *args: int) -> int | None:
        return call.function(task, *args)

    def take(self) -> list[c.Command]:
        commands, self.commands = self.commands, []
        return commands

    def step(self, event: events.Event) -> list[c.Command]:
        if isinstance(event, events.Trapped):
            self.traps.append(event)
            self.end(self.tasks[event.tid], event.signo)
        elif isinstance(event, events.Returned):
            self.returned.append(event.tid)
            self.end(self.tasks[event.tid], event.status << 8)
        elif isinstance(event, events.Loaded):
            self.loaded.append(event)
        self.something.set()
        return self.take()

    # --- as tests use it

    def spawn(self, module: object) -> StubTask:
        """Commands for a fresh process; dispatch `take()` afterwards."""
        task = self.new_task(StubProcess(), None)
        image = c.Image(module, (b"x",), (), (), b"x")
        self.commands.append(c.Spawn(task.tid, 0, c.SpawnKind.EXEC, image))
        return task

    def new_task(self, process: StubProcess, mem: Any) -> StubTask:
        self.last_tid += 1
        task = self.tasks[self.last_tid] = StubTask(self.last_tid, process, mem)
        return task

    def end(self, task: StubTask, status: int) -> None:
        for one in list(task.process.threads.values()):
            self.commands.append(c.Stop(one.tid))
            self.tasks.pop(one.tid, None)
        task.process.threads.clear()
        task.process.status = status
        self.something.set()

    # --- calls

    def do_start_size(self, task: StubTask) -> int:
        return 16

    def do_start(self, task: StubTask, address: int, flag: int) -> int:
        task.flag = flag
        return 0

    def do_thread(self, task: StubTask, flag: int) -> int:
        task.flag = flag
        return 0

    def do_sigfetch(self, task: StubTask, frame: int) -> int:
        signo, task.handler = task.handler, 0
        return signo

    def do_getppid(self, task: StubTask) -> int:
        return 7

    def do_write(self, task: StubTask, fd: int, address: int, size: int) -> int:
        self.output += task.mem.read(address, size)
        return size

    def do_getpid(self, task: StubTask) -> int:
        return task.tid

    def do_sched_yield(self, task: StubTask) -> int | None:
        """Parks; `wake` lets it go on."""
        self.parked.append(task)
        self.something.set()
        return None

    def do_fork(self, task: StubTask, buffer: int) -> int:
        child = self.new_task(StubProcess(), task.mem)
        child.flag = task.flag
        self.commands.append(c.Spawn(child.tid, task.tid, c.SpawnKind.FORK))
        return child.tid

    def do_clone(self, task: StubTask, flags: int, stack: int, ptid: int, tls: int, ctid: int) -> int:
        new = self.new_task(task.process, task.mem)
        self.commands.append(c.Spawn(new.tid, task.tid, c.SpawnKind.THREAD, stack=stack))
        return new.tid

    def do_exit(self, task: StubTask, status: int) -> None:
        self.commands.append(c.Stop(task.tid))
        task.process.threads.pop(task.tid, None)
        self.tasks.pop(task.tid, None)
        self.something.set()

    def do_exit_group(self, task: StubTask, status: int) -> None:
        self.end(task, status << 8)
