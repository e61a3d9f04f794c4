# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The table of WASI functions, and the two shapes they all have.

A function is entered under its own name and is a call like those of kernel/sys: it takes its
arguments, signed, and returns 0, or a Step, or nothing when a command follows. An error is a
SysError with Linux' number; whoever carries the result to the guest translates it
(abi/wasi.py, `error_of`).
"""
from __future__ import annotations

from collections.abc import Callable
from types import GeneratorType
from typing import TypeVar, cast

from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.abi.limits import PATH_MAX
from skerry.abi.wasi import FUNCTIONS, MODULE
from skerry.kernel.sys.table import Call, Function
from skerry.kernel.task import Task
from skerry.kernel.usermem import U32
from skerry.kernel.wait import Step

T = TypeVar("T")
CALLS: dict[tuple[str, str], Call] = {}
"""The entry behind an import."""


def wasi(function: Function) -> Function:
    """Enter a function."""
    name = function.__name__
    assert name in FUNCTIONS, name
    CALLS[MODULE, name] = Call(name, function)
    return function


def then(found: T | Step[T], use: Callable[[T], int]) -> int | Step[int]:
    """Go on with a result, at once or when it is there."""
    if found.__class__ is GeneratorType:
        return _then_later(cast("Step[T]", found), use)
    return use(cast(T, found))


def _then_later(step: Step[T], use: Callable[[T], int]) -> Step[int]:
    return use((yield from step))


def succeed(found: object) -> int | Step[int]:
    """Nothing to tell but that it worked: whatever the result was, or will be, it becomes 0."""
    return then(found, lambda _: 0)


def string(task: Task, address: int, size: int) -> bytes:
    """A path in guest memory: not terminated, but without a NUL all the same.

    Raises: SysError(EFAULT, ENAMETOOLONG, EINVAL).
    """
    size &= U32
    if size >= PATH_MAX:
        raise SysError(Errno.ENAMETOOLONG)
    text = task.mem.read(address, size)
    if 0 in text:
        raise SysError(Errno.EINVAL)
    return text
