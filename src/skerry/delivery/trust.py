# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Who stands behind an app, and whether that is who it was before. Decides; does no I/O.

The cryptography and the order of loading (root, timestamp, snapshot, targets) are python-tuf's,
see `trust_store`. Here are the words around it: publisher, pin, decision, revocation.

Standard:  The Update Framework 1.0; the first use is ours: ask, showing the fingerprint.
Units:     times end in `_s`, seconds since 1970, and are arguments.
Errors:    `VerifyError`.
Invariant: a decision is TRUSTED only for keys a person has accepted for that very place, or their
           successors by a chain of signatures, and never for anything revoked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from skerry.abi.errors import VerifyError
from skerry.abi.oci import Descriptor, Digest, is_digest
from skerry.delivery.document import read_object, shown
from skerry.delivery.manifest import canonical_json

ROOT_SIZE_MAX = 512_000  # python-tuf's root_max_length
TARGETS_SIZE_MAX = 5_000_000  # python-tuf's targets_max_length
FIRST_ROOT = "1.root.json"  # the file a first use begins with
LATEST = "latest"  # the target of a link without a tag
REVOKED_FIELD = "x-skerry-revoked"
FRESH_S = 300.0  # publisher's metadata that young is not asked for again
KEY_COUNT_MAX = 64


@dataclass(frozen=True, slots=True)
class Publisher:
    """The keys that may speak for a place, and how many must agree."""

    fingerprints: tuple[str, ...]  # sorted
    threshold: int
    root_version: int

    def __str__(self) -> str:
        keys = " and ".join(spell(each) for each in self.fingerprints)
        return keys if len(self.fingerprints) == 1 else f"{self.threshold} of {keys}"


@dataclass(frozen=True, slots=True)
class Pin:
    """What a person accepted for one place."""

    origin: str  # canonical link without tag and digest
    app: str
    fingerprints: tuple[str, ...]
    accepted_s: float


class Decision(Enum):
    """What to do about a publisher."""

    TRUSTED = "trusted"
    ASK = "ask"  # first use


@dataclass(frozen=True, slots=True)
class Trusted:
    """A manifest its publisher vouches for."""

    target: str  # the tag; empty for a pinned manifest that is no longer listed
    app: str  # the name it is signed under
    descriptor: Descriptor  # size 0: pinned and no longer listed, so nobody told its size
    publisher: Publisher
    expires_s: float  # when the publisher's word must have been renewed
    revoked: Mapping[str, str]  # sha256 hex of withdrawn manifests, and why
    is_offline: bool = False  # from what was known before, the publisher was not reached


def read_root(untrusted_root: bytes) -> Publisher:
    """Return the publisher a TUF root names, to be shown and compared.

    Raises:
        VerifyError: not a root, or with keys other than Ed25519.
    """
    signed = read_object(untrusted_root, "the publisher's root", ROOT_SIZE_MAX).object("signed")
    if signed.text("_type") != "root":
        raise VerifyError("the publisher's root", wanted="a root", got=shown(signed.text("_type")))
    role = signed.object("roles").object("root")
    keys = signed.object("keys")
    prints = set()
    for key_id in role.texts("keyids", KEY_COUNT_MAX):
        key = keys.object(key_id)
        if key.text("keytype", "") != "ed25519":
            got = shown(key.text("keytype", "none"))
            raise VerifyError("a key of the publisher", wanted="ed25519", got=got)
        prints.add(fingerprint(key.object("keyval").text("public")))
    threshold = role.number("threshold", 1, max(1, len(prints)))
    return Publisher(tuple(sorted(prints)), threshold, signed.number("version", 1, 1 << 53))


def fingerprint(untrusted_public_key: str) -> str:
    """Return the fingerprint of a public key given as hexadecimal digits: its sha256.

    Raises:
        VerifyError: not an Ed25519 key.
    """
    try:
        raw = bytes.fromhex(untrusted_public_key)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        got = shown(untrusted_public_key)
        raise VerifyError("a key of the publisher", wanted="32 bytes in hexadecimal", got=got)
    return hashlib.sha256(raw).hexdigest()


def spell(print_: str) -> str:
    """Return a fingerprint in groups that can be read aloud: the first 128 of its 256 bits."""
    return " ".join(print_[at : at + 4] for at in range(0, 32, 4))


