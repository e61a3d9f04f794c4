# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Edge: verified bytes on disk, named by their digest.

    blobs/sha256/<hex>   manifests, TOCs, chunks, whole layers; as in an image layout, so any
                         store can be served as a cache for others
    refs/<hex>           what a link meant when it was last asked (see `image.py`)
    trees/<hex>/         unpacked trees (see `unpacked.py`)
    temporary/           files being written, each locked by its writer

Blocking:  disk.
Errors:    `VerifyError` from `put`; a damaged blob found by `get` is removed and counts as absent.
Invariant: a name under blobs/ appears by rename after its bytes were checked and fsync'ed; it is
           never changed. Every reader checks size and digest again, so even a disk that lies is
           found out. No lock and no index is needed: kill -9 leaves at most a temporary file.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from skerry.abi.errors import VerifyError
from skerry.abi.oci import Digest, blob_path, is_digest
from skerry.delivery.verify import Verifier, check, digest_of

PIECE_SIZE = 1 << 20
ABANDONED_AFTER_S = 60.0  # a temporary file that old, whose lock is free, has no writer any more


@dataclass(frozen=True, slots=True)
class Blob:
    """One line of `ls`."""

    digest: Digest
    size: int
    used_s: float  # when it was last read or written, seconds since 1970


@dataclass(frozen=True, slots=True)
class Collected:
    """What `gc` did."""

    removed_count: int
    removed_size: int
    kept_size: int


class Store:
    """A folder of blobs, safe under concurrent processes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._temporary = root / "temporary"
        for folder in (root / "blobs" / "sha256", root / "blobs" / "sha512", root / "refs", self._temporary):
            folder.mkdir(parents=True, exist_ok=True)
        self.damaged: list[Digest] = []  # found and removed by this object

    def path(self, digest: Digest) -> Path:
        """Return where a blob is or would be."""
        return self.root / blob_path(digest)

    def has(self, digest: Digest, size: int) -> bool:
        """Tell whether a blob of that size is there; its bytes are checked when read."""
        try:
            return self.path(digest).stat().st_size == size
        except FileNotFoundError:
            return False

    def get(self, digest: Digest, size: int | None = None) -> bytes | None:
        """Return a blob, verified, or None; without a size only the digest is compared."""
        path = self.path(digest)
        try:
            data = path.read_bytes()
            os.utime(path)  # for gc: used now
        except FileNotFoundError:
            return None
        try:
            return check(data, digest, len(data) if size is None else size, "a blob in the store")
        except VerifyError:
            self.remove_damaged(digest)
            return None

    def read_range(self, digest: Digest, offset: int, size: int) -> bytes | None:
        """Return part of a blob, NOT verified: the caller checks the chunk inside it."""
        try:
            with self.path(digest).open("rb") as file:
                return os.pread(file.fileno(), size, offset)
        except FileNotFoundError:
            return None

    def put(self, digest: Digest, size: int, untrusted_pieces: Iterable[bytes], what: str) -> None:
        """Take in a blob, checked while it is written.

        Raises:
            VerifyError: these are not the bytes; nothing is kept.
        """
        if self._is_sound(digest, size):
            return
        verifier = Verifier(digest, size, what)
        with self._temporary_file() as (path, descriptor):
            for piece in untrusted_pieces:
                verifier.update(piece)
                _write_all(descriptor, piece)
            verifier.finish()
            os.fsync(descriptor)
            path.rename(self.path(digest))
        _sync_folder(self.path(digest).parent)

    def put_bytes(self, data: bytes) -> Digest:
        """Take in bytes of our own and return their digest."""
        digest = digest_of(data)
        self.put(digest, len(data), [data], "our own bytes")
        return digest

    def save_ref(self, name: str, data: bytes) -> None:
        """Remember a small document under the digest of a name, replacing the one before."""
        with self._temporary_file() as (path, descriptor):
            _write_all(descriptor, data)
            os.fsync(descriptor)
            path.rename(self._ref_path(name))
        _sync_folder(self.root / "refs")

    def load_ref(self, name: str) -> bytes | None:
        """Return the document last saved under a name."""
        with suppress(FileNotFoundError):
            return self._ref_path(name).read_bytes()
        return None

    def refs(self) -> Iterator[bytes]:
        """Yield every saved document."""
        for path in sorted((self.root / "refs").iterdir()):
            with suppress(FileNotFoundError):
                yield path.read_bytes()

    def blobs(self) -> Iterator[Blob]:
        """Yield every blob there is, in no order."""
        for algorithm in ("sha256", "sha512"):
            with os.scandir(self.root / "blobs" / algorithm) as found:
                for item in found:
                    digest = f"{algorithm}:{item.name}"
                    with suppress(FileNotFoundError):
                        if is_digest(digest):
                            status = item.stat()
                            yield Blob(digest, status.st_size, status.st_mtime)

    def verify(self) -> tuple[int, list[Digest]]:
        """Read every blob; remove the damaged ones, which will be fetched again when needed.

        Returns the number of sound blobs, and the digests of the damaged ones.
        """
        self.sweep()
        sound_count = 0
        damaged: list[Digest] = []
        for blob in self.blobs():
            if self._is_sound(blob.digest, blob.size):
                sound_count += 1
            elif blob.digest in self.damaged:
                damaged.append(blob.digest)
        return sound_count, damaged

    def gc(self, size_max: int) -> Collected:
        """Remove the blobs unused for longest until the rest fits into `size_max` bytes."""
        self.sweep()
        blobs = sorted(self.blobs(), key=lambda blob: blob.used_s)
        kept_size = sum(blob.size for blob in blobs)
        removed = []
        for blob in blobs:
            if kept_size <= size_max:
                break
            self.path(blob.digest).unlink(missing_ok=True)
            kept_size -= blob.size
            removed.append(blob.size)
        return Collected(len(removed), sum(removed), kept_size)

    def sweep(self, abandoned_after_s: float = ABANDONED_AFTER_S) -> int:
        """Remove temporary files whose writer is gone; return how many."""
        count = 0
        for path in self._temporary.iterdir():
            with suppress(FileNotFoundError, BlockingIOError):
                if path.is_file() and time.time() - path.stat().st_mtime > abandoned_after_s:
                    with path.open("rb") as file:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        path.unlink()
                        count += 1
        return count

    def _ref_path(self, name: str) -> Path:
        return self.root / "refs" / digest_of(name.encode()).partition(":")[2]

    def _is_sound(self, digest: Digest, size: int) -> bool:
        verifier = Verifier(digest, size, "a blob in the store")
        try:
            with self.path(digest).open("rb", buffering=0) as file:
                while piece := file.read(PIECE_SIZE):
                    verifier.update(piece)
            verifier.finish()
        except FileNotFoundError:
            return False
        except VerifyError:
            self.remove_damaged(digest)
            return False
        return True

    def remove_damaged(self, digest: Digest) -> None:
        """Remove a blob found damaged, so that it is fetched again."""
        self.path(digest).unlink(missing_ok=True)
        self.damaged.append(digest)

    @contextmanager
    def _temporary_file(self) -> Iterator[tuple[Path, int]]:
        path = self._temporary / secrets.token_hex(16)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield path, descriptor
        finally:
            path.unlink(missing_ok=True)  # after a rename it is no longer there
            os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
