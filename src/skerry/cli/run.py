# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry run`: one program in a new box.

Where PROGRAM is found, in this order:

1. a bare name (`ls`) is looked up in the PATH of the box, never on this machine;
2. a path inside a --mount is a path of the box;
3. a path (`./hello`, `build/hello`, `/home/me/hello`) that is a file of this machine: that one file
   appears in the box, read-only, under the very path you typed (a relative one from the box's
   working directory), so argv[0], `$0` and /proc/self/exe mean what they say. Nothing beside it appears;
4. any other path is a path of the box.
"""

from __future__ import annotations

import argparse
import os
import posixpath

from skerry import box
from skerry.abi.errors import EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, UserError
from skerry.box import BoxConfig, Mount
from skerry.box.config import normal_path

from .options import add_box_options, box_config
from .parser import new_parser

_DESCRIPTION = """\
Run one program in a new box. Its input, output and errors are yours, and so are its exit status
and the signals it gets. A bare name is a program of the box; a path such as ./hello is a file of
this machine: that file alone appears in the box, read-only, under the path you typed.
"""

_EXAMPLES = """\
Examples:
  skerry run ls -l /                            a program of the box
  skerry run ./hello world                      a program you compiled with `skerry cc`
  skerry run --mount .:/mnt --cwd /mnt make     a program that sees this folder
  skerry run --strace cat /etc/passwd           every system call, on stderr
  skerry run --memory 256M --time sort <big.txt
"""

_FOREIGN = {
    b"\x7fELF": "a Linux program for this machine (ELF)",
    b"MZ": "a Windows program",
    b"\xcf\xfa\xed\xfe": "a macOS program",
}


def parser(verb: str) -> argparse.ArgumentParser:
    """Describe the verb's options and help."""
    found = new_parser(
        f"skerry {verb}", _DESCRIPTION, usage="[OPTIONS] PROGRAM [ARGUMENTS…]", epilog=_EXAMPLES
    )
    add_box_options(found)
    found.add_argument("words", nargs=argparse.REMAINDER, metavar="PROGRAM", help=argparse.SUPPRESS)
    return found


def main(verb: str, argv: list[str]) -> int:
    """Start the box and return the program's exit status."""
    found = parser(verb)
    arguments = found.parse_args(argv)
    words: list[str] = arguments.words
    if words[:1] == ["--"]:
        del words[0]
    if not words or not words[0]:
        found.error("which program? as in: skerry run ls -l /")
    program = host_program(words[0], arguments.cwd, arguments.mount)
    config = box_config(arguments, words, (program,) if program else ())
    if "/" not in words[0]:
        hint_at_host_file(words[0], config)
    return box.run(config)


def host_program(path: str, cwd: str, mounts: list[Mount]) -> Mount | None:
    """The mount that shows PROGRAM, or None when it is a name or path of the box itself."""
    if "/" not in path:
        return None
    guest = normal_path(posixpath.join(cwd, path))
    if any(guest == mount.guest or guest.startswith(mount.guest + "/") for mount in mounts):
        return None
    if not os.path.exists(path):
        return None
    refuse_unrunnable(path)
    return Mount(path, guest, read_only=True)


def refuse_unrunnable(path: str) -> None:
    """Say now, and clearly, why a file of this machine cannot run in a box.

    Raises: UserError (exit code 126).
    """
    if os.path.isdir(path):
        raise UserError(f"{path}: is a folder", EXIT_NOT_EXECUTABLE)
    if not os.access(path, os.X_OK):
        raise UserError(f"{path}: is not executable; `chmod +x {path}` makes it so", EXIT_NOT_EXECUTABLE)
    with open(path, "rb") as file:
        start = file.read(4)
    for magic, kind in _FOREIGN.items():
        if start.startswith(magic):
            hint = f"`skerry run {posixpath.basename(path)}` asks the box for its own"
            raise UserError(f"{path}: is {kind}, not WebAssembly; {hint}", EXIT_NOT_EXECUTABLE)


def hint_at_host_file(name: str, config: BoxConfig) -> None:
    """Help who typed `skerry run hello` for `./hello`.

    Raises: UserError (exit code 127) when the box has no such program and this folder has.
    """
    if config.mounts or config.root is None or not os.path.isfile(name):
        return  # a mount may hold it: let the box look
    path = dict(config.env).get("PATH", "")
    if not any(os.path.lexists(config.root + posixpath.join(folder, name)) for folder in path.split(":")):
        raise UserError(
            f"{name}: the box has no such program; for the file in this folder type ./{name}", EXIT_NOT_FOUND
        )
