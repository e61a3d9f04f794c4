# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Promises of the project's own files: nothing drifts apart unnoticed."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("*.md")])


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_dependency_is_locked_at_a_version_it_allows() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    wanted = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)$", read("requirements.lock"), re.MULTILINE))
    for line in wanted:
        requirement = Requirement(line)
        name = canonicalize_name(requirement.name)
        if name != "skerry":
            assert requirement.specifier.contains(locked[name]), line


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    reasons = read("docs/adr/0004-dependencies.md")
    for line in [
        *project["dependencies"],
        *(row for rows in project["optional-dependencies"].values() for row in rows),
    ]:
        assert f"`{Requirement(line).name}`" in reasons, line


def test_ci_runs_what_a_person_runs() -> None:
    assert "exec make test" in read(".ci/run")


def test_links_between_documents_lead_somewhere() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:", target):
                assert (document.parent / target).exists(), f"{document.relative_to(ROOT)}: {target}"


def test_every_test_the_security_document_names_exists() -> None:
    for path in re.findall(r"`(tests/[\w/.-]+?)(?:::\w+)?`", read("docs/security.md")):
        assert (ROOT / path).exists(), path
    for path, name in re.findall(r"`(tests/[\w/.-]+?\.py)::(\w+)`", read("docs/security.md")):
        assert re.search(rf"\bdef {name}\b", read(path)), f"{path}::{name}"


def test_every_guarantee_names_its_test() -> None:
    rows = re.findall(r"^\| (G\d+) \|(.*)\|$", read("docs/security.md"), re.MULTILINE)
    assert [number for number, _ in rows] == [f"G{index}" for index in range(1, len(rows) + 1)]
    for number, row in rows:
        assert re.search(r"`tests/\S+`", row), number


def test_make_help_lists_every_target_a_person_needs() -> None:
    done = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("setup", "demo", "test", "lint", "bench", "clean"):
        assert f"make {target} " in done.stdout
