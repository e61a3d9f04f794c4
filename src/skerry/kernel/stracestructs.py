# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""How strace writes structures: times, limits, signal sets, stat, addresses, poll sets."""
from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from skerry.abi.errors import SysError
from skerry.abi.resource import RLIM_INFINITY
from skerry.abi.signal import NSIG, SIGACTION, bit
from skerry.kernel import stracenames as names
from skerry.kernel.straceargs import (
    LIST_MAX,
    Argument,
    Kind,
    out,
    pointer,
    quote,
    safe,
    signal_name,
)
from skerry.kernel.task import Task


def _struct(layout: str, write: Callable[..., str], written: bool = False) -> Kind:
    """A kind for a structure; `write` gets its fields."""
    fields = Struct(layout)

    def kind(argument: Argument) -> str:
        return write(*argument.task.mem.unpack(fields, argument.word))

    return out(safe(kind)) if written else safe(kind)


def _time(seconds: int, nanoseconds: int) -> str:
    return f"{{tv_sec={seconds}, tv_nsec={nanoseconds}}}"


def _value(seconds: int, micros: int) -> str:
    return f"{{tv_sec={seconds}, tv_usec={micros}}}"


def _limit(value: int) -> str:
    if value == RLIM_INFINITY:
        return "RLIM64_INFINITY"
    return f"{value // 1024}*1024" if value > 1024 and value % 1024 == 0 else str(value)


def _rlimit(soft: int, hard: int) -> str:
    return f"{{rlim_cur={_limit(soft)}, rlim_max={_limit(hard)}}}"


def _pair(one: int, two: int) -> str:
    return f"[{one}, {two}]"


def sigset(mask: int) -> str:
    """[INT CHLD], or ~[...] when most are in it."""
    there = [signo for signo in range(1, NSIG + 1) if mask & bit(signo)]
    tilde = "~" if len(there) > NSIG * 2 // 3 else ""
    if tilde:
        there = [signo for signo in range(1, NSIG + 1) if not mask & bit(signo)]
    return tilde + "[" + " ".join(signal_name(signo)[3:] for signo in there) + "]"


def _action(handler: int, flags: int, mask: int) -> str:
    text = {0: "SIG_DFL", 1: "SIG_IGN"}.get(handler, f"{handler:#x}")
    return f"{{sa_handler={text}, sa_mask={sigset(mask)}, sa_flags={names.flags(flags, names.SA)}}}"


def _itimerval(i_s: int, i_us: int, v_s: int, v_us: int) -> str:
    return f"{{it_interval={_value(i_s, i_us)}, it_value={_value(v_s, v_us)}}}"


def _itimerspec(i_s: int, i_ns: int, v_s: int, v_ns: int) -> str:
    return f"{{it_interval={_time(i_s, i_ns)}, it_value={_time(v_s, v_ns)}}}"


timespec, timespec_out = _struct("<qi4x", _time), _struct("<qi4x", _time, written=True)
rlimit, rlimit_out = _struct("<QQ", _rlimit), _struct("<QQ", _rlimit, written=True)
signals, signals_out = _struct("<Q", sigset), _struct("<Q", sigset, written=True)
action, action_out = _struct(SIGACTION.format, _action), _struct(SIGACTION.format, _action, written=True)
itimerval, itimerval_out = _struct("<iiii", _itimerval), _struct("<iiii", _itimerval, written=True)
itimerspec = _struct("<qi4xqi4x", _itimerspec)
itimerspec_out = _struct("<qi4xqi4x", _itimerspec, written=True)
pair_out = _struct("<ii", _pair, written=True)
number, number_out = _struct("<i", "[{}]".format), _struct("<i", "[{}]".format, written=True)
wide_out = _struct("<q", "[{}]".format, written=True)


@out
@safe
def wait_status(argument: Argument) -> str:
    """[{WIFEXITED(s) && WEXITSTATUS(s) == 0}]."""
    if not argument.result:
        return pointer(argument)
    status = argument.task.mem.u32(argument.word)
    if status == 0xFFFF:
        text = "WIFCONTINUED(s)"
    elif status & 0xFF == 0x7F:
        text = f"WIFSTOPPED(s) && WSTOPSIG(s) == {signal_name(status >> 8)}"
    elif status & 0x7F:
        text = f"WIFSIGNALED(s) && WTERMSIG(s) == {signal_name(status & 0x7F)}"
    else:
        text = f"WIFEXITED(s) && WEXITSTATUS(s) == {status >> 8}"
    return f"[{{{text}}}]"


_TWO_TIMES = Struct("<qi4xqi4x")
_TYPES = {1: "S_IFIFO", 2: "S_IFCHR", 4: "S_IFDIR", 6: "S_IFBLK", 8: "S_IFREG", 10: "S_IFLNK", 12: "S_IFSOCK"}


