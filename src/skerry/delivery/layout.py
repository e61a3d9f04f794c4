# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Edge: writing image layouts: one from a folder of files, one from another place.

Standard:  OCI image-layout.md.
Blocking:  disk and network.
Errors:    `UserError` for a folder that cannot be packed; `VerifyError` while mirroring.
Invariant: packing the same files with the same recipe gives the same bytes, whoever does it,
           wherever and whenever. index.json is written last, so a reader never sees half an image.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from skerry.abi import oci
from skerry.abi.errors import UserError, VerifyError
from skerry.abi.oci import Descriptor, blob_path
from skerry.delivery.entry import Entry, Kind, clean_name, clean_symlink, parents
from skerry.delivery.estargz import LANDMARKS, TOC_NAME
from skerry.delivery.estargz_writer import CHUNK_SIZE, LayerWriter
from skerry.delivery.fetch import ANNOTATION_PREFETCH_SIZE, ANNOTATION_TOC_OFFSET
from skerry.delivery.manifest import Config, Manifest, parse_index, write_config, write_index, write_manifest
from skerry.delivery.verify import Verifier, digest_of

READ_SIZE = 1 << 20


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make an image of a folder."""

    annotations: Mapping[str, str]
    config: Config
    tag: str
    profile: Sequence[str] = ()  # files a start reads, in the order of first use
    mtime: int = 0  # of every file, seconds since 1970
    chunk_size: int = CHUNK_SIZE


@dataclass(slots=True)
class Layout:
    """An image layout in a folder."""

    root: Path
    _images: list[Descriptor] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.root / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
        index = self.root / "index.json"
        if index.exists():
            self._images = list(parse_index(index.read_bytes(), str(index)))

    def images(self) -> tuple[Descriptor, ...]:
        """Return what index.json lists."""
        return tuple(self._images)

    def put_bytes(self, data: bytes, media_type: str) -> Descriptor:
        """Write a small blob."""
        descriptor = Descriptor(media_type, digest_of(data), len(data))
        self.put(descriptor, [data], "our own bytes")
        return descriptor

    def put(self, wanted: Descriptor, pieces: Iterable[bytes], what: str) -> None:
        """Write a blob, checked on the way.

        Raises:
            VerifyError: these are not the bytes; nothing is kept.
        """
        verifier = Verifier(wanted.digest, wanted.size, what)
        temporary = self._temporary()
        try:
            with temporary.open("wb") as file:
                for piece in pieces:
                    verifier.update(piece)
                    file.write(piece)
                verifier.finish()
                file.flush()
                os.fsync(file.fileno())
            target = self.root / blob_path(wanted.digest)
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.rename(target)
        finally:
            temporary.unlink(missing_ok=True)

    def tag(self, image: Descriptor, tag: str) -> None:
        """List an image under a tag, in place of what had it, and write index.json."""
        named = Descriptor(
            image.media_type, image.digest, image.size, {oci.ANNOTATION_REF_NAME: tag}, image.platform
        )
        others = [each for each in self._images if each.annotations.get(oci.ANNOTATION_REF_NAME) != tag]
        self._images = [*others, named]
        _replace(self.root / "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        _replace(self.root / "index.json", write_index(self._images))

    def pack(self, folder: Path, recipe: Recipe) -> Descriptor:
        """Make an image of a folder and list it under its tag.

        Raises:
            UserError: a file cannot be packed, or the profile names one that is not there.
        """
        temporary = self._temporary()
        try:
            with temporary.open("wb") as file:
                writer = LayerWriter(file.write, recipe.chunk_size)
                _write_tree(writer, folder, recipe)
                written = writer.finish()
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(self.root / blob_path(written.digest))
        finally:
            temporary.unlink(missing_ok=True)
        layer = Descriptor(
            oci.MEDIA_LAYER_GZIP,
            written.digest,
            written.size,
            {
                oci.ANNOTATION_TOC_DIGEST: written.toc_digest,
                oci.ANNOTATION_UNCOMPRESSED_SIZE: str(written.plain_size),
                ANNOTATION_TOC_OFFSET: str(written.toc_offset),
                ANNOTATION_PREFETCH_SIZE: str(written.prefetch_size),
            },
        )
        start = recipe.config
        config = Config(
            start.platform,
            start.entrypoint,
            start.command,
            start.environment,
            start.working_dir,
            diff_ids=(written.diff_id,),
        )
        described = self.put_bytes(write_config(config), oci.MEDIA_CONFIG)
        manifest = write_manifest(Manifest(described, (layer,), recipe.annotations))
        blob = self.put_bytes(manifest, oci.MEDIA_MANIFEST)
        image = Descriptor(blob.media_type, blob.digest, blob.size, platform=start.platform)
        self.tag(image, recipe.tag)
        return image

    def _temporary(self) -> Path:
        return self.root / f".writing-{os.getpid()}-{secrets.token_hex(4)}"


def _write_tree(writer: LayerWriter, folder: Path, recipe: Recipe) -> None:
    found = {entry.name: (entry, path) for entry, path in _scan(folder, recipe.mtime)}
    first = _prioritized(found, recipe.profile)
    for name in first:
        entry, path = found[name]
        writer.add(entry, _pieces(path, entry))
    writer.landmark(bool(first))
    for name in sorted(
        set(found) - set(first), key=lambda name: (found[name][0].kind is Kind.HARDLINK, name)
    ):
        entry, path = found[name]
        writer.add(entry, _pieces(path, entry))


def _prioritized(found: Mapping[str, tuple[Entry, Path]], profile: Sequence[str]) -> list[str]:
    """Return the profile's files in order, each after the folders above it and what it links to."""
    first: dict[str, None] = {}
    for line in profile:
        name = clean_name(line.strip(), "a line of the profile")
        if not name:
            continue
        if name not in found:
            raise UserError(f"the profile names {name!r}, which is not in the folder")
        for folder in sorted(parents([name])):
            first[folder] = None
        if found[name][0].kind is Kind.HARDLINK:
            target = found[name][0].link
            first.update(dict.fromkeys([*sorted(parents([target])), target]))
        first[name] = None
    return list(first)


