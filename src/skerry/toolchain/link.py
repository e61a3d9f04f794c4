# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Linking a program: compile what is source, run wasm-ld, and rewrite the module where it must be.

A program is linked for unshared memory first. If it then imports `linux.clone` it can create threads
and is linked again with shared memory; if its main takes three arguments, again with another start file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile

from skerry.toolchain import wasm
from skerry.toolchain.arguments import Job, is_source
from skerry.toolchain.postlink import finish
from skerry.toolchain.zig import zig_binary

STACK_SIZE = 1 << 20
MAX_MEMORY = 1 << 32
MAX_SHARED_MEMORY = 1 << 31

_MAIN3_WARNING = "function signature mismatch: main"
_EXPORTS = ("--export=__stack_pointer", "--export-if-defined=__skerry_poll", "--export-table")
_THREAD_EXPORTS = ("--export=__tls_base", "--export=__tls_size", "--export=__tls_align")
_TESTS = ("conftest", "cmTC_", "sanitycheck")


def _compile_sources(job: Job, command: list[str], folder: str) -> list[str] | None:
    """Compile the sources among the inputs; return the inputs with objects instead, or None on failure."""
    inputs = []
    for number, name in enumerate(job.inputs):
        if not is_source(name, job):
            inputs.append(name)
            continue
        target = os.path.join(folder, f"{number}-{os.path.basename(name)}.o")
        if subprocess.run([*command, "-c", name, "-o", target], check=False).returncode:
            return None
        inputs.append(target)
    return inputs


def linker_command(job: Job, inputs: list[str], root: str, cxx: bool, shared: bool, main3: bool) -> list[str]:
    """Return the wasm-ld command line, without the output."""
    library = os.path.join(root, "lib")
    command = [zig_binary(), "wasm-ld", "-m", "wasm32", "--stack-first", "-Bstatic"]
    if not os.environ.get("SKERRY_DEBUG"):
        command.append("--strip-debug")
    if not any(word.startswith("stack-size") for word in job.linker):
        command += ["-z", f"stack-size={STACK_SIZE}"]
    limit = MAX_SHARED_MEMORY if shared else MAX_MEMORY
    if not any(word.startswith("--max-memory") for word in inputs):
        command.append(f"--max-memory={limit}")
    if job.freestanding:
        return [*command, "--no-entry", *_EXPORTS, *job.linker, *inputs, f"-L{library}"]
    if shared:
        command += ["--shared-memory", "--import-memory", "--export-memory", *_THREAD_EXPORTS]
    start = f"crt1{'-threads' if shared else ''}{'-main3' if main3 else ''}.o"
    command += ["--no-entry", *_EXPORTS, "--undefined=__main_argc_argv", "--undefined=main"]
    command += [os.path.join(library, start)]
    command += [os.path.join(library, "thread_start.o")] if shared else []
    command += [*job.linker, *inputs, f"-L{library}"]
    command += _cxx_libraries(root) if cxx else []
    return [*command, "-lc", "-lcompiler_rt"]


def _cxx_libraries(root: str) -> list[str]:
    """Return the options that link the C++ runtime, building it if this is its first use."""
    from pathlib import Path

    from skerry.toolchain import cxx
    from skerry.toolchain.overlay import overlay_path

    return [f"-L{cxx.runtime(Path(root), Path(overlay_path()))}", *cxx.LIBRARIES]


def _run_linker(command: list[str], output: str) -> tuple[int, str]:
    """Run wasm-ld; return its status and what it said."""
    done = subprocess.run([*command, "-o", output], stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stderr


def _link_program(job: Job, inputs: list[str], root: str, cxx: bool, output: str) -> int:
    """Link as often as the program's needs demand."""
    shared = main3 = False
    while True:
        command = linker_command(job, inputs, root, cxx, shared, main3)
        status, said = _run_linker(command, output)
        if not status and not main3 and _MAIN3_WARNING in said:
            main3 = True
            continue
        sys.stderr.write(said)
        if status or job.freestanding:
            return status
        with open(output, "rb") as handle:
            module = handle.read()
        if _lacks_main(module):
            sys.stderr.write("skerry cc: undefined symbol: main\n")
            return 1
        if shared or not _creates_threads(module):
            return 0
        shared = True


def _creates_threads(module: bytes) -> bool:
    """Say whether the linked module can create threads."""
    return any(entry.module == "linux" and entry.name == "clone" for entry in wasm.imports(module))


def _lacks_main(module: bytes) -> bool:
    """Say whether no form of main was found: the start file's references are weak, so the linker does not.

    The name section then has a stub for both forms, and the linker writes both as `main`.
    """
    stub = b"undefined_weak:main"
    return module.count(bytes([len(stub)]) + stub) > 1


def is_test(output: str) -> bool:
    """Say whether a configure script only wants to know if it links: nobody will run this."""
    return os.path.basename(output).startswith(_TESTS)


def link(job: Job, compile_command: list[str], root: str, cxx: bool) -> int:
    """Make the program (or, with -r, the object) that the job asks for; return the exit status."""
    output = job.output or "a.out"
    folder = tempfile.mkdtemp(prefix="skerry-cc-")
    try:
        inputs = _compile_sources(job, compile_command, folder)
        if inputs is None:
            return 1
        if job.relocatable:
            command = [zig_binary(), "wasm-ld", "-r", *inputs, "-o", output]
            return subprocess.run(command, check=False).returncode
        linked = os.path.join(folder, "linked.wasm")
        status = _link_program(job, inputs, root, cxx, linked)
        if status:
            return status
        if not is_test(output):
            finish(linked, strip=job.strip)
        shutil.copyfile(linked, output)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(output, 0o777 & ~mask)
        return 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)
