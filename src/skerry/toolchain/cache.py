# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Where build results live: outside the source tree, named by what went into them.

A result is a directory `<kind>/<digest>`; it appears under that name only when complete.

Invariant: a directory that exists under its final name is never changed afterwards.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from skerry.toolchain.place import cache_path, root_path


def cache_dir() -> Path:
    """Return the cache directory (see `place.cache_path`), making it if needed."""
    path = Path(cache_path())
    path.mkdir(parents=True, exist_ok=True)
    return path


def root_dir() -> Path:
    """Return the tree of built ports, see `place.root_path`."""
    return Path(root_path())


class Recipe:
    """The digest of everything that decides a build step's result."""

    def __init__(self, name: str) -> None:
        import hashlib  # here, because who only asks for a directory should not wait for it

        self._hash = hashlib.sha256()
        self.add("recipe", name)

    def add(self, label: str, value: str | bytes) -> None:
        """Mix in one named input; values cannot run into each other."""
        data = value.encode() if isinstance(value, str) else value
        self._hash.update(f"{label}\0{len(data)}\0".encode())
        self._hash.update(data)

    def add_file(self, label: str, path: Path) -> None:
        """Mix in the contents of a file under a name that does not depend on where it is."""
        self.add(label, path.read_bytes())

    def add_tree(self, root: Path) -> None:
        """Mix in every file below `root` by its relative name, hidden files excepted."""
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root)
            if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in name.parts):
                self.add_file(name.as_posix(), path)

    def digest(self) -> str:
        """Return 16 hexadecimal digits, enough to keep results apart."""
        return self._hash.hexdigest()[:16]


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the cache's lock of that name; a second builder waits, so it finds the first one's result."""
    locks = cache_dir() / "locks"
    locks.mkdir(exist_ok=True)
    with open(locks / name.replace("/", "-"), "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def published(kind: str, digest: str) -> Path | None:
    """Return the finished result's directory, or None."""
    path = cache_dir() / kind / digest
    return path if path.is_dir() else None


def publish(kind: str, digest: str, build: Callable[[Path], None]) -> Path:
    """Return the result's directory; when there is none, let `build` fill a temporary one and rename it."""
    import shutil
    import tempfile

    ready = published(kind, digest)
    if ready:
        return ready
    with locked(f"{kind}-{digest}"):
        ready = published(kind, digest)
        if ready:
            return ready
        parent = cache_dir() / kind
        parent.mkdir(exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{digest}-", dir=parent))
        try:
            work.chmod(0o755)
            build(work)
            os.rename(work, parent / digest)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise
    return parent / digest
