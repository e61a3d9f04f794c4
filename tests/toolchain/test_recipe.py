# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Recipes are read strictly, and every one of ours is in order."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from skerry.abi.errors import EXIT_USAGE, UserError
from skerry.toolchain import recipe

GOOD = 'summary = "s"\nbuild = "true"\n'


@pytest.fixture
def ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of recipes."""
    monkeypatch.setattr(recipe, "PORTS", tmp_path)
    return tmp_path


def write(ports: Path, name: str, text: str = GOOD) -> None:
    (ports / name).mkdir()
    (ports / name / "recipe.toml").write_text(text)


def test_what_a_recipe_says(ports: Path) -> None:
    source = '[[source]]\npackage = "p"\ntarball = "p_1.2+dfsg.orig.tar.xz"\nsha256 = "0"\n'
    write(ports, "one", GOOD + 'needs = ["two"]\nthreads = true\n' + source)
    found = recipe.load("one")
    assert (found.needs, found.threads, found.library, found.version) == (("two",), True, False, "1.2+dfsg")
    assert found.source[0].suite == "trixie"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("summary = 1\nbuild = ''", "'summary' must be a text"),
        ("summary = ''", "'build' must be a text"),
        (GOOD + "colour = 'red'", "unknown key 'colour'; known: build, library,"),
        (GOOD + "needs = 'zlib'", "'needs' must be a list of texts"),
        (GOOD + "library = 1", "'library' must be true or false"),
        (GOOD + "[[source]]\npackage = 'p'", r"\[\[source\]\]: .*missing"),
        (GOOD + "[source]\npackage = 'p'", r"write \[\[source\]\] tables"),
        ("summary", "recipe.toml: "),
    ],
)
def test_a_mistake_is_named(ports: Path, text: str, message: str) -> None:
    write(ports, "one", text)
    with pytest.raises(UserError, match=message):
        recipe.load("one")


def test_an_unknown_port_is_a_mistake_of_usage(ports: Path) -> None:
    write(ports, "one")
    for name in ("two", "../one", "one/../one", ""):
        with pytest.raises(UserError, match="there is no port") as caught:
            recipe.load(name)
        assert caught.value.exit_code == EXIT_USAGE


def test_without_a_checkout_the_reason_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "PORTS", Path("/nonexistent/ports"))
    with pytest.raises(UserError, match="in a checkout"):
        recipe.names()


def test_needs_come_first_and_once(ports: Path) -> None:
    write(ports, "a", GOOD + 'needs = ["b", "c"]')
    write(ports, "b", GOOD + 'needs = ["c"]')
    write(ports, "c")
    assert [found.name for found in recipe.order(["a", "c"])] == ["c", "b", "a"]


def test_a_circle_is_refused(ports: Path) -> None:
    write(ports, "a", GOOD + 'needs = ["b"]')
    write(ports, "b", GOOD + 'needs = ["a"]')
    with pytest.raises(UserError, match="a -> b -> a"):
        recipe.order(["a"])


def test_the_digest_covers_files_beside_the_recipe(ports: Path) -> None:
    write(ports, "a")
    before = recipe.load("a").digest
    (ports / "a" / "extra.c").write_text("int x;")
    assert recipe.load("a").digest != before


@pytest.mark.parametrize("name", recipe.names())
def test_our_recipe_is_in_order(name: str) -> None:
    found = recipe.load(name)
    assert set(found.needs) <= set(recipe.names())
    assert found.summary and not found.summary.endswith(".")
    for source in found.source:
        assert re.fullmatch(r"[0-9a-f]{64}", source.sha256)
    script = f". {recipe.PORTS}/prelude.sh\n{found.build}"
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
