# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What the tests of terminals share: a process on the console, reading, writing, settings."""
from __future__ import annotations

from tests.unit.kernel.harness import PARKED, Harness, Value

from skerry.abi import termios as t
from skerry.abi.termios import TERMIOS
from skerry.kernel.commands import ConsoleOutput, StreamOutput
from skerry.kernel.events import ConsoleInput
from skerry.kernel.file import File
from skerry.kernel.fs.devfs import Devfs
from skerry.kernel.mount import Namespace
from skerry.kernel.task import Task


class Terminals(Harness):
    """A harness that speaks terminal."""

    def __init__(self, devices: bool = False) -> None:
        super().__init__(Namespace(mounts=[(b"/dev", Devfs())]) if devices else None)
        self.buffers: dict[int, int] = {}

    def shell(self, stdio: str = "console") -> Task:
        """A session leader with descriptors 0 to 2."""
        task = self.process((b"sh",))
        for fd in range(3):
            task.process.fds.put(fd, self.kernel.console.open(task, stdio, fd))
        return task

    def job(self, shell: Task, foreground: bool = False) -> Task:
        """A child in a group of its own."""
        job = self.fork(shell)
        assert self.done(job, "setpgid", 0, 0) == 0
        if foreground:
            self.give(shell, job)
        return job

    def give(self, shell: Task, job: Task) -> None:
        """tcsetpgrp by the shell."""
        assert self.done(shell, "ioctl", 0, t.TIOCSPGRP, self.words(shell, job.tid)) == 0

    def type(self, text: bytes) -> None:
        """The person types."""
        self.step(ConsoleInput(text))

    def shown(self) -> bytes:
        """What the person sees since the last time."""
        return b"".join(command.data for command in self.taken(ConsoleOutput))

    def streamed(self) -> list[tuple[int, bytes]]:
        """What left through streams since the last time."""
        return [(command.stream, command.data) for command in self.taken(StreamOutput)]

    def read(self, task: Task, fd: int = 0, size: int = 1000) -> bytes | Value:
        """read(2): the bytes, an errno, or PARKED."""
        address = self.buffers[task.tid] = self.room(task, size)
        value = self.call(task, "read", fd, address, size)
        return self.get(task, address, value) if isinstance(value, int) and value >= 0 else value

    def arrived(self, task: Task) -> bytes | Value:
        """What a parked read returned in the meantime."""
        value = self.resumed(task)
        if not isinstance(value, int) or value < 0:
            return value
        return self.get(task, self.buffers[task.tid], value)

    def write(self, task: Task, data: bytes, fd: int = 1) -> Value:
        """write(2)."""
        return self.call(task, "write", fd, self.put(task, data), len(data))

    def set(self, task: Task, fd: int = 0, *, on: int = 0, off: int = 0, **cc: int) -> Value:
        """tcsetattr: change bits of c_lflag, and control characters by name."""
        address = self.room(task, 64)
        assert self.done(task, "ioctl", fd, t.TCGETS, address) == 0
        fields = list(TERMIOS.unpack(self.get(task, address, TERMIOS.size)))
        fields[3] = fields[3] & ~off | on
        chars = bytearray(fields[5])
        for name, value in cc.items():
            chars[getattr(t, name)] = value
        fields[5] = bytes(chars)
        task.mem.write(address, TERMIOS.pack(*fields))
        return self.call(task, "ioctl", fd, t.TCSETS, address)

    def ask(self, task: Task, fd: int, request: int, value: int = 0) -> Value:
        """An ioctl with an int behind its pointer: the int it left there, or the errno."""
        address = self.words(task, value)
        result = self.call(task, "ioctl", fd, request, address)
        return self.i32(task, address) if result == 0 else result

    def open(self, task: Task, file: File) -> int:
        """Give a file a descriptor."""
        return task.process.fds.add(file)


__all__ = ["PARKED", "Terminals"]
