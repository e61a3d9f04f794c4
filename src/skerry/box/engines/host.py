# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The host of a kernel: its lock, its commands, and one carrier per task.

`Host` lets one thread at a time into the kernel and carries out what comes back. A `Carrier` is
the OS thread that runs the images of one task; the kernel speaks to it through its inbox.

Blocking: a carrier waits in `wait`; `deliver` waits for the kernel's lock.
Invariant: commands are carried out under the lock, in the kernel's order. Images are made, copied
           and run without it.
"""

from __future__ import annotations

import _thread
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from skerry.kernel import commands as c
from skerry.kernel import events
from skerry.kernel.usermem import UserMemory

from .alarm import Alarm
from .engine import Engine, Guest, NoMemory, Outside, Trap, Unwind
from .pool import Pool

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.sys.table import Call
    from skerry.kernel.task import Task

SIGKILL = 9
GRACE_NS = 100_000_000
"""How long an image may take to end when asked, before it is made to."""


class Host:
    """One kernel, its engine and its carriers."""

    def __init__(self, engine: Engine, outside: Outside, stack_size: int) -> None:
        self.engine = engine
        self.outside = outside
        self.lock = _thread.allocate_lock()
        self.carriers: dict[int, Carrier] = {}  # by engine thread id
        self.by_ident: dict[int, Carrier] = {}  # by OS thread
        self.pool = Pool(stack_size)
        self.alarm = Alarm(self._timer)
        self.reaper = Alarm(self._reap)
        self.rung: list[Carrier] = []  # whose bell is still to be rung
        self._leaving: deque[tuple[int, Carrier]] = deque()
        self._stillborn: deque[Carrier] = deque()
        self.kernel: Kernel

    def attach(self, kernel: Kernel) -> None:
        """Take the kernel in; it must not have run before."""
        self.kernel = kernel

    def deliver(self, event: events.Event) -> None:
        """Let something happen to the kernel."""
        try:
            with self.lock:
                self.dispatch(self.kernel.step(event))
            self.ring()
        except Exception as error:
            self.outside.crashed(error)

    def ring(self) -> None:
        """Wake the carriers that have got commands: after the lock, so that they need not wait for it."""
        while self.rung:
            try:
                bell = self.rung.pop().bell
            except IndexError:  # another thread took the last
                return
            try:
                bell.release()
            except RuntimeError:  # was ringing already
                continue

    def dispatch(self, commands: list[c.Command]) -> None:
        """Carry commands out. Only under the lock."""
        for command in commands:
            match command:
                case c.Resume():
                    carrier = self.carriers.get(command.tid)
                    if carrier is not None:
                        carrier.post(command)
                case c.Stop() | c.Exec():
                    self._leave(command)
                case c.Poke():
                    carrier = self.carriers.get(command.tid)
                    if carrier is not None:
                        carrier.poke()
                case c.Spawn():
                    self._spawn(command)
                case c.SetTimer():
                    self.alarm.set(command.deadline_ns)
                case c.Load():
                    self._load(command)
                case _:
                    self.outside.command(command)

    def stillborn(self, carrier: Carrier) -> None:
        """There is no OS thread for a carrier: its process dies, from another thread and soon."""
        self._stillborn.append(carrier)
        self.reaper.set(time.monotonic_ns())

    def task_ns(self, tid: int) -> int:
        """Processor time the carrier `tid` has used."""
        carrier = self.carriers.get(tid)
        return carrier.cpu_ns() if carrier is not None else 0

    def idle(self) -> bool:
        """Whether no carrier is left."""
        return not self.carriers

    # --- commands

    def _leave(self, command: c.Stop | c.Exec) -> None:
        tid = command.tid
        carrier = self.carriers.get(tid)
        if carrier is None:
            return
        carrier.post(command)
        if carrier.ident != _thread.get_ident() and isinstance(command, c.Stop):
            guest = carrier.guest
            if guest is not None:
                guest.kill(hard=False)
            self._leaving.append((time.monotonic_ns() + GRACE_NS, carrier))
            if len(self._leaving) == 1:
                self.reaper.set(self._leaving[0][0])

    def _spawn(self, command: c.Spawn) -> None:
        task = self.kernel.tasks.get(command.tid)
        if task is None:  # killed in the same breath
            return
        carrier = Carrier(self, command.tid, task)
        self.carriers[command.tid] = carrier
        if command.kind is c.SpawnKind.EXEC:
            assert command.image is not None
            carrier.post(c.Exec(command.tid, command.image))
            carrier.start()
            return
        parent = self.carriers[command.parent].guest
        assert parent is not None
        if command.kind is c.SpawnKind.FORK:
            parent.adopt(carrier)
        else:
            carrier.start_thread(parent, command.stack)

    def _load(self, command: c.Load) -> None:
        def done(module: object | None, error: str) -> None:
            self.deliver(events.Loaded(command.request, module, error))

        self.engine.load(command.name, command.untrusted_code, done)

    # --- alarms

    def _timer(self) -> None:
        self.deliver(events.Timer())

    def _reap(self) -> None:
        """Make images end that were asked long ago, and processes that never got a thread."""
        while self._stillborn:
            carrier = self._stillborn.popleft()
            self.deliver(events.Trapped(carrier.tid, SIGKILL, "no thread for it"))
            with self.lock:
                self.carriers.pop(carrier.tid, None)
        with self.lock:
            now = time.monotonic_ns()
            while self._leaving and self._leaving[0][0] <= now:
                carrier = self._leaving.popleft()[1]
                if carrier.running and carrier.guest is not None:
                    carrier.guest.kill(hard=True)
            self.reaper.set(self._leaving[0][0] if self._leaving else None)


class Carrier:
    """The OS thread that runs the images of one task."""

    def __init__(self, host: Host, tid: int, task: Task) -> None:
        self.host = host
        self.tid = tid  # as the kernel names this thread; the task's own may change by execve
        self.task = task
        self.guest: Guest | None = None
        self.inbox: deque[c.Resume | c.Exec | c.Stop] = deque()
        self.running = False
        self.ident = 0
        self.bell = _thread.allocate_lock()
        self.bell.acquire()
        self._clock = 0
        self._clock_base = 0

    # --- what the kernel's commands do; under the lock

    def post(self, command: c.Resume | c.Exec | c.Stop) -> None:
        """Put a command in the inbox; `Host.ring` wakes the carrier."""
        self.inbox.append(command)
        self.host.rung.append(self)

    def poke(self) -> None:
        """Make a busy image look for signals, once its libc can."""
        if self.guest is not None and self.task.flag:
            self.guest.interrupt()

    def cpu_ns(self) -> int:
        """Processor time used since this carrier began."""
        if not self._clock:
            return 0
        try:
            return time.clock_gettime_ns(self._clock) - self._clock_base
        except OSError:
            return 0

    # --- what the image does; on the carrier's own thread

    def syscall(self, call: Call, *args: int) -> int:
        """Make a system call and wait for its result. Raises: Unwind."""
        host = self.host
        with host.lock:
            if self.inbox:
                raise Unwind
            value = host.kernel.syscall(self.task, call, *args)
            host.dispatch(host.kernel.take())
        host.ring()
        return self.wait() if value is None else value

    def wait(self) -> int:
        """Wait for the result of a parked call. Raises: Unwind when the image must go."""
        inbox = self.inbox
        while not inbox:
            self.bell.acquire()
        first = inbox[0]
        if type(first) is c.Resume and len(inbox) == 1:
            inbox.clear()
            return first.value
        raise Unwind

    def attach(self, guest: Guest) -> None:
        """Give the task the memory of its new image."""
        self.guest = guest
        self.task.mem = UserMemory(guest.memory)

    # --- the thread

    def start(self) -> None:
        """Begin: the inbox or the guest says with what."""
        self._launch(self._body)

    def fail(self, reason: str) -> None:
        """There is no image for this carrier: its process dies."""
        self._launch(lambda: self._body(Trap(SIGKILL, reason)))

    def start_thread(self, parent: Guest, stack: int) -> None:
        """Begin as one more thread on the memory of `parent`.

        The image is made here, while the parent is in its clone call: once that has returned,
        the parent may end and its memory with it.
        """
        try:
            self.guest = parent.thread(self, stack)
        except NoMemory as error:
            self.fail(str(error))
        else:
            self.start()

    def _launch(self, job: Callable[[], None]) -> None:
        try:
            self.host.pool.run(job)
        except RuntimeError:  # the operating system has no thread left
            self.host.stillborn(self)

    def _body(self, trap: Trap | None = None) -> None:
        self.ident = _thread.get_ident()
        self._clock = time.pthread_getcpuclockid(self.ident)
        self._clock_base = time.clock_gettime_ns(self._clock)
        self.host.by_ident[self.ident] = self
        try:
            if trap is not None:
                self._trapped(trap)
            while self._next():
                self._run()
        except Exception as error:
            self.host.outside.crashed(error)
        finally:
            self._end()

    def _next(self) -> bool:
        """Take the next image; False when there is none."""
        host = self.host
        if self.inbox:
            with host.lock:
                command = self.inbox[-1]
                self.inbox.clear()
                old, self.guest = self.guest, None
            if old is not None:
                old.close()
            if isinstance(command, c.Stop):
                return False
            assert isinstance(command, c.Exec)
            try:
                guest = host.engine.image(self, command.image)
            except NoMemory as error:
                self._trapped(Trap(SIGKILL, str(error)))
                return self._next()
            with host.lock:
                self.attach(guest)
        return True

    def _run(self) -> None:
        """Run the image until it ends; afterwards the inbox says what comes."""
        assert self.guest is not None
        self.running = True
        try:
            status = self.guest.run()
        except Unwind:
            pass
        except Trap as trap:
            if not self.inbox:
                self._trapped(trap)
        else:
            if not self.inbox:
                self._tell(events.Returned(self.tid, status))
        finally:
            self.running = False

    def _trapped(self, trap: Trap) -> None:
        self._tell(events.Trapped(self.tid, trap.signo, trap.reason))

    def _tell(self, event: events.Event) -> None:
        """Report the image's end; the kernel answers with a Stop."""
        host = self.host
        with host.lock:
            if not self.inbox:
                host.dispatch(host.kernel.step(event))
        host.ring()
        while not self.inbox:
            self.bell.acquire()

    def _end(self) -> None:
        with self.host.lock:
            guest, self.guest = self.guest, None
            self.host.carriers.pop(self.tid, None)
            self.host.by_ident.pop(self.ident, None)
            self._clock = 0
        if guest is not None:
            guest.close()
