# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Ports are built once, in order, apart from each other; what is in the cache is checked.

The recipes here need neither sources nor a compiler.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from skerry.abi.errors import UserError
from skerry.toolchain import port, ports, recipe, wasm
from skerry.toolchain.apt import source_addresses

PROGRAM = wasm.MAGIC
"""A module without imports."""


class Folder:
    """Recipes and a cache of their own."""

    def __init__(self, top: Path) -> None:
        self.recipes = top / "ports"
        self.cache = top / "cache"
        self.recipes.mkdir()
        for name in ("prelude.sh", "config.site", "nothread.c"):
            shutil.copy(recipe.PORTS / name, self.recipes / name)
        self.write("base", 'mkdir -p "$DEST/etc" "$DEST/usr/bin"; echo hosts >"$DEST/etc/hosts"')

    def write(self, name: str, build: str, more: str = "") -> None:
        """Write a recipe."""
        folder = self.recipes / name
        folder.mkdir(exist_ok=True)
        (folder / "recipe.toml").write_text(f"summary = 'a port'\n{more}\nbuild = '''\n{build}\n'''\n")

    def program(self, name: str, content: bytes = PROGRAM, more: str = "") -> None:
        """Write a recipe that installs one program."""
        self.write(name, f'printf "%b" "{_octal(content)}" >{name}; program {name}', more)

    def build_folders(self) -> list[Path]:
        """What builds have left behind."""
        return list(self.cache.glob("build-*"))


def _octal(content: bytes) -> str:
    return "".join(f"\\\\0{byte:03o}" for byte in content)


def importing(*names: tuple[str, str]) -> bytes:
    """A module that imports functions of these names."""
    entries = b"".join(
        bytes([len(text)]) + text.encode() if index < 2 else b"\0\0"
        for name in names
        for index, text in enumerate((*name, ""))
    )
    types = b"\x01\x04\x01\x60\0\0"
    return wasm.MAGIC + types + bytes([2, len(entries) + 1, len(names)]) + entries


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    found = Folder(tmp_path)
    monkeypatch.setenv("SKERRY_CACHE", str(found.cache))
    monkeypatch.setattr(recipe, "PORTS", found.recipes)
    monkeypatch.setattr(port, "PORTS", found.recipes)
    return found


def test_a_port_is_built_once_and_merged_into_the_root(folder: Folder) -> None:
    folder.write("one", 'echo made >>"$PORT/../count"; mkdir -p "$DEST/usr/bin"; echo 1 >"$DEST/usr/bin/one"')
    assert ports.build(["one"]) == 0
    assert ports.build(["one"]) == 0
    assert (folder.recipes / "count").read_text() == "made\n"
    assert (folder.cache / "root/usr/bin/one").read_text() == "1\n"
    assert (folder.cache / "root/etc/hosts").exists()
    assert not (folder.cache / "root" / port.MANIFEST).exists()
    assert ports.build(["one"], force=True) == 0
    assert (folder.recipes / "count").read_text() == "made\nmade\n"


def test_the_root_keeps_what_was_built_before(folder: Folder) -> None:
    folder.write("one", 'mkdir -p "$DEST/usr"; echo old >"$DEST/usr/one"')
    folder.program("two")
    assert ports.build(["one"]) == 0
    first = (folder.cache / "root").resolve()
    folder.write("one", 'mkdir -p "$DEST/usr"; echo new >"$DEST/usr/one"')
    assert ports.build(["two"]) == 0
    assert (folder.cache / "root/usr/bin/two").exists()
    assert (folder.cache / "root/usr/one").read_text() == "old\n"
    assert first.is_dir()  # a box may be using it
    assert ports.build(["one"]) == 0
    assert (folder.cache / "root/usr/one").read_text() == "new\n"


def test_a_change_of_what_is_needed_builds_anew(folder: Folder) -> None:
    folder.write("library", 'echo 1 >"$DEST/header"', "library = true")
    folder.write("one", 'mkdir -p "$DEST/usr"; cp "$NEED_library/header" "$DEST/usr/"', 'needs = ["library"]')
    assert ports.build(["one"]) == 0
    folder.write("library", 'echo 2 >"$DEST/header"', "library = true")
    assert ports.build(["one"]) == 0
    assert (folder.cache / "root/usr/header").read_text() == "2\n"
    assert not (folder.cache / "root/header").exists()  # a library is no part of the root


