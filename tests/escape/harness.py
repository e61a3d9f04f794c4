# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The process that tries an act: run as a program, with nothing but descriptor 0.

Arguments: folder of skerry's source, act's name, "sealed" or "open". On descriptor 0 it writes
"ready" and, if it still can, the result of the act.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from typing import Any

X86 = platform.machine() == "x86_64"
libc = ctypes.CDLL(None, use_errno=True)


def call(number: int, *args: Any) -> int:
    """A raw system call; an error is -errno, as the kernel itself returns it."""
    words = [ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args]
    result: int = libc.syscall(ctypes.c_long(number), *words)
    return -ctypes.get_errno() if result == -1 else result


def split(result: int) -> int:
    """The result of a fork: the child ends here."""
    if result == 0:
        os._exit(0)
    return result


def address(result: int) -> int:
    """The result of mmap: 0, or -errno."""
    return result if -4096 < result < 0 else 0


def main(source: str, name: str, how: str) -> None:
    """Try one act."""
    sys.path[:0] = [source, os.path.dirname(os.path.abspath(__file__))]
    from acts import ACTS, FOREIGN_CODE, LIVING  # type: ignore[import-not-found]

    from skerry.box import seal

    act = next(one for one in (*ACTS, FOREIGN_CODE, LIVING) if one.name == name)
    names = {
        **globals(),
        "n": act.x86_64 if X86 else act.generic,
        "SEALED": how == "sealed",
        "parent": os.getppid(),
        "path": ctypes.create_string_buffer(b"/etc/passwd"),
        "program": ctypes.create_string_buffer(b"/bin/true"),
        "here": ctypes.create_string_buffer(b"/tmp"),
        "room": ctypes.create_string_buffer(4096),
        "none": ctypes.c_void_p(None),
    }
    if "victim" in act.act:
        close = [(os.POSIX_SPAWN_CLOSE, 0)]
        names["victim"] = os.posix_spawn("/bin/sleep", ["sleep", "5"], {}, file_actions=close)
    exec("\n".join(act.before), names)
    attempt = compile(act.act, name, "eval")
    if how == "sealed":
        sys.stdin = sys.stdout = sys.stderr = None
        seal.close_others(0)
        seal.limit(8 << 30)
        reason = seal.seal(0)
        if reason:
            os.write(0, f"not sealed: {reason}".encode())
            os._exit(3)
    os.write(0, b"ready ")
    result = eval(attempt, names)  # noqa: S307
    os.write(0, str(result).encode())
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
