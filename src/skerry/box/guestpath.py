# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Files of a box, shaped like pathlib.

Every call is carried out inside the box with the person's credentials; errors are the OSError
subclasses pathlib raises. Paths are absolute: a relative one starts at "/".
"""

from __future__ import annotations

import os
import stat as modes
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from struct import unpack
from typing import TYPE_CHECKING

from skerry.kernel.files import READ_MAX

if TYPE_CHECKING:
    Call = Callable[[str, bytes, bytes, int, int], bytes]


class GuestStat:
    """What stat says; field names as in os.stat_result."""

    __slots__ = (
        "st_atime_ns", "st_blocks", "st_ctime_ns", "st_dev", "st_gid", "st_ino", "st_mode", "st_mtime_ns", "st_nlink",
        "st_rdev", "st_size", "st_uid",
    )  # fmt: skip

    def __init__(self, packed: bytes) -> None:
        numbers: tuple[int, ...] = unpack("<12q", packed)
        (
            self.st_mode, self.st_ino, self.st_dev, self.st_nlink, self.st_uid, self.st_gid, self.st_size,
            self.st_blocks, self.st_rdev, self.st_atime_ns, self.st_mtime_ns, self.st_ctime_ns,
        ) = numbers  # fmt: skip


class GuestPath:
    """A path in a box."""

    __slots__ = ("_call", "path")

    def __init__(self, call: Call, path: PurePosixPath) -> None:
        self._call = call
        self.path = path

    # --- the pure half

    def __truediv__(self, other: str | PurePosixPath) -> GuestPath:
        return GuestPath(self._call, self.path / other)

    def joinpath(self, *others: str) -> GuestPath:
        """The path extended by all `others`."""
        return GuestPath(self._call, self.path.joinpath(*others))

    @property
    def parent(self) -> GuestPath:
        """The folder it is in."""
        return GuestPath(self._call, self.path.parent)

    @property
    def name(self) -> str:
        """The last part."""
        return self.path.name

    @property
    def suffix(self) -> str:
        """The extension with its dot."""
        return self.path.suffix

    @property
    def stem(self) -> str:
        """The name without its extension."""
        return self.path.stem

    def __str__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"GuestPath({str(self.path)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GuestPath) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __lt__(self, other: GuestPath) -> bool:
        return self.path < other.path

    # --- what the box is asked

    def _ask(self, operation: str, argument: bytes = b"", offset: int = 0, number: int = 0) -> bytes:
        return self._call(operation, os.fsencode(self.path), argument, offset, number)

    def stat(self, *, follow_symlinks: bool = True) -> GuestStat:
        """What stat(2) says."""
        return GuestStat(self._ask("stat", number=int(not follow_symlinks)))

    def lstat(self) -> GuestStat:
        """What stat says of a link itself."""
        return self.stat(follow_symlinks=False)

    def _mode(self, follow: bool = True) -> int:
        try:
            return self.stat(follow_symlinks=follow).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return 0

    def exists(self) -> bool:
        """Whether it is there."""
        return self._mode() != 0

    def is_file(self) -> bool:
        """Whether it is a regular file, or a link to one."""
        return modes.S_ISREG(self._mode())

    def is_dir(self) -> bool:
        """Whether it is a folder, or a link to one."""
        return modes.S_ISDIR(self._mode())

    def is_symlink(self) -> bool:
        """Whether it is a symbolic link."""
        return modes.S_ISLNK(self._mode(follow=False))

    def read_bytes(self) -> bytes:
        """The whole content."""
        parts: list[bytes] = []
        offset = 0
        while part := self._ask("read", offset=offset, number=READ_MAX):
            parts.append(part)
            offset += len(part)
        return b"".join(parts)

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The whole content as text."""
        return self.read_bytes().decode(encoding, errors)

    def write_bytes(self, data: bytes) -> int:
        """Replace the content; returns its size."""
        self._ask("write", data[:READ_MAX], 0, 0o666)
        for offset in range(READ_MAX, len(data), READ_MAX):
            self._ask("write", data[offset : offset + READ_MAX], offset)
        return len(data)

    def write_text(self, text: str, encoding: str = "utf-8", errors: str = "strict") -> int:
        """Replace the content; returns the number of characters."""
        self.write_bytes(text.encode(encoding, errors))
        return len(text)

    def iterdir(self) -> Iterator[GuestPath]:
        """What is in the folder, sorted by name."""
        for name in self._ask("list").split(b"\0")[:-1]:
            yield self / os.fsdecode(name)

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """Make a folder."""
        try:
            self._ask("mkdir", number=mode)
        except FileNotFoundError:
            if not parents or self.parent == self:
                raise
            self.parent.mkdir(parents=True, exist_ok=True)
            self.mkdir(mode, exist_ok=exist_ok)
        except FileExistsError:
            if not exist_ok or not self.is_dir():
                raise

    def touch(self, mode: int = 0o666) -> None:
        """Make an empty file, unless there is one."""
        self._ask("write", b"", -1, mode)

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove a file or link."""
        try:
            self._ask("unlink")
        except FileNotFoundError:
            if not missing_ok:
                raise

    def rmdir(self) -> None:
        """Remove an empty folder."""
        self._ask("rmdir")

    def rename(self, target: str | GuestPath) -> GuestPath:
        """Move it; returns the new path."""
        new = GuestPath(self._call, PurePosixPath("/", str(target)))
        self._ask("rename", os.fsencode(new.path))
        return new

    def readlink(self) -> PurePosixPath:
        """The text of a symbolic link."""
        return PurePosixPath(os.fsdecode(self._ask("readlink")))

    def symlink_to(self, target: str | GuestPath) -> None:
        """Make it a symbolic link to `target`."""
        self._ask("symlink", os.fsencode(str(target)))

    def chmod(self, mode: int) -> None:
        """Change the permissions."""
        self._ask("chmod", number=mode)
