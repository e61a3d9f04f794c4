# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Every verb's help reads well: a sentence, its options, examples one can type."""

from __future__ import annotations

import re

import pytest

from skerry.cli import main
from skerry.cli.verbs import VERBS, load

WIDTH = 105
HELPS = [
    ["--help"],
    *([verb, "--help"] for verb in VERBS),
    *(["ports", action, "--help"] for action in ("list", "build", "verify")),
]


def text_of(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(argv) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


@pytest.mark.parametrize("argv", HELPS, ids=" ".join)
def test_help_is_laid_out_for_a_person(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    text = text_of(argv, capsys)
    usage, description = text.split("\n\n")[:2]
    assert usage.startswith(" ".join(["Usage: skerry", *argv[:-1]]))
    assert description.rstrip().endswith(".")
    assert max(map(len, text.splitlines())) <= WIDTH
    assert not re.search(r"[ \t]+$", text, re.MULTILINE)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "doctor"])
def test_help_gives_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    examples = text_of([verb, "--help"], capsys).partition("\nExamples:\n")[2]
    assert f"skerry {verb}" in examples


@pytest.mark.parametrize("verb", ["sh", "run"])
def test_every_example_is_a_command_line_the_verb_accepts(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import shlex

    examples = text_of([verb, "--help"], capsys).partition("\nExamples:\n")[2]
    parser = load(verb).parser(verb)
    for line in examples.splitlines():
        if found := re.search(rf"skerry {verb}\b(.*?)(?: {{2}}|$)", line):
            parser.parse_args(shlex.split(found[1].partition("<")[0]))


def test_every_verb_is_listed_with_its_summary(capsys: pytest.CaptureFixture[str]) -> None:
    text = text_of(["--help"], capsys)
    for name, verb in VERBS.items():
        assert re.search(rf"^  {re.escape(name)} +{re.escape(verb.summary)}$", text, re.MULTILINE)
