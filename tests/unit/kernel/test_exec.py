# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""execve: interpreters, failures, what stays and what goes."""
from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from tests.unit.kernel.harness import PARKED, Harness, Value

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.limits import ARG_MAX
from skerry.abi.signal import SIG_IGN, Signo
from skerry.kernel import exec as exec_module
from skerry.kernel.commands import Exec, Image, Load, Log, Spawn, SpawnKind, Stop
from skerry.kernel.events import Loaded
from skerry.kernel.file import File
from skerry.kernel.program import Program
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.task import Task

WASM = b"\0asm\1\0\0\0"


class Programs:
    """What stands in for the file system: path -> content."""

    def __init__(self, files: dict[bytes, bytes]) -> None:
        self.inodes = {path: SimpleNamespace(module=None, data=data) for path, data in files.items()}

    def open(self, task: Task, dirfd: int, path: bytes, flags: int) -> Step[Program]:
        if path not in self.inodes:
            raise SysError(Errno.ENOENT)
        inode = self.inodes[path]
        yield from ()  # a generator, as the real one
        return Program(inode, path, inode.data)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> Programs:
    deep = {b"/deep%d" % n: b"#!/deep%d\n" % (n + 1) for n in range(9)}
    files = {
        b"/bin/prog": WASM,
        b"/bin/sh": WASM + b"shell",
        b"/script": b"#!/bin/sh\necho\n",
        b"/script-arg": b"#! /bin/sh  -e  -x \necho\n",
        b"/script-script": b"#!/script\n",
        b"/script-lost": b"#!/none\n",
        b"/script-empty": b"#!\n",
        b"/loop": b"#!/loop\n",
        b"/text": b"just text",
        b"/empty": b"",
    }
    fake = Programs({**files, **deep})
    monkeypatch.setattr(exec_module, "open_program", fake.open)
    return fake


def execve(h: Harness, task: Task, path: bytes, *args: bytes, env: tuple[bytes, ...] = ()) -> Value:
    argv = h.strings(task, args or (path,))
    return h.call(task, "execve", path, argv, h.strings(task, env))


def image_of(h: Harness) -> Image:
    (command,) = h.taken(Exec)
    return command.image


def test_a_new_image_replaces_the_old() -> None:
    h = Harness()
    task = h.process()
    assert execve(h, task, b"/bin/prog", b"name", b"arg", env=(b"A=1",)) is PARKED
    image = image_of(h)
    assert (image.argv, image.env, image.name) == ((b"name", b"arg"), (b"A=1",), b"prog")
    assert task.process.argv == (b"name", b"arg")
    assert task.process.exe == b"/bin/prog"
    assert task.process.has_execed
    assert dict(image.auxv)[6] == 4096
    assert len(bytes(dict(image.auxv)[25])) == 16
    assert h.done(task, "getpid") == task.tid


def test_a_program_is_compiled_once() -> None:
    h = Harness()
    task = h.process()
    execve(h, task, b"/bin/prog")
    execve(h, task, b"/bin/prog")
    assert len(h.taken(Load)) == 1
    assert len(h.taken(Exec)) == 2


def test_scripts_run_their_interpreter() -> None:
    h = Harness()
    task = h.process()
    execve(h, task, b"/script", b"ignored", b"one")
    assert image_of(h).argv == (b"/bin/sh", b"/script", b"one")
    execve(h, task, b"/script-arg", b"ignored", b"one")
    assert image_of(h).argv == (b"/bin/sh", b"-e  -x", b"/script-arg", b"one")
    execve(h, task, b"/script-script")
    assert image_of(h).argv == (b"/bin/sh", b"/script", b"/script-script")
    assert task.process.exe == b"/bin/sh"


@pytest.mark.parametrize(
    ("path", "errno"),
    [
        (b"/none", Errno.ENOENT),
        (b"/script-lost", Errno.ENOENT),
        (b"/script-empty", Errno.ENOEXEC),
        (b"/loop", Errno.ELOOP),
        (b"/deep0", Errno.ELOOP),
        (b"/text", Errno.ENOEXEC),
        (b"/empty", Errno.ENOEXEC),
    ],
)
def test_a_failed_exec_leaves_the_caller_as_it_was(path: bytes, errno: Errno) -> None:
    h = Harness()
    task = h.process()
    fd = task.process.fds.add(File(0), cloexec=True)
    h.handle(task, Signo.SIGUSR1)
    assert execve(h, task, path) == -errno
    assert fd in task.process.fds.files
    assert task.process.action(Signo.SIGUSR1).handler == 100
    assert not task.process.has_execed


