# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry completion`: the scripts know every verb; bash is asked to use its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from skerry.cli import main
from skerry.cli.verbs import VERBS


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_verb_and_option_is_there(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = script(shell, capsys)
    for verb in VERBS:
        assert verb in text
    for option in ("mount", "strace", "jobs", "version"):
        assert option in text
    for action in ("list", "build", "verify", "zsh"):
        assert action in text


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["p"], {"pack", "ports", "publish"}),
        (["ports", ""], {"list", "build", "verify"}),
        (["ports", "b"], {"build"}),
        (["ports", "build", "--j"], {"--jobs"}),
        (["run", "--m"], {"--mount", "--memory"}),
        (["run", "--mount", ""], set()),
        (["run", "--mount", "a:/b", "--st"], {"--strace"}),
        (["run", "ls", "--"], set()),
        (["completion", ""], {"bash", "zsh", "fish"}),
        (["nonsense", "-"], set()),
    ],
)
def test_bash_offers(
    words: list[str], offered: set[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "skerry.bash"
    file.write_text(script("bash", capsys), encoding="utf-8")
    ask = 'source "$0"; COMP_WORDS=(skerry "$@"); COMP_CWORD=$#; _skerry; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", ask, file, *words], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert set(done.stdout.split()) == offered


@pytest.mark.parametrize("shell", [name for name in ("bash", "zsh", "fish") if shutil.which(name)])
def test_the_shells_of_this_machine_can_parse_it(
    shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "script"
    file.write_text(script(shell, capsys), encoding="utf-8")
    done = subprocess.run([shell, "-n", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
