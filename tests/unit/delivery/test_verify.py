# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Size first, then digest."""

from __future__ import annotations

import hashlib

import pytest

from skerry.abi.errors import VerifyError
from skerry.abi.oci import Digest
from skerry.delivery.verify import Verifier, check, digest_of


def test_the_right_bytes_pass() -> None:
    assert check(b"hello", digest_of(b"hello"), 5, "it") == b"hello"
    sha512 = Digest("sha512:" + hashlib.sha512(b"hello").hexdigest())
    assert check(b"hello", sha512, 5, "it") == b"hello"


def test_a_wrong_byte_names_both_digests() -> None:
    with pytest.raises(VerifyError) as refusal:
        check(b"hellO", digest_of(b"hello"), 5, "it")
    assert (refusal.value.wanted, refusal.value.got) == (digest_of(b"hello"), digest_of(b"hellO"))


def test_a_wrong_size_is_told_before_the_digest() -> None:
    with pytest.raises(VerifyError, match="wanted 5 bytes, got 4 bytes"):
        check(b"hell", digest_of(b"hello"), 5, "it")
    verifier = Verifier(digest_of(b"hello"), 5, "it")
    verifier.update(b"hell")
    with pytest.raises(VerifyError, match="6 bytes or more"):
        verifier.update(b"oo")
