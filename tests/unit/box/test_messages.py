# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""G9: whatever a worker sends, the monitor ends the box or goes on; it never fails itself.

Each kind of message is sent to a real `Box` whose worker is a socket of ours: as it should be, cut,
with bytes turned, with huge sizes, with numbers out of range, too often, unasked.
"""

from __future__ import annotations

import os
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from skerry.abi import hostfs, hostnet
from skerry.abi.errors import ProtocolError
from skerry.box import lifecycle, wire
from skerry.box import messages as m
from skerry.box.config import BoxConfig, Mount
from skerry.box.endpoints import WINDOW
from skerry.box.lifecycle import CONSOLE_MAX, Box, BoxFailed
from skerry.kernel import commands as c

NUMBERS = (0, 1, 2, 3, -1, 5, 7, 255, 65536, -65536, 1 << 31, (1 << 63) - 1, -(1 << 63))
NAMES = (b"", b"file", b"..", b".", b"/etc", b"a/b", b"n" * 255, b"n" * 256, b"\0", b"\xff", b"link", b"sub")
TEXTS = ("", "text", "\udcff", "x" * 900)


class FakeWorker:
    """A worker that is this test."""

    def __init__(self, module: str) -> None:
        self.socket, self.far = socket.socketpair()
        self.pid = 0
        self.killed = False

    def kill(self) -> None:
        self.killed = True

    def wait(self) -> int:
        return 9

    def read_complaints(self) -> str:
        return ""

    def close(self) -> None:
        self.socket.close()
        self.far.close()


class FakeCodes:
    """Nothing is compiled here."""

    def __init__(self, loop: object) -> None:
        self.compiled = 0

    def find(self, digest: bytes) -> bytes | None:
        return None

    def compile(self, wasm: bytes, digest: bytes, done: Callable[[bytes, str], None]) -> None:
        self.compiled += 1
        done(b"", "not here")

    def close(self) -> None:
        pass


class Scene:
    """A box with one mount beside a secret, and its worker's end of the line."""

    def __init__(self, box: Box, worker: FakeWorker) -> None:
        self.box, self.worker = box, worker
        self.null = os.open(os.devnull, os.O_RDWR)
        box.source(self.null)  # stream 1
        box.sink(self.null)  # stream 2

    def hear(self, data: bytes) -> str:
        """Let the worker say `data`; returns why the box was ended, or "" when it goes on."""
        self.worker.far.settimeout(5)
        try:
            while data:
                part, data = data[:65536], data[65536:]
                self.worker.far.sendall(part)
                self.box._readable()
                self._drain()
            for _ in range(3):
                self.box.step(0)
        except BoxFailed as failed:
            return str(failed)
        return ""

    def close(self) -> None:
        self.box.close()
        os.close(self.null)

    def _drain(self) -> None:
        self.worker.far.setblocking(False)
        try:
            while self.worker.far.recv(1 << 20):
                pass
        except BlockingIOError:
            pass
        self.worker.far.settimeout(5)


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[], Scene]]:
    scenes: list[Scene] = []
    workers: list[FakeWorker] = []

    def worker(module: str) -> FakeWorker:
        workers.append(FakeWorker(module))
        return workers[-1]

    monkeypatch.setattr(lifecycle, "Worker", worker)
    monkeypatch.setattr(lifecycle, "CodeCache", FakeCodes)
    (tmp_path / "secret").write_text("secret")
    top = tmp_path / "mounted"
    (top / "sub").mkdir(parents=True)
    (top / "file").write_text("text")
    (top / "link").symlink_to("../secret")
    config = BoxConfig(
        argv=(), env=(), cwd="/", mounts=(Mount(str(top), "/w", False), Mount(str(top), "/ro", True)), root=None,
        strace=False, time=False, memory_bytes=None, tty=False,
    )  # fmt: skip

    def scene() -> Scene:
        for old in scenes:
            old.close()
        scenes.clear()
        scenes.append(Scene(Box(config, lambda text: None), workers[-1]))
        return scenes[-1]

    yield scene
    for one in scenes:
        one.close()
    assert (tmp_path / "secret").read_text() == "secret"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mounted", "secret"]


def value(annotation: str, pick: random.Random) -> Any:
    """Something of a field's type."""
    match annotation:
        case "int":
            return pick.choice(NUMBERS)
        case "bool":
            return pick.random() < 0.5
        case "bytes":
            return pick.choice((b"", b"data", bytes(32), pick.randbytes(500)))
        case "str":
            return pick.choice(TEXTS)
        case "int | None":
            return pick.choice((None, *NUMBERS))
        case "Path" | "tuple[bytes, ...]":
            return tuple(pick.choice(NAMES) for _ in range(pick.randrange(4)))
        case "tuple[Stat, ...]":
            return tuple(message(hostfs.Stat, pick) for _ in range(pick.randrange(3)))
        case "tuple[Entry, ...]":
            return tuple(message(hostfs.Entry, pick) for _ in range(pick.randrange(3)))
        case "Stat":
            return message(hostfs.Stat, pick)
        case "hostfs.Reply" | "hostfs.Request | hostnet.Connect | hostnet.Resolve":
            return message(m.PAYLOADS[pick.choice(sorted(m.PAYLOADS))], pick)
    raise AssertionError(f"no value for {annotation}")


