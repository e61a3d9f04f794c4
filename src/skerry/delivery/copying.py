# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Edge: whole images from one place to another: mirror into a folder, push to a registry.

Standard:  OCI image-layout.md; OCI distribution-spec, push.
Blocking:  disk and network.
Errors:    `VerifyError`, `FetchError`.
Invariant: blobs arrive before what names them, and the TUF timestamp last of all: whoever looks
           at any moment sees the version before or the version after, never half of one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from skerry.abi import oci
from skerry.abi.errors import UserError
from skerry.abi.oci import Descriptor
from skerry.delivery.document import read_object
from skerry.delivery.layout import Layout
from skerry.delivery.manifest import Manifest, parse_index, parse_manifest, write_manifest
from skerry.delivery.ref import Ref
from skerry.delivery.sources import TUF_TAG, Folder, Source
from skerry.delivery.transport import ERROR_BODY_SIZE, FetchError, Http, Reply
from skerry.delivery.trust import ROOT_SIZE_MAX, TARGETS_SIZE_MAX
from skerry.delivery.verify import Verifier, check, digest_of

ROOT_COUNT_MAX = 256  # as python-tuf follows
METADATA_COUNT_MAX = 1000
_TIMESTAMP = "timestamp.json"
_EMPTY = b"{}"


def mirror(source: Source, ref: Ref, layout: Layout) -> list[Descriptor]:
    """Copy the images a link means, and the publisher's metadata, into a layout; every blob is checked.

    Raises:
        VerifyError: a blob is not what its descriptor says.
    """
    media_type, data = source.top(ref.tag)
    if media_type in oci.INDEX_TYPES:
        listed = parse_index(data, f"the index of {ref}")
    else:
        listed = (Descriptor(oci.MEDIA_MANIFEST, digest_of(data), len(data)),)
    images = [each for each in listed if not ref.tag or _tag(each) in (ref.tag, "")]
    if not images:
        raise UserError(f"{ref} has no image {ref.tag}")
    for image in images:
        _copy(source, image, layout)
    metadata = metadata_files(source)
    _write_metadata(
        layout.root / "tuf", {name: each for name, each in metadata.items() if name != _TIMESTAMP}
    )
    for image in images:
        layout.tag(image, _tag(image) or ref.tag or "latest")
    _write_metadata(
        layout.root / "tuf", {name: each for name, each in metadata.items() if name == _TIMESTAMP}
    )
    return images


def metadata_files(source: Source) -> dict[str, bytes]:
    """Return the publisher's TUF metadata by file name; empty if there is none.

    They are not checked here: whoever opens the image does that, with the keys a person accepted.
    """
    timestamp = source.metadata(_TIMESTAMP, ROOT_SIZE_MAX)
    if timestamp is None:
        return {}
    found = {_TIMESTAMP: timestamp}
    for version in range(1, ROOT_COUNT_MAX):
        root = source.metadata(f"{version}.root.json", ROOT_SIZE_MAX)
        if root is None:
            break
        found[f"{version}.root.json"] = root
    for name in _named(timestamp, "the timestamp"):
        snapshot = found[name] = _metadata(source, name)
        for inner in _named(snapshot, "the snapshot"):
            found[inner] = _metadata(source, inner)
    return found


def push(folder: Folder, ref: Ref, http: Http, token: str = "") -> list[str]:
    """Push every tagged image of a layout, and its metadata, to a registry; return the tags."""
    target = _Target(ref, http, token)
    images = parse_index(folder.top("")[1], str(folder.root))
    tags = []
    for image in images:
        tag = _tag(image) or ref.tag or "latest"
        if not ref.tag or tag == ref.tag:
            target.push_image(folder, image, tag)
            tags.append(tag)
    metadata = metadata_files(folder)
    if metadata:
        target.push_metadata(metadata)
    return tags


