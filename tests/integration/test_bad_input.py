# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""G2, G10: bad programs, closed outputs, signals and sudden deaths end in a clear message and leave nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

import skerry as skerry_package

from .boxes import SKERRY, alive, children, compile_c, eventually, shell, skerry

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'
ENOEXEC = 126


def section(number: int, *items: bytes) -> bytes:
    body = bytes([len(items)]) + b"".join(items)
    return bytes([number, len(body)]) + body


def name(text: bytes) -> bytes:
    return bytes([len(text)]) + text


def module(imports: list[tuple[bytes, bytes]], arity: int = 1, memory: bytes | None = b"\0\1") -> bytes:
    """A module whose `_start` does nothing, with imports of functions of `arity` words."""
    kind = b"\x60" + bytes([arity]) + b"\x7f" * arity + b"\1\x7f"
    wanted = [name(one) + name(two) + b"\0\0" for one, two in imports]
    exported = name(b"_start") + b"\0" + bytes([len(imports)])
    exports = [exported, *([name(b"memory") + b"\2\0"] if memory else [])]
    return b"".join((
        b"\0asm\1\0\0\0", section(1, kind, b"\x60\0\0"), section(2, *wanted), section(3, b"\1"),
        section(5, memory) if memory else b"", section(7, *exports), section(10, b"\2\0\x0b"),
    ))  # fmt: skip


@pytest.fixture(scope="module")
def hello(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compile_c(HELLO, tmp_path_factory.mktemp("hello") / "hello").read_bytes()


def program(folder: Path, content: bytes) -> str:
    path = folder / "program"
    path.write_bytes(content)
    path.chmod(0o755)
    return str(path)


# --- what is no program


def test_a_missing_program() -> None:
    for word in ("no-such-program", "./no-such-program"):
        done = skerry("run", word)
        assert done.returncode == 127 and word in done.stderr and "not found" in done.stderr


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", ENOEXEC), (b"text without a first line\n", ENOEXEC), (b"#!", ENOEXEC), (b"#! \n", ENOEXEC),
        (b"\0asm", ENOEXEC), (b"\0asm\2\0\0\0", ENOEXEC), (b"\0asm\1\0\0\0", ENOEXEC), (b"#!/no/such\n", 127),
        (bytes(range(255, 0, -1)), ENOEXEC), (b"\x7fELF" + bytes(100), ENOEXEC),
        (b"\0asm\1\0\0\0\1" + b"\xff" * 2_000_000, ENOEXEC),
    ],
    ids=range(11),
)  # fmt: skip
def test_a_file_that_is_no_program(content: bytes, status: int, tmp_path: Path) -> None:
    begin = time.monotonic()
    done = skerry("run", program(tmp_path, content))
    assert done.returncode == status
    assert "program" in done.stderr and "internal error" not in done.stderr
    assert time.monotonic() - begin < 15


def test_a_folder(tmp_path: Path) -> None:
    done = skerry("run", str(tmp_path))
    assert done.returncode == ENOEXEC and "folder" in done.stderr


def test_scripts_that_interpret_each_other(tmp_path: Path) -> None:
    program(tmp_path, b"#!/w/program\n")
    done = shell("/w/program; echo $?; echo alive", "--mount", f"{tmp_path}:/w")
    assert done.stdout.split()[-1] == "alive" and done.stdout.split()[0] in ("126", "127")


# --- broken modules


def test_the_untouched_module_runs(hello: bytes, tmp_path: Path) -> None:
    assert skerry("run", program(tmp_path, hello)).stdout == "hello\n"
    assert skerry("run", program(tmp_path, module([(b"linux", b"sync")], arity=0))).returncode == 0


