# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""tools/setup_apt on machines it has never seen: stand-ins for dpkg-query, apt-get, sudo and id."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "tools" / "setup_apt"
LOG = '#!/bin/sh\necho "$(basename "$0") $*" >>"$LOG"\n'
NEEDED = ("bash", "cat", "dirname", "env", "grep", "mktemp", "rm", "sed", "sh", "basename")


class Machine:
    """A folder of commands that is the whole PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "bin"
        self.folder.mkdir()
        self.log = folder / "log"
        self.log.touch()
        for name in NEEDED:
            (self.folder / name).symlink_to(Path("/usr/bin") / name)

    def add(self, name: str, script: str) -> None:
        """Put one stand-in there."""
        path = self.folder / name
        path.write_text(script, encoding="utf-8")
        path.chmod(0o755)

    def run(self) -> tuple[int, str, list[str]]:
        """Status, stderr and the commands that were run."""
        done = subprocess.run(
            [self.folder / "bash", SCRIPT],
            env={"PATH": str(self.folder), "LOG": str(self.log)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == ""
        return done.returncode, done.stderr, self.log.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Debian, root, everything but strace and flex installed."""
    found = Machine(tmp_path)
    found.add("id", "#!/bin/sh\necho 0\n")
    found.add("apt-get", LOG)
    found.add(
        "dpkg-query",
        '#!/bin/sh\nshift 3\nfor p; do case $p in strace) ;; flex) echo "$p config-files" ;;'
        ' *) echo "$p installed" ;; esac; done\n',
    )
    return found


def test_root_installs_exactly_what_is_missing(machine: Machine) -> None:
    status, said, commands = machine.run()
    assert status == 0
    assert said == "setup_apt: installing flex strace\n"
    assert commands == [
        "apt-get -q update",
        "apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends flex strace",
    ]


def test_nothing_missing_is_silence(machine: Machine) -> None:
    machine.add("dpkg-query", '#!/bin/sh\nshift 3\nfor p; do echo "$p installed"; done\n')
    assert machine.run() == (0, "", [])


def test_a_person_without_sudo_gets_the_command(machine: Machine) -> None:
    machine.add("id", "#!/bin/sh\necho 1000\n")
    status, said, commands = machine.run()
    assert status == 1
    assert "sudo apt-get update && sudo apt-get install --no-install-recommends flex strace\n" in said
    assert commands == []


def test_sudo_that_would_ask_is_not_used(machine: Machine) -> None:
    machine.add("id", "#!/bin/sh\necho 1000\n")
    machine.add("sudo", "#!/bin/sh\nexit 1\n")
    assert machine.run()[0] == 1


def test_sudo_that_asks_nothing_is(machine: Machine) -> None:
    machine.add("id", "#!/bin/sh\necho 1000\n")
    machine.add("sudo", '#!/bin/sh\nshift\n"$@"\n')
    machine.add("true", "#!/bin/sh\n")
    status, _, commands = machine.run()
    assert (status, len(commands)) == (0, 2)


def test_an_index_out_of_reach_does_not_stop_it(machine: Machine) -> None:
    machine.add("apt-get", LOG + "case $* in *update*) exit 100 ;; esac\n")
    assert machine.run()[0] == 0


def test_a_failing_install_shows_why(machine: Machine) -> None:
    machine.add("apt-get", "#!/bin/sh\necho E: no such package\nexit 100\n")
    status, said, _ = machine.run()
    assert status == 1
    assert "E: no such package\n" in said
    assert said.endswith("setup_apt: apt-get could not install: flex strace\n")


def test_another_system_is_told_what_to_read(machine: Machine) -> None:
    (machine.folder / "apt-get").unlink()
    status, said, _ = machine.run()
    assert status == 0
    assert "install what tools/apt-packages.txt names by hand" in said
