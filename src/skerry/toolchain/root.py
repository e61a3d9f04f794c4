# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The root tree: the files of all built ports in one folder, and the link `<cache>/root` to the newest.

Files are hard links into the ports' own folders, so a tree costs no space.

Invariant: a tree is never changed; `<cache>/root` moves to a new one in one rename.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from skerry.abi.errors import UserError
from skerry.toolchain import cache, place
from skerry.toolchain.port import MANIFEST


def merge(places: list[Path]) -> Path:
    """Return the tree with the files of all these ports. Raises: UserError when two have the same file."""
    key = hashlib.sha256("\n".join(sorted(path.name for path in places)).encode()).hexdigest()[:20]

    def into(tree: Path) -> None:
        owners: dict[str, str] = {}
        for source in places:
            _add(source, tree, owners)

    return cache.publish("roots", key, into)


def _add(source: Path, tree: Path, owners: dict[str, str]) -> None:
    """Link one port's files into the tree."""
    for folder, folders, files in os.walk(source):
        below = os.path.relpath(folder, source)
        target = os.path.normpath(os.path.join(tree, below))
        if not os.path.isdir(target):
            os.mkdir(target)
            os.chmod(target, os.stat(folder).st_mode & 0o7777)
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in sorted(files + links):
            path = os.path.normpath(os.path.join(below, name))
            if path == MANIFEST:
                continue
            if path in owners:
                raise UserError(f"the ports {owners[path]} and {source.name} both have {path}")
            owners[path] = source.name
            os.link(os.path.join(folder, name), os.path.join(target, name), follow_symlinks=False)


def point(tree: Path) -> None:
    """Let `<cache>/root` name this tree from now on."""
    link = place.root_path()
    temporary = f"{link}.{os.getpid()}"
    os.symlink(os.path.relpath(tree, os.path.dirname(link)), temporary)
    os.replace(temporary, link)
