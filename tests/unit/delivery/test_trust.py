# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Whom to believe: decisions, without python-tuf, a clock or a disk."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from skerry.abi import oci
from skerry.abi.errors import VerifyError
from skerry.abi.oci import Descriptor, Digest
from skerry.delivery import trust as t

KEY = "aa" * 32
PRINT = hashlib.sha256(bytes.fromhex(KEY)).hexdigest()
PUBLISHER = t.Publisher((PRINT,), 1, 1)
PIN = t.Pin("https://apps.example/hello/", "hello", (PRINT,), 1000.0)
DIGEST = Digest("sha256:" + "ab" * 32)
TRUSTED = t.Trusted(
    "1.0", "hello", Descriptor(oci.MEDIA_MANIFEST, DIGEST, 10), PUBLISHER, 5000.0, {"cd" * 32: "bad"}
)


def root(**changes: object) -> bytes:
    key = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": KEY}}
    signed = {
        "_type": "root",
        "version": 1,
        "keys": {"k": key},
        "roles": {"root": {"keyids": ["k"], "threshold": 1}},
    }
    return json.dumps({"signed": signed | changes}).encode()


def test_a_root_names_its_keys() -> None:
    assert t.read_root(root()) == PUBLISHER
    assert str(PUBLISHER) == " ".join(PRINT[at : at + 4] for at in range(0, 32, 4))
    assert str(replace(PUBLISHER, fingerprints=(PRINT, "00" * 32), threshold=2)).startswith("2 of ")


ROOTS = {
    "another role": (root(_type="targets"), "wanted a root"),
    "another kind of key": (
        root(keys={"k": {"keytype": "rsa", "keyval": {"public": KEY}}}),
        "wanted ed25519",
    ),
    "a key that is missing": (root(keys={}), "wanted ed25519"),
    "half a key": (root(keys={"k": {"keytype": "ed25519", "keyval": {"public": "aa"}}}), "32 bytes"),
    "a key that is no number": (
        root(keys={"k": {"keytype": "ed25519", "keyval": {"public": "zz"}}}),
        "32 bytes",
    ),
    "more signatures than keys": (root(roles={"root": {"keyids": ["k"], "threshold": 2}}), "threshold"),
    "no signature at all": (root(roles={"root": {"keyids": [], "threshold": 0}}), "threshold"),
    "no root": (b"{}", "_type"),
}


@pytest.mark.parametrize(("data", "reason"), ROOTS.values(), ids=ROOTS.keys())
def test_a_root_that_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(VerifyError, match=reason):
        t.read_root(data)


def test_first_use_asks_and_later_use_does_not() -> None:
    assert t.decide(None, PUBLISHER, "hello", {}) is t.Decision.ASK
    assert t.decide(PIN, PUBLISHER, "hello", {}) is t.Decision.TRUSTED


def test_a_withdrawn_key_is_refused_with_or_without_a_pin() -> None:
    for pin in (None, PIN):
        with pytest.raises(VerifyError, match="revoked here: stolen"):
            t.decide(pin, PUBLISHER, "hello", {PRINT: "stolen"})


def test_another_app_in_the_same_place_is_refused() -> None:
    with pytest.raises(VerifyError, match="wanted hello, got 'other'"):
        t.decide(PIN, PUBLISHER, "other", {})


def test_a_changed_key_is_told_loudly() -> None:
    other = root(keys={"k": {"keytype": "ed25519", "keyval": {"public": "bb" * 32}}})
    assert "KEY HAS CHANGED" in str(t.changed_key(PIN, other))
    assert "got others" in str(t.changed_key(PIN, other))
    assert "no signature at all" in str(t.changed_key(PIN, None))
    assert "none that can be read" in str(t.changed_key(PIN, b"?"))


def test_a_withdrawn_version_is_refused() -> None:
    t.check_revoked(DIGEST, TRUSTED.revoked, "its publisher")
    with pytest.raises(VerifyError, match="revoked by its publisher: 'bad'"):
        t.check_revoked(Digest("sha256:" + "cd" * 32), TRUSTED.revoked, "its publisher")


def test_withdrawals_are_read_from_signed_targets() -> None:
    rows = [{"sha256": "cd" * 32, "reason": "bad"}]
    assert t.read_revoked(json.dumps({"signed": {t.REVOKED_FIELD: rows}}).encode()) == {"cd" * 32: "bad"}
    assert t.read_revoked(b'{"signed":{}}') == {}


def test_pins_and_verdicts_are_kept_and_grow_old() -> None:
    assert t.read_pin(t.write_pin(PIN)) == PIN
    kept = t.write_trusted(TRUSTED, 1000.0)
    assert t.read_trusted(kept, 1000.0 + t.FRESH_S - 1) == TRUSTED
    assert t.read_trusted(kept, 1000.0 + t.FRESH_S) is None
    assert t.read_trusted(kept, 999.0) is None  # a clock set back proves nothing
    assert t.read_trusted(t.write_trusted(replace(TRUSTED, expires_s=1010.0), 1000.0), 1020.0) is None
