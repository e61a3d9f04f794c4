# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""OCI words: digest grammar, descriptor, media types and annotation keys.

Standard:  OCI image-spec 1.1 (descriptor.md, media-types.md, annotations.md);
           eStargz for the two stargz annotations.
Units:     `size` is bytes.
Invariant: a `Digest` has passed `is_digest`; it is safe as a file name once split at the colon.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NewType, TypeGuard

Digest = NewType("Digest", str)  # "sha256:<64 hex>" or "sha512:<128 hex>"

# image-spec names more algorithms; these two are the registered ones every machine has.
DIGEST_HEX_LENGTH: Mapping[str, int] = MappingProxyType({"sha256": 64, "sha512": 128})
_HEX_DIGITS = "0123456789abcdef"
_RESTRICTED_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_MEDIA_TYPE = re.compile(rf"{_RESTRICTED_NAME}/{_RESTRICTED_NAME}", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_REPOSITORY_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_REPOSITORY_PART}(?:/{_REPOSITORY_PART})*", re.ASCII)
REPOSITORY_LENGTH_MAX = 255  # distribution-spec: host and name together should stay below this

MEDIA_INDEX = "application/vnd.oci.image.index.v1+json"
MEDIA_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
MEDIA_CONFIG = "application/vnd.oci.image.config.v1+json"
MEDIA_LAYER = "application/vnd.oci.image.layer.v1.tar"
MEDIA_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
MEDIA_EMPTY = "application/vnd.oci.empty.v1+json"
MEDIA_TUF_METADATA = "application/vnd.tuf.metadata+json"

DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"

INDEX_TYPES = frozenset({MEDIA_INDEX, DOCKER_INDEX})
MANIFEST_TYPES = frozenset({MEDIA_MANIFEST, DOCKER_MANIFEST})
CONFIG_TYPES = frozenset({MEDIA_CONFIG, DOCKER_CONFIG})
GZIP_LAYER_TYPES = frozenset({MEDIA_LAYER_GZIP, DOCKER_LAYER_GZIP})
LAYER_TYPES = GZIP_LAYER_TYPES | {MEDIA_LAYER}

ANNOTATION_REF_NAME = "org.opencontainers.image.ref.name"
ANNOTATION_TITLE = "org.opencontainers.image.title"
ANNOTATION_VERSION = "org.opencontainers.image.version"
ANNOTATION_VENDOR = "org.opencontainers.image.vendor"
ANNOTATION_DESCRIPTION = "org.opencontainers.image.description"
ANNOTATION_TOC_DIGEST = "containerd.io/snapshot/stargz/toc.digest"
ANNOTATION_UNCOMPRESSED_SIZE = "io.containers.estargz.uncompressed-size"
ANNOTATION_TUF_FILENAME = "tuf.io/filename"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What to fetch: its type, digest and exact size."""

    media_type: str
    digest: Digest
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: str = ""  # "os/architecture" as stated, or empty


def is_digest(untrusted: str) -> TypeGuard[Digest]:
    """Tell whether the text is a digest of an algorithm we check."""
    algorithm, _, encoded = untrusted.partition(":")
    # A regular expression takes ten times as long, and a table of contents has 100,000 of them.
    return len(encoded) == DIGEST_HEX_LENGTH.get(algorithm) and not encoded.strip(_HEX_DIGITS)


def is_media_type(untrusted: str) -> bool:
    """Tell whether the text follows RFC 6838, section 4.2."""
    return _MEDIA_TYPE.fullmatch(untrusted) is not None


def is_tag(untrusted: str) -> bool:
    """Tell whether the text is a tag by the distribution-spec."""
    return _TAG.fullmatch(untrusted) is not None


def is_repository(untrusted: str) -> bool:
    """Tell whether the text is a repository name by the distribution-spec."""
    return len(untrusted) <= REPOSITORY_LENGTH_MAX and _REPOSITORY.fullmatch(untrusted) is not None


def blob_path(digest: Digest) -> str:
    """Return where an image layout keeps a blob, relative to the layout."""
    algorithm, _, encoded = digest.partition(":")
    return f"blobs/{algorithm}/{encoded}"
