# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""How strace writes one argument: each kind a function from a call's words to text.

A kind gets the Argument (task, words, position, result) and says how it reads. Kinds in
`OUT` show what the call wrote and can be read only when it has ended.

Errors: a pointer that leaves the memory is written as a number; nothing here raises.
"""
from __future__ import annotations

from collections.abc import Callable

from skerry.abi.errors import SysError
from skerry.abi.limits import PATH_MAX
from skerry.abi.signal import NSIG, Signo
from skerry.kernel import stracenames as names
from skerry.kernel.task import Task

STRING_MAX = 32  # strace -s
LIST_MAX = 32
_ESCAPES = {7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
_OCTAL = frozenset(b"01234567")


class Argument:
    """One argument of one call; `result` is None before it has ended."""

    __slots__ = ("index", "result", "task", "words")

    def __init__(self, task: Task, words: tuple[int, ...], index: int, result: int | None) -> None:
        self.task, self.words, self.index, self.result = task, words, index, result

    @property
    def word(self) -> int:
        """The argument itself."""
        return self.words[self.index]

    def next(self, step: int = 1) -> int:
        """An argument after it (before it, for negative steps)."""
        place = self.index + step
        return self.words[place] if 0 <= place < len(self.words) else 0


Kind = Callable[[Argument], str]
OUT: set[Kind] = set()


def out(kind: Kind) -> Kind:
    """Mark a kind that shows what the call wrote; after an error it shows the pointer."""

    def shown(argument: Argument) -> str:
        failed = argument.result is not None and argument.result < 0
        return pointer(argument) if failed or argument.word == 0 else kind(argument)

    OUT.add(shown)
    return shown


def safe(kind: Kind) -> Kind:
    """A kind that reads memory: NULL and bad pointers are written as such."""

    def shown(argument: Argument) -> str:
        if argument.word == 0:
            return "NULL"
        try:
            return kind(argument)
        except SysError:
            return pointer(argument)

    return shown


# --- numbers


def integer(argument: Argument) -> str:
    """A signed number."""
    return str(argument.word)


def unsigned(argument: Argument) -> str:
    """An unsigned number, a size."""
    return str(argument.word & 0xFFFFFFFF)


def octal(argument: Argument) -> str:
    """A mode."""
    return f"{argument.word & 0xFFFFFFFF:#05o}".replace("0o", "0") if argument.word else "000"


def pointer(argument: Argument) -> str:
    """An address."""
    return f"{argument.word & 0xFFFFFFFF:#x}" if argument.word else "NULL"


def wide(argument: Argument) -> str:
    """A 64-bit number in two words; the second is skipped."""
    return str((argument.next() << 32) | (argument.word & 0xFFFFFFFF))


def high_first(argument: Argument) -> str:
    """The offset of _llseek: the high word stands first."""
    return str((argument.word << 32) | (argument.next() & 0xFFFFFFFF))


def skipped(argument: Argument) -> str:
    """The second word of a 64-bit number: already written."""
    return ""


def directory(argument: Argument) -> str:
    """A directory's descriptor."""
    return "AT_FDCWD" if argument.word == -100 else str(argument.word)


def signal(argument: Argument) -> str:
    """A signal's number."""
    return signal_name(argument.word)


def signal_name(signo: int) -> str:
    """SIGINT, SIGRT_5."""
    if signo in Signo._value2member_map_:
        return Signo(signo).name
    if signo == 32:
        return "SIGRTMIN"
    return f"SIGRT_{signo - 32}" if 32 <= signo <= NSIG else str(signo)


def flag_set(table: names.Names) -> Kind:
    """A kind for bits."""
    return lambda argument: names.flags(argument.word, table)


def one_of(table: tuple[str, ...] | dict[int, str]) -> Kind:
    """A kind for an enumeration."""
    return lambda argument: names.choice(argument.word, table)


def open_flags(argument: Argument) -> str:
    """O_ flags, whose first is the access mode."""
    rest = names.flags(argument.word & ~3, names.OPEN, empty="")
    mode = names.ACCESS_MODES[argument.word & 3]
    return f"{mode}|{rest}" if rest else mode


def open_mode(argument: Argument) -> str:
    """The mode of openat, there only when a file may be made."""
    return octal(argument) if argument.next(-1) & (0o100 | 0o20000000) else ""


def access_mode(argument: Argument) -> str:
    """The mode of access."""
    return names.flags(argument.word, names.ACCESS, empty="F_OK")


