# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A sealed process cannot reach out, even when none of our Python stands in the way.

Each act (acts.py) is a raw system call of the host. It runs in two fresh interpreters (harness.py):
unsealed, where it must work, or the test would prove nothing, and after `seal.seal`, where the
operating system must kill the process or refuse.
"""

from __future__ import annotations

import os
import platform
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.escape.acts import ACTS, FOREIGN_CODE, LIVING, Act

from skerry.box import seccomp

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux")

SOURCE = Path(seccomp.__file__).parents[2]
HARNESS = Path(__file__).with_name("harness.py")


def attempt(act: Act, how: str) -> tuple[int, bytes]:
    """Try an act; returns the process' status and what came through its descriptor."""
    if (act.x86_64 if platform.machine() == "x86_64" else act.generic) is None:
        pytest.skip("this machine has no such call")
    command = [sys.executable, "-I", "-S", str(HARNESS), str(SOURCE), act.name, how]
    ours, theirs = socket.socketpair()
    with ours, theirs, subprocess.Popen(command, stdin=theirs.fileno(), env={}) as process:
        theirs.close()
        ours.settimeout(30)
        answer = b""
        try:
            while part := ours.recv(4096):
                answer += part
        except ConnectionResetError:
            pass
        return process.wait(), answer


@pytest.mark.parametrize("act", [*ACTS, FOREIGN_CODE], ids=lambda act: act.name)
def test_a_sealed_process_cannot(act: Act) -> None:
    status, answer = attempt(act, "open")
    if answer.startswith(b"ready -"):
        pytest.skip(f"this host itself refuses: {os.strerror(-int(answer[6:]))}")
    assert status == 0, answer
    if answer != b"ready ":  # an execve that worked says nothing more
        assert int(answer.removeprefix(b"ready ")) >= 0
    status, answer = attempt(act, "sealed")
    assert answer.startswith(b"ready "), answer
    if status == 0:
        assert answer.startswith(b"ready -"), f"it worked in a sealed process: {answer!r}"
    else:
        assert status == -signal.SIGSYS, f"status {status}, {answer!r}"


def test_a_sealed_process_can_live() -> None:
    assert attempt(LIVING, "sealed") == (0, b"ready 0")
