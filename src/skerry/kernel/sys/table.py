# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The one table of system calls, and what each supports.

A call is a function `name(task, *args)`; args are the guest's 32-bit words, signed. It
returns an int, or a generator that ends in one, or None when a command (Exec, Stop) follows
instead of a result. `@syscall` enters it here; the files of this folder are one family each.

Errors: a call raises SysError; `Kernel.syscall` and the scheduler turn it into -errno.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skerry.abi.errno import Errno
from skerry.abi.record import Record

# Any: calls differ in arity (0 to 6 words), which Callable cannot say without losing the rest.
Function = Callable[..., Any]


class Call(Record):
    """One entry: what the guest imports and how far it works.

    `restart`: a handler with SA_RESTART lets the call begin again (signal(7)).
    `missing`: what a partial call does not do; empty when it is full.
    """

    name: str
    function: Function
    restart: bool = False
    missing: str = ""


TABLE: dict[str, Call] = {}
ABSENT: dict[str, tuple[Errno, str]] = {}
"""Calls Linux has and Skerry answers with an errno: name -> (errno, why)."""


def syscall(
    *names: str, restart: bool = False, missing: str = ""
) -> Callable[[Function], Function]:
    """Enter a function under its name, or under `names` when several calls share it."""

    def enter(function: Function) -> Function:
        for name in names or (function.__name__,):
            assert name not in TABLE, f"{name} is entered twice"
            TABLE[name] = Call(name, function, restart, missing)
        return function

    return enter


def absent(errno: Errno, why: str, *names: str) -> None:
    """Enter calls that always fail."""
    for name in names:
        ABSENT[name] = (errno, why)


def absent_call(name: str) -> Call:
    """The entry of a call that is known but not there; unknown names answer ENOSYS too."""
    errno, why = ABSENT.get(name, (Errno.ENOSYS, "not implemented"))

    def refuse(task: object, *args: int) -> int:
        return -errno

    return Call(name, refuse, missing=why)
