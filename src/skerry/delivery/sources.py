# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Edge: where bytes come from. Nothing a source says is believed; `fetch` checks it.

`Folder` and `Web` are image layouts, `Registry` speaks the distribution
API. A store of ours, or a neighbour's, is a layout without an index and serves as a cache.

Standard:  OCI image-layout.md; OCI distribution-spec, pull; RFC 9110 section 14 for ranges.
Units:     offsets and sizes are bytes.
Blocking:  disk or network.
Errors:    `FetchError`; `RangeIgnored` when a server sends whole blobs only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from skerry.abi import oci
from skerry.abi.errors import VerifyError
from skerry.abi.oci import Descriptor, Digest, blob_path
from skerry.delivery.document import read_object, shown
from skerry.delivery.manifest import DOCUMENT_SIZE_MAX, parse_manifest
from skerry.delivery.ref import Kind, Ref, is_loopback
from skerry.delivery.transport import ERROR_BODY_SIZE, FetchError, Http, Reply
from skerry.delivery.verify import check

TUF_TAG = "skerry-tuf"
PIECE_SIZE = 1 << 20
TOKEN_SIZE_MAX = 64 << 10
_TOP_TYPES = (oci.MEDIA_INDEX, oci.MEDIA_MANIFEST, oci.DOCKER_INDEX, oci.DOCKER_MANIFEST)
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)", re.ASCII)
_CHALLENGE = re.compile(r'([a-z]+)="([^"]*)"', re.ASCII)


class RangeIgnored(FetchError):
    """The server answers a request for a part with the whole."""


class NotFound(FetchError):
    """The server says there is no such thing."""


class Source(Protocol):
    """A place that may have the bytes we want."""

    label: str  # for people

    def top(self, tag: str) -> tuple[str, bytes]:
        """Return media type and bytes of what a tag names: an index or a manifest."""

    def blob(self, wanted: Descriptor) -> Iterator[bytes]:
        """Yield a whole blob, piece by piece."""

    def part(self, digest: Digest, offset: int, size: int) -> bytes:
        """Return `size` bytes of a blob; fewer only where the blob ends."""

    def metadata(self, name: str, size_max: int) -> bytes | None:
        """Return a file of the TUF metadata, or None if there is none of that name."""


