# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Edge: bytes for one descriptor or one chunk, from the store, any cache, or the publisher.

Every source is untrusted and they are interchangeable: the first that gives the right bytes wins.
A cache that gives wrong ones, or none in time, is not asked again by this fetcher.

Units:     sizes and offsets are bytes.
Blocking:  disk and network. Chunks are saved by other threads; `close` waits for them.
Errors:    `VerifyError` when all that came was wrong, `FetchError` when nothing came.
Invariant: nothing leaves this class, and nothing enters the store, unverified.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from skerry.abi import oci
from skerry.abi.errors import VerifyError
from skerry.abi.oci import Descriptor, Digest
from skerry.delivery.document import shown
from skerry.delivery.entry import Chunk
from skerry.delivery.estargz import (
    FOOTER_SIZE,
    TOC_SIZE_MAX,
    compressed_size_max,
    inflate_chunk,
    parse_footer,
    read_toc,
)
from skerry.delivery.manifest import DOCUMENT_SIZE_MAX
from skerry.delivery.sources import NotFound, RangeIgnored, Source
from skerry.delivery.store import Store
from skerry.delivery.transport import FetchError
from skerry.delivery.verify import check

T = TypeVar("T")

ANNOTATION_TOC_OFFSET = "dev.skerry.layer.toc-offset"
ANNOTATION_PREFETCH_SIZE = "dev.skerry.layer.prefetch-size"
PREFETCH_SIZE_MAX = 64 << 20  # held in memory for the moment
PENDING_SIZE_MAX = 64 << 20  # waiting to be saved
TAIL_SIZE = 64 << 10  # holds footer and TOC of some 700 files
SAVER_COUNT = 4  # fsync waits for the disk; several wait together
PLAIN_TYPE = "application/octet-stream"