def _statx(mask: int, mode: int, size: int) -> str:
    kind = _TYPES.get(mode >> 12, "0")
    text = f"stx_mask={names.flags(mask, names.STATX)}, stx_mode={kind}|{mode & 0o7777:04o}, stx_size={size}"
    return f"{{{text}, ...}}"


statx_out = _struct("<I24xH10xQ", _statx, written=True)


@safe
def socket_address(argument: Argument) -> str:
    """struct sockaddr; its size is the next argument."""
    return write_address(argument.task.mem.read(argument.word, min(argument.next() & 0xFFFFFFFF, 128)))


@out
@safe
def socket_address_out(argument: Argument) -> str:
    """struct sockaddr; its size stands where the next argument points."""
    size = argument.task.mem.u32(argument.next())
    return write_address(argument.task.mem.read(argument.word, min(size, 128)))


def write_address(data: bytes) -> str:
    """A socket's address."""
    family = int.from_bytes(data[:2], "little")
    text = f"sa_family={names.choice(family, names.FAMILIES)}"
    port = int.from_bytes(data[2:4], "big")
    if family == 1 and len(data) > 2:
        name = data[2:]
        path = "@" + quote(name[1:]) if name[0] == 0 else quote(name.partition(b"\0")[0])
        text += f", sun_path={path}"
    elif family == 2:
        text += f', sin_port=htons({port}), sin_addr=inet_addr("{".".join(map(str, data[4:8]))}")'
    elif family == 10:
        groups = ":".join(f"{int.from_bytes(data[i : i + 2], 'big'):x}" for i in range(8, 24, 2))
        text += f', sin6_port=htons({port}), inet_pton(AF_INET6, "{groups}")'
    return f"{{{text}}}"


def polled(argument: Argument) -> str:
    """The pollfd array, as asked."""
    return _polled(argument, 4, "events", all_of=True)


def _polled(argument: Argument, place: int, name: str, all_of: bool) -> str:
    count = min(argument.next() & 0xFFFFFFFF, LIST_MAX)
    try:
        data = argument.task.mem.read(argument.word, 8 * count)
    except SysError:
        return pointer(argument)
    parts: list[str] = []
    for start in range(0, len(data), 8):
        fd = int.from_bytes(data[start : start + 4], "little", signed=True)
        bits = int.from_bytes(data[start + place : start + place + 2], "little")
        if bits or all_of:
            parts.append(f"{{fd={fd}, {name}={names.flags(bits, names.POLL)}}}")
    return "[" + ", ".join(parts) + "]"


def revents(task: Task, words: tuple[int, ...]) -> str:
    """What poll found, as it stands behind the result."""
    return _polled(Argument(task, words, 0, None), 6, "revents", all_of=False)


@safe
def epoll_event(argument: Argument) -> str:
    """struct epoll_event, which is padded here as in Linux on 32 bits: events, data."""
    return _epoll_event(argument.task, argument.word)


@out
@safe
def epoll_events(argument: Argument) -> str:
    """What epoll_wait found."""
    size = 16
    count = min(argument.result or 0, LIST_MAX)
    return "[" + ", ".join(_epoll_event(argument.task, argument.word + size * i) for i in range(count)) + "]"


def _epoll_event(task: Task, address: int) -> str:
    events, data = task.mem.u32(address), task.mem.u64(address + 8)
    return f"{{events={names.flags(events, names.EPOLL)}, data={{u32={data & 0xFFFFFFFF}, u64={data}}}}}"


@safe
def two_times(argument: Argument) -> str:
    """The two timespecs of utimensat, with its special values."""
    numbers = argument.task.mem.unpack(_TWO_TIMES, argument.word)
    special = {0x3FFFFFFF: "UTIME_NOW", 0x3FFFFFFE: "UTIME_OMIT"}
    texts = [special.get(ns) or _time(second, ns) for second, ns in (numbers[:2], numbers[2:])]
    return f"[{', '.join(texts)}]"


@out
def left(argument: Argument) -> str:
    """What is left of a sleep: only an interrupted one writes it."""
    return pointer(argument)


def futex_timeout(argument: Argument) -> str:
    """The fourth argument of futex: a time to wait, a count to move, or nothing."""
    command = argument.next(-2) & 0x7F
    if command in (0, 6, 9):
        return timespec(argument)
    return str(argument.word) if command in (3, 4, 5) else ""


def futex_rest(argument: Argument) -> str:
    """The last two arguments of futex, for the operations that have them."""
    command, first = argument.words[1] & 0x7F, argument.index == 4
    if first:
        return pointer(argument) if command in (3, 4, 5) else "NULL" if command in (9, 10) else ""
    return f"{argument.word & 0xFFFFFFFF:#x}" if command in (4, 5, 9, 10) else ""
