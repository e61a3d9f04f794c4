# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Edge: the TUF client workflow, by python-tuf, fed from any source.

Only `trust_store` uses this file, and imports it when it must: python-tuf and its cryptography
take 100 ms, which a start on a fresh verdict does without.

Standard:  The Update Framework 1.0, detailed client workflow.
Blocking:  disk and network.
Errors:    `VerifyError` for what may be an attack, `FetchError` for a network that fails.
Invariant: python-tuf checks every signature, version, size and expiry; this file only feeds it
           bytes and puts its errors into our words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Metadata, Root, TargetFile, Targets, Timestamp
from tuf.ngclient import FetcherInterface, Updater

from skerry.abi import oci
from skerry.abi.errors import VerifyError
from skerry.abi.oci import Descriptor, Digest, is_digest
from skerry.delivery.document import shown
from skerry.delivery.manifest import DOCUMENT_SIZE_MAX
from skerry.delivery.ref import Ref
from skerry.delivery.sources import Source
from skerry.delivery.transport import FetchError
from skerry.delivery.trust import (
    FIRST_ROOT,
    LATEST,
    ROOT_SIZE_MAX,
    TARGETS_SIZE_MAX,
    Pin,
    Trusted,
    changed_key,
    read_revoked,
    read_root,
)

_METADATA_NAME = re.compile(r"[A-Za-z0-9._%-]+\.json", re.ASCII)


def update(
    folder: Path, pin: Pin | None, source: Source | None, bootstrap: bytes | None, ref: Ref
) -> Trusted:
    """Run the TUF client workflow; without a network, on what was verified before."""
    what = f"the publisher's word for {ref}"
    try:
        return _run_client(folder, _FromSource(source, folder), bootstrap, ref)
    except ExpiredMetadataError as error:
        raise VerifyError(what, wanted="metadata that has not expired", got=str(error)) from None
    except UnsignedMetadataError as error:
        if pin is None:
            raise VerifyError(what, wanted="enough signatures", got=str(error)) from None
        root = source.metadata(FIRST_ROOT, ROOT_SIZE_MAX) if source else None
        raise changed_key(pin, root) from None
    except BadVersionNumberError as error:
        raise VerifyError(what, wanted="nothing older than was seen before", got=str(error)) from None
    except RepositoryError as error:
        raise VerifyError(what, wanted="valid TUF metadata", got=str(error)) from None
    except DownloadHTTPError as error:
        if pin is not None and source and source.metadata(FIRST_ROOT, ROOT_SIZE_MAX) is None:
            raise changed_key(pin, None) from None
        raise VerifyError(what, wanted="all of the TUF metadata", got=str(error)) from None
    except DownloadLengthMismatchError as error:
        raise VerifyError(what, wanted="metadata of the size that was signed", got=str(error)) from None
    except DownloadError as error:
        if isinstance(error.__cause__, VerifyError):
            raise error.__cause__ from None
        if pin is None or source is None:
            raise FetchError(f"{what} cannot be had: {error.__cause__ or error}") from None
    return replace(update(folder, pin, None, None, ref), is_offline=True)


def _run_client(folder: Path, fetcher: FetcherInterface, bootstrap: bytes | None, ref: Ref) -> Trusted:
    updater = Updater(str(folder), "tuf:", fetcher=fetcher, bootstrap=bootstrap)
    updater.refresh()
    files = {name: (folder / f"{name}.json").read_bytes() for name in ("root", "targets", "timestamp")}
    targets = Metadata[Targets].from_bytes(files["targets"]).signed
    expires = min(
        targets.expires,
        Metadata[Root].from_bytes(files["root"]).signed.expires,
        Metadata[Timestamp].from_bytes(files["timestamp"]).signed.expires,
    )
    info = _pinned(targets, ref.digest) if ref.digest else updater.get_targetinfo(ref.tag or LATEST)
    app, descriptor = _describe(info, targets, ref)
    return Trusted(
        info.path if info else "",
        app,
        descriptor,
        read_root(files["root"]),
        expires.timestamp(),
        read_revoked(files["targets"]),
    )


def _pinned(targets: Targets, digest: Digest) -> TargetFile | None:
    """Return the target of a pinned digest, if the publisher lists it."""
    algorithm, _, encoded = digest.partition(":")
    return next((each for each in targets.targets.values() if each.hashes.get(algorithm) == encoded), None)


def _describe(info: TargetFile | None, targets: Targets, ref: Ref) -> tuple[str, Descriptor]:
    """Return the app's name and its manifest as the signed metadata tell them."""
    if info is None:
        names = ", ".join(sorted(targets.targets)[:10]) or "nothing"
        if ref.digest is None:
            raise VerifyError("the publisher's list", wanted=ref.tag or LATEST, got=shown(names))
        named = next(iter(targets.targets.values()), None)
        return _custom(named, "app"), Descriptor(oci.MEDIA_MANIFEST, ref.digest, 0)
    digest = ref.digest or f"sha256:{info.hashes.get('sha256', '')}"
    if not is_digest(digest) or not 0 < info.length <= DOCUMENT_SIZE_MAX:
        raise VerifyError(
            f"the publisher's {info.path}", wanted="a sha256 and a size", got=shown(info.hashes)
        )
    media_type = _custom(info, "mediaType") or oci.MEDIA_MANIFEST
    return _custom(info, "app"), Descriptor(media_type, digest, info.length)


def _custom(info: TargetFile | None, key: str) -> str:
    custom = info.custom if info else None
    return str(custom.get(key, "")) if isinstance(custom, dict) else ""


class _FromSource(FetcherInterface):
    """Gives python-tuf the publisher's files; without a source, those verified before."""

    def __init__(self, source: Source | None, known: Path) -> None:
        self._source = source
        self._known = known

    def _fetch(self, url: str) -> Iterator[bytes]:
        name = url.rpartition("/")[2]
        data: bytes | None = None
        if not _METADATA_NAME.fullmatch(name):
            raise DownloadError(f"{shown(name)} cannot be the name of a metadata file")
        if self._source is not None:
            data = self._source.metadata(name, TARGETS_SIZE_MAX)
        elif (self._known / name).is_file():
            data = (self._known / name).read_bytes()
        if data is None:
            raise DownloadHTTPError(f"{name} is not there", 404)
        return iter([data])
