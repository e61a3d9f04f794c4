# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The one verifier: size first, then digest. It refuses, it never repairs.

Standard:  OCI image-spec, descriptor.md ("Verification").
Units:     every size is bytes.
Errors:    `VerifyError`, naming what was wanted and what came.
Invariant: no other module of this room compares a digest with bytes.
"""

from __future__ import annotations

import hashlib
from typing import TypeVar

from skerry.abi.errors import VerifyError
from skerry.abi.oci import Digest

Bytes = TypeVar("Bytes", bytes, bytearray, memoryview)


def digest_of(data: bytes | bytearray | memoryview) -> Digest:
    """Return the sha256 digest of some bytes, the algorithm of everything we write."""
    return Digest(f"sha256:{hashlib.sha256(data).hexdigest()}")


def check(untrusted_data: Bytes, digest: Digest, size: int, what: str) -> Bytes:
    """Return the bytes once they are proven to be the ones named.

    Raises:
        VerifyError: another size, or another digest.
    """
    verifier = Verifier(digest, size, what)
    verifier.update(untrusted_data)
    verifier.finish()
    return untrusted_data


class Verifier:
    """Checks a stream piece by piece; fails on the first byte too many, before hashing it."""

    def __init__(self, digest: Digest, size: int, what: str) -> None:
        self.digest = digest
        self.size = size
        self.what = what
        self.received_size = 0
        self._hash = hashlib.new(digest.partition(":")[0])

    def update(self, untrusted_piece: bytes | bytearray | memoryview) -> None:
        """Take the next piece.

        Raises:
            VerifyError: more bytes came than the descriptor names.
        """
        self.received_size += len(untrusted_piece)
        if self.received_size > self.size:
            got = f"{self.received_size} bytes or more"
            raise VerifyError(self.what, wanted=f"{self.size} bytes", got=got)
        self._hash.update(untrusted_piece)

    def finish(self) -> None:
        """Say that the stream has ended.

        Raises:
            VerifyError: too few bytes came, or their digest is another one.
        """
        if self.received_size != self.size:
            raise VerifyError(self.what, wanted=f"{self.size} bytes", got=f"{self.received_size} bytes")
        algorithm = self.digest.partition(":")[0]
        got = f"{algorithm}:{self._hash.hexdigest()}"
        if got != self.digest:
            raise VerifyError(self.what, wanted=self.digest, got=got)
