# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The verbs, as a publisher and a reader use them one after the other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.delivery.apps import FILES, write_files
from tests.delivery.server import serving

from skerry.abi.errors import UserError
from skerry.cli import inspect, mirror, pack, publish, sign, store, verify
from skerry.cli.links import EXIT_REFUSED

RECIPE = """
name = "hello"
version = "1.0"
publisher = "Example Press"
engines = ["wasm"]
surface = "terminal"
network = ["api.example.org:443"]
storage = "64MiB"
[start]
entrypoint = ["/bin/hello"]
environment = { LANG = "C.UTF-8" }
"""

Say = Callable[..., str]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a verb with its own cache, state and configuration, and return what it printed."""
    monkeypatch.setenv("SKERRY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    modules = {
        "pack": pack,
        "sign": sign,
        "verify": verify,
        "inspect": inspect,
        "publish": publish,
        "mirror": mirror,
        "store": store,
    }

    def run(verb: str, *argv: str | Path, status: int = 0) -> str:
        assert modules[verb].main(verb, [str(each) for each in argv]) == status
        return capsys.readouterr().out

    return run


@pytest.fixture
def layout(tmp_path: Path, say: Say) -> Path:
    """A signed layout; its key is beside it."""
    write_files(tmp_path / "files")
    (tmp_path / "hello.toml").write_text(RECIPE)
    (tmp_path / "reads").write_text("/bin/hello\n")
    profile = ("--profile", tmp_path / "reads")
    said = say(
        "pack", tmp_path / "files", "--recipe", tmp_path / "hello.toml", *profile, "-o", tmp_path / "out"
    )
    assert re.search(r"out:1\.0@sha256:[0-9a-f]{64}", said)
    said = say("sign", tmp_path / "out", "--new-key", tmp_path / "key", "--key", tmp_path / "key")
    assert "signed for 30 days by" in said
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    return tmp_path / "out"


def fingerprint(layout: Path, say: Say) -> str:
    return say("sign", layout, "--key", layout.parent / "key").rpartition("by ")[2].strip()


def test_from_a_folder_to_a_verified_app(layout: Path, say: Say, tmp_path: Path) -> None:
    print_ = fingerprint(layout, say)
    say("publish", layout, tmp_path / "www")
    with serving(tmp_path / "www") as server:
        with pytest.raises(UserError, match="was not accepted"):
            say("verify", server.url)
        with pytest.raises(UserError, match="was not accepted"):
            say("verify", "--accept", "0" * 32, server.url)
        said = say("verify", "--accept", print_, server.url)
        for line in ("publisher", "signatures", "freshness", "revocation", "manifest", "file contents"):
            assert re.search(f"^ok  {line} ", said, re.MULTILINE), said
        said = say("inspect", "--files", server.url)
        assert "api.example.org:443" in said
        assert "64.0 MiB" in said
        assert re.search(r"^reg +0644 +50000 /lib/big$", said, re.MULTILINE)
        found = json.loads(say("inspect", "--json", server.url))
        assert found["proof"] == "signed"
        assert found["asks"]["network"] == ["api.example.org:443"]
        say("mirror", server.url, tmp_path / "stick")
    assert "signed" in say("store", "ls")
    assert "pieces are sound" in say("store", "verify")
    assert "ok  file contents" in say("verify", "--accept", print_, tmp_path / "stick")
    assert "kept 0 B" in say("store", "gc", "--size", "0")


def test_a_relative_folder_is_remembered_by_its_full_path(
    layout: Path, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "ok  manifest" in say("verify", "--accept", fingerprint(layout, say), "./out")
    assert "ok  manifest" in say("verify", layout)  # no question is asked again


def test_short_names_come_from_the_persons_index(layout: Path, say: Say, tmp_path: Path) -> None:
    (tmp_path / "config/skerry").mkdir(parents=True)
    (tmp_path / "config/skerry/index.toml").write_text(f'hi = "{layout}"\n')
    assert "hello 1.0" in say("inspect", "--accept", fingerprint(layout, say), "hi")


def test_a_wrong_byte_is_refused_with_its_own_status(layout: Path, say: Say) -> None:
    print_ = fingerprint(layout, say)
    for blob in (layout / "blobs/sha256").iterdir():
        blob.write_bytes(bytes(blob.stat().st_size))
    with pytest.raises(UserError, match=r"refused: the manifest .*wanted sha256:.*got sha256:") as refusal:
        say("verify", "--accept", print_, layout)
    assert refusal.value.exit_code == EXIT_REFUSED


def test_a_withdrawn_version_is_no_longer_found(layout: Path, say: Say, tmp_path: Path) -> None:
    print_ = fingerprint(layout, say)
    recipe = ("--recipe", tmp_path / "hello.toml")
    say("pack", write_files(tmp_path / "new", {**FILES, "new": b"1"}), *recipe, "--tag", "1.1", "-o", layout)
    key = ("--key", tmp_path / "key")
    say("sign", layout, *key, "--tag", "1.1")
    assert "withdrawn: 1.0 sha256:" in say("sign", layout, *key, "--revoke", "1.0", "--reason", "old")
    assert "ok  manifest" in say("verify", "--accept", print_, layout)
    with pytest.raises(UserError, match="refused"):
        say("verify", "--accept", print_, f"{layout}:1.0")


WRONG = {
    "no folder": (["pack", "nowhere", "-o", "x"], "is not a folder"),
    "an unknown key": (["pack", "{files}", "-o", "x", "--recipe", "{bad}"], "'rocket'"),
    "a bad tag": (["pack", "{files}", "-o", "x", "--tag", "a b"], "cannot be a tag"),
    "a bad time": (["pack", "{files}", "-o", "x", "--mtime", "noon"], "seconds since 1970"),
    "a profile of what is not there": (
        ["pack", "{files}", "-o", "{out}", "--profile", "{bad}"],
        "the profile names",
    ),
    "no key": (["sign", "{out}"], "with which --key"),
    "a key that is none": (["sign", "{out}", "--key", "{bad}"], "private key"),
    "a key overwritten": (["sign", "--new-key", "{bad}"], "already there"),
    "another key": (["sign", "{out}", "--new-key", "{other}", "--key", "{other}"], "signed with another key"),
    "an unsigned layout": (["publish", "{files}", "{other}"], "is not signed"),
    "a layout to the web": (["publish", "{out}", "https://example.org/"], "PLACE is a registry"),
    "no action": (["store"], "ls, verify or gc"),
    "a size without a unit": (["store", "gc", "--size", "5"], "2GiB"),
    "a link with a user": (["verify", "https://me@example.org/"], "names no user"),
}


@pytest.mark.parametrize(("argv", "reason"), WRONG.values(), ids=WRONG.keys())
def test_a_mistake_is_told_in_one_line(
    argv: list[str], reason: str, layout: Path, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad").write_text('rocket = "1"\n')
    places = {"files": "files", "bad": "bad", "out": "out", "other": "other"}
    with pytest.raises(UserError, match=reason) as refusal:
        say(*(each.format(**places) for each in argv))
    assert "\n" not in str(refusal.value)