class Folder:
    """An image layout, or a store, in a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.label = str(root)

    def top(self, tag: str) -> tuple[str, bytes]:
        return oci.MEDIA_INDEX, self._read("index.json", DOCUMENT_SIZE_MAX)

    def blob(self, wanted: Descriptor) -> Iterator[bytes]:
        try:
            with (self.root / blob_path(wanted.digest)).open("rb", buffering=0) as file:
                while piece := file.read(PIECE_SIZE):
                    yield piece
        except OSError as error:
            raise NotFound(f"{self.label} has no {wanted.digest}: {error.strerror}") from None

    def part(self, digest: Digest, offset: int, size: int) -> bytes:
        try:
            with (self.root / blob_path(digest)).open("rb", buffering=0) as file:
                return os.pread(file.fileno(), size, offset)
        except OSError as error:
            raise NotFound(f"{self.label} has no {digest}: {error.strerror}") from None

    def metadata(self, name: str, size_max: int) -> bytes | None:
        return self._read(f"tuf/{name}", size_max) if (self.root / "tuf" / name).is_file() else None

    def _read(self, name: str, size_max: int) -> bytes:
        try:
            with (self.root / name).open("rb") as file:
                data = file.read(size_max + 1)
        except OSError as error:
            raise FetchError(f"{self.label} is not an image layout: {name}: {error.strerror}") from None
        if len(data) > size_max:
            raise VerifyError(f"{self.label}/{name}", wanted=f"at most {size_max} bytes", got="more")
        return data


class Web:
    """An image layout, or a store, on a web server."""

    def __init__(self, base: str, http: Http) -> None:
        self.label = base if base.endswith("/") else f"{base}/"
        self._http = http

    def top(self, tag: str) -> tuple[str, bytes]:
        with self._http.request(f"{self.label}index.json") as reply:
            return oci.MEDIA_INDEX, _expect(reply, 200).body(DOCUMENT_SIZE_MAX)

    def blob(self, wanted: Descriptor) -> Iterator[bytes]:
        with self._http.request(self.label + blob_path(wanted.digest)) as reply:
            yield from _expect(reply, 200).pieces(wanted.size)

    def part(self, digest: Digest, offset: int, size: int) -> bytes:
        with self._http.request(self.label + blob_path(digest), headers=_range(offset, size)) as reply:
            return _read_part(reply, offset, size)

    def metadata(self, name: str, size_max: int) -> bytes | None:
        with self._http.request(f"{self.label}tuf/{name}") as reply:
            return None if reply.status in (403, 404) else _expect(reply, 200).body(size_max)


class Registry:
    """One repository of a registry."""

    def __init__(self, ref: Ref, http: Http) -> None:
        self.label = ref.origin
        self._base = f"{ref.scheme}://{ref.authority}/v2/{ref.path}"
        self._repository = ref.path
        self._http = http
        self._token = ""
        self._metadata: dict[str, Descriptor] | None = None

    def top(self, tag: str) -> tuple[str, bytes]:
        with self._request(f"manifests/{tag or 'latest'}", {"Accept": ", ".join(_TOP_TYPES)}) as reply:
            media_type = reply.headers.get("Content-Type", "").partition(";")[0]
            return media_type, _expect(reply, 200).body(DOCUMENT_SIZE_MAX)

    def blob(self, wanted: Descriptor) -> Iterator[bytes]:
        is_manifest = wanted.media_type in oci.INDEX_TYPES | oci.MANIFEST_TYPES
        path = f"{'manifests' if is_manifest else 'blobs'}/{wanted.digest}"
        with self._request(path, {"Accept": wanted.media_type} if is_manifest else {}) as reply:
            yield from _expect(reply, 200).pieces(wanted.size)

    def part(self, digest: Digest, offset: int, size: int) -> bytes:
        with self._request(f"blobs/{digest}", _range(offset, size)) as reply:
            return _read_part(reply, offset, size)

    def metadata(self, name: str, size_max: int) -> bytes | None:
        if self._metadata is None:
            self._metadata = self._list_metadata()
        wanted = self._metadata.get(name)
        if wanted is None or wanted.size > size_max:
            return None
        data = b"".join(self.blob(wanted))
        return check(data, wanted.digest, wanted.size, f"{self.label}'s {shown(name)}")

    def _list_metadata(self) -> dict[str, Descriptor]:
        with self._request(f"manifests/{TUF_TAG}", {"Accept": oci.MEDIA_MANIFEST}) as reply:
            if reply.status == 404:
                return {}
            data = _expect(reply, 200).body(DOCUMENT_SIZE_MAX)
        layers = parse_manifest(data, f"{self.label}'s TUF metadata").layers
        return {layer.annotations.get(oci.ANNOTATION_TUF_FILENAME, ""): layer for layer in layers}

    @contextmanager
    def _request(self, path: str, headers: dict[str, str]) -> Iterator[Reply]:
        """Ask the registry; if it wants the token it gives to everybody, get that and ask again."""
        url = f"{self._base}/{path}"
        with self._http.request(url, headers=headers | self._authorization()) as reply:
            if reply.status != 401:
                yield reply
                return
            self._log_in(reply)
        with self._http.request(url, headers=headers | self._authorization()) as reply:
            yield reply

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _log_in(self, refused: Reply) -> None:
        """Get the token that registries give to anybody for a public repository."""
        challenge = refused.headers.get("WWW-Authenticate", "")
        asked = dict(_CHALLENGE.findall(challenge))
        realm = urlsplit(asked.get("realm", ""))
        host = realm.hostname or ""
        if not challenge.startswith("Bearer ") or not (realm.scheme == "https" or is_loopback(host)):
            raise FetchError(f"{refused.url} asks for a login; only public images can be opened")
        query = {"service": asked.get("service", ""), "scope": f"repository:{self._repository}:pull"}
        with self._http.request(f"{asked['realm']}?{urlencode(query)}") as reply:
            data = _expect(reply, 200).body(TOKEN_SIZE_MAX)
        fields = read_object(data, "the registry's token", TOKEN_SIZE_MAX)
        token = fields.text("token", "") or fields.text("access_token", "")
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise VerifyError("the registry's token", wanted="printable text", got=shown(token))
        self._token = token


def source_of(ref: Ref, http: Http) -> Source:
    """Return where a link's bytes come from."""
    if ref.kind is Kind.FOLDER:
        return Folder(Path(ref.path))
    if ref.kind is Kind.WEB:
        return Web(f"{ref.scheme}://{ref.authority}{ref.path}", http)
    if ref.kind is Kind.REGISTRY:
        return Registry(ref, http)
    raise FetchError(f"{ref} is a short name; it must be looked up in an index first")


def _range(offset: int, size: int) -> dict[str, str]:
    return {"Range": f"bytes={offset}-{offset + size - 1}"}


def _read_part(reply: Reply, offset: int, size: int) -> bytes:
    """Return the body of an answer to a request for a part, if it is that part."""
    asked = _range(offset, size)["Range"]
    if reply.status == 200:
        raise RangeIgnored(f"{reply.url} ignores the request for a part ({asked})")
    stated = _expect(reply, 206).headers.get("Content-Range", "no Content-Range")
    found = _CONTENT_RANGE.fullmatch(stated)
    if not found or int(found[1]) != offset or not offset <= int(found[2]) < offset + size:
        raise VerifyError(f"the part of {reply.url}", wanted=asked, got=shown(stated))
    stated_size = int(found[2]) + 1 - offset
    data = reply.body(stated_size)
    if len(data) != stated_size:
        raise VerifyError(f"the part of {reply.url}", wanted=f"{stated_size} bytes", got=f"{len(data)} bytes")
    return data


def _expect(reply: Reply, status: int) -> Reply:
    if reply.status == status:
        return reply
    if reply.status in (403, 404, 410):
        raise NotFound(f"{reply.url} is not there ({reply.status})")
    try:
        said = shown(reply.body(ERROR_BODY_SIZE).decode(errors="replace"))
    except FetchError:
        said = "a long answer"
    raise FetchError(f"{reply.url} answered {reply.status}, wanted {status}: {said}")
