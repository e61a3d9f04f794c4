# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The suites that programs come with, run in boxes on the built programs.

Each function unpacks the port's own source, runs the suite's tests in a box, and returns test -> verdict:
`pass`, `skip` (the test's own decision: it lacks something) or `fail`. What failing tests said goes to stderr.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from skerry.toolchain import apt
from skerry.toolchain.recipe import load

HERE = Path(__file__).parent
SKERRY = [sys.executable, "-m", "skerry"]
TIMEOUT_S = 1800

_LIMITS = """\
#!/bin/sh
# What coreutils' getlimits prints, of a machine with 32-bit long and 64-bit time.
limits() { echo "$1_MIN=$2"; echo "$1_UFLOW=$3"; echo "$1_MAX=$4"; echo "$1_OFLOW=$5"; }
for type in INT LONG SSIZE; do limits $type -2147483648 -2147483649 2147483647 2147483648; done
for type in UINT ULONG SIZE UID_T GID_T; do limits $type 0 -1 4294967295 4294967296; done
for type in TIME_T OFF_T INTMAX; do
    limits $type -9223372036854775808 -9223372036854775809 9223372036854775807 9223372036854775808
done
limits UINTMAX 0 -1 18446744073709551615 18446744073709551616
limits PID_T -2147483648 -2147483649 2147483647 2147483648
echo IO_BUFSIZE=262144
"""
_LOCALE = """\
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As the packages' get-mb-cur-max, which wants their library: the bytes of a character, if there is the locale.
 * musl takes any name and means UTF-8. */
int main(int argc, char **argv)
{
	if (argc < 2 || !setlocale(LC_ALL, argv[1]) || (!strstr(argv[1], "UTF-8") && strlen(argv[1]) > 1)) return 1;
	printf("%zu\\n", MB_CUR_MAX);
	return 0;
}
"""


def unpack(name: str, folder: Path) -> Path:
    """Unpack a port's source; return its top folder."""
    source = load(name).source[0]
    tarball = apt.fetch_source(source.package, source.suite, source.tarball, source.sha256)
    with tarfile.open(tarball) as archive:
        archive.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


def _box(mounts: dict[Path, str], arguments: list[str]) -> str:
    """Run a script of /bin/sh in a box; return what it printed."""
    words = [word for path, place in mounts.items() for word in ("--mount", f"{path}:{place}")]
    command = [*SKERRY, "run", *words, "--cwd", "/tmp", "sh", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
    return done.stdout.decode(errors="replace")


def _gnulib(name: str, source: Path, tests: list[str]) -> dict[str, str]:
    """Run tests that are scripts with gnulib's init.sh, in two boxes at a time."""
    helpers = source.parent / "helpers"
    helpers.mkdir()
    (helpers / "getlimits").write_text(_LIMITS)
    (helpers / "getlimits").chmod(0o755)
    program = source.parent / "locale.c"
    program.write_text(_LOCALE)
    subprocess.run([*SKERRY, "cc", "-O1", str(program), "-o", str(helpers / "get-mb-cur-max")], check=True)
    mounts = {source: "/source:ro", helpers: "/help:ro", HERE / "gnulib_suite.sh": "/suite:ro"}
    with ThreadPoolExecutor(2) as pool:
        printed = pool.map(lambda part: _box(mounts, ["/suite", name, *part]), (tests[::2], tests[1::2]))
        lines = [line.split() for text in printed for line in text.splitlines()]
    return {words[1]: words[0] for words in lines if len(words) == 2 and words[0] in ("pass", "skip", "fail")}


def grep(folder: Path) -> dict[str, str]:
    """GNU grep: the tests its Makefile lists."""
    source = unpack("grep", folder)
    makefile = (source / "tests" / "Makefile.in").read_text()
    listed = re.search(r"^TESTS = ((?:.*\\\n)*.*)", makefile, re.MULTILINE)
    assert listed
    return _gnulib("grep", source, [word for word in listed[1].split() if word != "\\" and not word.endswith(".pl")])


def sed(folder: Path) -> dict[str, str]:
    """GNU sed: the tests that are shell scripts."""
    source = unpack("sed", folder)
    return _gnulib("sed", source, sorted(f"testsuite/{path.name}" for path in (source / "testsuite").glob("*.sh")))


def coreutils(folder: Path) -> dict[str, str]:
    """GNU coreutils: the tests that are shell scripts."""
    source = unpack("coreutils", folder)
    found = sorted(str(path.relative_to(source)) for path in (source / "tests").glob("*/*.sh"))
    return _gnulib("coreutils", source, [name for name in found if name != "tests/factor/create-test.sh"])


def gawk(folder: Path) -> dict[str, str]:
    """GNU awk: its Makefile's own tests, run by our make, with what does not concern a test left out."""
    source = unpack("gawk", folder)
    template = (source / "test" / "Makefile.in").read_text()
    for name, value in {"srcdir": ".", "SHELL": "/bin/sh", "PATH_SEPARATOR": ":"}.items():
        template = template.replace(f"@{name}@", value)
    template = re.sub(r"@abs_\w*@", "/tmp/source/test", template)
    kept = [line for line in re.sub(r"@\w+@", "", template).splitlines() if not line.startswith("Makefile:")]
    (source / "test" / "Makefile").write_text("\n".join(kept) + "\n")
    (source / "run").write_text(
        "cp -r /source /tmp/source; cd /tmp/source/test; cp /usr/bin/gawk ..\n"
        "touch -d 2030-01-01 Makefile\n"
        "make -k -o Makefile basic unix-tests gawk-extensions >/tmp/said 2>/tmp/complaints\n"
        "grep -E '^[a-z][a-zA-Z0-9_-]*( |$)' /tmp/said | cut -d' ' -f1 | sed 's/^/ran /'\n"
        "for left in _*; do echo fail ${left#_}; diff ${left#_}.ok $left 2>&1 | head -n 5 >&2; done\n"
    )
    lines = [line.split() for line in _box({source: "/source:ro"}, ["/source/run"]).splitlines()]
    failed = {words[1] for words in lines if words[0] == "fail"}
    return {words[1]: "fail" if words[1] in failed else "pass" for words in lines if words[0] == "ran"}


SUITES: dict[str, Callable[[Path], dict[str, str]]] = {"grep": grep, "sed": sed, "gawk": gawk, "coreutils": coreutils}


def missing_tools() -> str:
    """What of this machine the suites need and is not there."""
    return "" if shutil.which("apt-get") else "no apt-get to fetch the sources"