def _scan(folder: Path, mtime: int) -> Iterator[tuple[Entry, Path]]:
    """Yield every name below a folder, sorted; owners and odd mode bits are left behind."""
    seen: dict[tuple[int, int], str] = {}
    for name in _names(folder):
        path = folder / name
        status = path.lstat()
        mode = 0o755 if status.st_mode & 0o111 else 0o644
        try:
            clean_name(name)
            if stat.S_ISDIR(status.st_mode):
                yield Entry(name, Kind.DIRECTORY, 0o755, mtime), path
            elif stat.S_ISLNK(status.st_mode):
                link = clean_symlink(name, os.readlink(path))
                yield Entry(name, Kind.SYMLINK, 0o777, mtime, link=link), path
            elif not stat.S_ISREG(status.st_mode):
                raise UserError(f"{path} is neither file, folder nor symbolic link and cannot be packed")
            elif (first := seen.setdefault((status.st_dev, status.st_ino), name)) != name:
                yield Entry(name, Kind.HARDLINK, mode, mtime, link=first), path
            else:
                yield Entry(name, Kind.FILE, mode, mtime, size=status.st_size), path
        except VerifyError as error:
            raise UserError(f"{os.fsencode(path)!r} cannot be packed: {error}") from None


def _names(folder: Path) -> Iterator[str]:
    pending = [""]
    while pending:
        prefix = pending.pop()
        try:
            with os.scandir(folder / prefix) as found:
                items = sorted(found, key=lambda item: item.name)
        except OSError as error:
            raise UserError(f"{folder / prefix} cannot be read: {error.strerror}") from None
        for item in items:
            name = prefix + item.name
            if name in LANDMARKS or name == TOC_NAME or item.name.startswith(".wh."):
                raise UserError(f"{name!r} means something else in a layer and cannot be packed")
            yield name
        pending += [f"{prefix}{item.name}/" for item in reversed(items) if item.is_dir(follow_symlinks=False)]


def _pieces(path: Path, entry: Entry) -> Iterator[bytes]:
    if entry.kind is not Kind.FILE:
        return
    size_left = entry.size
    with path.open("rb", buffering=0) as file:
        while size_left and (piece := file.read(min(READ_SIZE, size_left))):
            size_left -= len(piece)
            yield piece
    if size_left:
        raise UserError(f"{path} became shorter while it was packed")


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        if path.read_bytes() == data:
            return
    temporary.write_bytes(data)
    temporary.rename(path)
