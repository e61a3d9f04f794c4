# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""After the seal no file can be opened, so nothing may be imported that is not loaded yet."""
from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[3] / "src" / "skerry"
LOADED = "import sys, skerry.box.worker; print('\\n'.join(sys.modules))"
BEFORE_THE_SEAL = {"skerry.kernel.strace"}  # its tables load with the Tracer, which the worker makes first


def late_imports(path: Path) -> set[str]:
    """Modules that functions of a file import when they run."""
    found: set[str] = set()
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom) and node.module:
                    found.add(node.module)
                    folder = SOURCE.parent / node.module.replace(".", "/")
                    names = [name.name for name in node.names if (folder / f"{name.name}.py").exists()]
                    found |= {f"{node.module}.{name}" for name in names}
                elif isinstance(node, ast.Import):
                    found |= {name.name for name in node.names}
    return found


def test_what_functions_import_is_loaded_with_the_worker() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    missing: dict[str, set[str]] = {}
    for room in ("kernel", "abi", "box/engines"):
        for path in sorted((SOURCE / room).rglob("*.py")):
            name = "skerry." + str(path.relative_to(SOURCE).with_suffix("")).replace("/", ".")
            lacking = late_imports(path) - loaded
            if lacking and name not in BEFORE_THE_SEAL and name in loaded:
                missing[name] = lacking
    assert not missing
