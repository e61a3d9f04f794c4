# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry doctor`: probes look and never fail; the words a person reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from skerry.cli import doctor, machine, main
from skerry.cli.machine import PROBES, Finding, State

ALL = [probe for group in PROBES.values() for probe in group]


@pytest.mark.parametrize("probe", ALL, ids=lambda probe: probe.__name__)
def test_a_probe_answers_whatever_the_machine(
    probe: Callable[[], Finding], monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("/nowhere", "/usr/bin:/bin"):
        monkeypatch.setenv("PATH", path)
        finding = probe()
        assert finding.name
        assert finding.detail
        assert (finding.state is State.OK) <= (not finding.remedy)


def test_the_interpreter_that_runs_this_is_good_enough() -> None:
    assert machine.python().state is State.OK


def test_an_absent_program_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    finding = machine.bubblewrap()
    assert finding.state is State.OPTIONAL
    assert finding.remedy.endswith("apt-get install bubblewrap")


def test_the_list_of_packages_is_read_without_its_comments() -> None:
    assert "bubblewrap" in machine._wanted_packages()
    assert not any(name.startswith("#") or " " in name for name in machine._wanted_packages())


@pytest.mark.parametrize(
    ("states", "status", "last"),
    [
        ([State.OK, State.OPTIONAL], 0, "Everything needed is there."),
        ([State.OK, State.MISSING], 1, "Something needed is missing."),
    ],
)
def test_only_what_is_needed_makes_it_fail(
    states: list[State],
    status: int,
    last: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    probes = tuple((lambda state=state: Finding("thing", state, "seen")) for state in states)
    monkeypatch.setattr(doctor, "PROBES", {"Things": probes})
    assert main(["doctor"]) == status
    assert capsys.readouterr().out.splitlines()[-1] == last


def test_a_line_shows_mark_name_detail_and_remedy() -> None:
    finding = Finding("node", State.OPTIONAL, "not installed", "apt-get install nodejs")
    assert doctor.line(finding) == (
        "  -     node            not installed\n                        -> apt-get install nodejs"
    )
