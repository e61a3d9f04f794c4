# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A hostile server: each trick ends in a refusal that names what was wanted and what came.

After each refusal the store holds no byte that was not verified, and nothing half-written.
"""

from __future__ import annotations

import json
import re
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tests.delivery.apps import FILES, Person, delivery, pack, sign
from tests.delivery.server import Answer, Asked, Trick, serving

from skerry.abi.errors import UserError, VerifyError
from skerry.abi.oci import Descriptor
from skerry.delivery.image import open_image
from skerry.delivery.ref import parse
from skerry.delivery.store import Store
from skerry.delivery.transport import FetchError


def on(pattern: str, change: Callable[[Asked, Answer], Answer]) -> Trick:
    """Play a trick on the paths that match, and be honest about all others."""

    def trick(asked: Asked, honest: Answer) -> Answer:
        return change(asked, honest) if re.search(pattern, asked.path) else honest

    return trick


def parts(change: Callable[[Asked, Answer], Answer]) -> Trick:
    """Play a trick on requests for a part."""

    def trick(asked: Asked, honest: Answer) -> Answer:
        return honest if asked.begin is None else change(asked, honest)

    return trick


def flipped(asked: Asked, honest: Answer) -> Answer:
    middle = len(honest.body) // 2
    body = honest.body[:middle] + bytes([honest.body[middle] ^ 1]) + honest.body[middle + 1 :]
    return replace(honest, body=body)


def cut(asked: Asked, honest: Answer) -> Answer:
    return replace(honest, body=honest.body[:-5], length=len(honest.body))


def short(asked: Asked, honest: Answer) -> Answer:
    return replace(honest, body=honest.body[:-5])


def oversized(asked: Asked, honest: Answer) -> Answer:
    return replace(honest, body=honest.body + bytes(30_000_000))


def endless(asked: Asked, honest: Answer) -> Answer:
    return replace(honest, body=bytes(60_000_000), length=1 << 40)


def redirect(target: str) -> Callable[[Asked, Answer], Answer]:
    return lambda asked, honest: Answer(302, b"", {"Location": target or f"/{asked.path}"})


def drip(asked: Asked, honest: Answer) -> Answer:
    return replace(honest, drip_s=0.02)


def stall(asked: Asked, honest: Answer) -> Answer:
    return replace(honest, drip_s=60)


def drip_headers(asked: Asked, honest: Answer) -> Answer:
    return Answer(200, drip_headers=True)


def elsewhere(asked: Asked, honest: Answer) -> Answer:
    """Send the bytes before the ones asked for, and say so."""
    return replace(honest, headers={"Content-Range": f"bytes 0-{len(honest.body) - 1}/99999"})


def no_range_header(asked: Asked, honest: Answer) -> Answer:
    return replace(honest, headers={})


def shifted(asked: Asked, honest: Answer) -> Answer:
    return replace(honest, body=honest.body[1:] + b"x")


def html(asked: Asked, honest: Answer) -> Answer:
    return Answer(200, b"<html>Please log in to the airport's wireless network</html>")


def error(asked: Asked, honest: Answer) -> Answer:
    return Answer(500, b"\x1b[31mred\x1b[0m")


MANIFEST = r"blobs/sha256/MANIFEST"

# what is done: (the trick, what the refusal says)
TRICKS: dict[str, tuple[Trick, str]] = {
    "a wrong byte in the manifest": (on(MANIFEST, flipped), "manifest.*wanted sha256:.*got sha256:"),
    "a manifest cut off": (on(MANIFEST, cut), "broke off"),
    "a manifest too short": (on(MANIFEST, short), "wanted .* bytes, got .* bytes"),
    "a manifest too long": (on(MANIFEST, oversized), "wanted at most .* bytes, got"),
    "a manifest without end": (on(MANIFEST, endless), "wanted at most .* bytes, got"),
    "a wrong byte in the configuration": (
        on(r"blobs/sha256/CONFIG", flipped),
        "configuration.*wanted sha256",
    ),
    "another blob in the configuration's place": (
        on(r"blobs/sha256/CONFIG", lambda asked, honest: replace(honest, body=b"{}")),
        "configuration.*wanted",
    ),
    "a wrong byte in a part": (parts(flipped), "wanted"),
    "a part too short": (parts(short), "inflated|wanted"),
    "a part cut off": (parts(cut), "broke off"),
    "a part too long": (parts(oversized), "wanted at most .* bytes"),
    "another part, honestly labelled": (parts(elsewhere), "the part of .*wanted bytes=.*got"),
    "a part without a label": (parts(no_range_header), "wanted bytes=.*no Content-Range"),
    "a part one byte off": (parts(shifted), "wanted"),
    "whole blobs only, and a wrong byte in them": (
        on(r"blobs/sha256/LAYER", lambda asked, honest: Answer(200, bytes(30_000))),
        "layer.*wanted .* bytes",
    ),
    "whole blobs only, and too many bytes": (
        on(r"blobs/sha256/LAYER", lambda asked, honest: Answer(200, bytes(900_000))),
        "wanted at most",
    ),
    "a redirect to itself": (on(MANIFEST, redirect("")), "redirects on after 3"),
    "a redirect to another scheme": (on(MANIFEST, redirect("file:///etc/passwd")), "only https"),
    "a redirect with a user name": (on(MANIFEST, redirect("https://a:b@127.0.0.1/")), "only https"),
    "a redirect to nowhere": (on(MANIFEST, redirect("http://[")), "redirects to"),
    "one byte at a time": (on(MANIFEST, drip), "too slow"),
    "one byte and then silence": (on(MANIFEST, stall), "broke off|cannot be reached|too slow"),
    "headers that never end": (on(MANIFEST, drip_headers), "cannot be reached"),
    "a login page": (on(MANIFEST, html), "wanted .* bytes, got"),
    "an error with colours": (on(MANIFEST, error), r"answered 500, wanted 200: '\\x1b\[31mred"),
    "a missing manifest": (on(MANIFEST, lambda asked, honest: Answer(404)), "is not there"),
    "a TUF root that is not one": (on(r"tuf/1\.root", html), "root: wanted a JSON object"),
    "a TUF root of 30 MB": (on(r"tuf/1\.root", oversized), "at most 512000 bytes"),
    "a timestamp with a wrong byte": (on(r"tuf/timestamp", flipped), "the publisher's word"),
    "a timestamp without end": (on(r"tuf/timestamp", endless), "at most"),
    "a snapshot that is the targets": (
        on(r"tuf/1\.snapshot", lambda asked, honest: replace(honest, body=b"{}")),
        "the publisher's word",
    ),
    "no snapshot": (on(r"tuf/1\.snapshot", lambda asked, honest: Answer(404)), "all of the TUF metadata"),
}


@pytest.mark.parametrize(("trick", "refusal"), TRICKS.values(), ids=TRICKS.keys())
def test_refused(trick: Trick, refusal: str, tmp_path: Path) -> None:
    image = pack(tmp_path)
    sign(tmp_path, image, CryptoSigner.generate_ed25519())
    document = json.loads((tmp_path / "layout/blobs/sha256" / image.digest[7:]).read_bytes())
    names = {
        "MANIFEST": image.digest[7:],
        "CONFIG": document["config"]["digest"][7:],
        "LAYER": document["layers"][0]["digest"][7:],
    }

    def named(asked: Asked, honest: Answer) -> Answer:
        for word, name in names.items():
            asked = replace(asked, path=asked.path.replace(name, word))
        return trick(asked, honest)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with (
        serving(tmp_path / "layout", named) as server,
        pytest.raises((VerifyError, FetchError), match=refusal) as raised,
        open_image(parse(server.url), delivery(tmp_path, Person())) as opened,
    ):
        opened.read("lib/big")
    assert str(raised.value).isprintable()
    # The server itself holds the 60 MB it sends; the client must not add more than pieces of it.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB
    assert_only_verified_bytes(tmp_path)


def assert_only_verified_bytes(folder: Path) -> None:
    store = Store(folder / "store")
    assert store.verify()[1] == []
    assert list((store.root / "temporary").iterdir()) == []
    assert sum(blob.size for blob in store.blobs()) < 300_000


def test_a_server_that_ignores_ranges_is_used_all_the_same(tmp_path: Path) -> None:
    packed = pack(tmp_path)
    whole = parts(lambda asked, honest: Answer(200, (tmp_path / "layout" / asked.path).read_bytes()))
    with serving(tmp_path / "layout", whole) as server:
        with open_image(parse(f"{server.url}@{packed.digest}"), delivery(tmp_path)) as image:
            assert {name: image.read(name) for name in FILES} == dict(FILES)
        wholes = [asked for asked in server.asked if asked.begin is None and len(asked.path) > 70]
        assert len(wholes) <= 4  # manifest, configuration, and the layer once


def test_a_store_on_a_full_disk_does_not_stop_the_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = pack(tmp_path)

    def put(self: Store, digest: str, size: int, pieces: object, what: str) -> None:
        if what.startswith("the chunk"):
            raise OSError(28, "No space left on device")
        honest(self, digest, size, pieces, what)  # type: ignore[arg-type]

    honest = Store.put
    monkeypatch.setattr(Store, "put", put)
    with serving(tmp_path / "layout") as server:
        with open_image(parse(f"{server.url}@{packed.digest}"), delivery(tmp_path)) as image:
            assert {name: image.read(name) for name in FILES} == dict(FILES)
        assert any("No space left" in each for each in image.fetcher.refusals)


# --------------------------------------------------------------------------------- trust over time


class World:
    """One publisher, one person, and what the server shows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.signer = CryptoSigner.generate_ed25519()
        self.person = Person()
        self.first = pack(folder)
        sign(folder, self.first, self.signer)

    def publish(self, version: str) -> Descriptor:
        image = pack(self.folder, version, {**FILES, "version": version.encode()})
        sign(self.folder, image, self.signer, tag=version)
        return image

    def open(self, url: str) -> bytes:
        for verdict in (self.folder / "trust").glob("places/*/verdicts/*"):
            verdict.unlink()  # as if five minutes had passed
        with open_image(parse(url), delivery(self.folder, self.person)) as image:
            return image.read("version") if image.tree.lookup("version") else b"1.0"

    def keep(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / "layout/tuf").iterdir()}

    def put_back(self, files: dict[str, bytes]) -> None:
        for path in (self.folder / "layout/tuf").iterdir():
            path.unlink()
        for name, data in files.items():
            (self.folder / "layout/tuf" / name).write_bytes(data)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_person_who_says_no_gets_nothing(world: World) -> None:
    world.person.answer = False
    with serving(world.folder / "layout") as server:
        for _ in range(2):
            with pytest.raises(UserError, match="was not accepted"):
                world.open(server.url)
    assert len(world.person.shown) == 2


