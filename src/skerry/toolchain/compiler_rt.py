# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""compiler-rt: the functions clang calls for 128-bit floats and integers, from the zig wheel's source."""

from __future__ import annotations

from pathlib import Path

from skerry.toolchain import zig

_FEATURES = "generic+atomics+bulk_memory+sign_ext+nontrapping_fptoint+mutable_globals"


def build_compiler_rt(target: Path, work: Path) -> None:
    """Build the static library `target`, with zig's caches below `work`."""
    from skerry.toolchain.sysroot import run

    source = Path(zig.zig_dir()) / "lib/compiler_rt.zig"
    run(
        [
            zig.zig_binary(), "build-lib", str(source), "-target", "wasm32-freestanding",
            f"-mcpu={_FEATURES}", "-O", "ReleaseSmall", "-fno-stack-check", f"-femit-bin={target}",
            "--cache-dir", str(work / "zig"), "--global-cache-dir", str(work / "zig-global"),
        ]
    )  # fmt: skip
