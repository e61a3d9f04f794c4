# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Edge: from a link to an open image: trust, manifest, configuration, tree. The room's front door.

Order: trust -> manifest -> configuration and TOCs -> tree -> first files. Each step is checked
against the one before it, so on any error there is no image.

Blocking:  disk and network.
Errors:    `VerifyError`, `FetchError`, `UserError`.
Invariant: an image has a `Proof`. Nothing that is only reachable over a network opens unproven.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import TYPE_CHECKING, Self

from skerry.abi import oci
from skerry.abi.errors import UserError, VerifyError
from skerry.abi.oci import Descriptor, Digest, is_digest
from skerry.delivery.asks import Asks, parse_asks
from skerry.delivery.document import read_object
from skerry.delivery.entry import Chunk, Entry, Kind
from skerry.delivery.estargz import parse_toc
from skerry.delivery.fetch import Fetcher
from skerry.delivery.manifest import (
    DOCUMENT_SIZE_MAX,
    LAYER_SIZE_MAX,
    WASM_PLATFORM,
    Config,
    Manifest,
    canonical_json,
    check_image,
    choose,
    parse_config,
    parse_index,
    parse_manifest,
)
from skerry.delivery.ref import Kind as RefKind
from skerry.delivery.ref import Ref
from skerry.delivery.sources import Source, source_of
from skerry.delivery.store import Store
from skerry.delivery.tarball import EXPANSION_MAX, gunzip, read_tar, write_toc
from skerry.delivery.transport import FetchError, Http
from skerry.delivery.tree import Node, Tree, build, read
from skerry.delivery.trust import Trusted
from skerry.delivery.verify import digest_of

if TYPE_CHECKING:
    from skerry.delivery.trust_store import TrustStore

PLATFORMS = (WASM_PLATFORM, "linux/amd64")
INDEX_DEPTH_MAX = 3
WORKER_COUNT = 4
REF_SIZE_MAX = 64 << 10