def socket_type(argument: Argument) -> str:
    """SOCK_STREAM|SOCK_CLOEXEC."""
    text = names.choice(argument.word & 0xF, names.SOCKETS)
    rest = names.flags(argument.word & ~0xF, names.SOCKET_FLAGS, empty="")
    return f"{text}|{rest}" if rest else text


def futex_operation(argument: Argument) -> str:
    """FUTEX_WAIT_PRIVATE."""
    text = names.choice(argument.word & 0x7F, names.FUTEX)
    text += "_PRIVATE" if argument.word & 0x80 else ""
    return text + ("|FUTEX_CLOCK_REALTIME" if argument.word & 0x100 else "")


def fcntl_argument(argument: Argument) -> str:
    """The third argument of fcntl, when the command has one."""
    command = names.FCNTL.get(argument.next(-1), "")
    if command in ("F_GETFD", "F_GETFL", "F_GETOWN", "F_GETSIG", "F_GETPIPE_SZ"):
        return ""
    if command == "F_SETFD":
        return "FD_CLOEXEC" if argument.word == 1 else str(argument.word)
    if command == "F_SETFL":
        return open_flags(argument)
    if command.startswith(("F_DUPFD", "F_SETPIPE", "F_SETOWN", "F_SETSIG")):
        return integer(argument)
    return pointer(argument)


# --- text and bytes


def quote(data: bytes, cut: bool = False) -> str:
    """A C string, at most STRING_MAX bytes of it; `cut` says that there was more."""
    cut = cut or len(data) > STRING_MAX
    data = data[:STRING_MAX]
    parts = []
    for place, byte in enumerate(data):
        if byte in _ESCAPES:
            parts.append(_ESCAPES[byte])
        elif 32 <= byte < 127:
            parts.append(chr(byte))
        else:
            long = data[place + 1 : place + 2] and data[place + 1] in _OCTAL
            parts.append(f"\\{byte:03o}" if long else f"\\{byte:o}")
    return '"' + "".join(parts) + ('"...' if cut else '"')


def _quoted(task: Task, address: int, size: int) -> str:
    return quote(task.mem.read(address, min(size, STRING_MAX)), size > STRING_MAX)


@safe
def path(argument: Argument) -> str:
    """A path, whole."""
    text = argument.task.mem.string(argument.word, PATH_MAX)
    return '"' + "".join(quote(text[i : i + STRING_MAX])[1:-1] for i in range(0, len(text), STRING_MAX)) + '"'


@out
@safe
def path_out(argument: Argument) -> str:
    """A path the call wrote."""
    return path(argument)


@safe
def string(argument: Argument) -> str:
    """A string."""
    return quote(argument.task.mem.string(argument.word, PATH_MAX))


@safe
def data_in(argument: Argument) -> str:
    """Bytes whose size is the next argument."""
    return _quoted(argument.task, argument.word, argument.next() & 0xFFFFFFFF)


@out
@safe
def data_out(argument: Argument) -> str:
    """Bytes the call wrote; its result is their number."""
    return _quoted(argument.task, argument.word, argument.result or 0)


@safe
def vector_in(argument: Argument) -> str:
    """An iovec array the call reads."""
    return _vector(argument, argument.next())


@out
@safe
def vector_out(argument: Argument) -> str:
    """An iovec array the call filled."""
    return _vector(argument, argument.next(), argument.result)


def _vector(argument: Argument, count: int, filled: int | None = None) -> str:
    parts = []
    for address, size in argument.task.mem.iovecs(argument.word, count)[:LIST_MAX]:
        there = size if filled is None else min(size, filled)
        filled = None if filled is None else filled - there
        parts.append(f"{{iov_base={_quoted(argument.task, address, there)}, iov_len={size}}}")
    return "[" + ", ".join(parts) + "]"


@safe
def arguments(argument: Argument) -> str:
    """argv."""
    texts = argument.task.mem.strings(argument.word, 1 << 21)
    more = ", ..." if len(texts) > LIST_MAX else ""
    return "[" + ", ".join(quote(text) for text in texts[:LIST_MAX]) + more + "]"


@safe
def environment(argument: Argument) -> str:
    """envp: only how many."""
    count = len(argument.task.mem.strings(argument.word, 1 << 21))
    return f"{pointer(argument)} /* {count} var{'' if count == 1 else 's'} */"
