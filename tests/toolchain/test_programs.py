# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Whole programs through the driver: what they import, export, and whether node runs them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from skerry.abi.syscalls import START_IMPORTS, SYSCALLS
from skerry.toolchain import cc, wasm
from skerry.toolchain.binaryen import node_binary

pytestmark = pytest.mark.slow

HELLO = '#include <stdio.h>\nint main(int c, char **v) { printf("hello %d %.2f\\n", c, 1.5); return 3; }\n'
FORK = "#include <unistd.h>\nint main(void) { return fork() == -1; }\n"
SPAWN = '#include <stdlib.h>\nint main(void) { return system("true"); }\n'
VFORK = "#include <unistd.h>\nint main(void) { return vfork() ? 0 : (_exit(1), 0); }\n"
JUMP = "#include <setjmp.h>\njmp_buf b;\nint main(void) { if (!setjmp(b)) longjmp(b, 1); return 0; }\n"
THREAD = """#include <pthread.h>
static void *run(void *x) { return x; }
int main(void) { pthread_t t; return pthread_create(&t, 0, run, 0) || pthread_join(t, 0); }
"""
MAIN3 = "int main(int c, char **v, char **e) { return !e; }\n"
THROW = """#include <stdexcept>
int main() { try { throw std::runtime_error("x"); } catch (std::exception &) {} }
"""

# Enough of an engine to start a program: it has no files, and what it writes goes nowhere.
HOST = """
import fs from 'node:fs';
const mod = await WebAssembly.compile(fs.readFileSync(process.argv[2]));
let memory, out = '';
class Exit extends Error { constructor(c) { super(); this.code = c; } }
const calls = {
  exit_group(c) { throw new Exit(c); },
  writev(fd, iov, n) {
    const d = new DataView(memory.buffer); let sum = 0;
    for (let i = 0; i < n; i++) {
      const p = d.getUint32(iov + 8 * i, true), size = d.getUint32(iov + 8 * i + 4, true);
      out += Buffer.from(memory.buffer, p, size).toString(); sum += size;
    }
    return sum;
  },
};
const start = {
  start_size: () => 64,
  start(p) {
    const d = new DataView(memory.buffer);
    [1, p + 48, 0, 0, 6, 4096, 0, 0].forEach((word, i) => d.setUint32(p + 4 * i, word, true));
    d.setUint8(p + 48, 112); d.setUint8(p + 49, 0);
  },
  thread() {}, sigfetch: () => 0,
};
const all = { linux: {}, skerry: start };
for (const i of WebAssembly.Module.imports(mod)) {
  if (i.module === 'linux') all.linux[i.name] = calls[i.name] ?? (() => -38);
}
const instance = await WebAssembly.instantiate(mod, all);
memory = instance.exports.memory;
try { instance.exports._start(); } catch (e) { if (!(e instanceof Exit)) throw e; process.exitCode = e.code; }
process.stdout.write(out);
"""


def build(folder: Path, source: str, *options: str, cxx: bool = False) -> Path:
    """Compile and link one source text; return the program."""
    file = folder / ("program.cc" if cxx else "program.c")
    file.write_text(source)
    assert cc.main(["-O2", *options, str(file), "-o", str(folder / "program")], cxx=cxx) == 0
    return folder / "program"


def run(folder: Path, program: Path) -> tuple[int, str]:
    """Run a program in node; return its status and what it wrote."""
    (folder / "host.mjs").write_text(HOST)
    command = [node_binary(), str(folder / "host.mjs"), str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    return done.returncode, done.stdout


def linux_imports(module: bytes) -> set[str]:
    """Return the system calls a module imports, after checking that each is in the table."""
    found = wasm.imports(module)
    for entry in found:
        assert entry.module in ("linux", "skerry", "env")
        assert entry.module != "linux" or entry.name in SYSCALLS
        assert entry.module != "skerry" or entry.name in START_IMPORTS
    return {entry.name for entry in found if entry.module == "linux"}


def test_hello_runs_and_imports_little(tmp_path: Path) -> None:
    program = build(tmp_path, HELLO)
    module = program.read_bytes()
    assert program.stat().st_mode & 0o111
    assert len(linux_imports(module)) < 15
    assert not wasm.has_tags(module)
    wanted = {
        "_start",
        "memory",
        "__stack_pointer",
        "__indirect_function_table",
        "__skerry_deliver",
        "__skerry_poll",
    }
    assert wanted <= set(wasm.exports(module))
    assert run(tmp_path, program) == (3, "hello 1 1.50\n")


def test_only_fork_is_asyncified(tmp_path: Path) -> None:
    module = build(tmp_path, FORK).read_bytes()
    assert "fork" in linux_imports(module)
    assert "asyncify_start_unwind" in wasm.exports(module)


@pytest.mark.parametrize("source", [SPAWN, VFORK])
def test_spawn_and_vfork_need_no_asyncify(tmp_path: Path, source: str) -> None:
    module = build(tmp_path, source).read_bytes()
    assert "vfork" in linux_imports(module)
    assert "fork" not in linux_imports(module)
    assert "asyncify_start_unwind" not in wasm.exports(module)


def test_setjmp_runs(tmp_path: Path) -> None:
    assert run(tmp_path, build(tmp_path, JUMP)) == (0, "")


def test_memory_is_shared_only_with_threads(tmp_path: Path) -> None:
    module = build(tmp_path, THREAD).read_bytes()
    assert "clone" in linux_imports(module)
    assert wasm.Import("env", "memory", "memory") in wasm.imports(module)
    assert {"__skerry_thread_start", "__tls_base"} <= set(wasm.exports(module))
    assert "clone" not in linux_imports(build(tmp_path, HELLO, "-pthread").read_bytes())


def test_main_with_three_arguments(tmp_path: Path) -> None:
    assert run(tmp_path, build(tmp_path, MAIN3)) == (0, "")


def test_exceptions_of_cxx(tmp_path: Path) -> None:
    assert run(tmp_path, build(tmp_path, THROW, cxx=True)) == (0, "")


def test_strip(tmp_path: Path) -> None:
    names = [section.name for section in wasm.sections(build(tmp_path, HELLO, "-s").read_bytes())]
    assert not any(names)


def test_shared_library_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cc.main(["-shared", "a.o", "-o", "liba.so"]) == 1
    assert "link statically" in capsys.readouterr().err


def test_program_without_main_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.c").write_text("int f(void) { return 1; }\n")
    assert cc.main([str(tmp_path / "a.c"), "-o", str(tmp_path / "a")]) == 1
    assert "undefined symbol: main" in capsys.readouterr().err
