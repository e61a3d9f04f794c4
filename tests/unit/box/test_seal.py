# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Where a system cannot lock a process, sealing says so and the process goes on."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import pytest

from skerry.box import seal


def test_another_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert seal.seal(0) == "no seccomp on darwin"
    seal.tie_to_parent()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux on another processor")
def test_another_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="mips"))
    assert seal.seal(0) == "no call numbers for mips"
