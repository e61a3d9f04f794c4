# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Which files make libc.a: musl's, ours, and the one table of musl files that ours replace.

No musl file is edited by us; Debian's corrections are applied. A replaced file is left out of the
archive; a few files are compiled with a function renamed on the command line, so that what they call
can be told apart at link time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

PACKAGE: Final = "musl"
SUITE: Final = "trixie"
TARBALL: Final = "musl_1.2.5.orig.tar.gz"
SHA256: Final = "a9a118bbe84d8764da0ea0d28b3ab3fae8477fc7e4085d90102b8596fc7c75e4"
VERSION: Final = "1.2.5"

PATCH_TARBALL: Final = "musl_1.2.5-3.1~deb13u1.debian.tar.xz"
PATCH_SHA256: Final = "46fdfb271edc2f035d8d4063ff2e299734409693e781e69e4b77e0a9a495072e"
PATCHES: Final = (
    "0001-fix-pathological-slowness-incorrect-mappings-in-icon.patch",
    "0002-qsort-fix-leonardo-heap-corruption-from-bug-in-doubl.patch",
    "CVE-2025-26519-0001_iconv_fix_erroneous_input_validation_in_EUC_KR_decod.patch",
    "CVE-2025-26519-0002_iconv_harden_UTF_8_output_code_path_against_input_de.patch",
)
"""Debian's corrections of musl, taken from upstream; its two others are about Debian's packaging."""

REPLACED: Final[dict[str, str]] = {
    "process/vfork.c": "must return twice in the caller's frame: unistd.h makes it a setjmp (vfork.c)",
    "setjmp/setjmp.c": "an empty file for assembly; LLVM's lowering has its own runtime (setjmp.c)",
    "setjmp/longjmp.c": "as setjmp.c",
    "signal/siglongjmp.c": "the mask is restored before the jump, no assembly tail (setjmp_functions.c)",
    "signal/sigsetjmp.c": "as siglongjmp.c",
    "signal/sigsetjmp_tail.c": "as siglongjmp.c",
    "signal/restore.c": "handlers return by themselves: no sigreturn, no SA_RESTORER (signals.c)",
    "thread/__set_thread_area.c": "the thread pointer is a thread-local variable (thread_pointer.c)",
    "thread/__syscall_cp.c": "cancellation points keep the call's number constant (cancel.c)",
    "thread/__unmapself.c": "a wasm stack is unmapped when the next detached thread ends (clone_thread.c)",
    "thread/clone.c": "vfork-like clone runs the child as a nested call (clone.c, clone_process.c)",
    "thread/syscall_cp.c": "an empty file for assembly (cancel.c)",
    "thread/tls.c": "an empty file for assembly",
    "string/memcpy.c": "bulk memory instructions (memory.c)",
    "string/memmove.c": "as memcpy.c",
    "string/memset.c": "as memcpy.c",
}
"""Path below musl's src/ -> why it is left out and which file of libc/src does its work."""

RENAMED: Final[dict[str, tuple[str, ...]]] = {
    # Only a program that creates threads shall import linux.clone: its memory must be shared.
    "thread/pthread_create.c": ("-D__clone=__skerry_clone_thread", "-D__mmap=__skerry_map_memory"),
    # clone(2) may fork; posix_spawn, which shares __clone, must not import fork for that.
    "linux/clone.c": ("-D__clone=__skerry_clone_process",),
    # malloc wants anonymous memory only: without this every program would import pread64, statx, ...
    "malloc/mallocng/aligned_alloc.c": ("-D__mmap=__skerry_map_memory",),
    "malloc/mallocng/donate.c": ("-D__mmap=__skerry_map_memory",),
    "malloc/mallocng/free.c": ("-D__mmap=__skerry_map_memory",),
    "malloc/mallocng/malloc.c": ("-D__mmap=__skerry_map_memory",),
    "malloc/mallocng/malloc_usable_size.c": ("-D__mmap=__skerry_map_memory",),
    "malloc/mallocng/realloc.c": ("-D__mmap=__skerry_map_memory",),
    "malloc/lite_malloc.c": ("-D__mmap=__skerry_map_memory",),
    # A number not known at compile time: fork and clone would be imported by every such program.
    "misc/syscall.c": ("-DSKERRY_NO_FORK",),
    # Which of the six set*id calls to make is not known at compile time: dispatch among those alone.
    "unistd/setxid.c": ("-DSKERRY_ID_CALLS",),
}
"""Path below musl's src/ -> extra options, always a function renamed or a call left out."""

_OPTIMIZED = ("internal/", "malloc/", "string/")


@dataclass(frozen=True, slots=True)
class Unit:
    """One source file to compile: where it is, the object's name, its extra options."""

    source: Path
    object_name: str
    options: tuple[str, ...]


def _musl_sources(musl: Path) -> list[Path]:
    """Return the C files musl's own Makefile would compile for an arch without assembly."""
    src = musl / "src"
    folders = [path for path in sorted(src.iterdir()) if path.is_dir() and path.name != "include"]
    folders.append(src / "malloc" / "mallocng")
    return [file for folder in folders for file in sorted(folder.glob("*.c"))]


def units(musl: Path, overlay: Path) -> list[Unit]:
    """Return what goes into libc.a."""
    result = []
    for path in _musl_sources(musl):
        name = path.relative_to(musl / "src").as_posix()
        if name in REPLACED:
            continue
        level = "-O3" if name.startswith(_OPTIMIZED) else "-O2"
        result.append(Unit(path, name.replace("/", "_")[:-2] + ".o", (level, *RENAMED.get(name, ()))))
    for path in sorted((overlay / "src").glob("*.c")):
        result.append(Unit(path, f"skerry_{path.stem}.o", ("-O2",)))
    return result


CRT: Final[dict[str, tuple[str, ...]]] = {
    "crt1.o": (),
    "crt1-main3.o": ("-DSKERRY_MAIN3",),
    "crt1-threads.o": ("-DSKERRY_THREADS",),
    "crt1-threads-main3.o": ("-DSKERRY_THREADS", "-DSKERRY_MAIN3"),
}
"""Start files made of crt/crt1.c: by the form of main, and by whether memory is shared."""

EMPTY_LIBRARIES: Final = ("m", "rt", "pthread", "crypt", "util", "xnet", "resolv", "dl")
"""Libraries that are part of libc.a: empty archives for `-lm` and the like."""


def inputs() -> str:
    """Return all that this file decides about libc, for the sysroot's digest."""
    sources = (SHA256, PATCH_SHA256, PATCHES)
    return repr((sources, sorted(REPLACED), sorted(RENAMED.items()), _OPTIMIZED, CRT, EMPTY_LIBRARIES))
