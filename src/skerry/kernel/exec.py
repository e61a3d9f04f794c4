# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""execve: from a path to a new image.

The file is found and read (following #! lines), the engine compiles it, and only then does
the old image go: every failure before that leaves the caller as it was.

Standard: POSIX.1-2024 exec; execve(2) for #! and the auxiliary vector.
Errors:   ENOEXEC for a file that is neither wasm nor a script, or that the engine refuses
          (its reason goes to the log); ELOOP past four interpreters; E2BIG.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.fcntl import AT_FDCWD
from skerry.abi.limits import ARG_MAX, PAGE_SIZE
from skerry.abi.signal import SIG_IGN
from skerry.kernel import clone
from skerry.kernel.commands import Exec, Image, Log, Spawn, SpawnKind
from skerry.kernel.program import Program, open_program
from skerry.kernel.task import Task
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.process import Process

WASM_MAGIC = b"\0asm"
INTERPRETERS_MAX = 4  # fs/exec.c: bprm->recursion_depth
SHEBANG_MAX = 256  # linux/binfmts.h, BINPRM_BUF_SIZE

AT_PAGESZ, AT_CLKTCK, AT_HWCAP = 6, 17, 16
AT_UID, AT_EUID, AT_GID, AT_EGID, AT_SECURE, AT_RANDOM, AT_EXECFN = 11, 12, 13, 14, 23, 25, 31


def execve(
    task: Task, path: bytes, argv: list[bytes], env: list[bytes], dirfd: int = AT_FDCWD, flags: int = 0
) -> Step[None]:
    """Replace the caller's image; a command follows instead of a result."""
    if task.doomed:
        task.kernel.exits.exit_group(task, 0)
        return None
    if sum(len(text) + 5 for text in (*argv, *env)) > ARG_MAX:
        raise SysError(Errno.E2BIG)
    program = yield from open_program(task, dirfd, path, flags)
    program, argv = yield from _interpreter(task, program, path, argv)
    module = yield from _module(task, program)
    _replace(task, program, module, argv, env)


def _interpreter(
    task: Task, program: Program, path: bytes, argv: list[bytes]
) -> Step[tuple[Program, list[bytes]]]:
    """Follow #! lines to a binary, with the argument vector each of them makes."""
    for _ in range(INTERPRETERS_MAX + 1):
        if program.data[:2] != b"#!":
            return program, argv
        words = _shebang(program.data)
        argv = [*words, path, *argv[1:]]
        path = words[0]
        program = yield from open_program(task, AT_FDCWD, path, 0)
    raise SysError(Errno.ELOOP)


def _shebang(data: bytes) -> list[bytes]:
    """The interpreter and its one optional argument."""
    line, newline, _ = data[2:SHEBANG_MAX].partition(b"\n")
    words = line.strip(b" \t").split(None, 1)
    if not words or (not newline and len(data) > SHEBANG_MAX):
        raise SysError(Errno.ENOEXEC)
    return [words[0], *(word.rstrip(b" \t") for word in words[1:])]


def _module(task: Task, program: Program) -> Step[object]:
    """The engine's handle of a program, compiled once per file content."""
    if program.data[:4] != WASM_MAGIC:
        raise SysError(Errno.ENOEXEC)
    module = program.inode.module
    if module is None:
        loaded = yield from task.kernel.requests.load(program.path, bytes(program.data))
        if loaded.module is None:
            task.kernel.commands.append(
                Log(f"{program.path.decode(errors='replace')}: {loaded.error}")
            )
            raise SysError(Errno.ENOEXEC)
        module = program.inode.module = loaded.module
    return module


def _replace(
    task: Task, program: Program, module: object, argv: list[bytes], env: list[bytes]
) -> None:
    """The point of no return."""
    process, kernel = task.process, task.kernel
    _drop_threads(task)
    process.fds.close_on_exec()
    process.actions = {
        signo: action for signo, action in process.actions.items() if action.handler == SIG_IGN
    }
    kernel.itimers.clear_posix(process)
    process.argv, process.env, process.exe = tuple(argv), tuple(env), program.path
    process.has_execed = True
    process.wasi = None
    task.name = program.path.rpartition(b"/")[2][:15]
    task.flag = task.clear_child_tid = task.robust_list = 0
    task.saved_mask = None
    image = process.image = Image(module, tuple(argv), tuple(env), _auxv(process, program), task.name)
    parent = task.vfork_parent
    if parent is not None:
        task.thread = task.tid
        kernel.commands.append(Spawn(task.tid, parent.thread, SpawnKind.EXEC, image))
        clone.end_vfork(task, parent)
    elif task.thread == 0:  # made by a Start event: no engine thread carries it yet
        task.thread = task.tid
        kernel.commands.append(Spawn(task.tid, 0, SpawnKind.EXEC, image))
    else:
        kernel.commands.append(Exec(task.thread, image))
    kernel.signals.notify(task)  # what waited for a handler finds the default action now


def _drop_threads(task: Task) -> None:
    """All other threads end; the caller becomes the process' first."""
    process, kernel = task.process, task.kernel
    for other in tuple(process.threads.values()):
        if other is not task:
            kernel.exits.exit_thread(other, 0)
    if task.tid != process.pid:
        kernel.tasks.pop(task.tid, None)
        process.threads.pop(task.tid, None)
        task.tid = process.pid
        process.threads[task.tid] = kernel.tasks[task.tid] = task


def _auxv(process: Process, program: Program) -> tuple[tuple[int, int | bytes], ...]:
    """The auxiliary vector, without AT_NULL."""
    cred = process.cred
    return (
        (AT_PAGESZ, PAGE_SIZE), (AT_CLKTCK, 100), (AT_HWCAP, 0),
        (AT_UID, cred.uid), (AT_EUID, cred.euid), (AT_GID, cred.gid), (AT_EGID, cred.egid),
        (AT_SECURE, 0), (AT_RANDOM, process.kernel.entropy(16)), (AT_EXECFN, program.path + b"\0"),
    )  # fmt: skip
