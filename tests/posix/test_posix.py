# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Every case of the posixtestsuite that Linux passes, Skerry passes, but for the listed ones.

`expectations.toml` gives the reason for each failure. A listed case that passes fails the test
too, so that the list stays true; cases under [flaky] may go either way and say why.
"""
from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from tests.posix import suite

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc to build the native oracle"),
]


def test_skerry_passes_what_linux_passes() -> None:
    expectations = tomllib.loads((Path(__file__).parent / "expectations.toml").read_text())
    expected: dict[str, str] = expectations["fail"]
    flaky: dict[str, str] = expectations["flaky"]
    native = suite.run_native(suite.cases())
    good = sorted(case for case, verdict in native.items() if verdict == "pass")
    ours = suite.run_skerry(good)
    failing = {case: verdict for case, verdict in ours.items() if verdict != "pass"}
    surprises = {case: verdict for case, verdict in failing.items() if case not in expected and case not in flaky}
    cured = sorted(case for case in expected if case in ours and case not in failing)
    print(f"posixtestsuite: {len(good) - len(failing)} of {len(good)} cases that Linux passes")
    assert not surprises, f"new failures: {surprises}"
    assert not cured, f"expected to fail but passed; take them out of expectations.toml: {cured}"
