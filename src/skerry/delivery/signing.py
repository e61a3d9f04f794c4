# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Edge: the publisher's side: keys, and the TUF metadata beside an image layout.

    LAYOUT/tuf/N.root.json  N.snapshot.json  N.targets.json  timestamp.json

Standard:  The Update Framework 1.0, consistent snapshots.
Blocking:  disk.
Errors:    `UserError`.
Invariant: a version, once written, is never written again with other bytes; root N+1 is signed by
           the keys of root N and by its own, so that clients can follow.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from skerry.abi.errors import UserError
from skerry.abi.oci import Descriptor
from skerry.delivery.trust import LATEST, REVOKED_FIELD

ROOT_DAYS = 365
TARGETS_DAYS = 90
TIMESTAMP_DAYS = 30  # how long a frozen mirror can hide a newer version
ROLES = ("root", "targets", "snapshot", "timestamp")


def new_key(path: Path) -> CryptoSigner:
    """Make an Ed25519 key and write it, readable by its owner only.

    Raises:
        UserError: the file is already there.
    """
    signer = CryptoSigner.generate_ed25519()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UserError(f"{path} is already there; a key is never overwritten") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(signer.private_bytes)
    return signer


def load_key(path: Path) -> CryptoSigner:
    """Read an Ed25519 private key in PEM form.

    Raises:
        UserError: it cannot be read or is of another kind.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path} cannot be read as a private key: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UserError(f"{path} is not an Ed25519 key")
    return CryptoSigner(key)


class Repository:
    """The metadata of one layout, changed in memory and then written with new signatures."""

    def __init__(self, folder: Path, signers: Sequence[CryptoSigner], now: datetime | None = None) -> None:
        self._folder = folder
        self._signers = list(signers)
        self._now = (now or datetime.now(UTC)).replace(microsecond=0)
        newest = max((int(path.name.split(".")[0]) for path in folder.glob("*.root.json")), default=0)
        if newest:
            self.root = Metadata[Root].from_file(str(folder / f"{newest}.root.json"))
            self.timestamp = Metadata[Timestamp].from_file(str(folder / "timestamp.json"))
            version = self.timestamp.signed.snapshot_meta.version
            self.snapshot = Metadata[Snapshot].from_file(str(folder / f"{version}.snapshot.json"))
            version = self.snapshot.signed.meta["targets.json"].version
            self.targets = Metadata[Targets].from_file(str(folder / f"{version}.targets.json"))
            self._check_signers()
        else:
            self._begin()

    def add(self, tag: str, image: Descriptor, app: str, is_latest: bool) -> None:
        """Vouch for an image under its tag, and under `latest` if it is."""
        custom = {"app": app, "mediaType": image.media_type}
        for name in (tag, LATEST) if is_latest else (tag,):
            hashes = dict([image.digest.split(":", 1)])
            target = TargetFile(image.size, hashes, name, {"custom": custom})
            self.targets.signed.targets[name] = target

    def revoke(self, tag: str, reason: str) -> str:
        """Withdraw a version: no longer listed, and refused by whoever pinned it. Returns its sha256."""
        target = self.targets.signed.targets.pop(tag, None)
        if target is None:
            raise UserError(f"the version {tag!r} is not signed here")
        digest = target.hashes["sha256"]
        listed = self.targets.signed.targets
        self.targets.signed.targets = {
            name: each for name, each in listed.items() if each.hashes.get("sha256") != digest
        }
        rows = self.targets.signed.unrecognized_fields.setdefault(REVOKED_FIELD, [])
        rows.append({"sha256": digest, "reason": reason})
        return digest

    def rotate(self, new_signers: Sequence[CryptoSigner]) -> None:
        """Hand over to other keys; the present ones sign the hand-over a last time."""
        root = self.root.signed
        for role in ROLES:
            for key_id in list(root.roles[role].keyids):
                root.revoke_key(key_id, role)
            for signer in new_signers:
                root.add_key(signer.public_key, role)
        root.version += 1
        root.expires = self._now + timedelta(days=ROOT_DAYS)
        old_signers, self._signers = self._signers, list(new_signers)
        self._write_root([*old_signers, *new_signers])

    def delegate(self, name: str, key: SSlibKey, patterns: Sequence[str]) -> None:
        """Let another key vouch for the tags that match the patterns."""
        role = DelegatedRole(name, [], 1, terminating=True, paths=list(patterns))
        delegations = self.targets.signed.delegations
        if delegations is None or delegations.roles is None:
            delegations = self.targets.signed.delegations = Delegations({}, {})
        assert delegations.roles is not None
        delegations.roles[name] = role
        self.targets.signed.add_key(key, name)

    def write_delegated(self, name: str, role: Metadata[Targets], signer: CryptoSigner) -> None:
        """Sign and write the targets of a delegated role; `write` makes it known."""
        role.sign(signer)
        role.to_file(str(self._folder / f"{role.signed.version}.{name}.json"))
        self.snapshot.signed.meta[f"{name}.json"] = MetaFile(role.signed.version)

    def write(self, timestamp_days: int = TIMESTAMP_DAYS) -> None:
        """Sign and write targets, snapshot and timestamp, each one version on."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if not (self._folder / f"{self.root.signed.version}.root.json").exists():
            self._write_root(self._signers)
        targets, snapshot, timestamp = self.targets.signed, self.snapshot.signed, self.timestamp.signed
        targets.version += 1
        targets.expires = self._now + timedelta(days=max(TARGETS_DAYS, timestamp_days))
        self._write(self.targets, f"{targets.version}.targets.json")
        snapshot.meta["targets.json"] = MetaFile(targets.version)
        snapshot.version += 1
        snapshot.expires = targets.expires
        self._write(self.snapshot, f"{snapshot.version}.snapshot.json")
        timestamp.snapshot_meta = MetaFile(snapshot.version)
        timestamp.version += 1
        timestamp.expires = self._now + timedelta(days=timestamp_days)
        # Last: until it is replaced, clients see the version before.
        self._write(self.timestamp, "timestamp.json")

    def _begin(self) -> None:
        later = self._now + timedelta(days=ROOT_DAYS)
        self.root = Metadata(Root(version=1, expires=later, consistent_snapshot=True))
        for role in ROLES:
            for signer in self._signers:
                self.root.signed.add_key(signer.public_key, role)
        self.targets = Metadata(Targets(version=1, expires=later))
        self.snapshot = Metadata(Snapshot(version=1, expires=later))
        self.timestamp = Metadata(Timestamp(version=1, expires=later))
        for each in (self.targets, self.snapshot, self.timestamp):
            each.signed.version = 0  # `write` makes it 1

    def _check_signers(self) -> None:
        role = self.root.signed.roles["targets"]
        ours = {signer.public_key.keyid for signer in self._signers}
        if len(ours & set(role.keyids)) < role.threshold:
            raise UserError("this layout is signed with another key; give that one, or start a new layout")

    def _write_root(self, signers: Sequence[CryptoSigner]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self.root.signatures.clear()
        for signer in {each.public_key.keyid: each for each in signers}.values():
            self.root.sign(signer, append=True)
        _replace(self._folder / f"{self.root.signed.version}.root.json", self.root.to_bytes())

    def _write(
        self, metadata: Metadata[Targets] | Metadata[Snapshot] | Metadata[Timestamp], name: str
    ) -> None:
        metadata.signatures.clear()
        for signer in self._signers:
            metadata.sign(signer, append=True)
        _replace(self._folder / name, metadata.to_bytes())


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_bytes(data)
    temporary.rename(path)