def test_one_failure_does_not_keep_the_others(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.write("bad", "echo the reason; false")
    folder.write("above", "true", 'needs = ["bad"]')
    folder.program("good")
    assert ports.build(jobs=2) == 1
    assert (folder.cache / "root/usr/bin/good").exists()
    said = capsys.readouterr().err
    assert "building bad failed; the log is" in said and "the reason" in said
    assert "above needs bad" in said and "not built: above, bad" in said
    assert not folder.build_folders()


def test_a_missing_command_is_named(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.write("one", "true", 'native = ["no-such-command"]')
    assert ports.build(["one"]) == 1
    assert "one is built with no-such-command; `make setup`" in capsys.readouterr().err


def test_two_ports_with_one_file_are_refused(folder: Folder) -> None:
    folder.program("one")
    folder.write("two", 'mkdir -p "$DEST/usr/bin"; echo other >"$DEST/usr/bin/one"')
    with pytest.raises(UserError, match="both have usr/bin/one"):
        ports.build()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (importing(("linux", "openat"), ("skerry", "start")), ""),
        (importing(("linux", "fork")), ""),
        (importing(("linux", "reboot_now")), "usr/bin/one imports linux.reboot_now"),
        (importing(("linux", "mmap2")), "usr/bin/one imports linux.mmap2"),
        (importing(("env", "longjmp")), "usr/bin/one imports env.longjmp"),
        (b"#!/bin/bash\n", "usr/bin/one is a script of /bin/bash"),
        (b"#!/bin/sh\n", ""),
    ],
)
def test_what_no_box_can_run_is_not_a_port(
    folder: Folder, capsys: pytest.CaptureFixture[str], content: bytes, problem: str
) -> None:
    folder.program("one", content)
    assert ports.build(["one"]) == bool(problem)
    assert problem in capsys.readouterr().err


def test_verify_finds_what_was_changed(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.program("one")
    folder.program("two")
    assert ports.build(["one"]) == 0
    assert ports.verify() == 0
    assert ports.verify(["two"]) == 1
    assert "two: not built" in capsys.readouterr().out
    place = ports.places(recipe.order(["one"]))["one"]
    (place / "usr/bin/one").write_bytes(importing(("linux", "unknown")))
    (place / "usr/bin/more").write_bytes(b"")
    assert ports.verify() == 1
    said = capsys.readouterr().out
    assert "one: usr/bin/one was changed" in said
    assert "one: usr/bin/more is not of this build" in said
    assert "one: usr/bin/one imports linux.unknown" in said
    (place / "usr/bin/one").unlink()
    assert ports.verify(["one"]) == 1
    assert "one: usr/bin/one is missing" in capsys.readouterr().out


def test_the_table_says_what_is_built(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.write("one", 'echo x >one; program one; alias_of one uno eins')
    folder.program("two")
    assert ports.build(["one"]) == 0
    folder.write("base", "true")
    capsys.readouterr()
    assert ports.show() == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["NAME", "VERSION", "STATE", "PROGRAMS"]
    assert [line[:3] for line in lines[1:]] == [["base", "-", "stale"], ["one", "-", "built"], ["two", "-", "missing"]]
    assert lines[2][3:] == ["eins", "one", "uno"]


def test_an_unknown_name_is_refused_before_anything_is_built(folder: Folder) -> None:
    folder.write("one", 'touch "$PORT/../built"')
    with pytest.raises(UserError, match="no port 'none'"):
        ports.build(["one", "none"])
    assert not (folder.recipes / "built").exists()


@pytest.mark.parametrize("number", ["INT", "TERM"])
def test_a_signal_ends_the_builds(folder: Folder, number: str) -> None:
    folder.write("one", 'echo $$ >"$PORT/../pid"; sleep 60 & echo $! >>"$PORT/../pid"; wait')
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from pathlib import Path; from skerry.toolchain import port, ports, recipe\n"
        f"port.PORTS = recipe.PORTS = Path({str(folder.recipes)!r}); ports.build(['one'])"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    pids: list[int] = []
    deadline = time.monotonic() + 30
    while len(pids) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
        if (folder.recipes / "pid").exists():
            pids = [int(text) for text in (folder.recipes / "pid").read_text().split()]
    child.send_signal(getattr(__import__("signal"), f"SIG{number}"))
    _, said = child.communicate(timeout=30)
    assert b"KeyboardInterrupt" in said
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            _wait_gone(pid)
    assert not folder.build_folders()


def _wait_gone(pid: int) -> None:
    """Raise ProcessLookupError once the process is gone (init may take a moment to reap it)."""
    for _ in range(100):
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:
            if file.read().rpartition(")")[2].split()[0] == "Z":
                raise ProcessLookupError
        time.sleep(0.05)


def test_a_tarball_is_found_though_the_index_names_another_version() -> None:
    listing = "'http://m.test/pool/s/sed/sed_4.9.orig.tar.xz' sed_4.9.orig.tar.xz 1 SHA256:0\n"
    assert source_addresses(listing, "sed_4.9.orig.tar.xz") == ["http://m.test/pool/s/sed/sed_4.9.orig.tar.xz"]
    assert source_addresses(listing, "sed_4.8+x.orig.tar.xz") == ["http://m.test/pool/s/sed/sed_4.8%2Bx.orig.tar.xz"]
    assert source_addresses("Reading package lists...\n", "a") == []
