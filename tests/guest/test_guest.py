# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Guest programs do in Skerry what they do on Linux: the same output, the same exit status.

One small C program per call or behaviour (tests/guest/src). Each is compiled for this machine
and run here first; what it says then is what it must say in a box.
"""
from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.guest import programs
from tests.guest.programs import NAMES, Program

pytestmark = pytest.mark.slow

EXPECTED = tomllib.loads((Path(__file__).parent / "expectations.toml").read_text())


@pytest.fixture(scope="session")
def built() -> dict[str, Program]:
    return programs.build_all()


@pytest.mark.parametrize("name", NAMES)
def test_as_on_linux(name: str, built: dict[str, Program], tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if lacking := programs.missing(name):
        pytest.skip(f"not built: {', '.join(sorted(lacking))}")
    if name in EXPECTED["fail"]:
        request.applymarker(pytest.mark.xfail(reason=EXPECTED["fail"][name], strict=True))
    assert not built[name].problem
    on_linux, status = programs.run_native(built[name], tmp_path)
    assert "failed" not in on_linux, f"the test is wrong on Linux itself:\n{on_linux}"
    in_box, box_status = programs.run_wasm(built[name])
    assert in_box == on_linux
    assert box_status == status


def test_expectations_name_tests_that_exist() -> None:
    assert set(EXPECTED["fail"]) <= set(NAMES)
