# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Debian sources and packages, fetched with apt but without touching the system's configuration.

The mirror is the one the machine already uses: its URI is read from the machine's own lists, and a
private configuration in the cache asks that mirror for the suite a recipe wants. apt checks the
archive's signature; the digest pinned in the recipe decides about the file.

Only the tarball itself is downloaded, by its entry in the archive's index: of a source package's other
files we need none, and a mirror may be without some of them.

Errors: `FetchError`, a UserError.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from skerry.abi.errors import UserError
from skerry.toolchain.cache import cache_dir, locked

SYSTEM_LISTS = Path("/etc/apt")
KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
)
SUITES = ("trixie", "bookworm")
"""Where to look for a source, newest first."""
_APT_HELPER = "/usr/lib/apt/apt-helper"
_FRESH_S = 7 * 24 * 3600
_ONE_LINE = re.compile(r"^\s*deb(?:-src)?\s+(?:\[[^\]]*\]\s+)?(?P<uri>\S+)\s+\S+\s+\S.*$")
_DEBIAN = re.compile(r"/debian/?$")


class FetchError(UserError):
    """A source could not be had; the text says why and what to do."""


def _deb822_uris(text: str) -> Iterator[str]:
    """Yield the archive URIs of a `.sources` text, in order."""
    for stanza in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace() and name:
                fields[name] += " " + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        if {"deb", "deb-src"} & set(fields.get("types", "").split()):
            yield from fields.get("uris", "").split()


def _one_line_uris(text: str) -> Iterator[str]:
    """Yield the archive URIs of a one-line-style list, in order."""
    for line in text.splitlines():
        match = _ONE_LINE.match(line.partition("#")[0].rstrip())
        if match:
            yield match["uri"]


def mirror_from(texts: Iterable[tuple[str, str]]) -> str:
    """Return the Debian mirror that (file name, text) lists configure.

    Raises: FetchError when no list names a Debian archive.
    """
    for name, text in texts:
        uris = _deb822_uris(text) if name.endswith(".sources") else _one_line_uris(text)
        for uri in uris:
            if _DEBIAN.search(uri) and not uri.startswith(("cdrom:", "file:")):
                return uri.rstrip("/")
    raise FetchError(
        "no Debian mirror is configured on this machine (looked in /etc/apt/sources.list and "
        "sources.list.d); add one to build from Debian sources"
    )


def system_mirror() -> str:
    """Return the machine's own Debian mirror."""
    paths = [SYSTEM_LISTS / "sources.list"]
    paths += sorted((SYSTEM_LISTS / "sources.list.d").glob("*"))
    lists = [path for path in paths if path.suffix in (".list", ".sources") and path.is_file()]
    return mirror_from((path.name, path.read_text(errors="replace")) for path in lists)


def private_config(root: Path, mirror: str, suite: str, keyring: Path) -> dict[str, str]:
    """Return the files (name -> text) of an apt configuration that lives wholly below `root`."""
    lists = f"[signed-by={keyring}] {mirror} {suite} main"
    conf = {
        "Dir::Etc::sourcelist": root / "sources.list",
        "Dir::Etc::sourceparts": root / "none",
        "Dir::Etc::preferencesparts": root / "none",
        "Dir::State": root / "state",
        "Dir::State::lists": root / "state/lists",
        "Dir::Cache": root / "cache",
        "Dir::Cache::archives": root / "cache/archives",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
    }
    text = "".join(f'{key} "{value}";\n' for key, value in conf.items())
    # A frozen mirror's lists are old by design, and post-invoke hooks belong to the system.
    text += 'Acquire::Check-Valid-Until "false";\n#clear APT::Update::Post-Invoke;\n'
    text += "#clear APT::Update::Post-Invoke-Success;\n#clear DPkg::Post-Invoke;\n"
    return {"sources.list": f"deb {lists}\ndeb-src {lists}\n", "apt.conf": text}


