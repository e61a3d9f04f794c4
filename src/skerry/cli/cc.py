# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry cc`, `c++`, `ar`, `ranlib`: the compiler and its companions, words passed on as they are.

A configure script calls these a thousand times: nothing is parsed here, and argparse is
loaded only to print help.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser

_COMPILER = """\
Compile and link {language} for the box: a Linux-like system on WebAssembly with musl as its libc.
Takes the options of clang (it is clang), so it serves as {variable} for configure scripts and Makefiles.
"""

_COMPILER_EXAMPLES = """\
Examples:
  skerry {verb} hello.{suffix} -o hello && skerry run ./hello
  skerry {verb} -O2 -c part.{suffix}
  {variable}="skerry {verb}" ./configure --host=wasm32-linux-musl && make

Every other word goes to clang; `skerry {verb} -help` prints its own options.
"""

_TEXTS = {
    "cc": (
        "[CLANG OPTIONS] FILES…",
        _COMPILER.format(language="C", variable="CC"),
        _COMPILER_EXAMPLES.format(verb="cc", suffix="c", variable="CC"),
    ),
    "c++": (
        "[CLANG OPTIONS] FILES…",
        _COMPILER.format(language="C++", variable="CXX"),
        _COMPILER_EXAMPLES.format(verb="c++", suffix="cc", variable="CXX"),
    ),
    "ar": (
        "OPERATION ARCHIVE FILES…",
        "Make, change and list static libraries of wasm objects; the options are those of ar(1).\n",
        "Examples:\n  skerry ar rcs libpart.a one.o two.o\n  skerry ar t libpart.a\n",
    ),
    "ranlib": (
        "ARCHIVE…",
        "Write the index of a static library, as ranlib(1).\n",
        "Examples:\n  skerry ranlib libpart.a\n",
    ),
}


def parser(verb: str) -> ArgumentParser:
    """Describe the verb; its options are the tool's own and not listed."""
    from .parser import new_parser

    usage, description, examples = _TEXTS[verb]
    return new_parser(f"skerry {verb}", description, usage=usage, epilog=examples, help_flags=("--help",))


def main(verb: str, argv: list[str]) -> int:
    """Pass the words on; return the compiler's exit status, or become the other tools."""
    if argv == ["--help"]:
        parser(verb).print_help()
        return 0
    if verb in ("cc", "c++"):
        from skerry.toolchain import cc

        return cc.main(argv, cxx=verb == "c++")
    from skerry.toolchain.zig import zig_binary

    tool = zig_binary()
    os.execv(tool, [tool, verb, *argv])