def message(kind: Any, pick: random.Random) -> Any:
    """A message of a kind with hostile contents."""
    return kind(*(value(annotation, pick) for _, annotation in kind.FIELDS))


@pytest.mark.parametrize("number", sorted(m.TO_MONITOR), ids=lambda number: m.TO_MONITOR[number][0].__name__)
def test_hostile_contents(number: int, make: Callable[[], Scene]) -> None:
    pick = random.Random(number)
    scene = make()
    for _ in range(400):
        if scene.hear(wire.encode(message(m.TO_MONITOR[number][0], pick))):
            scene = make()


@pytest.mark.parametrize("number", sorted(m.TO_MONITOR), ids=lambda number: m.TO_MONITOR[number][0].__name__)
def test_cut_turned_and_swollen_messages(number: int, make: Callable[[], Scene]) -> None:
    pick = random.Random(number)
    for _ in range(40):
        frame = bytearray(wire.encode(message(m.TO_MONITOR[number][0], pick)))
        for _ in range(pick.randrange(1, 4)):
            how = pick.randrange(4)
            at = pick.randrange(len(frame))
            if how == 0:
                frame[at] ^= 1 << pick.randrange(8)
            elif how == 1 and len(frame) > 10:
                struct.pack_into("<I", frame, min(at, len(frame) - 4), pick.choice((0xFFFFFFFF, 1 << 31, 1 << 16, 0)))
            elif how == 2:
                del frame[at + 1 :]
            else:
                frame += pick.randbytes(9)
        make().hear(bytes(frame) + wire.encode(m.Sealed(True, "")))


@pytest.mark.parametrize("number", [*range(64), *range(78, 100), 0xFFFF])
def test_numbers_of_no_message_end_the_box(number: int, make: Callable[[], Scene]) -> None:
    assert "unknown message" in make().hear(wire.HEADER.pack(4, number) + b"1234")


def test_a_size_over_the_limit_ends_the_box_before_it_is_read(make: Callable[[], Scene]) -> None:
    for number, (_, limit) in m.TO_MONITOR.items():
        assert "limit" in make().hear(wire.HEADER.pack(limit + 1, number))
        assert "limit" in make().hear(wire.HEADER.pack(0xFFFFFFFF, number))


def test_a_tuple_of_four_billion_names_is_refused_at_once(make: Callable[[], Scene]) -> None:
    request = struct.pack("<qHqI", 1, hostfs.Walk.code, 1, 0xFFFFFFFF)
    begin = time.monotonic()
    assert "malformed" in make().hear(wire.HEADER.pack(len(request), 71) + request)
    assert time.monotonic() - begin < 1


def test_what_was_not_granted_ends_the_box(make: Callable[[], Scene]) -> None:
    for untrusted in (
        [c.StreamOutput(2, b"x" * 65536)] * (WINDOW // 65536 + 2),
        [c.StreamTaken(1, WINDOW * 2)],
        [c.ConsoleOutput(b"x" * 65536)] * (CONSOLE_MAX // 65536 + 1),
        [c.Connected(1, 0)],
        [m.Wasm(1, b"name", b"code")],
        [m.CodeWanted(1, b"short", False)],
    ):
        scene = make()
        scene.box.console = lambda data: None
        frames: list[Any] = list(untrusted)
        assert any(scene.hear(wire.encode(one)) for one in frames), frames[0]


def test_a_crash_is_told_as_text(make: Callable[[], Scene]) -> None:
    assert "internal error" in make().hear(wire.encode(m.Crashed("Traceback\x1b[2J")))


@pytest.mark.parametrize("path", [(b"..", b"secret"), (b"sub", b"..", b"..", b"secret"), (b"../secret",), (b"/etc",)])
def test_a_path_that_climbs_ends_the_box(path: tuple[bytes, ...], make: Callable[[], Scene]) -> None:
    assert make().hear(wire.encode(m.Asked(1, hostfs.Open(1, path, 1, 0, 100))))
    assert not make().hear(wire.encode(m.Asked(1, hostfs.Open(1, (b"file",), 1, 0, 100))))  # as it should be


def test_connections_are_refused(make: Callable[[], Scene]) -> None:
    """No grant exists yet: the monitor opens no socket for a box."""
    scene = make()
    before = len(os.listdir("/proc/self/fd"))
    scene.worker.far.sendall(wire.encode(m.Asked(7, hostnet.Connect(b"\x7f\0\0\1", 80, True))))
    scene.worker.far.recv(65536)  # Boot
    scene.box._readable()
    (answer,) = wire.Frames(m.TO_WORKER).feed(scene.worker.far.recv(65536))
    assert answer == m.Answered(7, hostfs.Failed(13))
    assert len(os.listdir("/proc/self/fd")) == before


def test_garbage(make: Callable[[], Scene]) -> None:
    pick = random.Random(9)
    ended = sum(bool(make().hear(pick.randbytes(pick.randrange(6, 2000)))) for _ in range(100))
    assert ended > 90  # the rest waits for a message that would be allowed


def test_the_table_is_what_is_fuzzed() -> None:
    with pytest.raises(ProtocolError):
        wire.Frames(m.TO_MONITOR).header(wire.HEADER.pack(0, 1))