class Fetcher:
    """Gets verified bytes for one image."""

    def __init__(self, store: Store, caches: Sequence[Source], origin: Source | None) -> None:
        self.store = store
        self.refusals: list[str] = []  # what caches did wrong, for people
        self.received_size = 0  # bytes of bodies, from any source
        self.request_count = 0
        self._caches = list(caches)
        self._origin = origin
        self._layers: dict[Digest, Descriptor] = {}
        self._mirrors: set[str] = set()  # sources that have whole layers: ask them for parts only
        self._savers = ThreadPoolExecutor(SAVER_COUNT, thread_name_prefix="skerry-save")
        self._pending: dict[Digest, bytes] = {}
        self._pending_size = 0
        self._lock = threading.Lock()

    def close(self) -> None:
        """Wait until everything fetched is saved."""
        self._savers.shutdown(wait=True)

    def know_layer(self, layer: Descriptor) -> None:
        """Tell how large a layer is, in case it must come whole."""
        self._layers[layer.digest] = layer

    def document(self, wanted: Descriptor, what: str) -> bytes:
        """Return a small blob: a manifest or a configuration."""
        data = self.store.get(wanted.digest, wanted.size)
        if data is None:
            data = self._try(lambda source: self._blob(source, wanted, what), what)
            self.store.put(wanted.digest, wanted.size, [data], what)
        return data

    def pinned(self, digest: Digest, what: str) -> bytes:
        """Return a manifest of which only the digest is known."""
        data = self.store.get(digest)
        if data is None:
            wanted = Descriptor(oci.MEDIA_MANIFEST, digest, DOCUMENT_SIZE_MAX)
            data = self._try(lambda source: self._blob(source, wanted, what, is_size_known=False), what)
            self.store.put(digest, len(data), [data], what)
        return data

    def fill(self, wanted: Descriptor, what: str) -> None:
        """Bring a whole blob into the store."""
        if self.store.has(wanted.digest, wanted.size):
            return

        def take(source: Source) -> None:
            self.store.put(wanted.digest, wanted.size, self._count(source.blob(wanted)), what)

        self._try(take, what)

    def part(self, digest: Digest, offset: int, size: int, check_part: Callable[[bytes], T], what: str) -> T:
        """Return what `check_part` makes of a part of a blob; it must refuse wrong bytes."""
        local = self._from_local_layer(digest, offset, size, check_part)
        if local is not None:
            return local
        try:
            return self._try(lambda source: check_part(self._part(source, digest, offset, size)), what)
        except RangeIgnored:
            self.fill(self._layers[digest], f"the layer {digest}")
            return check_part(self.store.read_range(digest, offset, size) or b"")

    def chunk(self, chunk: Chunk) -> bytes:
        """Return a chunk of a file."""
        data = self._pending.get(chunk.digest) or self.store.get(chunk.digest, chunk.size)
        if data is not None:
            return data
        what = f"the chunk {chunk.digest}"
        if chunk.offset < 0:
            raise FetchError(f"{what} of a plain layer is not in the store")
        size = compressed_size_max(chunk)

        def inflate(untrusted_part: bytes) -> bytes:
            return inflate_chunk(untrusted_part, chunk, what)

        local = self._from_local_layer(chunk.blob, chunk.offset, size, inflate)
        if local is not None:
            return local  # here already; need not be kept twice
        data = self._from_stores(chunk.digest, chunk.size, what)
        if data is None:
            data = self.part(chunk.blob, chunk.offset, size, inflate, what)
        self._save(chunk.digest, data)
        return data

    def is_here(self, chunk: Chunk) -> bool:
        """Tell whether a chunk can be had without a network."""
        layer = self._layers[chunk.blob]
        return self.store.has(chunk.digest, chunk.size) or self.store.has(layer.digest, layer.size)

    def _from_local_layer(
        self, digest: Digest, offset: int, size: int, check_part: Callable[[bytes], T]
    ) -> T | None:
        """Return part of a layer that is whole in the store; a damaged layer is removed from it."""
        if not self.store.has(digest, self._layers[digest].size):
            return None
        data = self.store.read_range(digest, offset, size)
        try:
            return None if data is None else check_part(data)
        except VerifyError as error:
            self.refusals.append(f"the store: {error}")
            self.store.remove_damaged(digest)
            return None

    def toc(self, layer: Descriptor) -> tuple[bytes, int]:
        """Return the TOC of an eStargz layer and its offset.

        Raises:
            VerifyError: there is none, or another one than the manifest names.
        """
        digest = layer.annotations[oci.ANNOTATION_TOC_DIGEST]
        if not oci.is_digest(digest):
            raise VerifyError("the layer's TOC digest", wanted="a digest", got=shown(digest))
        offset = self._toc_offset(layer)
        toc = self.store.get(digest)
        if toc is None:
            what = f"the TOC of {layer.digest}"
            toc = self._from_stores(digest, None, what) or self.part(
                layer.digest, offset, layer.size - offset, lambda part: read_toc(part, digest), what
            )
            self.store.put(digest, len(toc), [toc], what)
        return toc, offset

    def _toc_offset(self, layer: Descriptor) -> int:
        """Return the TOC's offset: from the manifest's hint, from memory, or from the footer."""
        name = f"toc-offset:{layer.digest}"
        hint = layer.annotations.get(ANNOTATION_TOC_OFFSET) or (self.store.load_ref(name) or b"").decode()
        if hint.isascii() and hint.isdecimal() and len(hint) < 19:
            offset = int(hint)
        else:
            at = max(0, layer.size - TAIL_SIZE)
            tail_size = layer.size - at
            offset = self.part(
                layer.digest, at, tail_size, lambda tail: parse_footer(tail, layer.size), "the layer's footer"
            )
            self.store.save_ref(name, str(offset).encode())
        low, high = max(1, layer.size - TOC_SIZE_MAX), layer.size - FOOTER_SIZE
        if not low <= offset < high:
            raise VerifyError(f"the TOC offset of {layer.digest}", wanted=f"{low} to {high}", got=str(offset))
        return offset

    def prefetch(self, layer: Descriptor, chunks: Iterable[Chunk]) -> int:
        """Fetch what the publisher put first, in one request; return how many chunks it gave."""
        hint = layer.annotations.get(ANNOTATION_PREFETCH_SIZE, "")
        size = int(hint) if hint.isascii() and hint.isdecimal() and len(hint) < 19 else 0
        wanted = [each for each in chunks if each.offset >= 0 and each.end <= size]
        missing = [each for each in wanted if not self.is_here(each)]
        if not missing or not 0 < size <= min(PREFETCH_SIZE_MAX, layer.size):
            return 0
        begin = min(each.offset for each in missing)
        end = max(each.end for each in missing)

        def take(data: bytes) -> int:
            for each in missing:
                part = data[each.offset - begin : each.end - begin]
                self._save(each.digest, inflate_chunk(part, each, f"the chunk {each.digest}"))
            return len(missing)

        return self.part(layer.digest, begin, end - begin, take, f"the first files of {layer.digest}")

    def _save(self, digest: Digest, data: bytes) -> None:
        """Hand verified bytes to the threads that write them to the store."""
        with self._lock:
            if digest in self._pending:
                return
            self._pending[digest] = data
            self._pending_size += len(data)
            is_too_much = self._pending_size > PENDING_SIZE_MAX
        saved = self._savers.submit(self._put, digest, data)
        if is_too_much:
            saved.result()

    def _put(self, digest: Digest, data: bytes) -> None:
        try:
            self.store.put(digest, len(data), [data], f"the chunk {digest}")
        except OSError as error:
            # A full disk must not stop the app; it only means that nothing is kept.
            self.refusals.append(f"the store: {error.strerror}")
        finally:
            with self._lock:
                del self._pending[digest]
                self._pending_size -= len(data)

    def _try(self, act: Callable[[Source], T], what: str) -> T:
        """Ask one source after the other; the last error is the publisher's own."""
        problem: Exception = FetchError(f"{what} is not in the store, and there is nowhere to fetch it from")
        for cache in list(self._caches):
            try:
                return act(cache)
            except NotFound:
                continue
            except (FetchError, VerifyError) as error:
                self._give_up(cache, error)
                problem = error
        if self._origin is None:
            raise problem
        return act(self._origin)

    def _from_stores(self, digest: Digest, size: int | None, what: str) -> bytes | None:
        """Ask the caches that are stores like ours, which have TOCs and chunks under their own digest."""
        wanted = Descriptor(PLAIN_TYPE, digest, TOC_SIZE_MAX if size is None else size)
        for cache in [each for each in self._caches if each.label not in self._mirrors]:
            try:
                return self._blob(cache, wanted, what, is_size_known=size is not None)
            except NotFound:
                continue
            except (FetchError, VerifyError) as error:
                self._give_up(cache, error)
        return None

    def _give_up(self, cache: Source, error: Exception) -> None:
        self.refusals.append(f"the cache {cache.label}: {error}")
        if cache in self._caches:
            self._caches.remove(cache)

    def _blob(self, source: Source, wanted: Descriptor, what: str, is_size_known: bool = True) -> bytes:
        data = b"".join(self._count(source.blob(wanted)))
        size = wanted.size if is_size_known else len(data)
        return check(data, wanted.digest, size, f"{what} from {source.label}")

    def _part(self, source: Source, digest: Digest, offset: int, size: int) -> bytes:
        self.request_count += 1
        data = source.part(digest, offset, size)
        self.received_size += len(data)
        self._mirrors.add(source.label)
        return data

    def _count(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        self.request_count += 1
        for piece in pieces:
            self.received_size += len(piece)
            yield piece
