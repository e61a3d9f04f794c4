# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""OCI words: what is a digest, a tag, a repository, a media type."""

from __future__ import annotations

import pytest

from skerry.abi import oci

HEX = "0123456789abcdef" * 4

DIGESTS = {
    f"sha256:{HEX}": True,
    f"sha512:{HEX}{HEX}": True,
    f"sha256:{HEX.upper()}": False,
    f"sha256:{HEX[:-1]}": False,
    f"sha256:{HEX}0": False,
    f"sha256:{HEX[:-1]}/": False,
    f"sha256:../{HEX[3:]}": False,
    f"sha512:{HEX}": False,
    f"md5:{HEX}": False,
    f":{HEX}": False,
    HEX: False,
    "": False,
    f"sha256:{HEX[:-1]}\n": False,
    f"sha256:{HEX[:-2]}٠٠": False,
}


@pytest.mark.parametrize(("text", "is_one"), DIGESTS.items())
def test_digests(text: str, is_one: bool) -> None:
    assert oci.is_digest(text) is is_one


def test_names() -> None:
    assert [oci.is_tag(each) for each in ("1.0", "latest", "_x", "-x", "", "a b", "a" * 129)] == [
        True, True, True, False, False, False, False,
    ]  # fmt: skip
    assert [oci.is_repository(each) for each in ("a", "a/b-c/d__e", "A", "a//b", "a/../b", "a" * 256)] == [
        True, True, False, False, False, False,
    ]  # fmt: skip
    assert oci.is_media_type(oci.MEDIA_LAYER_GZIP)
    assert not oci.is_media_type("text")
    assert not oci.is_media_type("text/plain; charset=utf-8")


def test_a_blob_has_one_place_in_a_layout() -> None:
    assert oci.blob_path(oci.Digest(f"sha256:{HEX}")) == f"blobs/sha256/{HEX}"
