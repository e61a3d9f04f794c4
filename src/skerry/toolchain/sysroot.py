# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The sysroot: headers, libc.a, start files and compiler-rt for wasm32, built from sources in the cache.

Everything that decides the result goes into its digest, so a changed overlay or compiler makes a new
sysroot beside the old one.
"""

from __future__ import annotations

import concurrent.futures
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from skerry.abi.errors import UserError
from skerry.toolchain import apt, cache, musl, zig
from skerry.toolchain.arguments import TARGET_OPTIONS
from skerry.toolchain.overlay import overlay_path
from skerry.toolchain.progress import Progress

_ARCH = "wasm32"
_MUSL_OPTIONS = (
    "-std=c99", "-ffreestanding", "-nostdinc", "-D_XOPEN_SOURCE=700", "-fno-strict-aliasing", "-g0", "-w",
)  # fmt: skip
# (line, what it becomes): a type is defined where a header asks for it by __NEED_name.
_NEEDED = "#if defined(__NEED_{0}) && !defined(__DEFINED_{0})\n{1};\n#define __DEFINED_{0}\n#endif\n"
_ALLTYPES = (
    (r"^TYPEDEF (.*) ([^ ]*);$", _NEEDED.format(r"\2", r"typedef \1 \2")),
    (r"^STRUCT +([^ ]*) (.*);$", _NEEDED.format(r"struct_\1", r"struct \1 \2")),
    (r"^UNION +([^ ]*) (.*);$", _NEEDED.format(r"union_\1", r"union \1 \2")),
)


class BuildError(UserError):
    """A build step failed; the text is the tool's own message."""


def overlay_dir() -> Path:
    """Return the folder `libc/`."""
    return Path(overlay_path())


def sysroot_digest() -> str:
    """Return the digest of the sysroot that the present sources and tools would build."""
    recipe = cache.Recipe("sysroot")
    recipe.add("musl", musl.inputs())
    recipe.add("zig", zig.zig_version())
    recipe.add("options", " ".join(TARGET_OPTIONS + _MUSL_OPTIONS))
    for folder in ("arch", "internal", "include", "src", "crt"):
        recipe.add_tree(overlay_dir() / folder)
    here = Path(__file__).parent
    for name in ("sysroot.py", "compiler_rt.py"):
        recipe.add_file(name, here / name)
    return recipe.digest()


def sysroot() -> Path:
    """Return the sysroot, building it first when there is none."""
    return cache.publish("sysroot", sysroot_digest(), _build)


def musl_source() -> Path:
    """Return the unpacked musl source with Debian's corrections."""

    def unpack(target: Path) -> None:
        for name, digest in ((musl.TARBALL, musl.SHA256), (musl.PATCH_TARBALL, musl.PATCH_SHA256)):
            with tarfile.open(apt.fetch_source(musl.PACKAGE, musl.SUITE, name, digest)) as tar:
                tar.extractall(target, filter="data")
        if not shutil.which("patch"):
            raise BuildError("the command `patch` is not installed")
        for name in musl.PATCHES:
            folder, file = target / f"musl-{musl.VERSION}", target / "debian/patches" / name
            run(["patch", "-p1", "-s", "-d", str(folder), "-i", str(file)])

    recipe = cache.Recipe("musl")
    recipe.add("inputs", " ".join((musl.SHA256, musl.PATCH_SHA256, *musl.PATCHES)))
    return cache.publish("musl", recipe.digest(), unpack) / f"musl-{musl.VERSION}"


def run(arguments: list[str]) -> None:
    """Run a tool. Raises: BuildError with what it printed."""
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(arguments[:2])} ... {arguments[-1]}\n{done.stderr.strip()}")


def _alltypes(arch: Path, generic: Path) -> str:
    """Expand TYPEDEF, STRUCT and UNION lines as musl's tools/mkalltypes.sed does."""
    text = arch.read_text() + generic.read_text()
    for pattern, replacement in _ALLTYPES:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return text


