# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Sealing: a process gives up everything but memory, threads, time and one descriptor.

Called once, by a process with one thread, after it has loaded all it needs. Whatever else holds in
the worker, this is the boundary: it is kept by the operating system, not by our Python.

Errors: `seal` never raises; it returns why the process is not locked, or "".
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys

from . import seccomp

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
SECCOMP_MODE_FILTER = 2


def tie_to_parent() -> None:
    """Die with the monitor, however it dies. The caller checks that it still lives."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def close_others(keep: int) -> None:
    """Close every descriptor but `keep`."""
    if keep > 0:  # closerange(0, 0) closes everything (CPython 3.11)
        os.closerange(0, keep)
    os.closerange(keep + 1, max(keep + 1, os.sysconf("SC_OPEN_MAX")))


def limit(data_bytes: int) -> None:
    """Resource limits: no core, no file, and a bound on memory behind the engine's own."""
    bounds = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_NOFILE, 0)]
    if hasattr(resource, "RLIMIT_MEMLOCK"):
        bounds.append((resource.RLIMIT_MEMLOCK, 0))
    if sys.platform == "linux":  # counts writable private memory, as wasm memories are
        bounds.append((resource.RLIMIT_DATA, data_bytes))
    for what, bound in bounds:
        try:
            resource.setrlimit(what, (bound, bound))
        except (OSError, ValueError):  # a lower hard limit is there already
            continue


def seal(descriptor: int) -> str:
    """Lock the process. Returns "" when locked, else why this system cannot."""
    if sys.platform != "linux":
        return f"no seccomp on {sys.platform}"
    machine = seccomp.MACHINES.get(os.uname().machine)
    if machine is None:
        return f"no call numbers for {os.uname().machine}"
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # no one of the same user reads its memory
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return f"no_new_privs: {os.strerror(ctypes.get_errno())}"
    code = seccomp.program(machine, seccomp.rules(descriptor, os.getpid()))
    if _install(libc, code):
        return f"seccomp: {os.strerror(ctypes.get_errno())}"
    return ""


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("size", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _install(libc: ctypes.CDLL, code: bytes) -> int:
    buffer = ctypes.create_string_buffer(code, len(code))
    fprog = _Program(len(code) // 8, ctypes.addressof(buffer))
    result: int = libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(fprog), 0, 0)
    return result
