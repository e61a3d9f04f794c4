# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The options that describe a box, shared by the verbs that start one.

Invariant: the environment inside is built from nothing; of the host's own only TERM is passed,
           and only when a terminal is.
"""

from __future__ import annotations

import argparse
import os
import sys

from skerry.abi.errors import EXIT_FAILED, UserError
from skerry.box import BoxConfig, Mount
from skerry.box.config import check_mounts, parse_cwd, parse_env, parse_mount, parse_size

HOME = "/home/user"  # the one person inside a box, uid 1000
PATH = "/usr/local/bin:/usr/bin:/bin"


def add_box_options(parser: argparse.ArgumentParser) -> None:
    """Declare --mount, --env, --cwd, --memory, --strace and --time."""
    box = parser.add_argument_group("What the box is given")
    box.add_argument(
        "--mount",
        metavar="HOST:GUEST[:ro]",
        action="append",
        default=[],
        type=parse_mount,
        help="show a file or folder of this machine inside the box; `:ro` forbids changes; may be repeated",
    )
    box.add_argument(
        "--env",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=parse_env,
        help="set a variable; may be repeated",
    )
    box.add_argument(
        "--cwd",
        metavar="DIR",
        default=HOME,
        type=parse_cwd,
        help=f"start in this folder of the box (default: {HOME})",
    )
    box.add_argument(
        "--memory",
        metavar="SIZE",
        type=parse_size,
        help="limit the memory of all its processes together, as in 512M",
    )
    watch = parser.add_argument_group("What you see of it")
    watch.add_argument("--strace", action="store_true", help="print every system call on stderr")
    watch.add_argument("--time", action="store_true", help="print the time it took on stderr, at the end")


def box_config(arguments: argparse.Namespace, argv: list[str], extra: tuple[Mount, ...] = ()) -> BoxConfig:
    """The configuration that the options and the program's own words ask for."""
    mounts: list[Mount] = arguments.mount
    for mount in mounts:
        if not os.path.exists(mount.host):
            raise UserError(f"mount {mount.host}:{mount.guest}: {mount.host} does not exist on this machine")
    tty = is_terminal()
    return BoxConfig(
        argv=tuple(argv),
        env=tuple((default_environment(tty) | dict(arguments.env)).items()),
        cwd=arguments.cwd,
        mounts=check_mounts((*mounts, *extra)),
        root=root_tree(),
        strace=arguments.strace,
        time=arguments.time,
        memory_bytes=arguments.memory,
        tty=tty,
    )


def default_environment(tty: bool) -> dict[str, str]:
    """The variables every program inside finds."""
    return {
        "PATH": PATH,
        "HOME": HOME,
        "USER": "user",
        "LOGNAME": "user",
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "TERM": os.environ.get("TERM", "dumb") if tty else "dumb",
        "PS1": "skerry:$PWD$ ",
    }


def is_terminal() -> bool:
    """Whether a person sits at both ends: stdin and stdout are terminals."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def root_tree() -> str:
    """The folder of the programs every box starts with.

    Raises: UserError when none has been built yet.
    """
    from skerry.toolchain.cache import root_dir

    root = str(root_dir())
    if not os.path.isdir(root):
        raise UserError("no programs are built yet; `skerry ports build` builds them (once)", EXIT_FAILED)
    return root
