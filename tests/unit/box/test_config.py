# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The words of a command line become the parts of a box, or one clear refusal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.abi.errors import UserError
from skerry.box.config import (
    Mount,
    check_mounts,
    normal_path,
    parse_cwd,
    parse_env,
    parse_mount,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "mount"),
    [
        (".:/mnt", Mount(".", "/mnt", read_only=False)),
        (".:/mnt:ro", Mount(".", "/mnt", read_only=True)),
        ("/a/b:/c/:rw", Mount("/a/b", "/c", read_only=False)),
        ("/a:/b/../c//d/.", Mount("/a", "/c/d", read_only=False)),
        ("/odd:name:/x", Mount("/odd:name", "/x", read_only=False)),
        (r"C:\tools:/tools:ro", Mount(r"C:\tools", "/tools", read_only=True)),
        ("ro:/ro", Mount("ro", "/ro", read_only=False)),
    ],
)
def test_mount(text: str, mount: Mount) -> None:
    assert parse_mount(text) == mount


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "want HOST:GUEST"),
        ("x", "want HOST:GUEST"),
        (":/x", "want HOST:GUEST"),
        ("x:", "want HOST:GUEST"),
        ("x:ro", "want HOST:GUEST"),
        ("x:y", "must be absolute, as in x:/y"),
        ("x:/y:wo", "must be absolute"),
        ("x:/y\0z", "NUL byte"),
    ],
)
def test_mount_refused(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        parse_mount(text)
    assert caught.value.exit_code == 2


def test_two_mounts_at_one_place_are_refused() -> None:
    with pytest.raises(UserError, match="b:/x: a is already mounted there"):
        check_mounts((Mount("a", "/x", read_only=True), Mount("b", "/x", read_only=True)))


def test_the_root_of_the_box_cannot_be_replaced() -> None:
    with pytest.raises(UserError, match="cannot be replaced"):
        check_mounts((parse_mount("/:/..:ro"),))


@pytest.mark.parametrize(
    ("text", "pair"),
    [("A=1", ("A", "1")), ("A=", ("A", "")), ("A=b=c", ("A", "b=c")), ("a b=c d", ("a b", "c d"))],
)
def test_env(text: str, pair: tuple[str, str]) -> None:
    assert parse_env(text) == pair


@pytest.mark.parametrize("text", ["", "A", "=1", "A=\0"])
def test_env_refused(text: str) -> None:
    with pytest.raises(UserError, match="environment"):
        parse_env(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1048576", 1 << 20),
        ("1024K", 1 << 20),
        ("512M", 512 << 20),
        ("512m", 512 << 20),
        ("512MB", 512 << 20),
        ("512MiB", 512 << 20),
        ("2G", 2 << 30),
        ("1.5G", 3 << 29),
    ],
)
def test_size(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "M", "-5M", "5", "1e9", "1.M", ".5G", "1.5", "512X", "1T", "9999G", "٣M", "1_000K"]
)
def test_size_refused(text: str) -> None:
    with pytest.raises(UserError, match="size") as caught:
        parse_size(text)
    assert caught.value.exit_code == 2


def test_cwd() -> None:
    assert parse_cwd("/a//b/") == "/a/b"
    with pytest.raises(UserError, match="want an absolute path inside the box"):
        parse_cwd("a")


@given(st.text())
def test_a_normal_path_stays_inside_and_is_stable(path: str) -> None:
    normal = normal_path(path)
    assert normal.startswith("/")
    assert not normal.startswith("//")
    assert ".." not in normal.split("/")
    assert normal_path(normal) == normal


@given(st.text())
def test_any_words_are_a_mount_or_a_user_error(text: str) -> None:
    try:
        mount = parse_mount(text)
    except UserError:
        return
    assert mount.host
    assert mount.guest.startswith("/")
