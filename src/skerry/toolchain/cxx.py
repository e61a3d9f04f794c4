# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The C++ runtime: libc++, libc++abi and the wasm unwinder, built from the zig wheel's sources.

Built when a C++ program is first compiled. Exceptions are wasm exceptions, as for setjmp.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from skerry.toolchain import zig
from skerry.toolchain.cache import Recipe, publish
from skerry.toolchain.cc import cxx_header_options

LIBRARIES: Final = ("-lc++", "-lc++abi", "-lunwind")

_LEFT_OUT: Final = {
    "libcxx/src/filesystem/int128_builtins.cpp": "compiler-rt has it",
    "libcxx/src/pstl/libdispatch.cpp": "for another system",
    "libcxx/src/experimental/tzdb.cpp": "no time zone database in the C++ library",
    "libcxx/src/experimental/tzdb_list.cpp": "as tzdb.cpp",
    "libcxx/src/experimental/time_zone.cpp": "as tzdb.cpp",
    "libcxx/src/experimental/chrono_exception.cpp": "as tzdb.cpp",
    "libcxxabi/src/cxa_noexception.cpp": "for builds without exceptions",
}
_CXX_OPTIONS = (
    "-std=c++23", "-O2", "-DNDEBUG", "-g0", "-w", "-fwasm-exceptions", "-fvisibility=hidden",
    "-fvisibility-inlines-hidden", "-D_GNU_SOURCE", "-D_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS",
    "-D_LIBCXXABI_DISABLE_VISIBILITY_ANNOTATIONS", "-D_LIBCPP_BUILDING_LIBRARY",
    "-D_LIBCXXABI_BUILDING_LIBRARY", "-DLIBCXX_BUILDING_LIBCXXABI",
    "-DLIBC_NAMESPACE=__llvm_libc_common_utils",
)  # fmt: skip
_UNWIND_OPTIONS = (
    "-std=c17",
    "-O2",
    "-g0",
    "-w",
    "-DNDEBUG",
    "-D_LIBUNWIND_HIDE_SYMBOLS",
    "-D__WASM_EXCEPTIONS__",
)


def runtime(root: Path, overlay: Path) -> Path:
    """Return the folder with the three libraries for the sysroot `root`, building them first."""
    recipe = Recipe("cxx")
    recipe.add("sysroot", root.name)
    recipe.add("zig", zig.zig_version())
    recipe.add_tree(overlay / "cxx")
    recipe.add_file("cxx.py", Path(__file__))
    return publish("cxx", recipe.digest(), lambda target: _build(target, root, overlay))


def _sources(folder: str) -> list[Path]:
    """Return the C++ files of one library."""
    base = Path(zig.zig_dir()) / "lib"
    found = sorted((base / folder).rglob("*.cpp"))
    kept = [path for path in found if path.relative_to(base).as_posix() not in _LEFT_OUT]
    return [path for path in kept if "win32" not in path.parts]


def _build(target: Path, root: Path, overlay: Path) -> None:
    """Compile the three libraries into `target`."""
    from skerry.toolchain.sysroot import archive, compile_units

    base = Path(zig.zig_dir()) / "lib"
    system: list[str] = []
    for folder in (root / "include/skerry", root / "include", base / "include"):
        system += ["-isystem", str(folder)]
    options = [
        *cxx_header_options(str(overlay)), *_CXX_OPTIONS, f"-I{base}/libcxx/src", f"-I{base}/libcxx/libc",
        f"-I{base}/libcxxabi/src", "-nostdinc", *system,
    ]  # fmt: skip
    work: list[tuple[Path, Path, list[str]]] = []
    objects: dict[str, list[Path]] = {"c++": [], "c++abi": [], "unwind": []}

    def add(library: str, source: Path, how: list[str]) -> None:
        name = target / f"{library}-{source.parent.name}-{source.stem}.o"
        objects[library].append(name)
        work.append((source, name, how))

    for source in _sources("libcxx/src"):
        futex = [f"-I{overlay}/cxx", "-Dsyscall=__skerry_futex_call"] if source.name == "atomic.cpp" else []
        add("c++", source, [*options, *futex])
    for source in _sources("libcxxabi/src"):
        add("c++abi", source, options)
    unwind = [*_UNWIND_OPTIONS, f"-I{base}/libunwind/include", "-nostdinc", *system]
    add("unwind", base / "libunwind/src/Unwind-wasm.c", unwind)
    add("unwind", overlay / "cxx/exception_tag.c", unwind)
    add("c++", overlay / "cxx/futex.c", unwind)
    compile_units(work, "libc++")
    for name, files in objects.items():
        archive(target / f"lib{name}.a", files)
        for file in files:
            file.unlink()
