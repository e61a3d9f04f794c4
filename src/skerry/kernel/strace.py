# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""strace: what guests ask and what they are answered, as strace -f prints it.

The tracer stands where the kernel serves a call and where it hands out commands: a call that
waits is written as unfinished and taken up again when its `Resume` (or `Exec`) goes out.

Standard: the output of strace(1): strings cut at 32 bytes, results from column 40 on.
"""
from __future__ import annotations

from collections.abc import Callable
from struct import unpack_from
from typing import TYPE_CHECKING

from skerry.abi.errno import ERESTARTSYS, Errno
from skerry.abi.errors import SysError
from skerry.abi.signal import SIGFETCH
from skerry.kernel.commands import Command, Exec, Log, Resume, Spawn, SpawnKind, Stop

if TYPE_CHECKING:
    from skerry.kernel.kernel import Kernel
    from skerry.kernel.sys.table import Call
    from skerry.kernel.task import Task

RESULT_COLUMN = 40
_QUIET = ("start_size", "start", "thread", "sigfetch")  # libc's own, no system calls
_CODES = {
    0: "SI_USER", 0x80: "SI_KERNEL", -1: "SI_QUEUE", -2: "SI_TIMER", -6: "SI_TKILL",
}  # fmt: skip
_CHILD_CODES = {1: "CLD_EXITED", 2: "CLD_KILLED", 3: "CLD_DUMPED", 5: "CLD_STOPPED", 6: "CLD_CONTINUED"}


class _Open:
    """A call that waits: what has been written of it, and what is still to write."""

    __slots__ = ("call", "done", "task", "words")

    def __init__(self, task: Task, call: Call, words: tuple[int, ...], done: int) -> None:
        self.task, self.call, self.words, self.done = task, call, words, done


class Tracer:
    """Writes a line per call; to `write`, or as Log commands."""

    def __init__(self, write: Callable[[str], None] | None = None) -> None:
        # Imported here: the tables cost milliseconds that a start without strace must not pay.
        from skerry.kernel import straceargs, stracenames, stracestructs, stracetable

        self._arguments = stracetable.ARGUMENTS
        self._args = straceargs
        self._structs = stracestructs
        self._names = stracenames
        self._write = write
        self._lines: list[str] = []
        self._open: dict[int, _Open] = {}  # by engine thread
        self._vforks: dict[int, _Open] = {}  # by engine thread: the parent's call
        self._tasks: dict[int, Task] = {}  # by engine thread: whose end has not been written
        self._many = False

    # --- where the kernel calls

    def syscall(self, kernel: Kernel, task: Task, call: Call, words: tuple[int, ...]) -> int | None:
        """Serve a call and write it down."""
        if call.name in _QUIET:
            return self._private(kernel, task, call, words)
        self._many = self._many or len(kernel.tasks) > 1
        prefix, thread = self._prefix(task), task.thread
        self._tasks[thread] = task
        parts, waits_for_result = self._before(task, call, words)
        value = kernel.serve(task, call, words)
        if task.dead:
            self._line(f"{prefix}{call.name}({', '.join(parts)})", "?")
            self._ended(thread, prefix)
        elif value is None:
            comma = ", " if waits_for_result else ""
            self._line(f"{prefix}{call.name}({', '.join(parts)}{comma} <unfinished ...>")
            self._open[thread] = _Open(task, call, words, len(parts) if waits_for_result else len(words))
        elif call.name == "vfork" and value == 0:
            self._line(f"{prefix}vfork( <unfinished ...>")
            self._vforks[thread] = _Open(task, call, words, 0)
        else:
            parts += self._after(task, call, words, len(parts), value)
            text = f"{prefix}{call.name}({', '.join(filter(None, parts))})"
            self._line(text, self._result(task, call, words, value))
        return value

    def commands(self, commands: list[Command]) -> list[Command]:
        """See what the engine is told; returns the commands with the lines among them."""
        for command in commands:
            if isinstance(command, Resume):
                self._resume(command.tid, command.value)
            elif isinstance(command, Exec):
                self._resume(command.tid, 0)
            elif isinstance(command, Spawn) and command.kind is SpawnKind.EXEC and command.parent:
                self._resume(command.parent, 0)  # the execve of a vfork child
            elif isinstance(command, Stop):
                self._stop(command.tid)
        if self._write is not None:
            for line in self._lines:
                self._write(line)
        else:
            commands = [*(Log(line) for line in self._lines), *commands]
        self._lines.clear()
        return commands

    # --- calls

    def _before(self, task: Task, call: Call, words: tuple[int, ...]) -> tuple[list[str], bool]:
        """The arguments that can be read before the call; whether more come after it."""
        kinds = self._arguments.get(call.name)
        if kinds is None:
            return [self._plain(word) for word in words], False
        parts: list[str] = []
        for index, kind in enumerate(kinds[: len(words)]):
            if kind in self._args.OUT:
                return parts, True
            text = kind(self._args.Argument(task, words, index, None))
            if text:
                parts.append(text)
        return parts, False

    def _after(self, task: Task, call: Call, words: tuple[int, ...], skip: int, value: int) -> list[str]:
        """The arguments from the first one that the call writes."""
        kinds = self._arguments.get(call.name, ())
        first = next((i for i, kind in enumerate(kinds) if kind in self._args.OUT), len(kinds))
        if first >= len(kinds) or call.name not in self._arguments:
            return []
        return [
            kind(self._args.Argument(task, words, first + place, value))
            for place, kind in enumerate(kinds[first : len(words)])
        ]

    def _plain(self, word: int) -> str:
        return str(word) if -65536 < word < 65536 else f"{word & 0xFFFFFFFF:#x}"

    def _result(self, task: Task, call: Call, words: tuple[int, ...], value: int) -> str:
        if value == -ERESTARTSYS:
            return "? ERESTARTSYS (To be restarted if SA_RESTART is set)"
        if -4096 < value < 0:
            errno = Errno(-value) if -value in Errno._value2member_map_ else None
            return f"-1 {errno.name} ({self._names.ERRORS.get(-value, '')})" if errno else str(value)
        if call.name == "fcntl64" and words[1] == 3:
            return f"{value:#x} (flags {self._args.open_flags(self._args.Argument(task, (value,), 0, None))})"
        if call.name == "umask":
            return f"{value:#05o}".replace("0o", "0")
        if call.name == "ppoll_time64":
            if value == 0:
                return "0 (Timeout)"
            return f"{value} ({self._structs.revents(task, words)})"
        return str(value)

    def _resume(self, thread: int, value: int) -> None:
        """A call that waited has ended."""
        ended = self._open.pop(thread, None)
        if ended is None:
            ended = self._vforks.pop(thread, None)
        if ended is None:
            return
        self._tasks[thread] = ended.task
        rest = self._after(ended.task, ended.call, ended.words, 0, value)
        text = f"{self._prefix(ended.task)}<... {ended.call.name} resumed>{', '.join(filter(None, rest))})"
        self._line(text, self._result(ended.task, ended.call, ended.words, value))

    # --- signals and ends

    def _private(self, kernel: Kernel, task: Task, call: Call, words: tuple[int, ...]) -> int | None:
        value = kernel.serve(task, call, words)
        if call.name == "sigfetch" and value:
            try:
                data = task.mem.read(words[0] + SIGFETCH.size, 32)
            except SysError:
                return value
            self._lines.append(f"{self._prefix(task)}--- {self._siginfo(data)} ---")
        return value

    def _siginfo(self, data: bytes) -> str:
        signo, _, code = unpack_from("<iii", data)
        name = self._args.signal_name(signo)
        child = signo == 17 and code > 0
        codes = _CHILD_CODES if child else _CODES
        text = f"{name} {{si_signo={name}, si_code={codes.get(code, str(code))}"
        if child:
            pid, uid, status, utime, stime = unpack_from("<iIiii", data, 12)
            shown = status if code == 1 else self._args.signal_name(status)
            text += f", si_pid={pid}, si_uid={uid}, si_status={shown}, si_utime={utime}, si_stime={stime}"
        elif code == -2:
            timer, overrun, value = unpack_from("<iiI", data, 12)
            text += f", si_timerid={timer}, si_overrun={overrun}, si_int={value}"
        elif code <= 0:
            text += ", si_pid={}, si_uid={}".format(*unpack_from("<iI", data, 12))
        return text + "}"

    def _stop(self, thread: int) -> None:
        """The engine ends a thread: its open call has no result."""
        waited = self._open.pop(thread, None)
        self._vforks.pop(thread, None)
        if thread not in self._tasks:
            return
        prefix = self._prefix(self._tasks[thread])
        if waited is not None:
            self._line(f"{prefix}<... {waited.call.name} resumed>)", "?")
        self._ended(thread, prefix)

    def _ended(self, thread: int, prefix: str) -> None:
        """How a task ended."""
        status = self._tasks.pop(thread).process.status
        if status is not None and status & 0x7F:
            self._lines.append(f"{prefix}+++ killed by {self._args.signal_name(status & 0x7F)} +++")
        else:
            self._lines.append(f"{prefix}+++ exited with {0 if status is None else status >> 8} +++")

    # --- lines

    def _prefix(self, task: Task) -> str:
        return f"[pid {task.tid:5}] " if self._many else ""

    def _line(self, text: str, result: str | None = None) -> None:
        if result is not None:
            text = f"{text} ".ljust(RESULT_COLUMN) + f"= {result}"
        self._lines.append(text)
