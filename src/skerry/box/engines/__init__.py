# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Engines: what runs guest code and carries the kernel's commands out.

engine     the Protocols: Engine, Guest, Outside, and how a guest can end
host       Host: the kernel's lock, its commands, one Carrier (OS thread) per task
null       guests that are Python functions: for tests
wasmtime   guests that are WebAssembly, compiled to machine code
safepoints the rewriting that makes busy loops interruptible
wasmfile   reading the outside of a wasm file
"""
