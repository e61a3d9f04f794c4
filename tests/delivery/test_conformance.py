# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Other people's tools: they read what we write, and we read what they write."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tests.delivery.apps import FILES, Person, delivery, pack, sign, write_files

from skerry.abi import oci
from skerry.abi.errors import VerifyError
from skerry.abi.oci import Descriptor
from skerry.delivery.copying import mirror, push
from skerry.delivery.image import Image, Proof, open_image
from skerry.delivery.layout import Layout
from skerry.delivery.manifest import Config, Manifest, write_config, write_manifest
from skerry.delivery.ref import parse
from skerry.delivery.sources import Folder, source_of
from skerry.delivery.transport import Http
from skerry.delivery.verify import digest_of


def tool(name: str) -> str:
    """Return a tool's path, or skip the test with the reason."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (see tools/apt-packages.txt)")
    return found


def run(*command: str | Path) -> str:
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def content(image: Image) -> dict[str, bytes]:
    return {name: image.read(name) for name in FILES}


@contextlib.contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Run the distribution's own registry on a free port of loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    folder.mkdir()
    config = folder / "config.json"  # JSON is YAML
    storage = {"filesystem": {"rootdirectory": str(folder / "data")}}
    config.write_text(json.dumps({"version": 0.1, "storage": storage, "http": {"addr": address}}))
    log = (folder / "log").open("wb")
    process = subprocess.Popen([tool("docker-registry"), "serve", config], stdout=log, stderr=log)
    try:
        deadline_s = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(tuple_of(address), timeout=1):
                break
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline_s, "the registry does not answer"
            time.sleep(0.02)
        yield address
    finally:
        process.terminate()
        process.wait()
        log.close()


def tuple_of(address: str) -> tuple[str, int]:
    host, _, port = address.partition(":")
    return host, int(port)


def test_skopeo_and_umoci_accept_our_image(tmp_path: Path) -> None:
    skopeo, umoci = tool("skopeo"), tool("umoci")
    pack(tmp_path)
    layout = f"{tmp_path}/layout:1.0"
    seen = json.loads(run(skopeo, "inspect", "--config", f"oci:{layout}"))
    assert seen["config"]["Entrypoint"] == ["/bin/hello"]
    run(skopeo, "copy", "--insecure-policy", f"oci:{layout}", f"dir:{tmp_path}/copied")
    run(
        umoci,
        "unpack",
        *([] if os.geteuid() == 0 else ["--rootless"]),
        "--image",
        layout,
        tmp_path / "bundle",
    )
    root = tmp_path / "bundle" / "rootfs"
    assert {name: (root / name).read_bytes() for name in FILES} == dict(FILES)


def test_an_image_of_umoci_opens_though_not_lazily(tmp_path: Path) -> None:
    umoci = tool("umoci")
    layout = tmp_path / "theirs"
    run(umoci, "init", "--layout", layout)
    run(umoci, "new", "--image", f"{layout}:1")
    run(umoci, "insert", "--image", f"{layout}:1", write_files(tmp_path / "files"), "/")
    run(umoci, "config", "--image", f"{layout}:1", "--config.entrypoint", "/bin/hello")
    first, second = delivery(tmp_path), delivery(tmp_path)
    for mine in (first, second):
        with open_image(parse(f"{layout}:1"), mine) as image:
            assert image.asks is None
            assert image.config.entrypoint == ("/bin/hello",)
            assert all(chunk.offset < 0 for _, node in image.tree.walk() for chunk in node.chunks)
            assert content(image) == dict(FILES)
            mine.store.gc(0)
            assert content(image) == dict(FILES)  # collected as garbage, and taken apart again


def test_a_registry_and_skopeo_between_us_change_nothing(tmp_path: Path) -> None:
    skopeo = tool("skopeo")
    image = pack(tmp_path)
    sign(tmp_path, image, CryptoSigner.generate_ed25519())
    with registry(tmp_path / "registry") as address:
        ref = parse(f"oci://{address}/team/hello:1.0")
        assert push(Folder(tmp_path / "layout"), parse(f"oci://{address}/team/hello"), Http()) == ["1.0"]
        seen = json.loads(run(skopeo, "inspect", "--tls-verify=false", f"docker://{address}/team/hello:1.0"))
        assert seen["Digest"] == image.digest
        with open_image(ref, delivery(tmp_path / "me", Person())) as opened:
            assert opened.proof is Proof.SIGNED
            assert content(opened) == dict(FILES)
            assert not opened.fetcher.store.has(
                opened.manifest.layers[0].digest, opened.manifest.layers[0].size
            )
        copied = f"docker://{address}/copied:1.0"
        run(
            skopeo,
            "copy",
            "--insecure-policy",
            "--dest-tls-verify=false",
            f"oci:{tmp_path}/layout:1.0",
            copied,
        )
        pinned = parse(f"oci://{address}/copied@{image.digest}")
        with open_image(pinned, delivery(tmp_path / "you")) as opened:
            assert content(opened) == dict(FILES)
        back = Layout(tmp_path / "back")
        mirror(source_of(ref, Http()), ref, back)
    assert (tmp_path / "back/tuf/timestamp.json").read_bytes() == (
        tmp_path / "layout/tuf/timestamp.json"
    ).read_bytes()
    with open_image(parse(f"{tmp_path}/back"), delivery(tmp_path / "third", Person())) as opened:
        assert opened.proof is Proof.SIGNED
        assert content(opened) == dict(FILES)


def plain_image(folder: Path, tar: bytes, diff_id: str = "") -> str:
    """Write an image with one plain layer and return its link."""
    layout = Layout(folder)
    layer = layout.put_bytes(gzip.compress(tar), oci.MEDIA_LAYER_GZIP)
    config = Config("linux/amd64", diff_ids=(oci.Digest(diff_id or digest_of(tar)),))
    described = layout.put_bytes(write_config(config), oci.MEDIA_CONFIG)
    manifest = layout.put_bytes(write_manifest(Manifest(described, (layer,), {})), oci.MEDIA_MANIFEST)
    layout.tag(Descriptor(manifest.media_type, manifest.digest, manifest.size), "1")
    return f"{folder}:1"


def tar_of(*members: tuple[tarfile.TarInfo, bytes], format_: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format_) as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def member(
    name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, data


@pytest.mark.parametrize("format_", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_every_flavour_of_tar_is_read(format_: int, tmp_path: Path) -> None:
    long_name = "long/" * 30 + "name" if format_ != tarfile.USTAR_FORMAT else "long/" * 30 + "n"
    members = [
        member("./bin/", kind=tarfile.DIRTYPE),
        member("./bin/a", b"x" * 3_000_000),
        member(long_name, b"deep"),
        member("bin/s", kind=tarfile.SYMTYPE, link="../" + "bin/" + "../bin/" * 3 + "a"),
        member("bin/h", kind=tarfile.LNKTYPE, link="./bin/a"),
        member("dev/null", kind=tarfile.CHRTYPE),
    ]
    link = plain_image(tmp_path / "layout", tar_of(*members, format_=format_))
    with open_image(parse(link), delivery(tmp_path)) as image:
        assert image.read("/bin/s") == b"x" * 3_000_000
        assert image.read(long_name) == b"deep"
        assert image.tree.lookup("bin/h") is image.tree.lookup("bin/a")
        assert image.tree.lookup("dev/null") is None


PLAIN_LIES = {
    "a name that climbs": (tar_of(member("../../etc/passwd", b"x")), "without '..'"),
    "a link that climbs": (tar_of(member("a", kind=tarfile.SYMTYPE, link="../x")), "inside the tree"),
    "a file behind a link": (
        tar_of(member("a", kind=tarfile.SYMTYPE, link="/etc"), member("a/passwd", b"x")),
        "to be a folder",
    ),
    "a hard link out": (tar_of(member("a", kind=tarfile.LNKTYPE, link="/../x")), "without '..'"),
    "a file cut off": (tar_of(member("a", b"x" * 90_000))[:50_000], "a file of 90000 bytes"),
    "no tar file": (b"nonsense" * 1000, "a tar header"),
    "a name twice": (tar_of(member("a", b"x"), member("a", b"y")), "twice"),
    "10,000 folders deep": (tar_of(member("a/" * 10_000 + "a", b"x")), "at most"),
}


@pytest.mark.parametrize(("tar", "refusal"), PLAIN_LIES.values(), ids=PLAIN_LIES.keys())
def test_a_plain_layer_that_lies_is_refused(tar: bytes, refusal: str, tmp_path: Path) -> None:
    with pytest.raises(VerifyError, match=refusal):
        open_image(parse(plain_image(tmp_path / "layout", tar)), delivery(tmp_path))


def test_a_plain_layer_that_is_another_one_inside_is_refused(tmp_path: Path) -> None:
    link = plain_image(tmp_path / "layout", tar_of(member("a", b"x")), "sha256:" + "00" * 32)
    with pytest.raises(VerifyError, match="the layer, unpacked: wanted sha256:000"):
        open_image(parse(link), delivery(tmp_path))


def test_a_gzip_bomb_fills_neither_memory_nor_disk(tmp_path: Path) -> None:
    info = tarfile.TarInfo("zeros")
    info.size = 1 << 33
    link = plain_image(tmp_path / "layout", info.tobuf(tarfile.GNU_FORMAT) + bytes(80_000_000))
    mine = delivery(tmp_path)
    with pytest.raises(VerifyError, match="a file of 8589934592 bytes"):
        open_image(parse(link), mine)
    assert sum(blob.size for blob in mine.store.blobs()) < 3_000_000
