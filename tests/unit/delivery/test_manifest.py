# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Index, manifest and configuration: what is read, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.abi import oci
from skerry.abi.errors import UserError, VerifyError
from skerry.abi.oci import Descriptor, Digest
from skerry.delivery import manifest as m

DIGEST = Digest("sha256:" + "ab" * 32)
OTHER = Digest("sha256:" + "cd" * 32)
CONFIG = Descriptor(oci.MEDIA_CONFIG, DIGEST, 10)
LAYER = Descriptor(oci.MEDIA_LAYER_GZIP, DIGEST, 20, {oci.ANNOTATION_TOC_DIGEST: OTHER})
MANIFEST = m.Manifest(CONFIG, (LAYER,), {"org.example": "x"})


def printable(refusal: VerifyError) -> None:
    assert str(refusal).isprintable()


def fields(**changes: object) -> bytes:
    document = json.loads(m.write_manifest(MANIFEST))
    document.update(changes)
    return json.dumps({key: value for key, value in document.items() if value != "gone"}).encode()


def layer(**changes: object) -> dict[str, object]:
    return {"mediaType": oci.MEDIA_LAYER_GZIP, "digest": DIGEST, "size": 1} | changes


REFUSED = {
    "not JSON": (b"<html>", "a JSON object"),
    "no UTF-8": (b'{"a":"\xff"}', "a JSON object"),
    "a list": (b"[]", "a JSON object"),
    "a name twice": (b'{"schemaVersion":2,"schemaVersion":2}', "twice"),
    "nesting without end": (b'{"a":' * 100_000, "sane depth"),
    "a number of a million digits": (b'{"schemaVersion":' + b"9" * 1_000_000 + b"}", "JSON object"),
    "infinity": (b'{"schemaVersion":Infinity}', "Infinity is not JSON"),
    "too long": (b" " * (m.DOCUMENT_SIZE_MAX + 1), "at most 4194304 bytes"),
    "schema version 1": (fields(schemaVersion=1), "from 2 to 2"),
    "schema version true": (fields(schemaVersion=True), "from 2 to 2"),
    "an index in a manifest's place": (fields(mediaType=oci.MEDIA_INDEX), "mediaType"),
    "no layers": (fields(layers="gone"), "layers: wanted a list"),
    "a thousand layers": (fields(layers=[layer()] * 1000), "at most 127"),
    "a layer that is a text": (fields(layers=["x"]), r"layers\[0\]: wanted an object"),
    "a digest with a path": (fields(layers=[layer(digest="sha256:../../etc/passwd")]), "digest"),
    "a digest in capitals": (fields(layers=[layer(digest="sha256:" + "AB" * 32)]), "digest"),
    "a negative size": (fields(layers=[layer(size=-1)]), "size"),
    "a size with a fraction": (fields(layers=[layer(size=1.5)]), "size"),
    "a size in quotes": (fields(layers=[layer(size="1")]), "size"),
    "a size of an exabyte": (fields(layers=[layer(size=1 << 60)]), "size"),
    "a media type with a line break": (fields(layers=[layer(mediaType="a/b\nc")]), "media type"),
    "annotations with a number": (fields(annotations={"a": 1}), "annotations.'a': wanted a text"),
}


@pytest.mark.parametrize(("document", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(document: bytes, reason: str) -> None:
    with pytest.raises(VerifyError, match=reason) as refusal:
        m.parse_manifest(document)
    assert len(str(refusal.value)) < 500


def test_what_is_written_is_read_back() -> None:
    assert m.parse_manifest(m.write_manifest(MANIFEST)) == MANIFEST
    assert m.check_image(MANIFEST) is MANIFEST
    listed = (replace(CONFIG, media_type=oci.MEDIA_MANIFEST, platform="linux/wasm"),)
    assert m.parse_index(m.write_index(listed)) == listed
    config = m.Config("linux/wasm", ("/bin/hello",), (), ("A=b",), "/home", "", (DIGEST,))
    assert m.parse_config(m.write_config(config), MANIFEST) == config


def test_a_configuration_for_other_layers_is_refused() -> None:
    with pytest.raises(VerifyError, match="wanted 1 layers, got 0"):
        m.parse_config(b"{}", MANIFEST)
    with pytest.raises(VerifyError, match="sha256 digests"):
        m.parse_config(b'{"rootfs":{"diff_ids":["x"]}}', MANIFEST)


def test_other_artifacts_are_not_images() -> None:
    with pytest.raises(VerifyError, match="config"):
        m.check_image(replace(MANIFEST, config=replace(CONFIG, media_type=oci.MEDIA_EMPTY)))
    with pytest.raises(VerifyError, match=r"layers\[0\]"):
        m.check_image(replace(MANIFEST, layers=(replace(LAYER, media_type="application/zip"),)))


def test_a_link_names_one_image() -> None:
    one = Descriptor(oci.MEDIA_MANIFEST, DIGEST, 1, {oci.ANNOTATION_REF_NAME: "1"}, "linux/amd64")
    two = Descriptor(oci.MEDIA_MANIFEST, OTHER, 1, {oci.ANNOTATION_REF_NAME: "2"}, "linux/wasm")
    assert m.choose([one], "", (), "it") is one
    assert m.choose([one, two], "1", (), "it") is one
    assert m.choose([one, two], "", ("linux/arm", m.WASM_PLATFORM), "it") is two
    with pytest.raises(UserError, match=r"several images \(1, 2\)"):
        m.choose([one, two], "", (), "it")
    with pytest.raises(UserError, match="no image 3; it has 1, 2"):
        m.choose([one, two], "3", (), "it")
    with pytest.raises(UserError, match="no image at all"):
        m.choose([replace(one, media_type="application/zip")], "", (), "it")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["schemaVersion", "layers", "config", "size", "digest", "mediaType"]), inner
        )
    ),
    max_leaves=10,
)


@given(st.one_of(st.binary(max_size=50), JSON.map(lambda value: json.dumps(value).encode())))
def test_any_bytes_are_read_or_refused(document: bytes) -> None:
    for parse in (m.parse_index, m.parse_manifest, lambda data: m.parse_config(data, MANIFEST)):
        try:
            parse(document)
        except VerifyError as refusal:
            printable(refusal)