def test_a_file_the_engine_refuses_is_explained() -> None:
    h = Harness()
    task = h.process()
    h.refuse = "unknown import linux.frobnicate"
    assert execve(h, task, b"/bin/prog") is PARKED
    assert h.resumed(task) == -Errno.ENOEXEC
    assert "linux.frobnicate" in h.taken(Log)[0].text


def test_what_exec_keeps_and_what_it_drops() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGUSR1)
    h.handle(task, Signo.SIGINT, SIG_IGN)
    h.block(task, Signo.SIGUSR2)
    fds = task.process.fds
    kept, closed = fds.add(File(0)), fds.add(File(0), cloexec=True)
    execve(h, task, b"/bin/prog")
    assert task.process.action(Signo.SIGUSR1).handler == 0
    assert task.process.action(Signo.SIGINT).handler == SIG_IGN
    assert task.mask == 1 << (Signo.SIGUSR2 - 1)
    assert kept in fds.files
    assert closed not in fds.files


def test_a_blocked_signal_survives_exec_and_then_kills() -> None:
    h = Harness()
    task = h.process()
    h.handle(task, Signo.SIGUSR1)
    h.block(task, Signo.SIGUSR1)
    h.done(task, "kill", task.tid, Signo.SIGUSR1)
    execve(h, task, b"/bin/prog")
    assert not task.dead
    h.call(task, "rt_sigprocmask", 2, h.longs(task, 0), 0, 8)
    assert task.dead


def test_arguments_may_be_too_long() -> None:
    h = Harness()
    task = h.process()
    text = h.put(task, b"x" * 1000 + b"\0")
    argv = h.words(task, *[text] * (ARG_MAX // 1000), 0)
    assert h.call(task, "execve", b"/bin/prog", argv, 0) == -Errno.E2BIG
    assert h.call(task, "execve", b"/bin/prog", task.mem.size - 2, 0) == -Errno.EFAULT


def test_a_vfork_child_gets_a_thread_of_its_own() -> None:
    h = Harness()
    parent = h.process()
    child = h.vfork(parent)
    assert execve(h, child, b"/bin/prog") is PARKED
    assert h.resumed(parent) == child.tid
    (spawn,) = h.taken(Spawn)
    assert (spawn.tid, spawn.parent, spawn.kind) == (child.tid, parent.tid, SpawnKind.EXEC)
    assert child.mem is not parent.mem
    assert h.done(child, "getpid") == child.tid
    assert h.done(parent, "getpid") == parent.tid
    h.exit(child, 1)
    assert h.done(parent, "wait4", -1, 0, 0, 0) == child.tid


def test_a_vfork_child_whose_exec_fails_goes_on() -> None:
    h = Harness()
    parent = h.process()
    child = h.vfork(parent)
    assert execve(h, child, b"/none") == -Errno.ENOENT
    assert h.done(child, "exit_group", 127) == child.tid


def test_a_signal_that_waited_for_a_handler_kills_the_new_image() -> None:
    h = Harness()
    parent, other = h.process(), h.process()
    h.handle(parent, Signo.SIGUSR1)
    child = h.vfork(parent)
    h.done(other, "kill", child.tid, Signo.SIGUSR1)
    assert execve(h, child, b"/bin/prog") is PARKED
    assert h.resumed(parent) == child.tid
    status = h.room(parent, 4)
    assert h.done(parent, "wait4", -1, status, 0, 0) == child.tid
    assert h.i32(parent, status) == Signo.SIGUSR1


def test_killed_while_the_engine_compiles() -> None:
    h = Harness()
    h.hold_loads = True
    task, other = h.process(), h.process()
    h.handle(task, Signo.SIGUSR1)
    assert execve(h, task, b"/bin/prog") is PARKED
    (load,) = h.taken(Load)
    h.done(other, "kill", task.tid, Signo.SIGUSR1)
    assert h.resumed(task) is PARKED  # a compilation is not interrupted
    h.done(other, "kill", task.tid, Signo.SIGKILL)
    assert h.stopped(task)
    h.step(Loaded(load.request, "late", ""))
    assert not h.taken(Exec)


def test_exec_by_a_thread_leaves_one_thread_that_is_the_process() -> None:
    h = Harness()
    task = h.process(threads=True)
    thread, third = h.thread(task), h.thread(task)
    assert execve(h, thread, b"/bin/prog") is PARKED
    assert {stop.tid for stop in h.taken(Stop)} == {task.tid, third.tid}
    (command,) = h.taken(Exec)
    assert command.tid == thread.thread
    assert list(task.process.threads) == [task.process.pid]
    assert h.done(thread, "gettid") == task.process.pid
