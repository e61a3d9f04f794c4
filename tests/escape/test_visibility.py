# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""G4: the host's environment, processes, users, names and files cannot be seen from a box.

Each test first shows that the same look on the host does see the thing.
"""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import skerry

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

MARK = "mark-that-only-the-host-has"


@pytest.fixture(scope="module")
def unix() -> Iterator[skerry.Unix]:
    os.environ["SKERRY_TEST_MARK"] = MARK
    try:
        with skerry.Unix(log=lambda line: None) as unix:
            yield unix
    finally:
        del os.environ["SKERRY_TEST_MARK"]


def here(line: str) -> str:
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60, check=False).stdout


def there(unix: skerry.Unix, line: str) -> str:
    return str(unix.run(line, shell=True, capture_output=True, text=True, timeout=60).stdout)


LOOKS_AT_VARIABLES = "env; cat /proc/self/environ /proc/1/environ /proc/$$/environ /proc/*/environ | tr '\\0' '\\n'"


def test_variables(unix: skerry.Unix) -> None:
    assert MARK in here(LOOKS_AT_VARIABLES)
    seen = there(unix, LOOKS_AT_VARIABLES)
    assert MARK not in seen and "PATH=" in seen


def test_variables_of_the_command_line() -> None:
    environment = os.environ | {"SKERRY_TEST_MARK": MARK}
    command = [sys.executable, "-m", "skerry", "run", "env"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=True)
    assert MARK not in done.stdout
    names = {line.partition("=")[0] for line in done.stdout.splitlines()}
    assert names <= {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "PS1"}


def test_processes(unix: skerry.Unix) -> None:
    """A process of ours with a telling name runs all the time."""
    look = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; ls /proc"
    with subprocess.Popen(["sleep", "59.0625"]) as ours:
        assert "59.0625" in here(look) and str(ours.pid) in here("ls /proc").split()
        seen = there(unix, look)
        assert "59.0625" not in seen and "python" not in seen
        pids = [int(word) for word in there(unix, "ls /proc").split() if word.isdecimal()]
        assert len(pids) < 6
        script = f"kill -0 {ours.pid}; echo $?; kill -9 {ours.pid}; kill -0 {os.getpid()}; echo $?"
        if ours.pid not in pids and os.getpid() not in pids:
            assert there(unix, script).split() == ["1", "1"]
        unix.run(["sh", "-c", "kill -9 -1"])
        assert ours.poll() is None
        ours.kill()


def test_every_process_seen_is_the_box_s_own(unix: skerry.Unix) -> None:
    words = there(unix, "for p in /proc/[0-9]*; do cat $p/comm; done").split()
    assert set(words) <= {"init", "sh", "dash", "cat"}


def test_users(unix: skerry.Unix) -> None:
    assert there(unix, "id -u; id -un; whoami").split() == ["1000", "user", "user"]
    host_users = {line.split(":")[0] for line in Path("/etc/passwd").read_text().splitlines()} - {"root", "nobody"}
    assert len(host_users) > 2
    seen = {line.split(":")[0] for line in there(unix, "cat /etc/passwd /etc/group").splitlines()}
    assert len(seen & host_users) < len(host_users) / 2
    if getpass.getuser() not in ("root", "user", "nobody"):
        assert getpass.getuser() not in seen
    assert there(unix, "cat /etc/shadow /etc/sudoers /root/.* ") == ""


def test_files(unix: skerry.Unix, tmp_path: Path) -> None:
    (tmp_path / "file").write_text(MARK)
    paths = [str(tmp_path / "file"), __file__, sys.executable, str(Path.home()), "/etc/hostname", "/proc/version"]
    look = f"cat {tmp_path}/file /proc/self/root{tmp_path}/file /proc/1/root{tmp_path}/file; ls {tmp_path}"
    assert MARK in here(look)
    assert there(unix, look) == ""
    for path in paths[:3]:
        assert there(unix, f"ls -d {path}") == ""


def test_where_things_lie_on_the_host(unix: skerry.Unix, tmp_path: Path) -> None:
    """Neither the folder of the root tree nor that of a mount is told."""
    with skerry.Unix(mounts=[f"{tmp_path}:/w"]) as mounted:
        look = "cat /proc/self/mountinfo /proc/mounts /proc/self/maps /proc/self/stat; df; realpath /w /proc/self/exe"
        seen = there(mounted, look)
    assert seen and "/w" in seen
    for told in (str(tmp_path), str(Path.home()) + "/", "skerry/root", os.getcwd(), ".venv"):
        assert told not in seen, told


def test_names_of_the_machine(unix: skerry.Unix) -> None:
    look = "uname -a; hostname; cat /proc/version /proc/sys/kernel/hostname /etc/hostname /etc/machine-id"
    host_name = here("uname -n").strip()
    assert host_name and host_name == socket.gethostname()
    seen = there(unix, look)
    if host_name not in ("localhost", "skerry"):
        assert host_name not in seen
    assert here("uname -r").strip() not in seen
    for file in ("/proc/sys/kernel/random/boot_id", "/etc/machine-id"):
        if os.path.exists(file):
            assert Path(file).read_text().strip() not in there(unix, f"cat {file}; echo")


def test_devices(unix: skerry.Unix) -> None:
    """Disks, memory and buses of the host have no names here, and making one does not give one."""
    assert there(unix, "ls -d /dev/mem /dev/kmsg /dev/sda /dev/vda /dev/loop0 /dev/fuse /sys/class /proc/kcore") == ""
    assert there(unix, "cd /tmp; mknod disk b 8 0 && head -c 1 disk; mknod mem c 1 1 && head -c 1 mem") == ""


def test_the_box_has_the_descriptors_it_was_given_and_no_other(unix: skerry.Unix, tmp_path: Path) -> None:
    (tmp_path / "open").write_text(MARK)
    fd = os.open(tmp_path / "open", os.O_RDONLY)
    try:
        os.set_inheritable(fd, True)
        line = f"{sys.executable} -m skerry run sh -c 'cat /dev/fd/{fd}; ls /proc/self/fd'"
        done = subprocess.run(
            ["sh", "-c", line], capture_output=True, text=True, pass_fds=[fd], timeout=60, check=False
        )
        assert MARK not in done.stdout
        assert set(done.stdout.split()) <= {"0", "1", "2", "3"}
        direct = subprocess.run(
            ["sh", "-c", f"cat /dev/fd/{fd}"], capture_output=True, text=True, pass_fds=[fd], timeout=60, check=False
        )
        assert direct.stdout == MARK
    finally:
        os.close(fd)
