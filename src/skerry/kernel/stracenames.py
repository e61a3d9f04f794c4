# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What strace calls the bits: names of flags and values, for reading only.

Standard: strace(1) and the Linux headers it quotes; the numbers are those of abi.
"""
from __future__ import annotations

from skerry.abi import fcntl, poll

Names = tuple[tuple[int, str], ...]


def _named(module: object, prefix: str, *names: str) -> Names:
    """(value, PREFIX_NAME) pairs out of an abi module, wider values first."""
    found = [(int(getattr(module, prefix + name)), prefix + name) for name in names]
    return tuple(sorted(found, key=lambda pair: -pair[0].bit_count()))


def _bits(prefix: str, **values: int) -> Names:
    return tuple((value, prefix + name) for name, value in values.items())


ACCESS_MODES = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")
OPEN = _named(
    fcntl, "O_", "CREAT", "EXCL", "NOCTTY", "TRUNC", "APPEND", "NONBLOCK", "SYNC", "DSYNC", "ASYNC", "DIRECT",
    "LARGEFILE", "TMPFILE", "DIRECTORY", "NOFOLLOW", "NOATIME", "CLOEXEC", "PATH",
)  # fmt: skip
AT = (
    (0x100, "AT_SYMLINK_NOFOLLOW"), (0x200, "AT_REMOVEDIR"), (0x400, "AT_SYMLINK_FOLLOW"),
    (0x800, "AT_NO_AUTOMOUNT"), (0x1000, "AT_EMPTY_PATH"),
)  # fmt: skip
FACCESSAT = ((0x200, "AT_EACCESS"), *AT[:1])
ACCESS = ((4, "R_OK"), (2, "W_OK"), (1, "X_OK"))
WAIT = _bits("W", NOHANG=1, UNTRACED=2, EXITED=4, CONTINUED=8, NOWAIT=0x1000000)
POLL = _named(
    poll, "POLL", "IN", "PRI", "OUT", "ERR", "HUP", "NVAL", "RDNORM", "RDBAND", "WRNORM", "WRBAND", "RDHUP"
)  # fmt: skip
EPOLL = (
    *((value, "E" + name) for value, name in POLL),
    *_named(poll, "EPOLL", "EXCLUSIVE", "WAKEUP", "ONESHOT", "ET"),
)
CLOEXEC = ((fcntl.O_CLOEXEC, "O_CLOEXEC"), (fcntl.O_NONBLOCK, "O_NONBLOCK"), (fcntl.O_DIRECT, "O_DIRECT"))
SA = _bits(
    "SA_", NOCLDSTOP=1, NOCLDWAIT=2, SIGINFO=4, ONSTACK=0x08000000, RESTART=0x10000000, NODEFER=0x40000000,
    RESETHAND=0x80000000,
)  # fmt: skip
CLONE = _bits(
    "CLONE_", VM=0x100, FS=0x200, FILES=0x400, SIGHAND=0x800, VFORK=0x4000, THREAD=0x10000,
    SYSVSEM=0x40000,
    SETTLS=0x80000, PARENT_SETTID=0x100000, CHILD_CLEARTID=0x200000, DETACHED=0x400000,
    CHILD_SETTID=0x1000000,
)  # fmt: skip
GRND = _bits("GRND_", NONBLOCK=1, RANDOM=2, INSECURE=4)
RENAME = _bits("RENAME_", NOREPLACE=1, EXCHANGE=2)
MFD = _bits("MFD_", CLOEXEC=1, ALLOW_SEALING=2)
MSG = _bits(
    "MSG_", OOB=1, PEEK=2, DONTROUTE=4, CTRUNC=8, TRUNC=0x20, DONTWAIT=0x40, EOR=0x80, WAITALL=0x100,
    NOSIGNAL=0x4000, MORE=0x8000, CMSG_CLOEXEC=0x40000000,
)  # fmt: skip
STATX = ((0x7FF, "STATX_BASIC_STATS"), (0x800, "STATX_BTIME"), (0x1000, "STATX_MNT_ID"))
TIMER = ((1, "TIMER_ABSTIME"),)
EFD = ((1, "EFD_SEMAPHORE"), (fcntl.O_CLOEXEC, "EFD_CLOEXEC"), (fcntl.O_NONBLOCK, "EFD_NONBLOCK"))

SIGPROCMASK = ("SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK")
WHENCE = ("SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA", "SEEK_HOLE")
CLOCKS = (
    "CLOCK_REALTIME", "CLOCK_MONOTONIC", "CLOCK_PROCESS_CPUTIME_ID", "CLOCK_THREAD_CPUTIME_ID",
    "CLOCK_MONOTONIC_RAW", "CLOCK_REALTIME_COARSE", "CLOCK_MONOTONIC_COARSE", "CLOCK_BOOTTIME",
    "CLOCK_REALTIME_ALARM", "CLOCK_BOOTTIME_ALARM", "CLOCK_SGI_CYCLE", "CLOCK_TAI",
)  # fmt: skip
ITIMERS = ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF")
RLIMITS = (
    "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS", "RLIMIT_NPROC",
    "RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS", "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE",
    "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
)  # fmt: skip
FUTEX = (
    "FUTEX_WAIT", "FUTEX_WAKE", "FUTEX_FD", "FUTEX_REQUEUE", "FUTEX_CMP_REQUEUE", "FUTEX_WAKE_OP",
    "FUTEX_LOCK_PI", "FUTEX_UNLOCK_PI", "FUTEX_TRYLOCK_PI", "FUTEX_WAIT_BITSET", "FUTEX_WAKE_BITSET",
)  # fmt: skip
WAITID = ("P_ALL", "P_PID", "P_PGID", "P_PIDFD")
EPOLL_CTL = ("0", "EPOLL_CTL_ADD", "EPOLL_CTL_DEL", "EPOLL_CTL_MOD")
SHUTDOWN = ("SHUT_RD", "SHUT_WR", "SHUT_RDWR")
PRIORITY = ("PRIO_PROCESS", "PRIO_PGRP", "PRIO_USER")

FCNTL = {
    int(value): name
    for name, value in vars(fcntl).items()
    if name.startswith("F_") and name not in ("F_RDLCK", "F_WRLCK", "F_UNLCK")
}
FAMILIES = {0: "AF_UNSPEC", 1: "AF_UNIX", 2: "AF_INET", 10: "AF_INET6", 16: "AF_NETLINK"}
SOCKET_FLAGS = ((fcntl.O_CLOEXEC, "SOCK_CLOEXEC"), (fcntl.O_NONBLOCK, "SOCK_NONBLOCK"))
SOCKETS = {1: "SOCK_STREAM", 2: "SOCK_DGRAM", 3: "SOCK_RAW", 5: "SOCK_SEQPACKET"}
RUSAGE = {0: "RUSAGE_SELF", -1: "RUSAGE_CHILDREN", 1: "RUSAGE_THREAD"}
IOCTL = {
    0x5401: "TCGETS", 0x5402: "TCSETS", 0x5403: "TCSETSW", 0x5404: "TCSETSF", 0x5409: "TCSBRK",
    0x540A: "TCXONC", 0x540B: "TCFLSH", 0x540E: "TIOCSCTTY", 0x540F: "TIOCGPGRP", 0x5410: "TIOCSPGRP",
    0x5411: "TIOCOUTQ",
    0x5412: "TIOCSTI", 0x5413: "TIOCGWINSZ", 0x5414: "TIOCSWINSZ", 0x541B: "FIONREAD", 0x5421: "FIONBIO",
    0x5422: "TIOCNOTTY", 0x5429: "TIOCGSID", 0x5450: "FIONCLEX", 0x5451: "FIOCLEX",
    0x80045430: "TIOCGPTN", 0x40045431: "TIOCSPTLCK",
}  # fmt: skip
PRCTL = {
    1: "PR_SET_PDEATHSIG", 2: "PR_GET_PDEATHSIG", 3: "PR_GET_DUMPABLE", 4: "PR_SET_DUMPABLE",
    15: "PR_SET_NAME", 16: "PR_GET_NAME", 23: "PR_CAPBSET_READ", 29: "PR_SET_TIMERSLACK",
    36: "PR_SET_CHILD_SUBREAPER",
    38: "PR_SET_NO_NEW_PRIVS", 39: "PR_GET_NO_NEW_PRIVS",
}  # fmt: skip
ERRORS = {
    1: "Operation not permitted", 2: "No such file or directory", 3: "No such process",
    4: "Interrupted system call", 5: "Input/output error", 6: "No such device or address",
    7: "Argument list too long", 8: "Exec format error", 9: "Bad file descriptor", 10: "No child processes",
    11: "Resource temporarily unavailable", 12: "Cannot allocate memory", 13: "Permission denied",
    14: "Bad address", 15: "Block device required", 16: "Device or resource busy", 17: "File exists",
    18: "Invalid cross-device link", 19: "No such device", 20: "Not a directory", 21: "Is a directory",
    22: "Invalid argument", 23: "Too many open files in system", 24: "Too many open files",
    25: "Inappropriate ioctl for device", 26: "Text file busy", 27: "File too large",
    28: "No space left on device", 29: "Illegal seek", 30: "Read-only file system", 31: "Too many links",
    32: "Broken pipe", 33: "Numerical argument out of domain", 34: "Numerical result out of range",
    35: "Resource deadlock avoided", 36: "File name too long", 37: "No locks available",
    38: "Function not implemented", 39: "Directory not empty", 40: "Too many levels of symbolic links",
    42: "No message of desired type", 43: "Identifier removed", 44: "Channel number out of range",
    45: "Level 2 not synchronized", 46: "Level 3 halted", 47: "Level 3 reset",
    48: "Link number out of range", 49: "Protocol driver not attached", 50: "No CSI structure available",
    51: "Level 2 halted", 52: "Invalid exchange", 53: "Invalid request descriptor", 54: "Exchange full",
    55: "No anode", 56: "Invalid request code", 57: "Invalid slot", 59: "Bad font file format",
    60: "Device not a stream", 61: "No data available", 62: "Timer expired", 63: "Out of streams resources",
    64: "Machine is not on the network", 65: "Package not installed", 66: "Object is remote",
    67: "Link has been severed", 68: "Advertise error", 69: "Srmount error",
    70: "Communication error on send", 71: "Protocol error", 72: "Multihop attempted",
    73: "RFS specific error", 74: "Bad message", 75: "Value too large for defined data type",
    76: "Name not unique on network", 77: "File descriptor in bad state", 78: "Remote address changed",
    79: "Can not access a needed shared library", 80: "Accessing a corrupted shared library",
    81: ".lib section in a.out corrupted", 82: "Attempting to link in too many shared libraries",
    83: "Cannot exec a shared library directly", 84: "Invalid or incomplete multibyte or wide character",
    85: "Interrupted system call should be restarted", 86: "Streams pipe error", 87: "Too many users",
    88: "Socket operation on non-socket", 89: "Destination address required", 90: "Message too long",
    91: "Protocol wrong type for socket", 92: "Protocol not available", 93: "Protocol not supported",
    94: "Socket type not supported", 95: "Operation not supported", 96: "Protocol family not supported",
    97: "Address family not supported by protocol", 98: "Address already in use",
    99: "Cannot assign requested address", 100: "Network is down", 101: "Network is unreachable",
    102: "Network dropped connection on reset", 103: "Software caused connection abort",
    104: "Connection reset by peer", 105: "No buffer space available",
    106: "Transport endpoint is already connected", 107: "Transport endpoint is not connected",
    108: "Cannot send after transport endpoint shutdown", 109: "Too many references: cannot splice",
    110: "Connection timed out", 111: "Connection refused", 112: "Host is down", 113: "No route to host",
    114: "Operation already in progress", 115: "Operation now in progress", 116: "Stale file handle",
    117: "Structure needs cleaning", 118: "Not a XENIX named type file",
    119: "No XENIX semaphores available", 120: "Is a named type file", 121: "Remote I/O error",
    122: "Disk quota exceeded", 123: "No medium found", 124: "Wrong medium type", 125: "Operation canceled",
    126: "Required key not available", 127: "Key has expired", 128: "Key has been revoked",
    129: "Key was rejected by service", 130: "Owner died", 131: "State not recoverable",
    132: "Operation not possible due to RF-kill",
}  # fmt: skip
"""What strerror(3) says of each errno."""


def flags(value: int, names: Names, empty: str = "0") -> str:
    """Bits by their names joined with |; what has none in hexadecimal."""
    value &= 0xFFFFFFFF
    found = []
    for bits, name in names:
        if value & bits == bits:
            found.append(name)
            value &= ~bits
    if value:
        found.append(f"{value:#x}")
    return "|".join(found) or empty


def choice(value: int, names: tuple[str, ...] | dict[int, str]) -> str:
    """A value by its name."""
    if isinstance(names, dict):
        return names.get(value, f"{value & 0xFFFFFFFF:#x}")
    return names[value] if 0 <= value < len(names) else f"{value & 0xFFFFFFFF:#x}"
