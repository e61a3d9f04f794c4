# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A monitor for tests: answers questions about host trees from folders of this machine."""
from __future__ import annotations

import os
import stat
from pathlib import Path

from tests.unit.kernel.harness import Harness

from skerry.abi import hostfs
from skerry.kernel.commands import Ask


class FakeHost:
    """Trees by number; `asked` keeps every request."""

    def __init__(self, trees: dict[int, Path], block: int = hostfs.BLOCK_MAX) -> None:
        self.trees = trees
        self.asked: list[hostfs.Request] = []
        self.handles: dict[int, int] = {}
        self.block = block
        self._last = 0

    def serve(self, h: Harness) -> None:
        """Answer everything that waits, and what the answers lead to."""
        while asks := h.taken(Ask):
            for command in asks:
                h.answer(command.request, self.reply(command.payload))

    def reply(self, request: object) -> object:
        """One answer."""
        self.asked.append(request)  # type: ignore[arg-type]
        try:
            answer = getattr(self, "_" + type(request).__name__.lower())(request)
        except OSError as error:
            return hostfs.Failed(error.errno or 5)
        return answer

    def _path(self, tree: int, path: hostfs.Path) -> bytes:
        return b"/".join((os.fsencode(self.trees[tree]), *path))

    def _stat(self, path: bytes | int) -> hostfs.Stat:
        st = os.fstat(path) if isinstance(path, int) else os.lstat(path)
        owner = 0 if st.st_uid == os.getuid() else 65534
        return hostfs.Stat(
            st.st_mode, st.st_size, st.st_ino, 0, st.st_nlink, owner, owner, st.st_blocks,
            st.st_atime_ns, st.st_mtime_ns, st.st_ctime_ns,
        )  # fmt: skip

    def _walk(self, request: hostfs.Walk) -> object:
        found: list[hostfs.Stat] = []
        for size in range(1, len(request.path) + 1):
            try:
                st = self._stat(self._path(request.tree, request.path[:size]))
            except OSError as error:
                return hostfs.Walked(tuple(found), error.errno or 5)
            found.append(st)
            if size < len(request.path) and not stat.S_ISDIR(st.mode):
                return hostfs.Walked(tuple(found), 40 if stat.S_ISLNK(st.mode) else 20)
        if not request.path:
            found.append(self._stat(self._path(request.tree, ())))
        return hostfs.Walked(tuple(found), 0)

    def _list(self, request: hostfs.List) -> object:
        folder = self._path(request.tree, request.path)
        names = sorted(os.listdir(folder))
        part = names[request.cookie : request.cookie + 100]
        more = request.cookie + 100
        entries = tuple(hostfs.Entry(name, self._stat(folder + b"/" + name)) for name in part)
        return hostfs.Listing(entries, more if more < len(names) else 0)

    def _readlink(self, request: hostfs.Readlink) -> object:
        return hostfs.Data(os.readlink(self._path(request.tree, request.path)))

    def _mkdir(self, request: hostfs.Mkdir) -> object:
        path = self._path(request.tree, request.path)
        os.mkdir(path, request.mode)
        return hostfs.Found(self._stat(path))

    def _symlink(self, request: hostfs.Symlink) -> object:
        path = self._path(request.tree, request.path)
        os.symlink(request.target, path)
        return hostfs.Found(self._stat(path))

    def _link(self, request: hostfs.Link) -> object:
        path = self._path(request.tree, request.new_path)
        os.link(self._path(request.tree, request.path), path, follow_symlinks=False)
        return hostfs.Found(self._stat(path))

    def _rename(self, request: hostfs.Rename) -> object:
        os.rename(self._path(request.tree, request.path), self._path(request.tree, request.new_path))
        return hostfs.Done()

    def _unlink(self, request: hostfs.Unlink) -> object:
        os.unlink(self._path(request.tree, request.path))
        return hostfs.Done()

    def _rmdir(self, request: hostfs.Rmdir) -> object:
        os.rmdir(self._path(request.tree, request.path))
        return hostfs.Done()

    def _setattr(self, request: hostfs.Setattr) -> object:
        path: bytes | int = self._path(request.tree, request.path)
        if request.handle:
            path = self.handles[request.handle]
        if request.mode is not None:
            os.chmod(path, request.mode)
        if request.size is not None:
            os.truncate(path, request.size)
        if request.atime_ns is not None or request.mtime_ns is not None:
            st = os.stat(path)
            times = (request.atime_ns or st.st_atime_ns, request.mtime_ns or st.st_mtime_ns)
            os.utime(path, ns=times)
        return hostfs.Found(self._stat(path))

    def _statfs(self, request: hostfs.Statfs) -> object:
        return hostfs.Space(4096, 1000, 500, 400, 100, 50, False)

    def _open(self, request: hostfs.Open) -> object:
        how = hostfs.How(request.how)
        flags = os.O_NOFOLLOW | (os.O_RDONLY, os.O_RDONLY, os.O_WRONLY, os.O_RDWR)[how & 3]
        for bit, flag in ((4, os.O_CREAT), (8, os.O_EXCL), (16, os.O_TRUNC), (32, os.O_APPEND)):
            flags |= flag if how & bit else 0
        fd = os.open(self._path(request.tree, request.path), flags, request.mode)
        st = self._stat(fd)
        data = os.pread(fd, min(request.size, self.block), 0) if how & 1 else b""
        if how == hostfs.How.READ and len(data) == st.size and request.tree == 0:
            os.close(fd)
            return hostfs.Opened(0, st, data)
        self._last += 1
        self.handles[self._last] = fd
        return hostfs.Opened(self._last, st, data)

    def _read(self, request: hostfs.Read) -> object:
        size = min(request.size, self.block)
        return hostfs.Data(os.pread(self.handles[request.handle], size, request.offset))

    def _write(self, request: hostfs.Write) -> object:
        return hostfs.Count(os.pwrite(self.handles[request.handle], request.data, request.offset))

    def _fstat(self, request: hostfs.Fstat) -> object:
        return hostfs.Found(self._stat(self.handles[request.handle]))

    def _fsync(self, request: hostfs.Fsync) -> object:
        return hostfs.Done()

    def _close(self, request: hostfs.Close) -> object:
        os.close(self.handles.pop(request.handle))
        return hostfs.Done()