class Proof(Enum):
    """Why we believe that these are the right bytes."""

    SIGNED = "signed by its publisher"
    PINNED = "pinned by the digest in its link"
    DEVELOPMENT = "UNSIGNED, from a folder of this machine"
    UNPROVEN = "UNSIGNED, from a stranger"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What opening needs besides a link; made once per process."""

    store: Store
    http: Http = field(default_factory=Http)
    trust: TrustStore | None = None
    caches: Sequence[Source] = ()
    is_offline: bool = False
    allows_unproven: bool = False
    platforms: Sequence[str] = PLATFORMS


@dataclass(slots=True)
class Image:
    """An app, verified as far as it has been read."""

    ref: Ref
    descriptor: Descriptor  # of its manifest
    manifest: Manifest
    config: Config
    asks: Asks | None  # None: an ordinary image, which asks for nothing
    proof: Proof
    trusted: Trusted | None
    tree: Tree
    fetcher: Fetcher

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.fetcher.close()

    def read(self, path: str) -> bytes:
        """Return a whole file.

        Raises:
            UserError: it is not a file of this image.
        """
        node = self.tree.lookup(path)
        if node is None or node.kind is not Kind.FILE:
            raise UserError(f"{self.ref} has no file {path}")
        return self.read_node(node, 0, node.size)

    def read_node(self, node: Node, offset: int, size: int) -> bytes:
        """Return part of a file; fewer bytes only at its end."""
        return read(node, offset, size, self.read_chunk)

    def read_chunk(self, chunk: Chunk) -> bytes:
        """Return a chunk, fetched if need be."""
        if chunk.offset < 0 and not self.fetcher.store.has(chunk.digest, chunk.size):
            # A plain layer whose pieces were collected as garbage: take it apart again.
            position = [layer.digest for layer in self.manifest.layers].index(chunk.blob)
            _unpack_plain(self.fetcher, self.manifest.layers[position], self.config.diff_ids[position])
        return self.fetcher.chunk(chunk)

    def prefetch(self) -> int:
        """Fetch the files a start reads, one request per layer; return how many chunks came."""
        chunks = [chunk for _, node in self.tree.walk() for chunk in node.chunks]
        return sum(self.fetcher.prefetch(layer, _in(layer, chunks)) for layer in self.manifest.layers)

    def fill(self) -> None:
        """Fetch everything that is not here yet, each layer that lacks something in one request."""
        lacking = {
            chunk.blob
            for _, node in self.tree.walk()
            for chunk in node.chunks
            if chunk.offset >= 0 and not self.fetcher.is_here(chunk)
        }
        for layer in self.manifest.layers:
            if layer.digest in lacking:
                self.fetcher.fill(layer, f"the layer {layer.digest}")


def open_image(ref: Ref, delivery: Delivery, prefetch: bool = True) -> Image:
    """Open the app a link names.

    Raises:
        VerifyError: something on the way is not what it must be.
        FetchError: something could not be had.
        UserError: the person refused, or the link means several images, or none.
    """
    origin = None if delivery.is_offline else source_of(ref, delivery.http)
    fetcher = Fetcher(delivery.store, delivery.caches, origin)
    try:
        proof, trusted, descriptor, data = _prove(ref, delivery, fetcher, origin)
        descriptor, data = _descend(fetcher, descriptor, data, delivery.platforms, str(ref))
        manifest = check_image(parse_manifest(data))
        asks = parse_asks(manifest.annotations)
        _check_name(asks, trusted)
        config, tree = _load(fetcher, manifest)
        image = Image(ref, descriptor, manifest, config, asks, proof, trusted, tree, fetcher)
        _remember(delivery.store, image)
        if prefetch and not delivery.is_offline:
            image.prefetch()
    except BaseException:
        fetcher.close()
        raise
    return image


def _prove(
    ref: Ref, delivery: Delivery, fetcher: Fetcher, origin: Source | None
) -> tuple[Proof, Trusted | None, Descriptor, bytes]:
    """Find out which manifest (or index) the link means, and why we may believe it."""
    trusted = delivery.trust.verify(ref, origin) if delivery.trust else None
    if trusted is not None and trusted.descriptor.size:
        data = fetcher.document(trusted.descriptor, f"the manifest of {ref}")
        return Proof.SIGNED, trusted, trusted.descriptor, data
    if ref.digest is not None:
        data = fetcher.pinned(ref.digest, f"the manifest of {ref}")
        return Proof.PINNED, trusted, _describe_pinned(ref.digest, data), data
    if ref.kind is not RefKind.FOLDER and not delivery.allows_unproven:
        raise UserError(
            f"{ref} is not signed. Ask its publisher to sign it, or pin the exact bytes you mean: "
            f"{ref}@sha256:…"
        )
    proof = Proof.DEVELOPMENT if ref.kind is RefKind.FOLDER else Proof.UNPROVEN
    if origin is None:
        descriptor = _recall(delivery.store, ref)
        return proof, None, descriptor, fetcher.document(descriptor, f"the manifest of {ref}")
    media_type, data = origin.top(ref.tag)
    if media_type in oci.INDEX_TYPES:
        descriptor = choose(parse_index(data), ref.tag, delivery.platforms, str(ref))
        return proof, None, descriptor, fetcher.document(descriptor, f"the manifest of {ref}")
    delivery.store.put_bytes(data)
    return proof, None, Descriptor(oci.MEDIA_MANIFEST, digest_of(data), len(data)), data


def _describe_pinned(digest: Digest, data: bytes) -> Descriptor:
    fields = read_object(data, "the pinned manifest", DOCUMENT_SIZE_MAX)
    is_index = "manifests" in fields and "layers" not in fields
    return Descriptor(oci.MEDIA_INDEX if is_index else oci.MEDIA_MANIFEST, digest, len(data))


def _descend(
    fetcher: Fetcher, descriptor: Descriptor, data: bytes, platforms: Sequence[str], what: str
) -> tuple[Descriptor, bytes]:
    """Follow indexes down to one manifest."""
    for _ in range(INDEX_DEPTH_MAX):
        if descriptor.media_type not in oci.INDEX_TYPES:
            return descriptor, data
        descriptor = choose(parse_index(data), "", platforms, what)
        data = fetcher.document(descriptor, f"the manifest of {what}")
    raise VerifyError(what, wanted=f"at most {INDEX_DEPTH_MAX} indexes", got="indexes in indexes without end")


def _check_name(asks: Asks | None, trusted: Trusted | None) -> None:
    if trusted is not None and trusted.app and (asks is None or asks.name != trusted.app):
        got = asks.name if asks else "an image without a name"
        raise VerifyError("the app's name", wanted=f"{trusted.app}, as signed", got=got)


def _load(fetcher: Fetcher, manifest: Manifest) -> tuple[Config, Tree]:
    """Fetch the configuration and what every layer holds, at the same time."""
    for layer in manifest.layers:
        fetcher.know_layer(layer)
    with ThreadPoolExecutor(WORKER_COUNT, thread_name_prefix="skerry-load") as workers:
        config_data = workers.submit(fetcher.document, manifest.config, "the configuration")
        lazy = {layer.digest: workers.submit(_lazy_entries, fetcher, layer) for layer in manifest.layers}
        config = parse_config(config_data.result(), manifest)
        layers = []
        for layer, diff_id in zip(manifest.layers, config.diff_ids, strict=True):
            layers.append(lazy[layer.digest].result() or _plain_entries(fetcher, layer, diff_id))
        return config, build(layers)


def _lazy_entries(fetcher: Fetcher, layer: Descriptor) -> list[Entry] | None:
    """Return the entries of an eStargz layer, or None for a plain one."""
    if oci.ANNOTATION_TOC_DIGEST not in layer.annotations or layer.media_type not in oci.GZIP_LAYER_TYPES:
        return None
    toc, offset = fetcher.toc(layer)
    return parse_toc(toc, layer.digest, offset)


def _plain_entries(fetcher: Fetcher, layer: Descriptor, diff_id: Digest) -> list[Entry]:
    """Return the entries of a plain layer, from the TOC we made of it or from all of its bytes."""
    known = (fetcher.store.load_ref(f"plain:{layer.digest}") or b"").decode(errors="replace")
    toc = fetcher.store.get(known) if is_digest(known) else None
    return parse_toc(toc, layer.digest, 0) if toc else _unpack_plain(fetcher, layer, diff_id)


def _unpack_plain(fetcher: Fetcher, layer: Descriptor, diff_id: Digest) -> list[Entry]:
    """Fetch a plain layer whole, keep its files as chunks, and remember what it holds."""
    fetcher.fill(layer, f"the layer {layer.digest}")
    store = fetcher.store
    with store.path(layer.digest).open("rb", buffering=0) as file:
        pieces: Iterable[bytes] = iter(lambda: file.read(1 << 20), b"")
        if layer.media_type in oci.GZIP_LAYER_TYPES:
            pieces = gunzip(pieces)
        plain_size_max = min(LAYER_SIZE_MAX, layer.size * EXPANSION_MAX)
        entries = read_tar(pieces, diff_id, plain_size_max, layer.digest, store.put_bytes)
    toc_digest = store.put_bytes(write_toc(entries))
    store.save_ref(f"plain:{layer.digest}", toc_digest.encode())
    store.path(layer.digest).unlink(missing_ok=True)  # all of it is in the store as chunks now
    return entries


def _in(layer: Descriptor, chunks: Sequence[Chunk]) -> list[Chunk]:
    return [chunk for chunk in chunks if chunk.blob == layer.digest]


def _remember(store: Store, image: Image) -> None:
    """Note what the link meant, for `store ls` and for opening it without a network."""
    descriptor = image.descriptor
    store.save_ref(
        f"ref:{image.ref}",
        canonical_json(
            {
                "ref": str(image.ref),
                "mediaType": descriptor.media_type,
                "digest": descriptor.digest,
                "size": descriptor.size,
                "proof": image.proof.name,
            }
        ),
    )


def _recall(store: Store, ref: Ref) -> Descriptor:
    data = store.load_ref(f"ref:{ref}")
    if data is None:
        raise FetchError(f"{ref} was never opened here, and there is no network to ask")
    fields = read_object(data, "a remembered link", REF_SIZE_MAX)
    size = fields.number("size", 0, DOCUMENT_SIZE_MAX)
    return Descriptor(fields.text("mediaType"), fields.digest("digest"), size)
