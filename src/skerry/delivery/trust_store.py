# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Edge: whom this person trusts, kept on disk and renewed when it is no longer fresh.

    places/<hex of the origin>/pin.json       whom the person accepted here
                              /tuf/           python-tuf's own files: the trusted metadata
                              /verdicts/      answers that are still fresh
    revoked.json                              keys and manifests this person has withdrawn

Blocking:  disk and network; one process at a time per place (flock).
Errors:    `VerifyError` for what may be an attack, `FetchError` for a network that fails.
Invariant: `tuf_client` checks every signature, version and expiry; this file keeps its state and
           asks a person at first use. A pin is written only after what it stands for.
"""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from skerry.abi.errors import UserError
from skerry.delivery.manifest import canonical_json
from skerry.delivery.ref import Ref
from skerry.delivery.sources import Source
from skerry.delivery.trust import (
    FIRST_ROOT,
    ROOT_SIZE_MAX,
    Decision,
    Pin,
    Publisher,
    Trusted,
    check_revoked,
    decide,
    read_pin,
    read_root,
    read_trusted,
    write_pin,
    write_trusted,
)
from skerry.delivery.verify import digest_of

# Asked at first use: where, which app, whose keys. False refuses.
AskPerson = Callable[[Ref, str, Publisher], bool]


class TrustStore:
    """The places a person has accepted, and what they have withdrawn."""

    def __init__(self, root: Path, ask: AskPerson, clock: Callable[[], float] = time.time) -> None:
        self.root = root
        self._ask = ask
        self._clock = clock
        (root / "places").mkdir(parents=True, exist_ok=True)

    def verify(self, ref: Ref, source: Source | None) -> Trusted | None:
        """Return what the publisher vouches for under a link; None if nobody ever signed there.

        Args:
            source: where the publisher's metadata is; None: work with what is known.
        Raises:
            VerifyError: bad, old or missing signatures, a changed key, a revoked key or version.
            FetchError: first use, and the publisher cannot be reached.
            UserError: the person said no.
        """
        with self._place(ref) as place:
            trusted = self._fresh(place, ref) or self._renew(place, ref, source)
        if trusted is not None:
            revoked_here = self.revoked()
            decide(self.pin(ref), trusted.publisher, trusted.app, revoked_here)
            check_revoked(trusted.descriptor.digest, revoked_here, "you")
            check_revoked(trusted.descriptor.digest, trusted.revoked, "its publisher")
        return trusted

    def pin(self, ref: Ref) -> Pin | None:
        """Return whom the person accepted for a place."""
        path = self._folder(ref) / "pin.json"
        return read_pin(path.read_bytes()) if path.exists() else None

    def forget(self, ref: Ref) -> None:
        """Forget a place, so that its next use is a first use again."""
        shutil.rmtree(self._folder(ref), ignore_errors=True)

    def revoked(self) -> dict[str, str]:
        """Return what this person has withdrawn: fingerprints and manifest digests, with reasons."""
        path = self.root / "revoked.json"
        return dict(json.loads(path.read_bytes())) if path.exists() else {}

    def revoke(self, what: str, reason: str) -> None:
        """Withdraw a publisher (fingerprint) or a version (digest); new starts are refused at once."""
        hexadecimal = what.removeprefix("sha256:").replace(" ", "")
        if not re.fullmatch(r"[0-9a-f]{64}", hexadecimal):
            raise UserError(f"{what!r} is neither a key's fingerprint nor a digest (64 hexadecimal digits)")
        _replace(self.root / "revoked.json", canonical_json(self.revoked() | {hexadecimal: reason}))

    def _folder(self, ref: Ref) -> Path:
        return self.root / "places" / digest_of(ref.origin.encode()).partition(":")[2]

    @contextmanager
    def _place(self, ref: Ref) -> Iterator[Path]:
        folder = self._folder(ref)
        (folder / "tuf").mkdir(parents=True, exist_ok=True)
        (folder / "verdicts").mkdir(exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # python-tuf: one updater per folder
            yield folder

    def _verdict_path(self, place: Path, ref: Ref) -> Path:
        return place / "verdicts" / digest_of(f"{ref.tag}@{ref.digest}".encode()).partition(":")[2]

    def _fresh(self, place: Path, ref: Ref) -> Trusted | None:
        path = self._verdict_path(place, ref)
        return read_trusted(path.read_bytes(), self._clock()) if path.exists() else None

    def _renew(self, place: Path, ref: Ref, source: Source | None) -> Trusted | None:
        pin = self.pin(ref)
        bootstrap = _kept_root(place / "tuf") if pin else None
        if pin is None:
            if source is None:
                return None
            bootstrap = source.metadata(FIRST_ROOT, ROOT_SIZE_MAX)
            if bootstrap is None:
                return None
            read_root(bootstrap)
            shutil.rmtree(place / "tuf")  # nothing of an earlier first use that was refused
            (place / "tuf").mkdir()
        from skerry.delivery.tuf_client import update

        trusted = update(place / "tuf", pin, source, bootstrap, ref)
        decision = decide(pin, trusted.publisher, trusted.app, self.revoked())
        if decision is Decision.ASK and not self._ask(ref, trusted.app, trusted.publisher):
            raise UserError(f"{ref} was not opened: its publisher {trusted.publisher} was not accepted")
        now_s = self._clock()
        if pin is None or pin.fingerprints != trusted.publisher.fingerprints:
            accepted_s = pin.accepted_s if pin else now_s
            accepted = Pin(ref.origin, trusted.app, trusted.publisher.fingerprints, accepted_s)
            _replace(place / "pin.json", write_pin(accepted))
        if not trusted.is_offline:
            _replace(self._verdict_path(place, ref), write_trusted(trusted, now_s))
        return trusted


def _kept_root(folder: Path) -> bytes | None:
    """Return the newest root if python-tuf's link to it is gone: it was killed while renewing it."""
    if (folder / "root.json").exists():
        return None
    kept = sorted(
        (folder / "root_history").glob("*.root.json"), key=lambda path: int(path.name.split(".")[0])
    )
    return kept[-1].read_bytes() if kept else None


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_bytes(data)
    temporary.rename(path)
