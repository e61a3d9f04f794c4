# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Asking the monitor about the host's files.

Errors: SysError with the host's errno; EIO for an answer that does not fit the question.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from skerry.abi import hostfs
from skerry.abi.errno import Errno
from skerry.abi.errors import SysError
from skerry.kernel.wait import Step

if TYPE_CHECKING:
    from skerry.kernel.vfs import Filesystem

R = TypeVar("R")


def ask(fs: Filesystem, request: hostfs.Request, answer: type[R]) -> Step[R]:
    """Ask one thing; wait for the answer."""
    assert fs.kernel is not None
    reply = yield from fs.kernel.requests.ask(request)
    if isinstance(reply, hostfs.Failed):
        raise SysError(reply.errno)
    if not isinstance(reply, answer):
        raise SysError(Errno.EIO)
    return reply


def read_whole(fs: Filesystem, tree: int, path: hostfs.Path) -> Step[bytes]:
    """Everything in a file."""
    request = hostfs.Open(tree, path, hostfs.How.READ, 0, hostfs.BLOCK_MAX)
    opened = yield from ask(fs, request, hostfs.Opened)
    parts, have = [opened.data], len(opened.data)
    try:
        while opened.handle and have < opened.stat.size:
            part = (yield from ask(fs, hostfs.Read(opened.handle, have, hostfs.BLOCK_MAX), hostfs.Data)).data
            if not part:
                break
            parts.append(part)
            have += len(part)
    finally:
        if opened.handle:
            assert fs.kernel is not None
            fs.kernel.requests.tell(hostfs.Close(opened.handle))
    return parts[0] if len(parts) == 1 else b"".join(parts)