def test_a_newer_version_is_followed_and_an_older_one_replayed_is_refused(world: World) -> None:
    with serving(world.folder / "layout") as server:
        assert world.open(server.url) == b"1.0"
        old = world.keep()
        world.publish("2.0")
        assert world.open(server.url) == b"2.0"
        world.put_back(old)
        with pytest.raises(VerifyError, match="nothing older than was seen before"):
            world.open(server.url)
    assert len(world.person.shown) == 1


def test_a_mirror_frozen_in_time_is_refused_once_its_word_has_expired(world: World) -> None:
    from datetime import UTC, datetime, timedelta

    image = pack(world.folder, "1.5")
    sign(world.folder, image, world.signer, tag="1.5", now=datetime.now(UTC) - timedelta(days=40), days=30)
    with serving(world.folder / "layout") as server, pytest.raises(VerifyError, match="expired"):
        world.open(server.url)


def test_another_key_in_the_same_place_is_refused_loudly(world: World) -> None:
    with serving(world.folder / "layout") as server:
        world.open(server.url)
        world.put_back({})
        sign(world.folder, world.first, CryptoSigner.generate_ed25519())
        with pytest.raises(VerifyError, match=r"KEY HAS CHANGED.*wanted the keys.*got others"):
            world.open(server.url)
    assert len(world.person.shown) == 1


