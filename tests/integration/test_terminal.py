# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A person at a terminal: Ctrl-C, Ctrl-Z, jobs, resizing, and a terminal left as it was found, whatever happens."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from typing import Any

import pytest

from .boxes import SKERRY, alive, children, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

PROMPT = "$ "


class Person:
    """Somebody at a real pty with `skerry sh` in it."""

    def __init__(self) -> None:
        self.fd, far = pty.openpty()
        self.far = far
        self.size(24, 80)
        self.before = self.modes()
        self.process = subprocess.Popen(
            [*SKERRY, "sh"], stdin=far, stdout=far, stderr=far, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(far, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        self.seen = ""
        self.read_until(PROMPT)

    def modes(self) -> list[Any]:
        return termios.tcgetattr(self.far)

    def size(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def read_until(self, text: str, seconds: float = 15) -> str:
        """What appears up to `text`."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            left = end - time.monotonic()
            assert left > 0 and select.select([self.fd], [], [], left)[0], f"no {text!r} in {self.seen!r}"
            self.seen += os.read(self.fd, 4096).decode(errors="replace")
        found, _, self.seen = self.seen.partition(text)
        return found

    def ask(self, line: str) -> str:
        """Type a line; returns what it printed."""
        self.type(line + "; echo en''d\n")
        answer = self.read_until("end\r\n")
        self.read_until(PROMPT)
        return answer.partition("\r\n")[2]

    def leave(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.fd)
        os.close(self.far)


@pytest.fixture
def person() -> Iterator[Person]:
    found = Person()
    yield found
    found.leave()


def test_control_c_ends_the_job_and_not_the_shell(person: Person) -> None:
    person.type("sleep 60\n")
    person.read_until("sleep 60\r\n")
    time.sleep(0.3)
    person.type("\x03")
    person.read_until(PROMPT)
    assert person.ask("echo status $?").startswith("status 130")


def test_control_c_ends_a_busy_loop(person: Person) -> None:
    person.type("while :; do :; done\n")
    time.sleep(0.5)
    person.type("\x03")
    person.read_until(PROMPT)
    assert person.ask("echo alive") == "alive\r\n"


def test_control_backslash_quits(person: Person) -> None:
    person.type("sleep 60\n")
    time.sleep(0.3)
    person.type("\x1c")
    person.read_until(PROMPT)
    assert person.ask("echo status $?").startswith("status 131")


def test_jobs_stop_go_on_in_the_background_and_come_back(person: Person) -> None:
    person.type("sleep 61\n")
    time.sleep(0.3)
    person.type("\x1a")
    person.read_until("Stopped")
    person.read_until(PROMPT)
    assert "Stopped" in person.ask("jobs")
    person.ask("bg")
    assert "Running" in person.ask("jobs")
    person.type("fg\n")
    person.read_until("sleep 61")
    time.sleep(0.3)
    person.type("\x03")
    person.read_until(PROMPT)
    assert "sleep" not in person.ask("jobs")


def test_a_background_job_that_reads_is_stopped(person: Person) -> None:
    person.ask("{ cat & }")
    time.sleep(0.3)
    assert "Stopped" in person.ask("jobs")


def test_a_new_size_is_told(person: Person) -> None:
    assert person.ask("stty size") == "24 80\r\n"
    person.ask("trap 'echo resi''zed' WINCH")
    person.size(30, 100)
    assert eventually(lambda: "30 100" in person.ask("stty size"), 5)


def test_control_d_leaves_and_the_terminal_is_as_it_was(person: Person) -> None:
    assert person.modes() != person.before  # the box has taken it
    person.type("\x04")
    assert person.process.wait(timeout=15) == 0
    assert person.modes() == person.before


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminated_monitor_leaves_the_terminal_as_it_was(person: Person, signo: int) -> None:
    """A shell at its prompt ignores SIGTERM, as dash does; SIGKILL then ends the worker's program."""
    (worker,) = children(person.process.pid)
    person.process.send_signal(signo)
    if signo == signal.SIGTERM:
        time.sleep(0.3)
        assert person.process.poll() is None
        os.kill(worker, signal.SIGKILL)
    person.process.wait(timeout=15)
    assert person.modes() == person.before
    assert eventually(lambda: not alive(worker), 1)


def test_a_killed_worker_leaves_the_terminal_as_it_was(person: Person) -> None:
    (worker,) = children(person.process.pid)
    os.kill(worker, signal.SIGKILL)
    assert person.process.wait(timeout=15) == 125
    assert person.modes() == person.before
    person.read_until("SIGKILL")


def test_a_monitor_that_is_killed_takes_its_box_along(person: Person) -> None:
    """Nobody can put the modes back after kill -9, but nothing may go on behind the prompt either."""
    (worker,) = children(person.process.pid)
    person.process.kill()
    person.process.wait()
    assert eventually(lambda: not alive(worker), 1)


def test_a_stopped_monitor_gives_the_terminal_back_and_takes_it_again(person: Person) -> None:
    os.kill(person.process.pid, signal.SIGTSTP)
    assert eventually(lambda: person.modes() == person.before, 5)
    os.kill(person.process.pid, signal.SIGCONT)
    assert eventually(lambda: person.modes() != person.before, 5)
    assert person.ask("echo back") == "back\r\n"


def test_a_terminal_that_goes_away_hangs_up() -> None:
    person = Person()
    (worker,) = children(person.process.pid)
    os.close(person.far)
    os.close(person.fd)
    try:
        person.process.wait(timeout=15)
        assert eventually(lambda: not alive(worker), 1)
    finally:
        person.process.kill()
        person.process.wait()
