# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A box that is never started: what the command line would have run."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry import box
from skerry.box import BoxConfig
from skerry.cli import options


class FakeBox:
    """Remembers the configurations it was given; leaves with the status it was told."""

    def __init__(self) -> None:
        self.configs: list[BoxConfig] = []
        self.status = 0

    def run(self, config: BoxConfig) -> int:
        self.configs.append(config)
        return self.status

    @property
    def config(self) -> BoxConfig:
        """The only configuration so far."""
        (config,) = self.configs
        return config


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root tree with one program, ls."""
    programs = tmp_path / "root" / "usr" / "bin"
    programs.mkdir(parents=True)
    (programs / "ls").write_bytes(b"\0asm")
    return tmp_path / "root"


@pytest.fixture
def fake_box(monkeypatch: pytest.MonkeyPatch, root: Path) -> FakeBox:
    fake = FakeBox()
    monkeypatch.setattr(box, "run", fake.run)
    monkeypatch.setattr(options, "root_tree", lambda: str(root))
    return fake


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory on the host."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
