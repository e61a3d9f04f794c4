# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""What the compiler driver does with each argument: for the compiler, for the linker, or dropped.

Programs are configured for Linux with GNU tools, so options that only those have are dropped without a
word. Written for speed: a configure script starts the driver hundreds of times, so nothing heavy is
imported here.
"""

from __future__ import annotations

TARGET_OPTIONS = (
    "--target=wasm32-linux-musl", "-U__wali__",
    "-matomics", "-mbulk-memory", "-msign-ext", "-mnontrapping-fptoint", "-mmutable-globals",
    # The driver for this target does not add the last five by itself; without them, wrong code.
    "-fwasm-exceptions", "-mexception-handling",
    "-mllvm", "-wasm-enable-eh", "-mllvm", "-wasm-enable-sjlj",
)  # fmt: skip
"""How every object is compiled: libc's and the programs'."""

LENIENT_OPTIONS = (
    "-Wno-error=implicit-function-declaration", "-Wno-error=implicit-int", "-Wno-error=int-conversion",
    "-Wno-error=incompatible-pointer-types", "-Wno-error=incompatible-function-pointer-types",
    "-Wno-error=return-mismatch", "-Wno-unused-command-line-argument",
)  # fmt: skip
"""What old C does and GCC of its day only warned about."""

NO_LINK = frozenset({"-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "-v", "--version", "-V", "-qversion"})
_NO_LINK_PREFIXES = ("-print-", "--print-", "-dump", "--help", "-###")

_TAKES_VALUE = frozenset(
    {"-I", "-D", "-U", "-include", "-imacros", "-isystem", "-idirafter", "-iquote", "-isysroot", "-MF"}
    | {"-MT", "-MQ", "-x", "-Xclang", "-mllvm", "-arch", "-target", "-framework", "-iprefix"}
    | {"-iwithprefix", "--param", "-Xpreprocessor"}
)
_LINK_TAKES_VALUE = frozenset({"-L", "-l", "-u", "-z", "-T", "-e", "-Xlinker", "-rpath", "-soname", "-h"})

_DROPPED = frozenset(
    {"-fPIC", "-fpic", "-fPIE", "-fpie", "-pie", "-no-pie", "-static-pie", "-rdynamic", "-export-dynamic"}
    | {"-pipe", "-static", "-static-libgcc", "-static-libstdc++", "-shared-libgcc", "-m32", "-m64"}
    | {"-mfpmath=sse", "-fno-plt", "-ffat-lto-objects", "-fno-fat-lto-objects", "-fopenmp"}
    | {"-fno-semantic-interposition"}
)
_DROPPED_PREFIXES = (
    "-flto", "-fno-lto", "-march=", "-mtune=", "-mcpu=", "-msse", "-mavx", "-mno-sse", "-mno-avx",
    "-fcf-protection", "-fstack-clash-protection", "-specs=", "-fuse-ld=", "-Wa,", "-fuse-linker-plugin",
    "-fwhole-program", "-fprofile-", "-mindirect-branch", "-mpreferred-stack",
)  # fmt: skip
_DEBUG_PREFIXES = ("-gdwarf", "-ggdb", "-gsplit", "-gz", "-gstabs", "-gcolumn", "-grecord")

_LINKER_KEEPS = frozenset(
    {"--whole-archive", "--no-whole-archive", "--gc-sections", "--no-gc-sections", "-S", "--strip-debug"}
    | {"--allow-undefined", "--start-lib", "--end-lib", "--fatal-warnings", "--verbose", "--version"}
    | {"-t", "--trace", "--print-gc-sections", "--allow-multiple-definition", "--no-stack-first"}
)
_LINKER_KEEPS_WITH_VALUE = frozenset({"-z", "-u", "--undefined", "--export", "--wrap", "--trace-symbol"})
_LINKER_KEEPS_PREFIXES = (
    "--export=", "--export-if-defined=", "--undefined=", "--wrap=", "--initial-memory=", "--max-memory=",
    "--global-base=", "--trace-symbol=", "--allow-undefined-file=", "--unresolved-symbols=",
    "--error-limit=", "--threads=",
)  # fmt: skip
_LINKER_DROPS_VALUE = frozenset(
    {"-rpath", "--rpath", "-rpath-link", "--rpath-link", "-soname", "--soname", "-h", "-Map", "-T", "-R"}
    | {"--version-script", "--dynamic-linker", "-dynamic-linker", "-e", "--entry", "-m", "--defsym"}
    | {"-plugin", "-plugin-opt"}
)
_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".c++", ".C", ".S", ".s", ".i", ".ii", ".sx", ".m")
_LINKED = (".o", ".a", ".lo", ".obj")


class Job:
    """The arguments of one invocation, sorted. `inputs` keeps objects, libraries and sources in order."""

    __slots__ = (
        "compiler", "debug", "freestanding", "inputs", "linker", "links", "output", "relocatable",
        "shared", "strip",
    )  # fmt: skip

    def __init__(self) -> None:
        self.compiler: list[str] = []
        self.linker: list[str] = []
        self.inputs: list[str] = []
        self.output = ""
        self.links = True
        self.shared = False
        self.relocatable = False
        self.strip = False
        self.debug = False
        self.freestanding = False


def is_source(name: str, job: Job) -> bool:
    """Say whether the compiler must turn this input into an object: by its suffix, or because of -x."""
    if name.startswith("-") and name != "-":
        return False
    return name.endswith(_SOURCES) or ("-x" in job.compiler and not name.endswith(_LINKED))


def _keep_linker_options(words: list[str], job: Job) -> None:
    """Sort the words given with -Wl or -Xlinker."""
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word in _LINKER_KEEPS_WITH_VALUE and position < len(words):
            value = words[position]
            position += 1
            if word != "-z" or value.startswith("stack-size"):
                job.linker += [word, value]
        elif word in _LINKER_DROPS_VALUE:
            position += 1
        elif word in ("-s", "--strip-all"):
            job.strip = True
        elif word in _LINKER_KEEPS or word.startswith(_LINKER_KEEPS_PREFIXES):
            # Order matters for --whole-archive, so these stand among the inputs.
            job.inputs.append(word)


def _take(word: str, value: str | None, job: Job) -> bool:
    """Sort one argument; return whether it used up `value`, the argument after it."""
    if word == "-o" and value is not None:
        job.output = value
        return True
    if word in _LINK_TAKES_VALUE and value is not None:
        if word in ("-L", "-l"):
            job.inputs.append(word + value)
        else:
            _keep_linker_options([value] if word == "-Xlinker" else [word, value], job)
        return True
    if word in _TAKES_VALUE and value is not None:
        job.compiler += [word, value]
        return True
    if word.startswith("-Wl,"):
        _keep_linker_options(word[4:].split(","), job)
    elif word.startswith(("-L", "-l")):
        job.inputs.append(word)
    elif word.startswith("-u") and not word.startswith("-undef"):
        job.linker.append(word)
    else:
        _take_flag(word, job)
    return False


def _take_flag(word: str, job: Job) -> None:
    """Sort an argument that stands alone."""
    if word in NO_LINK or word.startswith(_NO_LINK_PREFIXES):
        job.links = False
        job.compiler.append(word)
    elif word in ("-shared", "--shared", "-dynamiclib"):
        job.shared = True
    elif word == "-r":
        job.relocatable = True
    elif word == "-s":
        job.strip = True
    elif word in ("-nostdlib", "-nostartfiles", "-nodefaultlibs"):
        job.freestanding = True
    elif word == "-g" or word in ("-g1", "-g2", "-g3") or word.startswith(_DEBUG_PREFIXES):
        job.debug = True
    elif word in _DROPPED or word.startswith(_DROPPED_PREFIXES):
        pass
    elif word.startswith("-") and word != "-":
        job.compiler.append(word)
    else:
        job.inputs.append(word)


def expand(words: list[str]) -> list[str]:
    """Replace each `@file` by the words in that file, as GCC does."""
    if not any(word.startswith("@") for word in words):
        return words
    import shlex

    result: list[str] = []
    for word in words:
        if word.startswith("@"):
            try:
                with open(word[1:]) as handle:
                    result += expand(shlex.split(handle.read()))
                continue
            except OSError:
                pass
        result.append(word)
    return result


def sort_arguments(words: list[str]) -> Job:
    """Return the arguments of a compiler invocation, sorted."""
    job = Job()
    words = expand(words)
    position = 0
    while position < len(words):
        value = words[position + 1] if position + 1 < len(words) else None
        position += 2 if _take(words[position], value, job) else 1
    return job
