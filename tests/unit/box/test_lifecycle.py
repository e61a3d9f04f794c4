# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A whole box: the sealed worker, the real kernel, small programs written in wasm's text form."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.unit.box.wasm import assemble

from skerry.box import BoxConfig, Mount
from skerry.box.lifecycle import Box
from skerry.kernel import commands as c

SOURCE = str(Path(__file__).parents[3] / "src")

LINUX = """(import "linux" "read" (func $read (param i32 i32 i32) (result i32)))
 (import "linux" "write" (func $write (param i32 i32 i32) (result i32)))
 (import "linux" "exit_group" (func $exit (param i32) (result i32)))
 (import "linux" "ppoll_time64" (func $ppoll (param i32 i32 i32 i32 i32) (result i32)))
 (import "linux" "openat" (func $openat (param i32 i32 i32 i32) (result i32)))
 (memory (export "memory") 2)
"""
PROGRAMS = {
    "seven": '(func (export "_start") (drop (call $exit (i32.const 7))))',
    "wait": """(data (i32.const 16) "ready\\n") (func (export "_start")
      (drop (call $write (i32.const 1) (i32.const 16) (i32.const 6)))
      (drop (call $ppoll (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 8))))""",
    "spin": """(data (i32.const 16) "ready\\n") (func (export "_start")
      (drop (call $write (i32.const 1) (i32.const 16) (i32.const 6))) (loop (br 0)))""",
    "trap": '(func (export "_start") (unreachable))',
    "cat": """(func (export "_start") (local i32 i32)
      (loop $more
        (local.set 0 (call $read (i32.const 0) (i32.const 1024) (i32.const 65536)))
        (if (i32.le_s (local.get 0) (i32.const 0)) (then (drop (call $exit (i32.const 0)))))
        (local.set 1 (i32.const 0))
        (loop $rest
          (local.set 1 (i32.add (local.get 1) (call $write (i32.const 1)
            (i32.add (i32.const 1024) (local.get 1)) (i32.sub (local.get 0) (local.get 1)))))
          (br_if $rest (i32.lt_s (local.get 1) (local.get 0))))
        (br $more)))""",
    "file": """(data (i32.const 16) "/data/note\\00") (func (export "_start") (local i32)
      (local.set 0 (call $openat (i32.const -100) (i32.const 16) (i32.const 0) (i32.const 0)))
      (if (i32.lt_s (local.get 0) (i32.const 0)) (then (drop (call $exit (i32.sub (i32.const 0) (local.get 0))))))
      (drop (call $write (i32.const 1) (i32.const 1024)
        (call $read (local.get 0) (i32.const 1024) (i32.const 1000))))
      (drop (call $exit (i32.const 0))))""",
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programs")
    for name, text in PROGRAMS.items():
        (folder / name).write_bytes(assemble(f"(module {LINUX} {text})"))
        (folder / name).chmod(0o755)
    (folder / "text").write_text("no program\n")
    (folder / "text").chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("SKERRY_CACHE", str(place))
    return place


class Run:
    """A box with one process."""

    def __init__(self, programs: Path, name: str, *mounts: Mount, strace: bool = False) -> None:
        self.logs: list[str] = []
        places = (Mount(str(programs), "/bin", True), *mounts)
        config = BoxConfig((name,), (), "/", places, None, strace, False, 256 << 20, False)
        self.box = Box(config, self.logs.append)
        self.started: c.Started | None = None
        self.exited: c.Exited | None = None
        self.pipes = os.pipe(), os.pipe()
        (stdin, self.stdin), (self.stdout, stdout) = self.pipes
        stdio = (self.box.source(stdin), self.box.sink(stdout), "null")
        self.theirs = [stdin, stdout]
        self.box.start((name.encode(),), (b"PATH=/bin",), b"/", stdio, True, self._started, self._exited)

    def _started(self, message: c.Started) -> None:
        self.started = message

    def _exited(self, message: c.Exited) -> None:
        self.exited = message

    def until(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + 30
        while not done():
            assert time.monotonic() < end
            self.box.step(0.2)

    def status(self) -> int:
        self.until(lambda: self.exited is not None and self.box.drained())
        assert self.exited is not None
        return self.exited.status

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            self.until(lambda: bool(select.select([self.stdout], [], [], 0)[0]))
            data += os.read(self.stdout, size - len(data))
        return data

    def close(self) -> None:
        self.box.close()
        for fd in (*self.theirs, self.stdin, self.stdout):
            try:
                os.close(fd)
            except OSError:
                pass


@pytest.fixture
def start(programs: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def make(name: str, *mounts: Mount, **options: int) -> Run:
        runs.append(Run(programs, name, *mounts, **options))  # type: ignore[arg-type]
        return runs[-1]

    yield make
    for run in runs:
        run.close()


def test_exit_status(start: Callable[..., Run], cache: Path) -> None:
    run = start("seven")
    assert run.status() == 7 << 8
    assert run.started is not None and run.started.errno == 0
    assert run.box.sealed
    assert list(cache.glob("code/*/*")), "the machine code is kept"


@pytest.mark.parametrize("name", ["wait", "spin"])
@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_signals_from_outside(start: Callable[..., Run], name: str, signo: int) -> None:
    run = start(name)
    assert run.read(6) == b"ready\n"
    run.box.signal(signo)
    assert run.status() == signo


def test_a_trap_is_one_line(start: Callable[..., Run]) -> None:
    run = start("trap")
    assert run.status() & 0x7F == signal.SIGILL
    assert len(run.logs) == 1 and "trap (pid 2): SIGILL: unreachable" in run.logs[0]


def test_bytes_go_through(start: Callable[..., Run]) -> None:
    run = start("cat")
    data = os.urandom(1 << 20)
    sent, got = 0, b""
    os.set_blocking(run.stdin, False)
    while len(got) < len(data):
        try:
            sent += os.write(run.stdin, data[sent : sent + 65_536]) if sent < len(data) else 0
        except BlockingIOError:
            pass
        run.box.step(0.01)
        while select.select([run.stdout], [], [], 0)[0]:
            got += os.read(run.stdout, 1 << 20)
    assert got == data
    os.close(run.stdin)
    assert run.status() == 0


def test_a_reader_that_leaves_is_sigpipe(start: Callable[..., Run]) -> None:
    run = start("cat")
    os.close(run.stdout)
    end = time.monotonic() + 30
    while run.exited is None and time.monotonic() < end:
        os.write(run.stdin, b"more")
        run.box.step(0.02)
    assert run.status() == signal.SIGPIPE


def test_programs_that_do_not_start(start: Callable[..., Run]) -> None:
    for name, errno in (("nothing", 2), ("text", 8)):
        run = start(name)
        run.until(lambda run=run: run.started is not None)  # type: ignore[misc]
        assert run.started is not None and run.started.errno == errno


def test_mounted_files(start: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "note").write_text("hello")
    run = start("file", Mount(str(tmp_path), "/data", True))
    assert run.status() == 0 and os.read(run.stdout, 100) == b"hello"
    run = start("file", Mount(str(tmp_path / "note"), "/data/note", False))
    assert run.status() == 0 and os.read(run.stdout, 100) == b"hello"
    assert start("file").status() == 2 << 8


def test_strace_goes_to_the_log(start: Callable[..., Run]) -> None:
    run = start("file", strace=True)
    run.status()
    assert any(line.startswith('openat(AT_FDCWD, "/data/note", O_RDONLY') for line in run.logs), run.logs


# --- the command line's side


SESSION = """
import sys
sys.path.insert(0, {source!r})
from skerry.abi.errors import UserError
from skerry.box import BoxConfig, Mount, run
mounts = (Mount({programs!r}, "/bin", True),)
try:
    sys.exit(run(BoxConfig(({name!r},), (("PATH", "/bin"),), "/", mounts, None, False, False, 1 << 28, True)))
except UserError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


class Terminal:
    """A person at a terminal who starts a program in a box."""

    def __init__(self, programs: Path, name: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            code = SESSION.format(source=SOURCE, programs=str(programs), name=name)
            os.execv(sys.executable, [sys.executable, "-c", code])

    def raw(self) -> bool:
        return not termios.tcgetattr(self.fd)[3] & termios.ICANON

    def wait_for(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + 30
        while not done():
            assert time.monotonic() < end
            time.sleep(0.01)

    def read_until(self, text: bytes) -> bytes:
        got = b""
        while text not in got:
            assert select.select([self.fd], [], [], 30)[0], got
            got += os.read(self.fd, 65_536)
        return got

    def status(self) -> int:
        got = b""
        while True:  # the terminal must be read, or the session cannot end
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    got += os.read(self.fd, 65_536)
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.said = got
                return os.waitstatus_to_exitcode(status)

    def worker(self) -> int:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return int(children[0])


@pytest.fixture
def terminal(programs: Path) -> Iterator[Callable[[str], Terminal]]:
    made: list[Terminal] = []

    def make(name: str) -> Terminal:
        made.append(Terminal(programs, name))
        return made[-1]

    yield make
    for one in made:
        os.close(one.fd)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
class TestTerminal:
    def test_it_is_raw_meanwhile_and_restored_after(self, terminal: Callable[[str], Terminal]) -> None:
        person = terminal("cat")
        before = termios.tcgetattr(person.fd)
        person.wait_for(person.raw)
        os.write(person.fd, b"hello\r")
        assert b"hello\r\nhello\r\n" in person.read_until(b"hello\r\nhello"), "the box's terminal echoes"
        os.write(person.fd, b"\x04")
        assert person.status() == 0
        assert termios.tcgetattr(person.fd) == before

    @pytest.mark.parametrize(("key", "signo"), [(b"\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT)])
    def test_keys_are_signals_inside(self, terminal: Callable[[str], Terminal], key: bytes, signo: int) -> None:
        person = terminal("spin")
        person.read_until(b"ready")
        os.write(person.fd, key)
        assert person.status() == 128 + signo
        assert not person.raw()

    @pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT])
    def test_signals_to_the_monitor_go_inside(self, terminal: Callable[[str], Terminal], signo: int) -> None:
        person = terminal("wait")
        person.read_until(b"ready")
        os.kill(person.pid, signo)
        assert person.status() == 128 + signo
        assert not person.raw()

    def test_a_box_that_dies_leaves_the_terminal_well(self, terminal: Callable[[str], Terminal]) -> None:
        person = terminal("wait")
        person.read_until(b"ready")
        os.kill(person.worker(), signal.SIGKILL)
        assert person.status() == 125
        assert b"SIGKILL" in person.said
        assert not person.raw()

    def test_suspending_the_monitor(self, terminal: Callable[[str], Terminal]) -> None:
        person = terminal("cat")
        person.wait_for(person.raw)
        os.kill(person.pid, signal.SIGTSTP)
        assert os.WIFSTOPPED(os.waitpid(person.pid, os.WUNTRACED)[1])
        assert not person.raw()
        os.kill(person.pid, signal.SIGCONT)
        person.wait_for(person.raw)
        os.write(person.fd, b"on\r")
        person.read_until(b"on\r\non")
        os.write(person.fd, b"\x04")
        assert person.status() == 0

    def test_hanging_up(self, terminal: Callable[[str], Terminal]) -> None:
        person = terminal("wait")
        person.read_until(b"ready")
        worker = person.worker()
        os.kill(person.pid, signal.SIGHUP)
        assert person.status() == 128 + signal.SIGHUP
        person.wait_for(lambda: not Path(f"/proc/{worker}").exists())
