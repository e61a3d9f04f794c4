# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Write the second half of ports/config.site: what configure scripts find out about our libc, once for all.

A gnulib configure script compiles some 600 small programs to learn the same facts every time. This runs
the scripts of some ports without those answers and keeps what they agree on. Left out is what depends on
a port's own libraries and options, on paths, and on the tools of this machine.

Run it after a change of libc's headers or functions: .venv/bin/python tools/gen_config_site.py
"""

from __future__ import annotations

import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from skerry.toolchain import port
from skerry.toolchain.ports import need
from skerry.toolchain.recipe import PORTS, load

SITE = PORTS / "config.site"
ASKED = ("coreutils", "tar", "gawk", "findutils", "diffutils", "grep", "sed", "gzip", "make", "patch", "dash", "xz")
"""Ports without needs, so that they see libc alone."""

MARK = "# What follows is written by tools/gen_config_site.py: do not edit it.\n"
_ANSWER = re.compile(r"^(?:test \$\{\w+\+y\} \|\| )?(\w+)=\$\{\w+=(.*)\}$")
_FACT = re.compile(r"^(?:ac_cv_(?:func|header|have|type|member|sizeof|alignof|sys|c)|gl_cv|am_cv|sv_cv|fu_cv)_")
_NO_FACT = re.compile(
    r"prog|path|_lib_|search|_next_|depend|largefile|year2038|c_compiler_gnu|warn|_cc_|_CFLAGS|std=|safeargs|AR_FLAGS"
    r"|c_undeclared|pthread|threads|zlib|curses|term|ncurses|lzma|bz|readline|gmp|mpfr|acl|attr|selinux|libsigsegv|pcre|iconv"
)


def answers(name: str) -> dict[str, str]:
    """Run one port's configure script; return variable -> value as the shell would write it."""
    with tempfile.TemporaryDirectory() as folder:
        first_half = Path(folder) / "config.site"
        first_half.write_text(SITE.read_text().partition(MARK)[0])
        facts = Path(folder) / "facts"
        port.run_script(load(name), Path(folder), {}, 1, {"SITE": str(first_half), "FACTS": str(facts)})
        print(f"{name}: asked", file=sys.stderr)
        return {found[1]: found[2] for line in facts.read_text().splitlines() if (found := _ANSWER.match(line))}


def agreed(asked: list[dict[str, str]]) -> dict[str, str]:
    """Return the facts that no two scripts answered differently."""
    result = {}
    for variable in sorted({name for found in asked for name in found}):
        values = {found[variable] for found in asked if variable in found}
        value = values.pop()
        if not values and is_fact(variable, value):
            result[variable] = value
    return result


def is_fact(variable: str, value: str) -> bool:
    """Say whether an answer is about libc and the compiler alone."""
    return bool(_FACT.match(variable)) and not _NO_FACT.search(variable) and "/" not in value


def main() -> int:
    """Ask, agree, write."""
    need("base")
    with ThreadPoolExecutor(2) as pool:
        facts = agreed(list(pool.map(answers, ASKED)))
    first_half = SITE.read_text().partition(MARK)[0]
    lines = [f"{name}={value}\n" for name, value in facts.items() if f"\n{name}=" not in first_half]
    SITE.write_text(first_half + MARK + "".join(lines))
    print(f"{len(lines)} facts in {SITE.name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
