# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""The wasmtime engine: guests are WebAssembly, compiled to machine code.

capi      wasmtime's C API over ctypes
compiler  wasm -> machine code, and what that code depends on
machine   the Engine: programs, images, memory budget
imports   the functions a guest can import, by module name
program   one compiled program
space     one linear memory and the images that share it
guest     one image: running, forking, threads
"""