def test_a_signature_taken_away_is_refused_loudly(world: World) -> None:
    with serving(world.folder / "layout") as server:
        world.open(server.url)
        world.put_back({})
        with pytest.raises(VerifyError, match=r"KEY HAS CHANGED.*got no signature at all"):
            world.open(server.url)


def test_a_key_handed_over_properly_is_followed_without_a_question(world: World) -> None:
    from skerry.delivery.signing import Repository

    successor = CryptoSigner.generate_ed25519()
    with serving(world.folder / "layout") as server:
        world.open(server.url)
        repository = Repository(world.folder / "layout/tuf", [world.signer])
        repository.rotate([successor])
        repository.write()
        assert world.open(server.url) == b"1.0"
        world.signer = successor
        world.publish("2.0")
        assert world.open(server.url) == b"2.0"
    assert len(world.person.shown) == 1


def test_a_client_killed_while_it_renewed_its_root_goes_on(world: World) -> None:
    with serving(world.folder / "layout") as server:
        world.open(server.url)
        (link,) = (world.folder / "trust").glob("places/*/tuf/root.json")
        link.unlink()
        assert world.open(server.url) == b"1.0"
    assert len(world.person.shown) == 1


def test_another_app_of_the_same_publisher_does_not_take_the_place(world: World) -> None:
    with serving(world.folder / "layout") as server:
        world.open(server.url)
        other = pack(world.folder, "9", {**FILES, "x": b"y"}, name="other")
        sign(world.folder, other, world.signer, tag="9", app="other")
        with pytest.raises(VerifyError, match=r"the app at .*wanted hello, got 'other'"):
            world.open(server.url)


