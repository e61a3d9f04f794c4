# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What a box sees as its files: the root tree, its own temporary places, the mounts.

Everything but a read-write mount lives in the worker's memory and ends with the box.
"""

from __future__ import annotations

from skerry.kernel.fs.devfs import Devfs
from skerry.kernel.fs.hostfs import HostFs
from skerry.kernel.fs.hosttree import HostTree
from skerry.kernel.fs.overlay import Overlay
from skerry.kernel.fs.procfs import Procfs
from skerry.kernel.fs.tmpfs import Tmpfs
from skerry.kernel.mount import USER, Namespace
from skerry.kernel.vfs import Filesystem

from .messages import Place

HOME = b"/home/user"
"""The writable folder that belongs to the person; a program starts there by default."""


def make(places: tuple[Place, ...]) -> Namespace:
    """The name space of a box with these host trees."""
    root: Filesystem = Tmpfs(mode=0o755)
    mounts: dict[bytes, Filesystem] = {
        b"/dev": Devfs(USER),
        b"/proc": Procfs(),
        b"/tmp": Tmpfs(),
        HOME: Tmpfs(mode=0o755, uid=USER, gid=USER),
    }
    for place in places:
        if place.tree == 0:
            root = Overlay(HostTree(0))
        else:
            mounts[place.guest] = HostFs(place.tree, place.read_only, place.top)
    return Namespace(root, tuple(mounts.items()))