def test_broken_modules_are_refused_and_the_box_lives(hello: bytes) -> None:
    """Cut at many places, and with bits turned: refused, or it runs and harms only itself."""
    pick = random.Random(2)
    cuts = [hello[: len(hello) * n // 12] for n in range(12)] + [hello[:-1], hello[: len(hello) // 2 + 1]]
    flips = []
    for _ in range(24):
        broken = bytearray(hello)
        broken[pick.randrange(8, min(len(broken), pick.choice((300, 3000, len(broken)))))] ^= 1 << pick.randrange(8)
        flips.append(bytes(broken))
    said: list[str] = []
    with skerry_package.Unix(log=said.append) as unix:
        for number, content in enumerate(cuts + flips):
            file = unix.fs / "tmp" / "broken"
            file.write_bytes(content)
            file.chmod(0o755)
            before = len(said)
            try:
                done = unix.run([str(file)], capture_output=True, timeout=20)
            except subprocess.TimeoutExpired:
                assert number >= len(cuts)  # a turned bit may make an endless loop
            except OSError:
                assert number >= len(cuts) or len(content) < 4 or len(said) > before, "no word about why"
            else:
                assert number >= len(cuts), f"{len(content)} of {len(hello)} bytes ran: {done}"
            assert unix.run(["echo", "alive"], capture_output=True, text=True).stdout == "alive\n"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (module([(b"linux", b"format_disk")]), "linux.format_disk"),
        (module([(b"env", b"system")]), "env.system"),
        (module([(b"wasi_snapshot_preview1", b"sock_steal")]), "wasi_snapshot_preview1.sock_steal"),
        (module([(b"skerry", b"escape")]), "skerry.escape"),
        (module([(b"linux", b"getpid")], arity=5), "linux.getpid"),
        (module([], memory=None), "memory"),
        (module([], memory=b"\0\xff\xff\xff\x0f"), ""),
        (module([], memory=b"\4\1"), ""),
    ],
    ids=["unknown call", "unknown module", "unknown wasi", "unknown skerry", "wrong signature", "no memory",
         "too much memory", "64-bit memory"],
)  # fmt: skip
def test_a_module_that_wants_too_much_is_refused_by_name(content: bytes, word: str, tmp_path: Path) -> None:
    done = skerry("run", program(tmp_path, content))
    assert done.returncode == ENOEXEC, (done.returncode, done.stderr)
    assert word in done.stderr and "program" in done.stderr
    assert "internal error" not in done.stderr


# --- outputs


def test_a_reader_that_leaves_ends_the_writer() -> None:
    line = " ".join(SKERRY) + ' run yes | head -1; echo "${PIPESTATUS[0]}"'
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "y\n141\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("words", [["echo", "text"], ["seq", "100000"]])
def test_a_full_output_is_no_success(words: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*SKERRY, "run", *words], stdout=full, stderr=subprocess.PIPE, timeout=30, check=False)
    assert done.returncode != 0 and b"No space left" in done.stderr


def test_closed_descriptors() -> None:
    for close in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        line = " ".join(SKERRY) + f" run true {close}"
        assert subprocess.run(["sh", "-c", line], timeout=30, check=False).returncode == 0


# --- sudden deaths


def start() -> subprocess.Popen[str]:
    """A box with a shell that has said "ready"."""
    line = "trap 'echo got TERM; exit 3' TERM; trap 'echo got HUP; exit 4' HUP; echo ready; while :; do sleep 1; done"
    process = subprocess.Popen(
        [*SKERRY, "sh", "-c", line], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def worker_of(process: subprocess.Popen[str]) -> int:
    (worker,) = [pid for pid in children(process.pid) if alive(pid)]
    return worker


def test_nothing_remains_when_the_monitor_is_killed() -> None:
    with start() as process:
        worker = worker_of(process)
        assert alive(worker)
        process.kill()
        process.wait()
        assert eventually(lambda: not alive(worker), 1), "the worker outlives its monitor by more than a second"


def test_a_stopped_worker_dies_with_its_monitor_too() -> None:
    with start() as process:
        worker = worker_of(process)
        os.kill(worker, signal.SIGSTOP)
        process.kill()
        process.wait()
        assert eventually(lambda: not alive(worker), 1)


def test_a_killed_worker_is_reported() -> None:
    with start() as process:
        os.kill(worker_of(process), signal.SIGKILL)
        _, complaint = process.communicate(timeout=10)
        assert process.returncode == 125
        assert "killed by SIGKILL" in complaint and "Traceback" not in complaint


def test_readers_of_a_box_that_died_see_the_end() -> None:
    with skerry_package.Unix() as unix:
        worker = unix._owner.call(lambda box: box._worker.pid)
        with unix.Popen(["sh", "-c", "echo ready; sleep 60"], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            os.kill(worker, signal.SIGKILL)
            assert process.wait(timeout=10) == -9
            assert process.stdout.read() == ""


@pytest.mark.parametrize(
    ("signo", "status", "said"),
    [(signal.SIGTERM, 3, "got TERM\n"), (signal.SIGHUP, 4, "got HUP\n"), (signal.SIGINT, 130, "")],
)
def test_signals_reach_the_program(signo: int, status: int, said: str) -> None:
    with start() as process:
        worker = worker_of(process)
        process.send_signal(signo)
        out, complaint = process.communicate(timeout=10)
        assert (process.returncode, out) == (status, said)
        assert "skerry" not in complaint
        assert not alive(worker)
