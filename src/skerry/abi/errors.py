# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The five families of errors, each with one door.

| family        | raised by          | the one place that answers it                        |
|---------------|--------------------|------------------------------------------------------|
| SysError      | kernel             | `kernel/sys/table.py`: becomes a negative number     |
| VerifyError   | delivery           | whoever asked for the tree; no tree exists then      |
| Denied        | policy             | guest sees EACCES/EPERM; the reason goes to the audit|
| ProtocolError | readers of a format| the edge that owns the peer closes that peer         |
| UserError     | box, cli, toolchain| `skerry.cli.main`: one line on stderr, an exit code  |

Anything else is a bug of ours: the box dies, its monitor and its neighbours live.
"""

from __future__ import annotations

EXIT_USAGE = 2  # as argparse and most Unix tools
EXIT_FAILED = 125  # Skerry itself failed, as env(1)
EXIT_NOT_EXECUTABLE = 126  # found, but cannot be executed, as env(1)
EXIT_NOT_FOUND = 127  # no such program, as env(1)
EXIT_SIGNAL = 128  # plus the number of the signal that ended the program, as sh(1)


class SysError(Exception):
    """A system call failed; `errno` is a Linux error number (`skerry.abi.errno.Errno`)."""

    def __init__(self, errno: int) -> None:
        super().__init__(errno)
        self.errno = errno


class VerifyError(Exception):
    """Bytes are not what was promised; `wanted` and `got` are digests (or sizes) as text."""

    def __init__(self, what: str, *, wanted: str, got: str) -> None:
        super().__init__(f"{what}: wanted {wanted}, got {got}")
        self.what = what
        self.wanted = wanted
        self.got = got


class Denied(Exception):
    """Policy said no; the text is for the audit log and the owner, never for the guest."""


class ProtocolError(Exception):
    """A peer or a guest broke a format; close that peer, trust nothing it said."""


class UserError(Exception):
    """A mistake a person can mend: one clear line, and the exit code that goes with it."""

    def __init__(self, message: str, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code
