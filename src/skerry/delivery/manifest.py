# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""OCI index, manifest and configuration: bytes in, checked data out, and back.

Standard:  OCI image-spec 1.1 image-index.md, manifest.md, config.md; Docker schema 2 media types
           are read too, as registries still serve them.
Units:     every size is bytes.
Errors:    `VerifyError`, naming the field.
Invariant: a `Manifest` is made only from bytes whose digest the caller has checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from skerry.abi import oci
from skerry.abi.errors import UserError, VerifyError
from skerry.abi.oci import Descriptor, Digest
from skerry.delivery.document import Fields, read_object

DOCUMENT_SIZE_MAX = 4 << 20  # distribution-spec: registries accept manifests of at least 4 MiB
LAYER_COUNT_MAX = 127  # what Docker and containerd mount
MANIFEST_COUNT_MAX = 1000
ANNOTATION_COUNT_MAX = 1000
LAYER_SIZE_MAX = 64 << 30
WASM_PLATFORM = "linux/wasm"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image: its configuration and its layers, lowest first."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Config:
    """How the image wants to be started."""

    platform: str  # "os/architecture"
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()  # each "NAME=value"
    working_dir: str = "/"
    user: str = ""
    diff_ids: tuple[Digest, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


def parse_index(untrusted_data: bytes, what: str = "the index") -> tuple[Descriptor, ...]:
    """Parse an image index.

    Raises:
        VerifyError: not an image index.
    """
    fields = read_object(untrusted_data, what, DOCUMENT_SIZE_MAX)
    _check_header(fields, oci.INDEX_TYPES)
    listed = fields.objects("manifests", MANIFEST_COUNT_MAX)
    return tuple(parse_descriptor(each, DOCUMENT_SIZE_MAX) for each in listed)


def parse_manifest(untrusted_data: bytes, what: str = "the manifest") -> Manifest:
    """Parse an image manifest.

    Raises:
        VerifyError: not an image manifest, or a layer of a kind we cannot read.
    """
    fields = read_object(untrusted_data, what, DOCUMENT_SIZE_MAX)
    _check_header(fields, oci.MANIFEST_TYPES)
    config = parse_descriptor(fields.object("config"), DOCUMENT_SIZE_MAX)
    listed = fields.objects("layers", LAYER_COUNT_MAX)
    layers = tuple(parse_descriptor(each, LAYER_SIZE_MAX) for each in listed)
    return Manifest(config, layers, fields.text_map("annotations", ANNOTATION_COUNT_MAX))


def check_image(manifest: Manifest, what: str = "the manifest") -> Manifest:
    """Return the manifest if it is of a runnable image, not of some other artifact.

    Raises:
        VerifyError: the configuration or a layer has a media type we cannot read.
    """
    if manifest.config.media_type not in oci.CONFIG_TYPES:
        raise VerifyError(f"{what}'s config", wanted=oci.MEDIA_CONFIG, got=manifest.config.media_type)
    for position, layer in enumerate(manifest.layers):
        if layer.media_type not in oci.LAYER_TYPES:
            wanted = f"{oci.MEDIA_LAYER} or {oci.MEDIA_LAYER_GZIP}"
            raise VerifyError(f"{what}'s layers[{position}]", wanted=wanted, got=layer.media_type)
    return manifest


def parse_config(untrusted_data: bytes, manifest: Manifest, what: str = "the configuration") -> Config:
    """Parse an image configuration and hold it against its manifest.

    Raises:
        VerifyError: not a configuration, or for another number of layers.
    """
    fields = read_object(untrusted_data, what, DOCUMENT_SIZE_MAX)
    run = fields.object("config")
    diff_ids = fields.object("rootfs").texts("diff_ids", LAYER_COUNT_MAX)
    for untrusted_digest in diff_ids:
        if not oci.is_digest(untrusted_digest):
            raise VerifyError(f"{what}'s diff_ids", wanted="sha256 digests", got=untrusted_digest[:80])
    if len(diff_ids) != len(manifest.layers):
        wanted = f"{len(manifest.layers)} layers"
        raise VerifyError(f"{what}'s diff_ids", wanted=wanted, got=str(len(diff_ids)))
    return Config(
        platform=f"{fields.text('os', 'linux')}/{fields.text('architecture', 'unknown')}",
        entrypoint=run.texts("Entrypoint", 10_000),
        command=run.texts("Cmd", 10_000),
        environment=run.texts("Env", 10_000),
        working_dir=run.text("WorkingDir", "") or "/",
        user=run.text("User", ""),
        diff_ids=tuple(Digest(each) for each in diff_ids),
        labels=run.text_map("Labels", ANNOTATION_COUNT_MAX),
    )


def parse_descriptor(fields: Fields, size_max: int) -> Descriptor:
    """Check one descriptor.

    Raises:
        VerifyError: a field is missing, wrong, or larger than we take.
    """
    media_type = fields.text("mediaType")
    if not oci.is_media_type(media_type):
        raise VerifyError(f"{fields.what}'s mediaType", wanted="a media type", got=ascii(media_type[:80]))
    platform = fields.object("platform")
    return Descriptor(
        media_type,
        fields.digest("digest"),
        fields.number("size", 0, size_max),
        fields.text_map("annotations", ANNOTATION_COUNT_MAX),
        f"{platform.text('os', '')}/{platform.text('architecture', '')}" if "os" in platform else "",
    )


def choose(untrusted: Sequence[Descriptor], tag: str, platforms: Sequence[str], what: str) -> Descriptor:
    """Choose the image a link means: by tag if there is one, then by the first platform found.

    Raises:
        UserError: none fits, or several do and the link does not say which.
    """
    fitting = [each for each in untrusted if not tag or each.annotations.get(oci.ANNOTATION_REF_NAME) == tag]
    images = [each for each in fitting if each.media_type in oci.INDEX_TYPES | oci.MANIFEST_TYPES]
    if not images:
        tags = sorted({each.annotations.get(oci.ANNOTATION_REF_NAME, "") for each in untrusted} - {""})
        raise UserError(f"{what} has no image {tag or 'at all'}; it has {', '.join(tags[:20]) or 'none'}")
    for platform in platforms:
        matching = [each for each in images if each.platform == platform]
        if len({each.digest for each in matching}) == 1:
            return matching[0]
    if len({each.digest for each in images}) == 1:
        return images[0]
    tag_or_platform = (each.annotations.get(oci.ANNOTATION_REF_NAME, each.platform) for each in images)
    names = sorted(tag_or_platform)
    raise UserError(f"{what} has several images ({', '.join(names[:20])}); say which with :TAG")


def _check_header(fields: Fields, media_types: frozenset[str]) -> None:
    fields.number("schemaVersion", 2, 2)
    media_type = fields.text("mediaType", "")
    if media_type and media_type not in media_types:
        raise VerifyError(
            f"{fields.what}'s mediaType", wanted=" or ".join(sorted(media_types)), got=media_type[:80]
        )


def canonical_json(value: object) -> bytes:
    """Return the one byte form in which we write JSON: sorted names, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def descriptor_fields(descriptor: Descriptor) -> dict[str, object]:
    """Return a descriptor as the JSON object that stands in a manifest."""
    fields: dict[str, object] = {
        "mediaType": descriptor.media_type,
        "digest": descriptor.digest,
        "size": descriptor.size,
    }
    if descriptor.annotations:
        fields["annotations"] = dict(descriptor.annotations)
    if descriptor.platform:
        system, _, architecture = descriptor.platform.partition("/")
        fields["platform"] = {"os": system, "architecture": architecture}
    return fields


def write_index(descriptors: Sequence[Descriptor]) -> bytes:
    """Return an image index as bytes."""
    manifests = [descriptor_fields(each) for each in descriptors]
    return canonical_json({"schemaVersion": 2, "mediaType": oci.MEDIA_INDEX, "manifests": manifests})


def write_manifest(manifest: Manifest) -> bytes:
    """Return an image manifest as bytes."""
    return canonical_json(
        {
            "schemaVersion": 2,
            "mediaType": oci.MEDIA_MANIFEST,
            "config": descriptor_fields(manifest.config),
            "layers": [descriptor_fields(each) for each in manifest.layers],
            "annotations": dict(manifest.annotations),
        }
    )


def write_config(config: Config) -> bytes:
    """Return an image configuration as bytes."""
    system, _, architecture = config.platform.partition("/")
    run: dict[str, object] = {"WorkingDir": config.working_dir}
    lists = {"Entrypoint": config.entrypoint, "Cmd": config.command, "Env": config.environment}
    for name, values in lists.items():
        if values:
            run[name] = list(values)
    return canonical_json(
        {
            "os": system,
            "architecture": architecture,
            "config": run,
            "rootfs": {"type": "layers", "diff_ids": list(config.diff_ids)},
        }
    )
