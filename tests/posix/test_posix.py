# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Every case of the posixtestsuite that Linux passes, Skerry passes, but for the listed ones.

`expectations.toml` gives the reason for each. A listed case that passes fails the test too, so
that the list stays true; flaky cases may go either way and say why.
"""
from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from skerry.toolchain.apt import FetchError
from tests.posix import suite
from tests.posix.suite import Verdict

pytestmark = pytest.mark.slow

EXPECTED = tomllib.loads((Path(__file__).parent / "expectations.toml").read_text())


AGAIN = 2
"""How often a case that did not behave as listed is tried once more: many race on a busy machine."""


def listed(kind: str) -> frozenset[str]:
    """The cases of one kind."""
    return frozenset(case for group in EXPECTED.get(kind, []) for case in group["cases"])


@pytest.fixture(scope="module")
def cases() -> list[str]:
    if not shutil.which("gcc"):
        pytest.skip("no gcc to build the native programs")
    try:
        return suite.cases()
    except FetchError as error:
        pytest.skip(f"the suite cannot be had: {error}")


def told(verdicts: dict[str, Verdict]) -> str:
    """A report of cases, each with the end of what it wrote."""
    return "\n".join(f"{case}: {word}\n{output}" for case, (word, _, output) in sorted(verdicts.items()))


def test_expectations_name_cases_that_exist(cases: list[str]) -> None:
    for kind in ("fail", "flaky", "skip", "cast"):
        assert listed(kind) <= set(cases), kind
    assert not listed("fail") & listed("flaky")


@pytest.mark.timeout(3600)
def test_skerry_passes_what_linux_passes(cases: list[str]) -> None:
    native = suite.run_native(cases)
    good = sorted(case for case, verdict in native.items() if verdict.word == "pass" and case not in listed("skip"))
    ours = suite.run_skerry(good, listed("cast"), listed("fail"))
    failing = {case: verdict for case, verdict in ours.items() if verdict.word != "pass"}
    print(f"posixtestsuite: {len(cases)} cases, Linux passes {len(good)}, Skerry {len(good) - len(failing)} of these")
    for group in EXPECTED["fail"]:
        print(f"{sum(case in failing for case in group['cases']):4} {group['reason']}")
    lost = [case for case, verdict in ours.items() if verdict.word == "lost"]
    assert not lost, f"the box died before {len(lost)} cases"
    surprises = {case: verdict for case, verdict in failing.items() if case not in listed("fail") | listed("flaky")}
    cured = {case for case in listed("fail") if case in ours and case not in failing}
    for _ in range(AGAIN):
        doubtful = surprises.keys() | cured
        if not doubtful:
            break
        again = suite.run_skerry(good, listed("cast"), listed("fail"), doubtful)
        surprises = {case: again[case] for case in surprises if again[case].word != "pass"}
        cured = {case for case in cured if again[case].word == "pass"}
    assert not surprises, f"{len(surprises)} new failures:\n{told(surprises)}"
    assert not cured, f"expected to fail but passed; take them out of expectations.toml: {sorted(cured)}"