class _Target:
    """One repository that is written to."""

    def __init__(self, ref: Ref, http: Http, token: str) -> None:
        self._base = f"{ref.scheme}://{ref.authority}/v2/{ref.path}"
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def push_image(self, folder: Folder, image: Descriptor, tag: str) -> None:
        data = b"".join(folder.blob(image))
        check(data, image.digest, image.size, f"the manifest {image.digest}")
        if image.media_type in oci.INDEX_TYPES:
            for each in parse_index(data):
                self.push_image(folder, each, each.digest)
        else:
            manifest = parse_manifest(data)
            for each in (manifest.config, *manifest.layers):
                self._push_blob(each, folder.blob(each))
        self._put(f"manifests/{tag}", data, image.media_type, len(data))

    def push_metadata(self, metadata: Mapping[str, bytes]) -> None:
        empty = Descriptor(oci.MEDIA_EMPTY, digest_of(_EMPTY), len(_EMPTY))
        self._push_blob(empty, [_EMPTY])
        layers = []
        for name, data in sorted(metadata.items()):
            annotations = {oci.ANNOTATION_TUF_FILENAME: name}
            layer = Descriptor(oci.MEDIA_TUF_METADATA, digest_of(data), len(data), annotations)
            self._push_blob(layer, [data])
            layers.append(layer)
        manifest = write_manifest(Manifest(empty, tuple(layers), {}))
        self._put(f"manifests/{TUF_TAG}", manifest, oci.MEDIA_MANIFEST, len(manifest))

    def _push_blob(self, wanted: Descriptor, pieces: Iterable[bytes]) -> None:
        with self._http.request(f"{self._base}/blobs/{wanted.digest}", "HEAD", self._headers) as reply:
            if reply.status == 200:
                return
        with self._http.request(f"{self._base}/blobs/uploads/", "POST", self._headers, b"") as reply:
            _accept(reply, 202)
            place = urljoin(reply.url, reply.headers.get("Location", ""))
        separator = "&" if urlsplit(place).query else "?"
        body = _checked(wanted, pieces)
        self._put(f"{place}{separator}digest={wanted.digest}", body, "application/octet-stream", wanted.size)

    def _put(self, path: str, body: bytes | Iterable[bytes], media_type: str, size: int) -> None:
        url = path if "://" in path else f"{self._base}/{path}"
        if urlsplit(url).netloc != urlsplit(self._base).netloc and self._headers:
            raise FetchError(f"{self._base} wants the upload sent to {url}; a login is not sent there")
        headers = self._headers | {"Content-Type": media_type, "Content-Length": str(size)}
        with self._http.request(url, "PUT", headers, body) as reply:
            _accept(reply, 201)


def _checked(wanted: Descriptor, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a blob's pieces; a damaged one ends the upload before its last piece is sent."""
    verifier = Verifier(wanted.digest, wanted.size, f"the blob {wanted.digest}")
    last = b""
    for piece in pieces:
        verifier.update(piece)
        if last:
            yield last
        last = piece
    verifier.finish()
    yield last


def _copy(source: Source, image: Descriptor, layout: Layout) -> None:
    data = b"".join(source.blob(image))
    check(data, image.digest, image.size, f"the manifest {image.digest}")
    if image.media_type in oci.INDEX_TYPES:
        for each in parse_index(data):
            _copy(source, each, layout)
    else:
        manifest = parse_manifest(data)
        for each in (manifest.config, *manifest.layers):
            if not (layout.root / oci.blob_path(each.digest)).exists():
                layout.put(each, source.blob(each), f"the blob {each.digest}")
    layout.put(image, [data], f"the manifest {image.digest}")


def _tag(image: Descriptor) -> str:
    return image.annotations.get(oci.ANNOTATION_REF_NAME, "")


def _named(untrusted: bytes, what: str) -> Iterator[str]:
    """Yield the files that a timestamp or a snapshot names, with their versions."""
    meta = read_object(untrusted, what, TARGETS_SIZE_MAX).object("signed").object("meta")
    for name in list(meta.values)[:METADATA_COUNT_MAX]:
        if re.fullmatch(r"[A-Za-z0-9._-]+\.json", name):
            yield f"{meta.object(name).number('version', 1, 1 << 53)}.{name}"


def _metadata(source: Source, name: str) -> bytes:
    data = source.metadata(name, TARGETS_SIZE_MAX)
    if data is None:
        raise FetchError(f"{source.label} has no {name}, which its metadata names")
    return data


def _write_metadata(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        folder.mkdir(exist_ok=True)
        temporary = folder / f".{name}.{os.getpid()}"
        temporary.write_bytes(data)
        temporary.rename(folder / name)


def _accept(reply: Reply, status: int) -> None:
    if reply.status != status:
        said = ascii(reply.body(ERROR_BODY_SIZE).decode(errors="replace"))
        raise FetchError(f"{reply.url} answered {reply.status}, wanted {status}: {said}")
