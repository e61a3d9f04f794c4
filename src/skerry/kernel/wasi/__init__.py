# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""WASI preview 1: the second personality, on the same kernel objects.

A program that imports `wasi_snapshot_preview1` is a process like any other: it is started by
execve, has the descriptors it inherits, dies of signals, can be waited for. It cannot fork, execute
or handle signals, because WASI has no such functions.

table     the table of functions
state     preopened directories and rights of a process
fd        reading, writing, positions, closing
fdstat    types, flags, rights, attributes, directory entries
path      everything that takes a path
process   arguments, environment, clocks, random numbers, exit
poll      poll_oneoff
sock      sockets a program was given
"""
from __future__ import annotations

from skerry.abi.wasi import FUNCTIONS
from skerry.kernel.wasi import (
    fd,  # noqa: F401  # each import enters a family into the table
    fdstat,  # noqa: F401
    path,  # noqa: F401
    poll,  # noqa: F401
    process,  # noqa: F401
    sock,  # noqa: F401
)
from skerry.kernel.wasi.table import CALLS

__all__ = ["CALLS"]

assert len(CALLS) == len(FUNCTIONS)
