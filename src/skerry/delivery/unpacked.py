# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Edge: whole trees on the host's own file system, for every start but the first.

A tree is verified while it is written and appears under its manifest's digest only when complete.
It is not fsync'ed, which takes seconds for thousands of files; instead it is used without another
look only until the machine boots again, and is then checked once before it is used further.

Blocking:  disk.
Errors:    `VerifyError`, `UserError`.
Invariant: files are made with O_EXCL and O_NOFOLLOW below folders made here, so nothing an image
           says can touch anything outside. Owners, set-id bits and devices are left out.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skerry.abi.oci import Digest
from skerry.delivery.entry import Kind
from skerry.delivery.image import Image
from skerry.delivery.store import Store
from skerry.delivery.tree import Node
from skerry.delivery.verify import digest_of


def tree_path(store: Store, digest: Digest) -> Path | None:
    """Return the unpacked tree of a manifest, if it is there."""
    path = store.root / "trees" / digest.partition(":")[2]
    try:
        if path.with_suffix(".boot").read_text() != _boot_id():
            return None  # a power failure may have left holes
        os.utime(path)  # used now
    except FileNotFoundError:
        return None
    return path


def unpack(image: Image) -> Path:
    """Return the unpacked tree of an image, made if it is not there yet, or made again if damaged.

    Fetches what is missing, each layer in one request.
    """
    store = image.fetcher.store
    ready = tree_path(store, image.descriptor.digest)
    if ready is not None:
        return ready
    target = store.root / "trees" / image.descriptor.digest.partition(":")[2]
    target.parent.mkdir(exist_ok=True)
    with target.with_suffix(".making").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.is_dir() and next(differences(image, target), None) is not None:
            _discard(target)
        if not target.is_dir():
            image.fill()
            _make(image, target)
        target.with_suffix(".boot").write_text(_boot_id())
    return target


def _make(image: Image, target: Path) -> None:
    work = target.with_name(f".{secrets.token_hex(8)}")
    work.mkdir()
    try:
        write_tree(image, work)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def write_tree(image: Image, folder: Path) -> None:
    """Write every name of an image below an empty folder of ours."""
    written: dict[int, str] = {}
    folders: list[tuple[str, Node]] = []
    for path, node in image.tree.walk():
        target = f"{folder}/{path}"
        first = written.setdefault(id(node), path)
        if first != path:
            os.link(f"{folder}/{first}", target, follow_symlinks=False)
        elif node.kind is Kind.DIRECTORY:
            os.mkdir(target, 0o700)
            folders.append((target, node))
        elif node.kind is Kind.SYMLINK:
            os.symlink(node.link, target)
        elif node.kind is Kind.FIFO:
            os.mkfifo(target, node.mode & 0o777)
        else:
            _write_file(image, node, target)
    for target, node in reversed(folders):
        os.chmod(target, node.mode & 0o777 | 0o700)
        os.utime(target, (node.mtime, node.mtime))


def _write_file(image: Image, node: Node, target: str) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        for chunk in node.chunks:
            file.write(image.read_chunk(chunk))
        os.fchmod(descriptor, node.mode & 0o777)
        os.utime(descriptor, (node.mtime, node.mtime))


def differences(image: Image, folder: Path) -> Iterator[str]:
    """Yield what is not as in the image: the check of `store verify` for unpacked trees."""
    expected = {path: node for path, node in image.tree.walk() if node.kind is not Kind.FIFO}
    for parent, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = os.path.relpath(os.path.join(parent, name), folder)
            if path not in expected:
                yield f"{path} does not belong there"
    for path, node in expected.items():
        target = folder / path
        if node.kind is Kind.SYMLINK:
            if not target.is_symlink() or os.readlink(target) != node.link:
                yield f"{path} is not the link it was"
        elif node.kind is Kind.DIRECTORY:
            if target.is_symlink() or not target.is_dir():
                yield f"{path} is not a folder"
        elif target.is_symlink() or not target.is_file() or not _is_same(node, target):
            yield f"{path} has other bytes"


def _is_same(node: Node, target: Path) -> bool:
    if target.stat().st_size != node.size:
        return False
    with target.open("rb", buffering=0) as file:
        return all(digest_of(file.read(chunk.size)) == chunk.digest for chunk in node.chunks)


@contextmanager
def in_use(store: Store, digest: Digest) -> Iterator[None]:
    """Keep a tree from being collected while a box runs on it."""
    with _lock_path(store, digest).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def collect(store: Store, size_max: int) -> int:
    """Remove the trees unused for longest, except those in use, until the rest fits; return bytes removed."""
    trees = store.root / "trees"
    found = [path for path in trees.iterdir() if path.is_dir()] if trees.is_dir() else []
    sizes = {path: _size(path) for path in found if not path.name.startswith(".")}
    kept_size = sum(sizes.values())
    removed_size = 0
    for path in sorted(sizes, key=lambda path: path.stat().st_mtime):
        if kept_size <= size_max:
            break
        if _remove(store, path):
            kept_size -= sizes[path]
            removed_size += sizes[path]
    return removed_size


def _remove(store: Store, path: Path) -> bool:
    with _lock_path(store, Digest(f"sha256:{path.name}")).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        _discard(path)
        return True


def _discard(path: Path) -> None:
    path.with_suffix(".boot").unlink(missing_ok=True)
    doomed = path.with_name(f".{secrets.token_hex(8)}")
    path.rename(doomed)  # gone at once for everybody, whatever happens while it is deleted
    shutil.rmtree(doomed, ignore_errors=True)


def _boot_id() -> str:
    """Return what changes when the machine boots; empty where that is not known."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _size(folder: Path) -> int:
    return sum(
        os.lstat(os.path.join(parent, name)).st_size for parent, _, files in os.walk(folder) for name in files
    )


def _lock_path(store: Store, digest: Digest) -> Path:
    trees = store.root / "trees"
    trees.mkdir(exist_ok=True)
    return trees / f"{digest.partition(':')[2]}.lock"