def decide(pin: Pin | None, publisher: Publisher, app: str, revoked_here: Mapping[str, str]) -> Decision:
    """Say whether to start, or to ask a person first.

    Preconditions: `publisher` was reached from the pinned root by python-tuf, or there is no pin.
    Raises:
        VerifyError: the person has withdrawn a key, or another app stands in this one's place.
    """
    for each in publisher.fingerprints:
        if each in revoked_here:
            got = f"{spell(each)}, revoked here: {revoked_here[each] or 'no reason given'}"
            raise VerifyError(f"the publisher of {app}", wanted="a publisher you trust", got=got)
    if pin is None:
        return Decision.ASK
    if pin.app != app:
        raise VerifyError(f"the app at {pin.origin}", wanted=pin.app, got=shown(app))
    return Decision.TRUSTED


def changed_key(pin: Pin, untrusted_root: bytes | None) -> VerifyError:
    """Return the loud refusal for a place that is no longer vouched for by whom it was."""
    wanted = "the keys you accepted, " + " and ".join(spell(each) for each in pin.fingerprints)
    got = "no signature at all"
    if untrusted_root is not None:
        try:
            got = f"others, {read_root(untrusted_root)}"
        except VerifyError as error:
            got = f"none that can be read ({error})"
    return VerifyError(f"THE PUBLISHER'S KEY HAS CHANGED at {pin.origin}", wanted=wanted, got=got)


def check_revoked(digest: Digest, revoked: Mapping[str, str], who: str) -> None:
    """Refuse a manifest that was withdrawn.

    Raises:
        VerifyError: it was.
    """
    reason = revoked.get(digest.partition(":")[2])
    if reason is not None:
        got = f"{digest}, revoked by {who}: {shown(reason or 'no reason given')}"
        raise VerifyError("the version", wanted="one that is not withdrawn", got=got)


def read_revoked(targets: bytes) -> dict[str, str]:
    """Return what verified targets metadata says is withdrawn: hex digest to reason."""
    signed = read_object(targets, "the publisher's targets", TARGETS_SIZE_MAX).object("signed")
    if REVOKED_FIELD not in signed:
        return {}
    rows = signed.objects(REVOKED_FIELD, 10_000)
    return {row.text("sha256"): row.text("reason", "") for row in rows}


def write_pin(pin: Pin) -> bytes:
    """Return a pin as the bytes that are kept."""
    return canonical_json(
        {
            "origin": pin.origin,
            "app": pin.app,
            "fingerprints": list(pin.fingerprints),
            "accepted_s": int(pin.accepted_s),
        }
    )


def read_pin(data: bytes) -> Pin:
    """Return a kept pin."""
    fields = read_object(data, "a remembered publisher", ROOT_SIZE_MAX)
    prints = fields.texts("fingerprints", KEY_COUNT_MAX)
    accepted_s = float(fields.number("accepted_s", 0, 1 << 53))
    return Pin(fields.text("origin"), fields.text("app"), prints, accepted_s)


def write_trusted(trusted: Trusted, checked_s: float) -> bytes:
    """Return a verdict as the bytes that are kept while it is fresh."""
    return canonical_json(
        {
            "target": trusted.target,
            "app": trusted.app,
            "digest": trusted.descriptor.digest,
            "size": trusted.descriptor.size,
            "mediaType": trusted.descriptor.media_type,
            "fingerprints": list(trusted.publisher.fingerprints),
            "threshold": trusted.publisher.threshold,
            "root_version": trusted.publisher.root_version,
            "expires_s": int(trusted.expires_s),
            "checked_s": int(checked_s),
            "revoked": dict(trusted.revoked),
        }
    )


def read_trusted(data: bytes, now_s: float) -> Trusted | None:
    """Return a kept verdict, or None if it is too old to do without asking again."""
    fields = read_object(data, "a remembered verdict", TARGETS_SIZE_MAX)
    expires_s = float(fields.number("expires_s", 0, 1 << 53))
    checked_s = float(fields.number("checked_s", 0, 1 << 53))
    if not checked_s <= now_s < min(checked_s + FRESH_S, expires_s):
        return None
    digest = fields.text("digest")
    if not is_digest(digest):
        return None
    descriptor = Descriptor(fields.text("mediaType"), digest, fields.number("size", 0, 1 << 40))
    publisher = Publisher(
        fields.texts("fingerprints", KEY_COUNT_MAX),
        fields.number("threshold", 1, KEY_COUNT_MAX),
        fields.number("root_version", 1, 1 << 53),
    )
    revoked = fields.text_map("revoked", 10_000)
    return Trusted(fields.text("target"), fields.text("app"), descriptor, publisher, expires_s, revoked)
