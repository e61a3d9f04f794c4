# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry run`: which program is meant, and what the box is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.box import Mount
from skerry.cli import main

from .conftest import FakeBox


def program(path: Path, content: bytes = b"\0asm\1\0\0\0", mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["ls", "-l", "/"], ("ls", "-l", "/")),
        (["ls", "--mount", "x", "--help"], ("ls", "--mount", "x", "--help")),
        (["--", "ls", "--", "-x"], ("ls", "--", "-x")),
        (["ls", "--", "-x"], ("ls", "--", "-x")),
        (["--strace", "ls", "--strace"], ("ls", "--strace")),
        (["ls", ""], ("ls", "")),
    ],
)
def test_words_after_the_program_are_its_own(
    argv: list[str], words: tuple[str, ...], fake_box: FakeBox
) -> None:
    assert main(["run", *argv]) == 0
    assert fake_box.config.argv == words


def test_the_exit_status_is_the_programs(fake_box: FakeBox) -> None:
    fake_box.status = 137
    assert main(["run", "ls"]) == 137


def test_a_bare_name_mounts_nothing(fake_box: FakeBox, here: Path) -> None:
    program(here / "ls")
    assert main(["run", "ls"]) == 0
    assert fake_box.config.mounts == ()


@pytest.mark.parametrize(
    ("typed", "options", "guest"),
    [
        ("./hello", [], "/home/user/hello"),
        ("build/hello", ["--cwd", "/tmp"], "/tmp/build/hello"),
        ("../here/hello", ["--cwd", "/a/b"], "/a/here/hello"),
    ],
)
def test_a_path_shows_that_one_file_under_the_path_typed(
    typed: str, options: list[str], guest: str, fake_box: FakeBox, here: Path
) -> None:
    program(here / typed)
    assert main(["run", *options, typed, "x"]) == 0
    assert fake_box.config.argv == (typed, "x")
    assert fake_box.config.mounts == (Mount(typed, guest, read_only=True),)


def test_an_absolute_path_keeps_its_place(fake_box: FakeBox, here: Path) -> None:
    path = str(program(here / "hello"))
    assert main(["run", path]) == 0
    assert fake_box.config.mounts == (Mount(path, path, read_only=True),)


def test_a_path_inside_a_mount_is_a_path_of_the_box(fake_box: FakeBox, here: Path) -> None:
    program(here / "hello")
    assert main(["run", "--mount", f"{here}:{here}:ro", str(here / "hello")]) == 0
    assert fake_box.config.mounts == (Mount(str(here), str(here), read_only=True),)


def test_a_path_that_is_not_here_is_the_boxs(fake_box: FakeBox, here: Path) -> None:
    assert main(["run", "/usr/bin/no-such-program-here"]) == 0
    assert fake_box.config.mounts == ()


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (b"\x7fELF\2\1\1", 0o755, "is a Linux program for this machine (ELF), not WebAssembly"),
        (b"MZ\x90\0", 0o755, "is a Windows program, not WebAssembly"),
        (b"\0asm", 0o644, "is not executable; `chmod +x ./hello` makes it so"),
    ],
)
def test_what_cannot_run_is_refused_before_the_box_starts(
    content: bytes, mode: int, said: str, fake_box: FakeBox, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program(here / "hello", content, mode)
    assert main(["run", "./hello"]) == 126
    assert said in capsys.readouterr().err
    assert fake_box.configs == []


def test_a_folder_cannot_run(fake_box: FakeBox, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "../here"]) == 126
    assert capsys.readouterr().err == "skerry: ../here: is a folder\n"


def test_a_script_can(fake_box: FakeBox, here: Path) -> None:
    program(here / "go", b"#!/bin/sh\necho hi\n")
    assert main(["run", "./go"]) == 0


def test_who_forgot_the_dot_slash_is_told(
    fake_box: FakeBox, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program(here / "hello")
    assert main(["run", "hello"]) == 127
    assert "for the file in this folder type ./hello" in capsys.readouterr().err


def test_two_mounts_cannot_share_a_place(
    fake_box: FakeBox, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--mount", ".:/x", "--mount", "..:/x/", "ls"]) == 2
    assert capsys.readouterr().err == "skerry: mount ..:/x: . is already mounted there\n"
