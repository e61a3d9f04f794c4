# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The Python interface, on a real box: processes, files, servers, threads, asyncio."""
from __future__ import annotations

import asyncio
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import skerry
from skerry.abi.errors import UserError

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def unix() -> Iterator[skerry.Unix]:
    with skerry.Unix() as unix:
        yield unix


def test_run_returns_what_subprocess_would(unix: skerry.Unix) -> None:
    done = unix.run(["sh", "-c", "cat; echo err >&2; exit 3"], input="hello\n", capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (3, "hello\n", "err\n")


def test_a_megabyte_goes_through_a_pipeline(unix: skerry.Unix) -> None:
    data = bytes(range(256)) * 4096
    assert unix.run("cat | cat", shell=True, input=data, capture_output=True).stdout == data


def test_environment_and_folder(unix: skerry.Unix) -> None:
    done = unix.run("echo $NAME; pwd", shell=True, env={"NAME": "value"}, cwd="/tmp", capture_output=True, text=True)
    assert done.stdout == "value\n/tmp\n"


def test_check_raises(unix: skerry.Unix) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        unix.run(["false"], check=True)


def test_a_missing_program_is_file_not_found(unix: skerry.Unix) -> None:
    with pytest.raises(FileNotFoundError):
        unix.run(["no-such-program"])


def test_a_folder_is_no_program(unix: skerry.Unix) -> None:
    with pytest.raises(PermissionError):
        unix.run(["/tmp"])


def test_timeout_kills(unix: skerry.Unix) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        unix.run(["sleep", "60"], timeout=0.2)


def test_a_busy_loop_can_be_terminated(unix: skerry.Unix) -> None:
    process = unix.Popen("while :; do :; done", shell=True)
    time.sleep(0.2)
    assert process.poll() is None
    process.terminate()
    assert process.wait(timeout=10) == -15


def test_system_calls_back(unix: skerry.Unix) -> None:
    parts: list[bytes] = []
    ended = threading.Event()
    codes: list[int] = []

    def end(pid: int, code: int) -> None:
        codes.append(code)
        ended.set()

    unix.system("echo one; echo two; exit 4", end, parts.append)
    assert ended.wait(20)
    assert (b"".join(parts), codes) == (b"one\ntwo\n", [4])


def test_files(unix: skerry.Unix) -> None:
    folder = unix.fs / "tmp" / "new" / "deep"
    folder.mkdir(parents=True)
    file = folder / "a.txt"
    assert file.write_text("text") == 4
    assert unix.run(["cat", str(file)], capture_output=True, text=True).stdout == "text"
    (folder / "link").symlink_to("a.txt")
    assert [path.name for path in folder.iterdir()] == ["a.txt", "link"]
    assert (folder / "link").is_symlink()
    assert (folder / "link").read_text() == "text"
    assert file.stat().st_size == 4
    file.rename("/tmp/b.txt")
    assert not file.exists()
    file.unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        file.read_bytes()
    with pytest.raises(OSError, match="not empty"):
        folder.rmdir()


def test_a_large_file_comes_back_whole(unix: skerry.Unix) -> None:
    data = bytes(range(251)) * 20_000
    file = unix.fs / "tmp" / "large"
    file.write_bytes(data)
    assert file.read_bytes() == data


def test_mounts_show_the_host_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("from the host")
    with skerry.Unix(mounts=[f"{tmp_path}:/work"]) as unix:
        assert (unix.fs / "work" / "in").read_text() == "from the host"
        unix.run("cp in out && ln -s / up", shell=True, cwd="/work", check=True)
        assert not (unix.fs / "work" / "up" / str(tmp_path)[1:]).exists()
    assert (tmp_path / "out").read_text() == "from the host"


def test_after_close_every_call_says_so() -> None:
    unix = skerry.Unix()
    process = unix.Popen(["sleep", "60"])
    unix.close()
    unix.close()
    assert process.wait(timeout=10) == -9
    with pytest.raises(UserError, match="closed"):
        unix.run(["true"])


def test_two_boxes_do_not_see_each_other() -> None:
    with skerry.Unix() as one, skerry.Unix() as other:
        (one.fs / "tmp" / "secret").write_text("x")
        assert not (other.fs / "tmp" / "secret").exists()


def test_asyncio_runs_programs_side_by_side() -> None:
    async def work() -> list[str]:
        async with skerry.AsyncUnix() as unix:
            jobs = [unix.run(["echo", str(n)], capture_output=True, text=True) for n in range(5)]
            return [done.stdout for done in await asyncio.gather(*jobs)]

    assert asyncio.run(work()) == [f"{n}\n" for n in range(5)]