def _run(arguments: list[str], root: Path, cwd: Path | None = None) -> str:
    """Run an apt tool under the private configuration; return its output."""
    env = {**os.environ, "APT_CONFIG": str(root / "apt.conf"), "LC_ALL": "C"}
    done = subprocess.run(arguments, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.splitlines()
        errors = [line for line in lines if line.startswith("E:")] or lines
        raise FetchError(f"{' '.join(arguments[:3])} failed: {' '.join(errors[-2:])}")
    return done.stdout


def _prepared(suite: str) -> Path:
    """Return the root of the private configuration for `suite`, with lists not older than a week."""
    if not shutil.which("apt-get"):
        raise FetchError("apt-get is not installed: Debian sources need a Debian-like system")
    keyring = next((path for path in KEYRINGS if path.exists()), None)
    if not keyring:
        raise FetchError("the Debian archive keyring is missing: install the package debian-archive-keyring")
    root = cache_dir() / "apt" / suite
    for part in ("state/lists/partial", "cache/archives/partial", "none"):
        (root / part).mkdir(parents=True, exist_ok=True)
    for name, text in private_config(root, system_mirror(), suite, keyring).items():
        (root / name).write_text(text)
    stamp = root / "updated"
    if not stamp.exists() or time.time() - stamp.stat().st_mtime > _FRESH_S:
        _run(["apt-get", "update", "-q"], root)
        stamp.touch()
    return root


def _digest(path: Path) -> str:
    """Return the file's SHA-256."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def fetch_source(package: str, suite: str, tarball: str, sha256: str) -> Path:
    """Return the path of the source package's file `tarball`, downloading it once.

    When the suite's present version is made of another tarball, or the mirror lost the file, the other
    suites are asked: the digest decides, not the version.

    Raises: FetchError when it cannot be had or its digest is not `sha256`.
    """
    kept = cache_dir() / "sources" / sha256[:16] / tarball
    if kept.exists():
        return kept
    reasons = []
    for place in dict.fromkeys((suite, *SUITES)):
        with locked(f"apt-{place}"):
            if kept.exists():
                return kept
            try:
                root = _prepared(place)
                return _download(root, package, place, tarball, sha256, kept)
            except FetchError as error:
                reasons.append(f"{place}: {error}")
    raise FetchError(f"cannot get {tarball} of {package}\n" + "\n".join(f"    {text}" for text in reasons))


def source_addresses(listing: str, tarball: str) -> list[str]:
    """Return where `tarball` may be, from what `apt-get source --print-uris` printed.

    A listing without it is of another version: its own files stand in the same folder of the archive.
    """
    folders: list[str] = []
    for uri, name in re.findall(r"^'([^']+)' (\S+) ", listing, re.MULTILINE):
        if name == tarball:
            return [uri]
        folders.append(uri.rpartition("/")[0])
    return [f"{folder}/{quote(tarball)}" for folder in dict.fromkeys(folders)]


def _download(root: Path, package: str, suite: str, tarball: str, sha256: str, kept: Path) -> Path:
    """Download the tarball from one suite and move it to its place in the cache."""
    listing = _run(["apt-get", "source", "-q", "--print-uris", f"{package}/{suite}"], root)
    addresses = source_addresses(listing, tarball)
    if not addresses:
        raise FetchError(f"{package}: the archive names no files")
    work = root / "download"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    _run([_APT_HELPER, "download-file", addresses[0], str(work / tarball), f"SHA256:{sha256}"], root)
    if _digest(work / tarball) != sha256:
        raise FetchError(f"{package}: {tarball} has digest {_digest(work / tarball)}, wanted {sha256}")
    kept.parent.mkdir(parents=True, exist_ok=True)
    os.replace(work / tarball, kept)
    return kept


def fetch_package(package: str, suite: str) -> Path:
    """Return the path of a binary package's `.deb`, of any version the suite has; apt has verified it."""
    with locked(f"apt-{suite}"):
        root = _prepared(suite)
        archives = cache_dir() / "debs" / suite
        archives.mkdir(parents=True, exist_ok=True)
        for path in archives.glob(f"{package}_*.deb"):
            return path
        _run(["apt-get", "download", "-q", package], root, archives)
        for path in archives.glob(f"{package}_*.deb"):
            return path
    raise FetchError(f"{package}: nothing was downloaded")


def unpack_package(deb: Path, target: Path) -> None:
    """Unpack a `.deb` below `target`; its scripts are not run."""
    if not shutil.which("dpkg-deb"):
        raise FetchError("dpkg-deb is not installed: Debian packages need a Debian-like system")
    target.mkdir(parents=True, exist_ok=True)
    command = ["dpkg-deb", "-x", str(deb), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FetchError(f"{deb.name}: {done.stderr.strip()}")
