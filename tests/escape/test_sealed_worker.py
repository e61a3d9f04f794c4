# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""G7, G8: a sealed process cannot reach out, even when none of our Python stands in the way.

Each act (acts.py) is a raw system call of the host. It runs in two fresh interpreters (harness.py):
unsealed, where it must work, or the test would prove nothing, and after `seal.seal`, where the
operating system must kill the process or refuse. The rest looks at the real worker.
"""

from __future__ import annotations

import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.escape.acts import ACTS, FOREIGN_CODE, LIVING, Act

from skerry.abi import hostfs
from skerry.box import BoxConfig, messages, seccomp, wire
from skerry.box.launch import Worker
from skerry.box.lifecycle import Box, BoxFailed
from skerry.kernel import commands

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

CONFIG = BoxConfig(("x",), (), "/", (), None, False, False, 256 << 20, False)


@pytest.fixture
def box() -> Iterator[Box]:
    os.environ["SKERRY_TEST_SECRET"] = "not for boxes"
    made = Box(CONFIG, lambda text: None)
    until(made, lambda: made.sealed is not None)
    yield made
    made.close()
    del os.environ["SKERRY_TEST_SECRET"]


def until(box: Box, done: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not done():
        assert time.monotonic() < end
        box.step(0.1)


def proc(box: Box, name: str) -> str:
    try:
        return Path(f"/proc/{box._worker.pid}/{name}").read_text()
    except PermissionError:
        pytest.skip("only root looks into a process that is not dumpable")


def test_it_is_locked(box: Box) -> None:
    assert box.sealed
    status = dict(line.split(":\t", 1) for line in proc(box, "status").splitlines())
    assert status["Seccomp"] == "2"
    assert status["NoNewPrivs"] == "1"


def test_it_has_one_descriptor_and_no_environment(box: Box) -> None:
    try:
        assert os.listdir(f"/proc/{box._worker.pid}/fd") == ["0"]
    except PermissionError:
        pytest.skip("only root looks into a process that is not dumpable")
    assert os.readlink(f"/proc/{box._worker.pid}/fd/0").startswith("socket:")
    assert proc(box, "environ") == ""


def test_its_limits(box: Box) -> None:
    limits = proc(box, "limits")
    lines = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()}
    assert lines["Max core file size"] == ["0", "0"]
    assert lines["Max file size"] == ["0", "0"]
    assert lines["Max open files"] == ["0", "0"]
    assert lines["Max data size"][0] != "unlimited"


def test_it_is_in_a_session_of_its_own(box: Box) -> None:
    assert os.getsid(box._worker.pid) == box._worker.pid


@pytest.mark.parametrize("signo", [signal.SIGSYS, signal.SIGABRT, signal.SIGKILL])
def test_its_death_is_told(box: Box, signo: signal.Signals) -> None:
    os.kill(box._worker.pid, signo)
    with pytest.raises(BoxFailed, match="may not make" if signo == signal.SIGSYS else signo.name):
        until(box, lambda: False)


@pytest.mark.parametrize(
    "message",
    [
        messages.Wasm(1, b"", b""),
        messages.CodeWanted(1, b"short", False),
        commands.StreamOutput(1, bytes(65_537)),
        commands.StreamTaken(2, 1),
        commands.Connected(77, 0),
        commands.ConsoleOutput(bytes(100_000)),
        messages.Asked(1, hostfs.Walk(9, (b"x",))),
        messages.Asked(1, hostfs.Walk(0, (b"..",))),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_worker_that_breaks_the_protocol_is_ended(box: Box, message: object, tmp_path: Path) -> None:
    """The monitor is given what a worker under an attacker's control might send."""
    box.console = lambda untrusted_data: None  # a slow terminal
    with (tmp_path / "out").open("wb") as out, open(os.devnull, "rb") as null:
        assert box.sink(out.fileno()) == "stream:1"
        assert box.source(null.fileno()) == "stream:2"
        ours, theirs = socket.socketpair()
        real, box._socket = box._socket, ours
        with ours, theirs:
            theirs.setblocking(False)
            ours.setblocking(False)

            def say_it_thrice() -> None:
                for _ in range(3):
                    theirs.sendall(wire.encode(message))
                    box._readable()

            with pytest.raises(BoxFailed, match="protocol"):
                say_it_thrice()
        box._socket = real


@pytest.mark.parametrize("module", ["worker", "compileworker"])
def test_a_worker_ends_when_its_connection_does(module: str) -> None:
    worker = Worker(module)
    if module == "worker":
        worker.socket.sendall(wire.encode(messages.Boot((), 1 << 28, False)))
        worker.socket.settimeout(20)
        assert worker.socket.recv(1000)
    worker.socket.close()
    assert os.waitstatus_to_exitcode(worker.wait()) == 0
    os.close(worker.complaints)


def test_a_worker_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skerry.box.launch.engine_library", lambda: "/nonexistent/library.so")
    box = Box(CONFIG, lambda text: None)
    with pytest.raises(BoxFailed, match="nonexistent"):
        until(box, lambda: False)
    box.close()


def test_kill_9_of_the_monitor_ends_the_worker() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from skerry.box import BoxConfig\nfrom skerry.box.lifecycle import Box\n"
        "box = Box(BoxConfig(('x',), (), '/', (), None, False, False, 1 << 28, False), print)\n"
        "while box.sealed is None: box.step()\n"
        "print(box._worker.pid, flush=True)\n"
        "while True: box.step()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(SOURCE)], stdout=subprocess.PIPE) as monitor:
        assert monitor.stdout is not None
        pid = int(monitor.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        monitor.kill()
    end = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text():
        assert time.monotonic() < end, "the worker outlives its monitor"
        time.sleep(0.01)
