# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What the arguments of each call are, for strace; calls not listed show plain numbers.

One kind per word (straceargs.py, stracestructs.py); a 64-bit argument is `wide, skipped`.
"""
from __future__ import annotations

from skerry.kernel import straceargs as a
from skerry.kernel import stracenames as names
from skerry.kernel import stracestructs as s
from skerry.kernel.straceargs import Kind, flag_set, one_of

_AT = flag_set(names.AT)
_FD, _DIR, _PATH, _INT, _SIZE, _MODE, _PTR = (
    a.integer, a.directory, a.path, a.integer, a.unsigned, a.octal, a.pointer,
)  # fmt: skip
_WIDE = (a.wide, a.skipped)
_CLOCK, _RLIMIT, _SIGNAL = one_of(names.CLOCKS), one_of(names.RLIMITS), a.signal
_MSG = flag_set(names.MSG)
_SOCKET = (one_of(names.FAMILIES), a.socket_type, _INT)

ARGUMENTS: dict[str, tuple[Kind, ...]] = {
    # files
    "openat": (_DIR, _PATH, a.open_flags, a.open_mode),
    "close": (_FD,),
    "read": (_FD, a.data_out, _SIZE),
    "write": (_FD, a.data_in, _SIZE),
    "readv": (_FD, a.vector_out, _INT),
    "writev": (_FD, a.vector_in, _INT),
    "pread64": (_FD, a.data_out, _SIZE, *_WIDE),
    "pwrite64": (_FD, a.data_in, _SIZE, *_WIDE),
    "preadv": (_FD, a.vector_out, _INT, *_WIDE),
    "pwritev": (_FD, a.vector_in, _INT, *_WIDE),
    "_llseek": (_FD, a.high_first, a.skipped, s.wide_out, one_of(names.WHENCE)),
    "dup": (_FD,),
    "dup3": (_FD, _FD, a.open_flags),
    "fcntl64": (_FD, one_of(names.FCNTL), a.fcntl_argument),
    "ioctl": (_FD, one_of(names.IOCTL), _PTR),
    "flock": (_FD, _INT),
    "pipe2": (s.pair_out, flag_set(names.CLOEXEC)),
    "statx": (_DIR, _PATH, _AT, flag_set(names.STATX), s.statx_out),
    "fstatfs64": (_FD, _SIZE, _PTR),
    "statfs64": (_PATH, _SIZE, _PTR),
    "getdents64": (_FD, _PTR, _SIZE),
    "getcwd": (a.path_out, _SIZE),
    "chdir": (_PATH,),
    "fchdir": (_FD,),
    "chroot": (_PATH,),
    "mkdirat": (_DIR, _PATH, _MODE),
    "mknodat": (_DIR, _PATH, _MODE, _INT),
    "unlinkat": (_DIR, _PATH, _AT),
    "symlinkat": (_PATH, _DIR, _PATH),
    "linkat": (_DIR, _PATH, _DIR, _PATH, _AT),
    "renameat2": (_DIR, _PATH, _DIR, _PATH, flag_set(names.RENAME)),
    "readlinkat": (_DIR, _PATH, a.data_out, _SIZE),
    "faccessat": (_DIR, _PATH, a.access_mode),
    "faccessat2": (_DIR, _PATH, a.access_mode, flag_set(names.FACCESSAT)),
    "fchmod": (_FD, _MODE),
    "fchmodat": (_DIR, _PATH, _MODE),
    "fchmodat2": (_DIR, _PATH, _MODE, _AT),
    "fchown": (_FD, _INT, _INT),
    "fchownat": (_DIR, _PATH, _INT, _INT, _AT),
    "truncate64": (_PATH, *_WIDE),
    "ftruncate64": (_FD, *_WIDE),
    "fallocate": (_FD, _INT, *_WIDE, *_WIDE),
    "fadvise64_64": (_FD, *_WIDE, *_WIDE, _INT),
    "utimensat_time64": (_DIR, _PATH, s.two_times, _AT),
    "fsync": (_FD,),
    "fdatasync": (_FD,),
    "umask": (_MODE,),
    "sendfile64": (_FD, _FD, s.wide_out, _SIZE),
    "copy_file_range": (_FD, s.wide_out, _FD, s.wide_out, _SIZE, _INT),
    "memfd_create": (a.string, flag_set(names.MFD)),
    "eventfd2": (a.unsigned, flag_set(names.EFD)),
    "inotify_add_watch": (_FD, _PATH, a.pointer),
    # waiting for files
    "ppoll_time64": (s.polled, _SIZE, s.timespec, s.signals, _SIZE),
    "epoll_create1": (flag_set(names.CLOEXEC),),
    "epoll_ctl": (_FD, one_of(names.EPOLL_CTL), _FD, s.epoll_event),
    "epoll_pwait": (_FD, s.epoll_events, _INT, _INT, s.signals, _SIZE),
    "timerfd_create": (_CLOCK, flag_set(names.CLOEXEC)),
    "timerfd_settime64": (_FD, flag_set(names.TIMER), s.itimerspec, s.itimerspec_out),
    "timerfd_gettime64": (_FD, s.itimerspec_out),
    "signalfd4": (_FD, s.signals, _SIZE, flag_set(names.CLOEXEC)),
    # processes
    "execve": (_PATH, a.arguments, a.environment),
    "execveat": (_DIR, _PATH, a.arguments, a.environment, _AT),
    "fork": (a.skipped,),
    "clone": (flag_set(names.CLONE), _PTR, _PTR, _PTR, _PTR),
    "exit": (_INT,),
    "exit_group": (_INT,),
    "wait4": (_INT, s.wait_status, flag_set(names.WAIT), _PTR),
    "waitid": (one_of(names.WAITID), _INT, _PTR, flag_set(names.WAIT), _PTR),
    "set_tid_address": (_PTR,),
    "set_robust_list": (_PTR, _SIZE),
    "prctl": (one_of(names.PRCTL), a.pointer),
    "prlimit64": (_INT, _RLIMIT, s.rlimit, s.rlimit_out),
    "getpriority": (one_of(names.PRIORITY), _INT),
    "setpriority": (one_of(names.PRIORITY), _INT, _INT),
    "getrusage": (one_of(names.RUSAGE), _PTR),
    # signals
    "rt_sigaction": (_SIGNAL, s.action, s.action_out, _SIZE),
    "rt_sigprocmask": (one_of(names.SIGPROCMASK), s.signals, s.signals_out, _SIZE),
    "rt_sigsuspend": (s.signals, _SIZE),
    "rt_sigpending": (s.signals_out, _SIZE),
    "rt_sigtimedwait_time64": (s.signals, _PTR, s.timespec, _SIZE),
    "rt_sigqueueinfo": (_INT, _SIGNAL, _PTR),
    "kill": (_INT, _SIGNAL),
    "tkill": (_INT, _SIGNAL),
    "tgkill": (_INT, _INT, _SIGNAL),
    # time
    "clock_gettime64": (_CLOCK, s.timespec_out),
    "clock_getres_time64": (_CLOCK, s.timespec_out),
    "clock_nanosleep_time64": (_CLOCK, flag_set(names.TIMER), s.timespec, s.left),
    "nanosleep": (s.timespec, s.left),
    "setitimer": (one_of(names.ITIMERS), s.itimerval, s.itimerval_out),
    "getitimer": (one_of(names.ITIMERS), s.itimerval_out),
    "timer_create": (_CLOCK, _PTR, s.number_out),
    "timer_settime64": (_INT, flag_set(names.TIMER), s.itimerspec, s.itimerspec_out),
    "timer_gettime64": (_INT, s.itimerspec_out),
    "futex_time64": (_PTR, a.futex_operation, _INT, s.futex_timeout, s.futex_rest, s.futex_rest),
    # sockets
    "socket": _SOCKET,
    "socketpair": (*_SOCKET, s.pair_out),
    "bind": (_FD, s.socket_address, _INT),
    "connect": (_FD, s.socket_address, _INT),
    "listen": (_FD, _INT),
    "accept": (_FD, s.socket_address_out, s.number_out),
    "accept4": (_FD, s.socket_address_out, s.number_out, flag_set(names.CLOEXEC)),
    "getsockname": (_FD, s.socket_address_out, s.number_out),
    "getpeername": (_FD, s.socket_address_out, s.number_out),
    "sendto": (_FD, a.data_in, _SIZE, _MSG, s.socket_address, _INT),
    "recvfrom": (_FD, a.data_out, _SIZE, _MSG, s.socket_address_out, s.number_out),
    "sendmsg": (_FD, _PTR, _MSG),
    "recvmsg": (_FD, _PTR, _MSG),
    "shutdown": (_FD, one_of(names.SHUTDOWN)),
    "setsockopt": (_FD, _INT, _INT, s.number, _INT),
    "getsockopt": (_FD, _INT, _INT, s.number_out, s.number_out),
    # the system
    "getrandom": (a.data_out, _SIZE, flag_set(names.GRND)),
    "uname": (_PTR,),
    "sysinfo": (_PTR,),
}
