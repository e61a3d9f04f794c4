# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What a box is given: program, environment, mounts, limits. Nothing that is not here.

A `BoxConfig` is plain, frozen and printable; `skerry.box.run` is the one that acts on it.
The functions below turn the words of a command line into its parts.

Units:  sizes are bytes.
Errors: UserError (exit code 2) that says what was wrong and what is right.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from skerry.abi.errors import EXIT_USAGE, UserError

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
MEMORY_MINIMUM = 1 << 20  # below this not even a shell starts
MEMORY_MAXIMUM = 1 << 40  # a terabyte: a slip of the keyboard, not a limit


@dataclass(frozen=True, slots=True)
class Mount:
    """One file or folder of the host, made visible inside the box."""

    host: str  # path on this machine, as typed; the monitor opens it
    guest: str  # absolute, normalised path inside the box
    read_only: bool


@dataclass(frozen=True, slots=True)
class BoxConfig:
    """Everything one box is given."""

    argv: tuple[str, ...]  # argv[0] without a slash is looked up in the PATH of `env`
    env: tuple[tuple[str, str], ...]  # the whole environment; the host's own is not passed
    cwd: str  # absolute path inside the box
    mounts: tuple[Mount, ...]
    root: str | None  # host folder of the read-only root tree; None: an empty root
    strace: bool  # print each system call on stderr
    time: bool  # print times on stderr at the end
    memory_bytes: int | None  # for all processes together; None: the engine's default
    tty: bool  # stdin and stdout are a terminal of the person


def parse_mount(text: str) -> Mount:
    """Read `HOST:GUEST`, `HOST:GUEST:ro` or `HOST:GUEST:rw`.

    The last colon-separated words count from the right, so a host path may hold colons.
    """
    host, mode = text, "rw"
    left, colon, last = text.rpartition(":")
    if colon and last in ("ro", "rw"):
        host, mode = left, last
    host, colon, guest = host.rpartition(":")
    if not colon or not host or not guest:
        raise UserError(f"mount {text!r}: want HOST:GUEST or HOST:GUEST:ro, as in .:/mnt:ro", EXIT_USAGE)
    if not guest.startswith("/"):
        raise UserError(
            f"mount {text!r}: the path inside the box must be absolute, as in {host}:/{guest}", EXIT_USAGE
        )
    _refuse_nul("mount", text)
    return Mount(host, normal_path(guest), mode == "ro")


def parse_env(text: str) -> tuple[str, str]:
    """Read `NAME=VALUE`; the value may be empty and may hold further equals signs."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UserError(f"environment {text!r}: want NAME=VALUE, as in LANG=C.UTF-8", EXIT_USAGE)
    _refuse_nul("environment", text)
    return name, value


def parse_size(text: str) -> int:
    """Read a size such as `65536`, `512K`, `512M`, `2G` or `1.5G` (powers of 1024)."""
    spelled = text.strip().upper().removesuffix("IB").removesuffix("B")
    digits, unit = (spelled[:-1], spelled[-1]) if spelled[-1:] in ("K", "M", "G") else (spelled, "")
    whole, dot, fraction = digits.partition(".")
    if (
        not (whole + fraction).isdecimal()
        or not digits.isascii()
        or not whole
        or (dot and (not fraction or not unit))
    ):
        raise UserError(f"size {text!r}: want a number with K, M or G, as in 512M", EXIT_USAGE)
    size = int(whole) * _UNITS[unit] + int(fraction or "0") * _UNITS[unit] // int("1" + "0" * len(fraction))
    if not MEMORY_MINIMUM <= size <= MEMORY_MAXIMUM:
        raise UserError(f"size {text!r}: want at least 1M and at most 1024G", EXIT_USAGE)
    return size


def parse_cwd(text: str) -> str:
    """Read a working directory inside the box."""
    if not text.startswith("/"):
        raise UserError(
            f"working directory {text!r}: want an absolute path inside the box, as in /tmp", EXIT_USAGE
        )
    _refuse_nul("working directory", text)
    return normal_path(text)


def normal_path(path: str) -> str:
    """An absolute path without `.`, `..`, doubled or trailing slashes, resolved as text."""
    return "/" + posixpath.normpath("/" + path).lstrip("/")


def check_mounts(mounts: tuple[Mount, ...]) -> tuple[Mount, ...]:
    """Return `mounts` unless two claim one place, or one covers the root of the box."""
    seen: dict[str, Mount] = {}
    for mount in mounts:
        if mount.guest == "/":
            raise UserError(
                f"mount {mount.host}:/: the root of the box cannot be replaced; choose a folder", EXIT_USAGE
            )
        if mount.guest in seen:
            raise UserError(
                f"mount {mount.host}:{mount.guest}: {seen[mount.guest].host} is already mounted there",
                EXIT_USAGE,
            )
        seen[mount.guest] = mount
    return mounts


def _refuse_nul(what: str, text: str) -> None:
    if "\0" in text:
        raise UserError(f"{what} {text!r}: holds a NUL byte, which no path or variable can", EXIT_USAGE)
