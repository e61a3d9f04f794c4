# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`skerry cc`: a C compiler driver with the manners of GCC on Linux, for wasm32 and our libc.

Compile-only jobs replace this process by clang; links go on to `skerry.toolchain.link`. Only light
modules are imported on the way.
"""

from __future__ import annotations

import os
import sys

from skerry.toolchain.arguments import LENIENT_OPTIONS, TARGET_OPTIONS, Job, is_source, sort_arguments
from skerry.toolchain.overlay import overlay_path
from skerry.toolchain.zig import zig_binary, zig_dir


def find_sysroot() -> str:
    """Return the sysroot: the one a wrapper script names, else the built one."""
    given = os.environ.get("SKERRY_SYSROOT")
    if given:
        return given
    from skerry.toolchain.sysroot import sysroot

    return str(sysroot())


def cxx_header_options(overlay: str) -> list[str]:
    """Return the options that make C++ headers found and configured."""
    library = os.path.join(zig_dir(), "lib")
    return [
        "-nostdinc++", "-include", os.path.join(overlay, "cxx/config_site.h"),
        "-isystem", os.path.join(library, "libcxx/include"),
        "-isystem", os.path.join(library, "libcxxabi/include"),
        "-isystem", os.path.join(library, "libunwind/include"),
    ]  # fmt: skip


def compiler_command(job: Job, root: str, cxx: bool) -> list[str]:
    """Return the clang command line without inputs and output."""
    include = os.path.join(root, "include")
    command = [
        zig_binary(),
        "clang",
        *(("--driver-mode=g++",) if cxx else ()),
        *TARGET_OPTIONS,
        *LENIENT_OPTIONS,
    ]
    if job.debug and os.environ.get("SKERRY_DEBUG"):
        command.append("-g")
    command += [*job.compiler, "-nostdinc"]
    if cxx:
        command += cxx_header_options(overlay_path())
    for folder in (os.path.join(include, "skerry"), include, os.path.join(zig_dir(), "lib/include")):
        command += ["-isystem", folder]
    return command


def main(argv: list[str], cxx: bool = False) -> int:
    """Run the driver with the arguments after its name; return the exit status."""
    job = sort_arguments(argv)
    if job.shared:
        sys.stderr.write("skerry cc: shared libraries are not supported, link statically (-shared)\n")
        return 1
    root = find_sysroot()
    command = compiler_command(job, root, cxx)
    sources = [name for name in job.inputs if is_source(name, job)]
    if not job.links or (not sources and not job.inputs):
        command += sources or [name for name in job.inputs if not name.startswith("-l")]
        if job.output:
            command += ["-o", job.output]
        sys.stdout.flush()
        os.execv(command[0], command)
    from skerry.abi.errors import UserError
    from skerry.toolchain.link import link

    try:
        return link(job, command, root, cxx)
    except UserError as error:
        sys.stderr.write(f"skerry cc: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
