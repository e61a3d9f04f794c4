# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Every way a command can end, as an exit code and at most one line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from skerry.abi.errors import UserError
from skerry.cli import dispatch, main

SKERRY = [sys.executable, "-m", "skerry"]


def verb_that(act: Callable[[], int]) -> Callable[[str], object]:
    """A loader of verbs whose main is `act`."""

    class Module:
        @staticmethod
        def main(verb: str, argv: list[str]) -> int:
            return act()

    return lambda verb: Module


def raising(error: BaseException) -> Callable[[], int]:
    def act() -> int:
        raise error

    return act


def run_with(act: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(dispatch, "load", verb_that(act))
    return main(["doctor"])


def test_the_status_of_the_verb_is_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_with(lambda: 42, monkeypatch) == 42


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (UserError("no such thing"), 125, "skerry: no such thing\n"),
        (UserError("failed; its log ends\n  so", 127), 127, "skerry: failed; its log ends\n  so\n"),
        (KeyboardInterrupt(), 130, ""),
        (
            FileNotFoundError(2, "No such file or directory", "x.wasm"),
            125,
            "skerry: x.wasm: No such file or directory\n",
        ),
        (OSError(28, "No space left on device"), 125, "skerry: No space left on device\n"),
        (
            ModuleNotFoundError("gone", name="wasmtime.sub"),
            125,
            "skerry: the Python package 'wasmtime.sub' is missing; `make setup` installs it\n",
        ),
    ],
)
def test_an_error_a_person_can_mend_is_one_line(
    error: BaseException,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_with(raising(error), monkeypatch) == status
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("error", [ValueError("oops"), ModuleNotFoundError("gone", name="skerry.nowhere")])
def test_a_bug_of_ours_shows_its_traceback(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_with(raising(error), monkeypatch) == 125
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.endswith("skerry: this is a bug in Skerry; please report it with the lines above\n")


@pytest.mark.parametrize(
    ("argv", "status", "said"),
    [
        (["shh"], 2, "there is no verb 'shh'; did you mean `skerry sh`?"),
        (["frobnicate"], 2, "there is no verb 'frobnicate'; `skerry --help` lists the verbs"),
        (["--bogus"], 2, "unrecognized arguments: --bogus (see `skerry --help`)"),
        (["run"], 2, "run: which program?"),
        (["run", "--bogus", "ls"], 2, "run: unrecognized arguments: --bogus (see `skerry run --help`)"),
        (["run", "--moun", "a:/b", "ls"], 2, "run: unrecognized arguments: --moun"),
        (["sh", "-c"], 2, "sh: -c wants a command"),
        (["run", "--mount", "x", "ls"], 2, "mount 'x': want HOST:GUEST"),
        (
            ["run", "--mount", "no/such:/x", "ls"],
            125,
            "mount no/such:/x: no/such does not exist on this machine",
        ),
        (["run", "--env", "x", "ls"], 2, "environment 'x': want NAME=VALUE"),
        (["run", "--cwd", "x", "ls"], 2, "working directory 'x': want an absolute path"),
        (["run", "--memory", "many", "ls"], 2, "size 'many': want a number"),
        (["ports"], 2, "ports: list, build or verify?"),
        (["ports", "frob"], 2, "ports: argument ACTION: invalid choice: 'frob'"),
        (["ports", "build", "-j", "0"], 2, "jobs '0': want a number from 1"),
        (["completion"], 2, "completion: the following arguments are required"),
        (["completion", "tcsh"], 2, "completion: argument SHELL: invalid choice: 'tcsh'"),
        (["doctor", "me"], 2, "doctor: unrecognized arguments: me"),
    ],
)
def test_a_wrong_command_line_is_one_line(
    argv: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("skerry: " + said)
    assert err.count("\n") == 1


def test_no_verb_prints_help_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Usage: skerry VERB")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("skerry 0.")


def test_a_reader_that_went_away_is_no_complaint() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*SKERRY, "completion", "bash"], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk_is_one_line() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*SKERRY, "--help"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (125, b"skerry: No space left on device\n")


def test_a_closed_stdout_is_no_traceback() -> None:
    done = subprocess.run(
        ["sh", "-c", '"$0" -m skerry --version >&-', sys.executable], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
