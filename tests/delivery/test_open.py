# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""From a link to files: every kind of link, every kind of proof, every kind of cache."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tests.delivery.apps import FILES, Person, delivery, pack, recipe, sign
from tests.delivery.server import serving

from skerry.abi.errors import UserError, VerifyError
from skerry.delivery.image import Delivery, Proof, open_image
from skerry.delivery.layout import Layout
from skerry.delivery.ref import parse
from skerry.delivery.sources import Folder, Web
from skerry.delivery.store import Store
from skerry.delivery.transport import FetchError, Http
from skerry.delivery.unpacked import collect, differences, in_use, tree_path, unpack


@pytest.fixture
def signer() -> CryptoSigner:
    return CryptoSigner.generate_ed25519()


def test_a_local_folder_opens_and_is_marked_as_unsigned(tmp_path: Path) -> None:
    pack(tmp_path)
    with open_image(parse(f"{tmp_path}/layout"), delivery(tmp_path)) as image:
        assert image.proof is Proof.DEVELOPMENT
        assert image.asks is not None
        assert image.asks.name == "hello"
        assert {name: image.read(name) for name in FILES} == dict(FILES)
        with pytest.raises(UserError, match="no file /bin"):
            image.read("/bin")


def test_an_unsigned_image_on_a_server_opens_only_when_pinned(tmp_path: Path) -> None:
    packed = pack(tmp_path)
    with serving(tmp_path / "layout") as server:
        with pytest.raises(UserError, match="is not signed"):
            open_image(parse(server.url), delivery(tmp_path, Person()))
        with open_image(parse(f"{server.url}@{packed.digest}"), delivery(tmp_path, Person())) as image:
            assert image.proof is Proof.PINNED
            assert image.read("lib/big") == FILES["lib/big"]


def test_a_signed_image_asks_once_and_fetches_only_what_is_read(tmp_path: Path, signer: CryptoSigner) -> None:
    sign(tmp_path, pack(tmp_path), signer)
    person = Person()
    with serving(tmp_path / "layout") as server:
        ref = parse(server.url)
        with open_image(ref, delivery(tmp_path, person)) as image:
            assert image.proof is Proof.SIGNED
            assert image.read("bin/hello") == FILES["bin/hello"]
        assert len(person.shown) == 1
        assert "hello" in person.shown[0]
        parts = [asked for asked in server.asked if asked.begin is not None]
        assert len(parts) == 2  # the TOC, and the prefetched files
        server.asked.clear()
        with open_image(ref, delivery(tmp_path, person)) as image:
            assert image.read("bin/hello") == FILES["bin/hello"]
        assert server.asked == []
        with open_image(ref, delivery(tmp_path, person)) as image:
            assert (
                image.read_node(image.tree.lookup("lib/big") or image.tree.root, 20_000, 10)
                == (FILES["lib/big"][20_000:20_010])
            )
        assert len(server.asked) == 1
        assert len(person.shown) == 1


def test_everything_read_before_opens_without_a_network(tmp_path: Path, signer: CryptoSigner) -> None:
    sign(tmp_path, pack(tmp_path), signer)
    with serving(tmp_path / "layout") as server:
        ref = parse(server.url)
        with open_image(ref, delivery(tmp_path, Person())) as image:
            image.fill()
    with open_image(ref, delivery(tmp_path, Person(), is_offline=True)) as image:
        assert {name: image.read(name) for name in FILES} == dict(FILES)
    (tmp_path / "trust" / "places").rename(tmp_path / "trust" / "gone")
    with pytest.raises(UserError, match="is not signed"):
        open_image(ref, delivery(tmp_path, Person(), is_offline=True))


def test_an_unreachable_publisher_is_as_good_as_being_offline(tmp_path: Path, signer: CryptoSigner) -> None:
    sign(tmp_path, pack(tmp_path), signer)
    with serving(tmp_path / "layout") as server:
        ref = parse(server.url)
        with open_image(ref, delivery(tmp_path, Person())) as image:
            image.read("lib/big")
    for verdict in (tmp_path / "trust").glob("places/*/verdicts/*"):
        verdict.unlink()
    with open_image(ref, delivery(tmp_path, Person())) as image:
        assert image.trusted is not None
        assert image.trusted.is_offline
        assert image.read("lib/big") == FILES["lib/big"]
        with pytest.raises(FetchError, match="cannot be reached"):
            image.read("lib/other")


def test_a_neighbours_store_and_a_mirror_save_the_way_to_the_publisher(
    tmp_path: Path, signer: CryptoSigner
) -> None:
    sign(tmp_path, pack(tmp_path), signer)
    with serving(tmp_path / "layout") as server:
        ref = parse(server.url)
        with open_image(ref, delivery(tmp_path / "neighbour", Person())) as image:
            for name in FILES:
                image.read(name)
        server.asked.clear()
        neighbour = Folder(tmp_path / "neighbour" / "store")
        with open_image(ref, delivery(tmp_path / "me", Person(), caches=[neighbour])) as image:
            assert {name: image.read(name) for name in FILES} == dict(FILES)
        assert all(asked.path.startswith("tuf/") or asked.begin is not None for asked in server.asked)
        with serving(tmp_path / "layout") as mirror:
            server.asked.clear()
            caches = [Web(mirror.url, Http())]
            with open_image(ref, delivery(tmp_path / "you", Person(), caches=caches)) as image:
                assert {name: image.read(name) for name in FILES} == dict(FILES)
            assert all(asked.path.startswith("tuf/") for asked in server.asked)


