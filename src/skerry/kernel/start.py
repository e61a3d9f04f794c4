# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Start events: the monitor makes a process.

The new process is a child of init; its descriptors 0 to 2 are what the event names. It is
announced by `Started`, and by `Exited` when it is gone.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.clone import allocate_pid
from skerry.kernel.commands import Started
from skerry.kernel.events import Start
from skerry.kernel.exec import execve
from skerry.kernel.fdtable import FdTable
from skerry.kernel.process import Credentials, FsContext, Process
from skerry.kernel.session import Group, Session
from skerry.kernel.sys.table import Call
from skerry.kernel.task import Task
from skerry.kernel.usermem import UserMemory
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel

_START = Call("start", lambda task: 0)


def empty_memory() -> memoryview:
    """The memory of a process that has no image yet."""
    return memoryview(b"")


def make_init(kernel: Kernel) -> Process:
    """Process 1: root's, no image, adopts orphans, reaps at once."""
    root = kernel.namespace.root_location()
    init = Process(kernel, 1, None, FsContext(root, root), Credentials(), FdTable())
    session = Session(init)
    Group(1, session).add(init)
    kernel.processes[1] = init
    return init


def start(kernel: Kernel, event: Start) -> None:
    """Make the process and begin its execve."""
    root = kernel.namespace.root_location()
    process = Process(
        kernel, allocate_pid(kernel), kernel.init, FsContext(root, root), kernel.namespace.user.copy(), FdTable()
    )
    process.tag = event.tag
    process.start_ns = kernel.clock.monotonic_ns()
    kernel.processes[process.pid] = process
    kernel.init.children[process.pid] = process
    Group(process.pid, Session(process) if event.session else _session(kernel)).add(process)
    task = Task(kernel, process.pid, process, UserMemory(empty_memory), thread=0)
    process.threads[task.tid] = kernel.tasks[task.tid] = task
    kernel.sched.begin(task, _START, _run(task, event))


def _session(kernel: Kernel) -> Session:
    assert kernel.init.group is not None
    return kernel.init.group.session


def _run(task: Task, event: Start) -> Step[None]:
    """Open the standard descriptors, enter the directory, execute."""
    kernel = task.kernel
    try:
        for fd, name in enumerate(event.stdio):
            task.process.fds.put(fd, kernel.console.open(task, name, fd))
        yield from kernel.namespace.chdir(task, event.cwd)
        yield from _execute(task, list(event.argv), list(event.env))
        kernel.commands.append(Started(event.tag, task.process.pid, 0, ""))
    except SysError as error:
        kernel.commands.append(Started(event.tag, task.process.pid, int(error.errno), ""))
        task.process.tag = None
        kernel.exits.exit_group(task, 127 << 8)


def _execute(task: Task, argv: list[bytes], env: list[bytes]) -> Step[None]:
    """execvp: a name without a slash is looked for in PATH.

    Raises: SysError(ENOENT) when no directory has it, EACCES when one has it but not for us.
    """
    name = argv[0]
    if b"/" in name:
        yield from execve(task, name, argv, env)
        return
    path = next((text[5:] for text in env if text.startswith(b"PATH=")), b"/bin")
    failure = Errno.ENOENT
    for folder in path.split(b":"):
        try:
            yield from execve(task, (folder or b".") + b"/" + name, argv, env)
            return
        except SysError as error:
            if error.errno == Errno.EACCES:
                failure = Errno.EACCES
            elif error.errno not in (Errno.ENOENT, Errno.ENOTDIR):
                raise
    raise SysError(failure)
