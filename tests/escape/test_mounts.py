# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""G3: a program reaches what is mounted and nothing beside it; a read-only mount stays as it is.

Every way out is tried with a secret right beside the mount, which the same line reads when it is run
on the host (so the way is a real one).
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import skerry

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SECRET = "the secret beside the mount"


class Place:
    """A folder with a secret in it, and a mounted folder beside the secret."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secret = folder / "secret"
        self.secret.write_text(SECRET)
        self.top = folder / "mounted"
        (self.top / "sub").mkdir(parents=True)
        (self.top / "file").write_text("inside")
        self.before = self.outside()

    def outside(self) -> list[tuple[str, bytes]]:
        """Everything beside the mount."""
        return sorted((path.name, path.read_bytes()) for path in self.folder.iterdir() if path.is_file())

    def tree(self) -> list[tuple[str, int, int, bytes]]:
        """Everything in the mount, with modes and times."""
        found = []
        for path in sorted(self.top.rglob("*")):
            status = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            found.append((str(path.relative_to(self.top)), status.st_mode, status.st_mtime_ns, content))
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def unix(place: Place) -> Iterator[skerry.Unix]:
    with skerry.Unix(mounts=[f"{place.top}:/w", f"{place.top}:/ro:ro"], log=lambda line: None) as unix:
        yield unix


def on_the_host(line: str, cwd: Path) -> str:
    done = subprocess.run(["sh", "-c", line], cwd=cwd, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout


def in_the_box(unix: skerry.Unix, line: str, cwd: str = "/w") -> str:
    done = unix.run(line, shell=True, cwd=cwd, capture_output=True, text=True, timeout=60)
    return str(done.stdout)


WAYS_TO_READ = {
    "dots": "cat ../secret",
    "many dots": "cat sub/../../secret",
    "a link": "ln -sf ../secret link && cat link",
    "an absolute link": "ln -sf {secret} link && cat link",
    "a link to a folder": "ln -sfn .. up && cat up/secret",
    "a chain of links": "ln -sfn .. a; ln -sfn a b; ln -sfn b/secret c; cat c",
    "a link through proc": "ln -sfn /proc/self/cwd/.. p; cat p/secret",
    "descriptor of a folder": "cd sub && cat ../../secret",
    "a hard link to the outside": "ln -f ../secret hard && cat hard",
    "a link that comes with a rename": "mkdir -p m/n; ln -sfn ../../../secret m/n/l; mv m/n/l sub/l; "
    "ln -sfn ../../secret sub/l; cat sub/l",
    "a folder moved away below its user": "mkdir -p deep/er; cd deep/er; mv ../../deep/er ../../gone; "
    "cat ../secret ../../secret",
    "its name on the host": "cat {secret}",
    "the root of a process": "cat /proc/self/root{secret}",
}


@pytest.mark.parametrize("way", WAYS_TO_READ)
def test_no_way_leads_to_the_secret(way: str, place: Place, unix: skerry.Unix) -> None:
    line = WAYS_TO_READ[way].format(secret=place.secret)
    assert SECRET not in in_the_box(unix, line)
    for path in [path for path in place.top.iterdir() if path.is_symlink()]:
        assert SECRET not in in_the_box(unix, f"cat {path.name}", "/ro")
    subprocess.run(["find", ".", "-mindepth", "1", "-delete"], cwd=place.top, check=True)
    (place.top / "sub").mkdir()
    assert SECRET in on_the_host(line, place.top), "the way leads nowhere on the host either"


def test_links_the_host_laid_lead_nowhere_either(place: Place, unix: skerry.Unix) -> None:
    (place.top / "out").symlink_to("../secret")
    (place.top / "up").symlink_to("..")
    (place.top / "abs").symlink_to(place.secret)
    line = "cat out up/secret abs; ls up/; echo x >>out; echo x >up/secret; echo x >up/new; cp file abs"
    assert SECRET not in in_the_box(unix, line)
    assert place.outside() == place.before
    assert SECRET in on_the_host("cat out", place.top)


WAYS_TO_WRITE = (
    "echo x >../secret", "echo x >../new", "mv file ../new", "rm -f ../secret", "ln -s secret ../new",
    "mkdir ../new", "mv ../secret stolen", "chmod 000 ../secret", "touch ../secret ../new", "truncate -s 0 ../secret",
    "ln -sfn .. up; echo x >up/new; mv file up/new; rm -f up/secret",
)  # fmt: skip


def test_nothing_beside_a_mount_changes(place: Place, unix: skerry.Unix) -> None:
    for line in WAYS_TO_WRITE:
        in_the_box(unix, line)
        assert place.outside() == place.before, line
    assert stat_mode(place.secret) == 0o644 & ~umask()
    (place.top / "file").write_text("again")
    on_the_host("mv file ../new", place.top)
    assert place.outside() != place.before


def umask() -> int:
    old = os.umask(0)
    os.umask(old)
    return old


def stat_mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


WAYS_TO_CHANGE = (
    "echo x >file", "echo x >>file", "echo x >new", "rm -f file", "mv file other", "mv sub other", "rmdir sub",
    "mkdir new", "ln -s a new", "ln file new", "chmod 777 file", "chmod 777 .", "touch file", "touch -d @0 file sub",
    "truncate -s 0 file", "mkfifo new", "cp /bin/true new", "mv /tmp/x new", "dd if=/dev/zero of=file count=1",
    "exec 3<>file && echo x >&3", "exec 3<file && echo x >/proc/self/fd/3", "sed -i s/inside/x/ file",
    "ln -s /ro/file /tmp/l && echo x >/tmp/l", "cp -a file /tmp/c && mv /tmp/c file", "ln /ro/file /w/hard",
)  # fmt: skip


def test_a_read_only_mount_cannot_be_changed(place: Place, unix: skerry.Unix) -> None:
    before = place.tree()
    in_the_box(unix, "echo x >/tmp/x")
    for line in WAYS_TO_CHANGE:
        in_the_box(unix, line, "/ro")
        assert place.tree() == before, line
    assert in_the_box(unix, "cat file", "/ro") == "inside"


def test_the_same_changes_work_where_they_are_allowed(place: Place, unix: skerry.Unix) -> None:
    for line in ("echo x >file", "mkdir new", "mv file other", "chmod 777 other", "ln -s a link"):
        before = place.tree()
        in_the_box(unix, line, "/w")
        assert place.tree() != before, line


def test_a_mounted_file_brings_nothing_beside_it(place: Place) -> None:
    with skerry.Unix(mounts=[f"{place.top}/file:/x/file:ro"]) as unix:
        assert in_the_box(unix, "cat /x/file; ls /x", "/") == "insidefile\n"
        line = "cat /x/../secret /x/sub; mv /x/file /tmp/f; rm -f /x/file; echo x >/x/file; echo x >/x/new; ls /x"
        assert in_the_box(unix, line, "/") == "file\n"
    assert (place.top / "file").read_text() == "inside" and not (place.top / "new").exists()


def test_a_folder_that_turns_into_a_link_all_the_time(place: Place, unix: skerry.Unix) -> None:
    """The host (or another box) swaps a folder for a link to the outside while a program walks."""
    (place.top / "real").mkdir()
    (place.top / "real" / "secret").write_text("harmless")
    stop = threading.Event()

    def swap() -> None:
        real, link, flip = (str(place.top / name) for name in ("real", "link", "flip"))
        while not stop.is_set():
            os.rename(real, flip)
            os.symlink("..", link)
            os.rename(link, flip + "2")
            os.unlink(flip + "2")
            os.symlink("..", real)
            os.unlink(real)
            os.rename(flip, real)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        line = "for i in $(seq 150); do cat real/secret; echo x >real/secret2; done 2>/dev/null"
        out = in_the_box(unix, line)
    finally:
        stop.set()
        thread.join()
    assert SECRET not in out
    assert place.outside() == place.before
