# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The cache publishes whole results or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.toolchain import cache


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKERRY_CACHE", str(tmp_path / "cache"))


def test_result_is_built_once() -> None:
    calls = []

    def build(target: Path) -> None:
        calls.append(target)
        (target / "file").write_text("x")

    first = cache.publish("kind", "0123", build)
    assert cache.publish("kind", "0123", build) == first
    assert first == cache.cache_dir() / "kind" / "0123"
    assert (first / "file").read_text() == "x"
    assert len(calls) == 1


def test_failed_build_leaves_nothing() -> None:
    def build(target: Path) -> None:
        (target / "half").write_text("x")
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        cache.publish("kind", "0123", build)
    assert cache.published("kind", "0123") is None
    assert list((cache.cache_dir() / "kind").iterdir()) == []


def test_digest_depends_on_names_and_contents_alone(tmp_path: Path) -> None:
    def digest_of(root: Path) -> str:
        recipe = cache.Recipe("r")
        recipe.add_tree(root)
        return recipe.digest()

    for place in ("one", "two"):
        (tmp_path / place / "sub").mkdir(parents=True)
        (tmp_path / place / "sub" / "a.c").write_text("int a;")
        (tmp_path / place / "__pycache__").mkdir()
        (tmp_path / place / "__pycache__" / "x.pyc").write_text(place)
    assert digest_of(tmp_path / "one") == digest_of(tmp_path / "two")
    (tmp_path / "two" / "sub" / "a.c").write_text("int b;")
    assert digest_of(tmp_path / "one") != digest_of(tmp_path / "two")


def test_inputs_do_not_run_into_each_other() -> None:
    one, two = cache.Recipe("r"), cache.Recipe("r")
    one.add("a", "bc")
    two.add("ab", "c")
    assert one.digest() != two.digest()