def test_a_cache_with_wrong_bytes_is_passed_over(tmp_path: Path, signer: CryptoSigner) -> None:
    packed = pack(tmp_path)
    sign(tmp_path, packed, signer)
    evil = tmp_path / "evil" / "blobs" / "sha256"
    evil.mkdir(parents=True)
    for blob in (tmp_path / "layout" / "blobs" / "sha256").iterdir():
        (evil / blob.name).write_bytes(bytes(blob.stat().st_size))
    mine = delivery(tmp_path / "me", Person(), caches=[Folder(tmp_path / "evil")])
    with serving(tmp_path / "layout") as server, open_image(parse(server.url), mine) as image:
        assert {name: image.read(name) for name in FILES} == dict(FILES)
        assert len(image.fetcher.refusals) == 1
        assert packed.digest in image.fetcher.refusals[0]


def test_a_damaged_store_is_mended_from_the_network(tmp_path: Path) -> None:
    packed = pack(tmp_path)
    with serving(tmp_path / "layout") as server:
        ref = parse(f"{server.url}@{packed.digest}")
        with open_image(ref, delivery(tmp_path)) as image:
            for name in FILES:
                image.read(name)
        store = Store(tmp_path / "store")
        for blob in store.blobs():
            store.path(blob.digest).write_bytes(bytes(blob.size))
        with open_image(ref, delivery(tmp_path)) as image:
            assert {name: image.read(name) for name in FILES} == dict(FILES)
        assert store.verify()[1] == []
        (tmp_path / "store").rename(tmp_path / "gone")
        with open_image(ref, delivery(tmp_path), prefetch=False) as image:
            image.fill()  # the layer is whole now, and there are no chunks
            path = image.fetcher.store.path(image.manifest.layers[0].digest)
            path.write_bytes(bytes(path.stat().st_size))
            assert image.read("lib/big") == FILES["lib/big"]
            assert any(each.startswith("the store:") for each in image.fetcher.refusals)


def test_images_share_what_is_the_same(tmp_path: Path) -> None:
    pack(tmp_path)
    pack(tmp_path, "2.0", {**FILES, "bin/hello": b"new"})
    mine = delivery(tmp_path)
    for version in ("1.0", "2.0"):
        with open_image(parse(f"{tmp_path}/layout:{version}"), mine) as image:
            for name in FILES:
                image.read(name)
    blobs = list(mine.store.blobs())
    assert sum(blob.size for blob in blobs) < 1.3 * sum(len(content) for content in FILES.values())


def test_an_unpacked_tree_is_the_image(tmp_path: Path) -> None:
    files = write_odd_files(tmp_path / "odd")
    layout = tmp_path / "layout"
    Layout(layout).pack(files, recipe("odd", ()))
    mine = delivery(tmp_path)
    with open_image(parse(f"{layout}:odd"), mine) as image:
        folder = unpack(image)
        assert unpack(image) == folder == tree_path(mine.store, image.descriptor.digest)
        assert (folder / "hard").stat().st_ino == (folder / "a/file").stat().st_ino
        assert (folder / "link").readlink() == Path("a/file")
        assert (folder / "a/file").stat().st_mode & 0o777 == 0o755
        assert list(differences(image, folder)) == []
        (folder / "a/file").write_bytes(b"other")
        (folder / "new").touch()
        assert sorted(differences(image, folder)) == [
            "a/file has other bytes",
            "hard has other bytes",
            "new does not belong there",
        ]
        boot = folder.with_suffix(".boot")
        boot.write_text("an earlier one")
        assert tree_path(mine.store, image.descriptor.digest) is None
        assert list(differences(image, unpack(image))) == []
        with in_use(mine.store, image.descriptor.digest):
            assert collect(mine.store, 0) == 0
        assert collect(mine.store, 0) > 0
        assert tree_path(mine.store, image.descriptor.digest) is None


def write_odd_files(folder: Path) -> Path:
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "file").write_bytes(b"x" * 20_000)
    (folder / "a" / "file").chmod(0o4755)
    (folder / "hard").hardlink_to(folder / "a" / "file")
    (folder / "link").symlink_to("a/file")
    (folder / "empty").mkdir()
    return folder


def test_packing_is_reproducible_wherever_it_is_done(tmp_path: Path) -> None:
    first, second = pack(tmp_path / "here"), pack(tmp_path / "there" / "deeper")
    assert first == second
    blobs = [
        sorted(p.name for p in (tmp_path / at / "layout/blobs/sha256").iterdir())
        for at in ("here", "there/deeper")
    ]
    assert blobs[0] == blobs[1]


def test_a_name_that_was_not_signed_is_refused(tmp_path: Path, signer: CryptoSigner) -> None:
    sign(tmp_path, pack(tmp_path), signer, app="other")
    with pytest.raises(VerifyError, match="wanted other, as signed, got hello"):
        open_image(parse(f"{tmp_path}/layout"), delivery(tmp_path, Person()))


def test_a_link_without_a_short_name_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="short name"):
        open_image(parse("hello"), replace(Delivery(Store(tmp_path))))
