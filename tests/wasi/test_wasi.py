# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""WASI programs in a box: alone, as on Linux; and in one pipeline with Linux-ABI programs."""
from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGTERM

import pytest

import skerry
from tests.wasi import programs
from tests.wasi.programs import TIMEOUT_S, Outcome

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

needs_shell = pytest.mark.skipif(not programs.has_shell(), reason="the box has no shell: ports are not built")


@pytest.fixture(scope="module")
def built() -> Path:
    return programs.build_all()


@pytest.fixture(scope="module")
def unix(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[skerry.Unix]:
    host = tmp_path_factory.mktemp("host")
    with skerry.Unix([f"{built}:/wasi:ro", f"{host}:/host"]) as unix:
        yield unix


def run(unix: skerry.Unix, folder: str, name: str, where: str = "/tmp") -> Outcome:
    """Run a program in a fresh folder of the box."""
    cwd = f"{where}/{folder}-{name}"
    (unix.fs / cwd).mkdir()
    (unix.fs / cwd).chmod(0o777)
    done = unix.run(
        [f"/wasi/{folder}/{name}", *programs.arguments(name, cwd)],
        cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=TIMEOUT_S,
    )  # fmt: skip
    assert isinstance(done.stdout, bytes)
    return done.stdout.decode(), done.returncode


def shell(unix: skerry.Unix, script: str, text: str | None = None) -> str:
    """What a shell script says; `$W` is the folder of the programs."""
    done = unix.run(
        script, shell=True, cwd="/tmp", env={"W": "/wasi/pipe"}, capture_output=True, text=True,
        timeout=TIMEOUT_S, input=text,
    )  # fmt: skip
    assert isinstance(done.stdout, str)
    return done.stdout


@pytest.mark.parametrize("name", programs.names("src"))
def test_as_on_linux(name: str, built: Path, unix: skerry.Unix, tmp_path: Path) -> None:
    expected = programs.run_native(built, name, tmp_path)
    assert run(unix, "src", name) == expected


@pytest.mark.parametrize(
    "name",
    ["big_data", "directories", "many_entries", "open_flags", "openat", "positions", "renames", "scandirs", "stdio"],
)
def test_on_files_of_the_host(name: str, built: Path, unix: skerry.Unix, tmp_path: Path) -> None:
    expected = programs.run_native(built, name, tmp_path)
    assert run(unix, "src", name, "/host") == expected


@pytest.mark.parametrize("name", [name for name in programs.names("raw") if name != "raising"])
def test_calls_by_name(name: str, unix: skerry.Unix) -> None:
    assert run(unix, "raw", name) == ("ok\n", 0)


def test_raise_ends_it(unix: skerry.Unix) -> None:
    assert run(unix, "raw", "raising") == ("ok\n", -SIGTERM)


@pytest.mark.skipif(not programs.has_go(), reason="there is no Go compiler")
def test_go(unix: skerry.Unix, tmp_path: Path) -> None:
    expected = programs.run_go(tmp_path)
    (unix.fs / "/tmp/go").mkdir()
    (unix.fs / "/tmp/go").chmod(0o777)
    (unix.fs / "/tmp/go/main").write_bytes((tmp_path / "main.wasm").read_bytes())
    (unix.fs / "/tmp/go/main").chmod(0o755)
    done = unix.run(
        ["/tmp/go/main", "/tmp/go"], cwd="/tmp/go", input=b"one\ntwo\n", stdout=subprocess.PIPE, timeout=TIMEOUT_S
    )
    assert isinstance(done.stdout, bytes)
    assert (done.stdout.decode(), done.returncode) == expected


def test_a_busy_program_can_be_killed(unix: skerry.Unix) -> None:
    process = unix.Popen(["/wasi/pipe/endless", "quietly"])
    time.sleep(0.3)
    assert process.poll() is None
    process.terminate()
    assert process.wait(timeout=10) == -SIGTERM


# --- beside Linux-ABI programs


@needs_shell
def test_pipeline(unix: skerry.Unix) -> None:
    script = "printf 'one\\ntwo\\nthree\\n' | $W/upper 2>/dev/null | sed s/T/t/ | $W/upper 2>count | wc -l; cat count"
    assert shell(unix, script).split() == ["3", "3"]
    assert shell(unix, "echo mixed | sed s/m/M/ | $W/upper 2>/dev/null | sed s/X/x/") == "MIxED\n"


@needs_shell
def test_a_megabyte_goes_through(unix: skerry.Unix) -> None:
    text = "some line of text\n" * 60_000
    assert shell(unix, "cat | $W/upper 2>/dev/null | cat", text) == text.upper()


@needs_shell
def test_exit_status(unix: skerry.Unix) -> None:
    assert shell(unix, "printf 'a\\nb\\n' | $W/upper >/dev/null 2>&1; echo $?") == "2\n"
    assert shell(unix, "$W/upper </dev/null && echo yes") == "yes\n"


@needs_shell
def test_a_closed_pipe_ends_the_writer(unix: skerry.Unix) -> None:
    assert shell(unix, "$W/endless | head -n 2") == "line 0\nline 1\n"
    assert shell(unix, "{ $W/endless; echo $? >status; } | head -n 1 >/dev/null; cat status") == "141\n"


@needs_shell
def test_background_and_kill(unix: skerry.Unix) -> None:
    assert shell(unix, "$W/endless quietly & p=$!; kill -9 $p; wait $p; echo $?") == "137\n"


@needs_shell
def test_passed_descriptors(unix: skerry.Unix) -> None:
    assert shell(unix, "echo through three >three; $W/passed 3<three; echo $?") == "through three\n0\n"


@needs_shell
def test_substitution_and_redirection(unix: skerry.Unix) -> None:
    assert shell(unix, "x=$(echo sub | $W/upper 2>/dev/null); echo \"[$x]\"") == "[SUB]\n"
    assert shell(unix, "echo here >f; $W/upper <f >g 2>/dev/null; cat g") == "HERE\n"
