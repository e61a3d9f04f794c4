# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""C and C++ sources become WebAssembly programs.

sysroot   headers, libc.a and start files, from musl's source and our overlay `libc/`
cc        the compiler driver; link and postlink take over where it must link
cxx       the C++ runtime
binutils  ar, ranlib, ld, strip
wrappers  scripts skerry-cc, ... that start fast
wasm      the sections of a module
apt       Debian sources and packages, from the machine's own mirror
ports     the programs of the distribution, one recipe each
cache     where results live, named by what went into them

Nothing is imported here: a configure script starts the driver hundreds of times.
"""

from __future__ import annotations