def _syscall_numbers(source: Path) -> str:
    """Return bits/syscall.h: riscv32's numbers without its own calls, and the generic fork and vfork."""
    lines = [line for line in source.read_text().splitlines() if "riscv" not in line]
    lines += ["#define __NR_vfork 1071", "#define __NR_fork 1079"]
    return "\n".join(lines + [line.replace("__NR_", "SYS_", 1) for line in lines if "__NR_" in line]) + "\n"


def _install_headers(tree: Path, target: Path) -> None:
    """Fill `target` with musl's public headers, riscv32's bits and the overlay's bits over them."""
    shutil.copytree(tree / "include", target, ignore=shutil.ignore_patterns("*.in"))
    bits = target / "bits"
    bits.mkdir()
    overlay = overlay_dir() / "arch" / _ARCH / "bits"
    for folder in (tree / "arch/generic/bits", tree / "arch/riscv32/bits", overlay):
        for header in folder.glob("*.h"):
            shutil.copy(header, bits / header.name)
    shutil.copy(tree / "arch/generic/bits/fenv.h", bits / "fenv.h")
    (bits / "alltypes.h").write_text(_alltypes(overlay / "alltypes.h.in", tree / "include/alltypes.h.in"))
    (bits / "syscall.h").write_text(_syscall_numbers(tree / "arch/riscv32/bits/syscall.h.in"))


def _include_options(tree: Path, headers: Path, work: Path) -> list[str]:
    """Return the search path for musl's own files: the overlay first, then musl's."""
    (work / "internal").mkdir()
    (work / "internal/version.h").write_text(f'#define VERSION "{musl.VERSION}"\n')
    shutil.copy(tree / "arch/riscv32/kstat.h", work / "internal/kstat.h")
    overlay = overlay_dir()
    folders = [
        overlay / "internal", overlay / "arch" / _ARCH, tree / "arch/generic", work / "internal",
        tree / "src/include", tree / "src/internal", overlay / "include", headers,
    ]  # fmt: skip
    return [f"-I{folder}" for folder in folders]


def compile_units(work: list[tuple[Path, Path, list[str]]], title: str) -> None:
    """Compile (source, object, options) in parallel, showing progress. Raises: BuildError."""
    binary = zig.zig_binary()
    progress = Progress(title, len(work))

    def one(source: Path, target: Path, options: list[str]) -> None:
        run([binary, "clang", *TARGET_OPTIONS, *options, "-c", "-o", str(target), str(source)])
        progress.step(source.name)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = [pool.submit(one, *item) for item in work]
        done, _ = concurrent.futures.wait(futures, return_when=concurrent.futures.FIRST_EXCEPTION)
        for future in futures:
            future.cancel()
        for future in done:
            if not future.cancelled():
                future.result()
    progress.finish()


def archive(target: Path, objects: list[Path]) -> None:
    """Make a static library with an index."""
    listing = target.with_suffix(".rsp")
    listing.write_text("\n".join(f'"{path}"' for path in objects))
    run([zig.zig_binary(), "ar", "rcsD", str(target), f"@{listing}"])
    listing.unlink()


def _build(target: Path) -> None:
    """Build the whole sysroot in `target`."""
    from skerry.toolchain.compiler_rt import build_compiler_rt

    tree, overlay = musl_source(), overlay_dir()
    library, work = target / "lib", target / "work"
    library.mkdir()
    work.mkdir()
    _install_headers(tree, target / "include")
    options = [*_MUSL_OPTIONS, *_include_options(tree, target / "include", work)]
    todo = [(u.source, work / u.object_name, [*options, *u.options]) for u in musl.units(tree, overlay)]
    objects = [item[1] for item in todo]
    for name, extra in musl.CRT.items():
        todo.append((overlay / "crt/crt1.c", library / name, [*options, "-O2", *extra]))
    todo.append((overlay / "crt/thread_start.c", library / "thread_start.o", [*options, "-O2"]))
    compile_units(todo, "libc")
    archive(library / "libc.a", objects)
    for name in musl.EMPTY_LIBRARIES:
        archive(library / f"lib{name}.a", [])
    for header in (overlay / "include").iterdir():
        (target / "include/skerry").mkdir(exist_ok=True)
        shutil.copy(header, target / "include/skerry" / header.name)
    build_compiler_rt(library / "libcompiler_rt.a", work)
    shutil.rmtree(work)
