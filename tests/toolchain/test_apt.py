# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The mirror is found in whatever form the machine's lists have; nothing else of them is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.toolchain.apt import FetchError, mirror_from, private_config

DEB822 = """\
# comment
Types: deb
URIs: http://mirror.test/debian-security
Suites: bookworm-security
Components: main

Types: deb deb-src
# another comment
URIs: http://mirror.test/debian
  http://second.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


@pytest.mark.parametrize(
    ("name", "text", "mirror"),
    [
        ("debian.sources", DEB822, "http://mirror.test/debian"),
        ("sources.list", "deb http://m.test/debian/ trixie main contrib\n", "http://m.test/debian"),
        ("sources.list", "deb [arch=amd64 signed-by=/k.gpg] https://m.test/debian sid main\n", "https://m.test/debian"),
        ("sources.list", "# deb http://old.test/debian sid main\ndeb-src http://m.test/debian sid main", "http://m.test/debian"),
    ],
)  # fmt: skip
def test_mirror_is_read_from_the_machines_lists(name: str, text: str, mirror: str) -> None:
    assert mirror_from([(name, text)]) == mirror


@pytest.mark.parametrize(
    "text",
    [
        "",
        "deb http://vendor.test/apt stable main",
        "deb http://m.test/debian-security bookworm-security main",
        "deb cdrom:[Debian]/debian bookworm main",
        "deb http://m.test/debian",
    ],
)
def test_other_archives_are_no_debian_mirror(text: str) -> None:
    with pytest.raises(FetchError, match="no Debian mirror"):
        mirror_from([("sources.list", text)])


def test_disabled_stanza_is_skipped() -> None:
    text = DEB822.replace("Types: deb deb-src", "Enabled: no\nTypes: deb")
    with pytest.raises(FetchError):
        mirror_from([("debian.sources", text)])


def test_first_list_wins() -> None:
    lists = [("sources.list", ""), ("a.list", "deb http://a.test/debian x main"), ("b.sources", DEB822)]
    assert mirror_from(lists) == "http://a.test/debian"


def test_private_configuration_stays_below_its_root(tmp_path: Path) -> None:
    files = private_config(tmp_path, "http://m.test/debian", "trixie", Path("/keys/k.gpg"))
    assert "deb-src [signed-by=/keys/k.gpg] http://m.test/debian trixie main\n" in files["sources.list"]
    for line in files["apt.conf"].splitlines():
        if line.startswith("Dir::"):
            assert f'"{tmp_path}' in line
