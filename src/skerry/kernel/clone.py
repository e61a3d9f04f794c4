# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""New tasks: fork, vfork and threads.

fork makes a process whose engine thread starts from a copy of the parent's memory. vfork
makes one that has no engine thread yet: it speaks through its parent's thread
(`task.acting`) until it calls execve or exits. clone makes a thread on shared memory.

Errors: EAGAIN at the limit of processes, or for a thread of a program linked without -pthread.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.limits import PID_MAX
from skerry.kernel.commands import Spawn, SpawnKind
from skerry.kernel.process import INFINITY, RLIMIT_CPU, RLIMIT_NPROC, FsContext, Process
from skerry.kernel.task import Task

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel


def allocate_pid(kernel: Kernel) -> int:
    """The next free process or thread id."""
    for _ in range(PID_MAX):
        kernel.last_pid = kernel.last_pid % (PID_MAX - 1) + 1
        pid = kernel.last_pid
        if pid not in kernel.tasks and pid not in kernel.processes and pid not in kernel.groups:
            return pid
    raise SysError(Errno.EAGAIN)


def copy_process(task: Task) -> Process:
    """A child with everything fork inherits, and no thread yet."""
    parent, kernel = task.process, task.kernel
    if len(kernel.tasks) >= parent.limits[RLIMIT_NPROC][0]:
        raise SysError(Errno.EAGAIN)
    fs = FsContext(parent.fs.root, parent.fs.cwd, parent.fs.umask)
    child = Process(
        kernel, allocate_pid(kernel), parent, fs, parent.cred.copy(), parent.fds.copy()
    )
    child.argv, child.env, child.exe = parent.argv, parent.env, parent.exe
    child.shared_memory, child.image = parent.shared_memory, parent.image
    child.actions = dict(parent.actions)
    child.limits = dict(parent.limits)
    child.nice, child.dumpable, child.policy = parent.nice, parent.dumpable, parent.policy
    child.no_new_privs, child.timer_slack_ns = parent.no_new_privs, parent.timer_slack_ns
    child.start_ns = kernel.clock.monotonic_ns()
    if child.limits[RLIMIT_CPU] != (INFINITY, INFINITY):
        kernel.itimers.limit_cpu(child)
    assert parent.group is not None
    parent.group.add(child)
    parent.children[child.pid] = child
    kernel.processes[child.pid] = child
    return child


def add_task(process: Process, tid: int, parent: Task, thread: int) -> Task:
    """A task of `process` that inherits the signal mask and name of `parent`."""
    task = Task(process.kernel, tid, process, parent.mem, thread, mask=parent.mask)
    task.name, task.flag = parent.name, (parent.vfork_parent or parent).flag
    process.threads[tid] = task
    process.kernel.tasks[tid] = task
    return task


def fork(task: Task) -> int:
    """Make a copy of the calling process; the engine copies its memory on `Spawn`."""
    child = copy_process(task)
    add_task(child, child.pid, task, child.pid)
    task.kernel.commands.append(Spawn(child.pid, task.thread, SpawnKind.FORK))
    return child.pid


def vfork(task: Task) -> int:
    """Let a child speak through this thread until it execs or exits."""
    if task.vfork_parent is not None:
        raise SysError(Errno.EAGAIN)  # one level: its libc has one place to return to
    child = copy_process(task)
    acting = add_task(child, child.pid, task, task.thread)
    acting.flag = 0  # a handler would run in the parent's frames; signals wait for the exec
    acting.vfork_parent = task
    task.acting = acting
    return 0


def end_vfork(acting: Task, parent: Task) -> None:
    """The parent has its thread back: the child's last call returns to it, with the child's pid."""
    parent.acting = None
    acting.vfork_parent = None
    parent.kernel.sched.resume(parent, acting.process.pid)
    parent.kernel.signals.notify(parent)


def thread(task: Task, stack: int) -> Task:
    """Make one more thread of the calling process."""
    process, kernel = task.process, task.kernel
    if not process.shared_memory or len(kernel.tasks) >= process.limits[RLIMIT_NPROC][0]:
        raise SysError(Errno.EAGAIN)
    tid = allocate_pid(kernel)
    new = add_task(process, tid, task, tid)
    new.flag = 0  # the thread names its own word when it starts
    kernel.commands.append(Spawn(tid, task.thread, SpawnKind.THREAD, stack=stack))
    return new
