# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry sh`: the shell's words, and the box it gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.box import Mount
from skerry.cli import main, options

from .conftest import FakeBox


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], ("sh",)),
        (["-c", "ls | wc"], ("sh", "-c", "ls | wc")),
        (["-c", "echo $0 $1", "a", "--help"], ("sh", "-c", "echo $0 $1", "a", "--help")),
        (["--time", "-c", "true"], ("sh", "-c", "true")),
        (["/mnt/go.sh", "-x"], ("sh", "/mnt/go.sh", "-x")),
    ],
)
def test_words(argv: list[str], words: tuple[str, ...], fake_box: FakeBox) -> None:
    assert main(["sh", *argv]) == 0
    assert fake_box.config.argv == words


def test_every_option_reaches_the_box(fake_box: FakeBox, here: Path, root: Path) -> None:
    argv = [
        "--mount",
        f"{here}:/mnt:ro",
        "--env",
        "A=1",
        "--env",
        "PATH=/x",
        "--cwd",
        "/mnt/",
        "--memory",
        "64M",
    ]
    assert main(["sh", *argv, "--strace", "--time"]) == 0
    config = fake_box.config
    assert config.mounts == (Mount(str(here), "/mnt", read_only=True),)
    assert dict(config.env)["A"] == "1"
    assert dict(config.env)["PATH"] == "/x"
    assert (config.cwd, config.memory_bytes, config.strace, config.time) == ("/mnt", 64 << 20, True, True)
    assert config.root == str(root)


def test_nothing_of_the_hosts_environment_is_passed(
    fake_box: FakeBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert main(["sh"]) == 0
    assert set(dict(fake_box.config.env)) == {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "TERM",
        "PS1",
    }
    assert dict(fake_box.config.env)["HOME"] == "/home/user"
    assert dict(fake_box.config.env)["TERM"] == "dumb"


def test_a_terminal_passes_its_kind(fake_box: FakeBox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(options, "is_terminal", lambda: True)
    assert main(["sh"]) == 0
    assert dict(fake_box.config.env)["TERM"] == "xterm-256color"
    assert fake_box.config.tty
