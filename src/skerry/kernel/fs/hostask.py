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


def ask(
    fs: Filesystem, request: hostfs.Request, answer: type[R], missing: R | None = None
) -> Step[R]:
    """Ask one thing; wait for the answer. `missing` is the answer for a path that is not there."""
    assert fs.kernel is not None
    reply = yield from fs.kernel.requests.ask(request)
    if isinstance(reply, hostfs.Failed):
        if missing is not None and reply.errno in (Errno.ENOENT, Errno.ENOTDIR):
            return missing
        raise SysError(reply.errno)
    if not isinstance(reply, answer):
        raise SysError(Errno.EIO)
    return reply


def read_range(fs: Filesystem, handle: int, offset: int, size: int) -> Step[bytes]:
    """As much of a range as the file has: programs expect whole reads of regular files."""
    parts: list[bytes] = []
    while size > 0:
        request = hostfs.Read(handle, offset, min(size, hostfs.BLOCK_MAX))
        part = (yield from ask(fs, request, hostfs.Data)).data
        parts.append(part)
        offset, size = offset + len(part), size - len(part)
        if len(part) < request.size:
            break
    return parts[0] if len(parts) == 1 else b"".join(parts)


def read_whole(fs: Filesystem, tree: int, path: hostfs.Path) -> Step[bytes]:
    """Everything in a file."""
    request = hostfs.Open(tree, path, hostfs.How.READ, 0, hostfs.BLOCK_MAX)
    opened = yield from ask(fs, request, hostfs.Opened)
    if not opened.handle:
        return opened.data
    have = len(opened.data)
    try:
        rest = yield from read_range(fs, opened.handle, have, opened.stat.size - have)
    finally:
        assert fs.kernel is not None
        fs.kernel.requests.tell(hostfs.Close(opened.handle))
    return opened.data + rest if rest else opened.data