def test_a_version_its_publisher_withdrew_is_refused_even_when_pinned(world: World) -> None:
    from skerry.delivery.signing import Repository

    with serving(world.folder / "layout") as server:
        world.open(server.url)
        world.publish("2.0")
        repository = Repository(world.folder / "layout/tuf", [world.signer])
        repository.revoke("1.0", "steals cookies")
        repository.write()
        assert world.open(server.url) == b"2.0"
        with pytest.raises(VerifyError, match=r"wanted 1\.0, got"):
            world.open(f"{server.url}:1.0")
        with pytest.raises(VerifyError, match="revoked by its publisher: 'steals cookies'"):
            world.open(f"{server.url}@{world.first.digest}")


def test_a_publisher_the_person_withdrew_is_refused_at_once(world: World) -> None:
    mine = delivery(world.folder, world.person)
    assert mine.trust is not None
    with serving(world.folder / "layout") as server:
        world.open(server.url)
        pin = mine.trust.pin(parse(server.url))
        assert pin is not None
        mine.trust.revoke(pin.fingerprints[0], "sold to a stranger")
        with pytest.raises(VerifyError, match="revoked here: sold to a stranger"):
            open_image(parse(server.url), mine)  # although the verdict is fresh


def test_a_delegate_may_sign_what_it_was_given_and_nothing_else(world: World) -> None:
    from datetime import UTC, datetime, timedelta

    from tuf.api.metadata import Metadata, TargetFile, Targets

    from skerry.delivery.signing import Repository

    helper = CryptoSigner.generate_ed25519()
    nightly = pack(world.folder, "nightly-1", {**FILES, "version": b"nightly"})
    role = Metadata(Targets(1, expires=datetime.now(UTC).replace(microsecond=0) + timedelta(days=5)))
    for name in ("nightly-1", "3.0"):
        custom = {"custom": {"app": "hello"}}
        role.signed.targets[name] = TargetFile(nightly.size, {"sha256": nightly.digest[7:]}, name, custom)
    repository = Repository(world.folder / "layout/tuf", [world.signer])
    repository.delegate("helper", helper.public_key, ["nightly-*"])
    repository.write_delegated("helper", role, helper)
    repository.write()
    with serving(world.folder / "layout") as server:
        assert world.open(f"{server.url}:nightly-1") == b"nightly"
        with pytest.raises(VerifyError, match=r"wanted 3\.0"):
            world.open(f"{server.url}:3.0")
