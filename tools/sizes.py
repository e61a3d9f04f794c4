# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Keep files small enough to be read: warn past 300 lines, fail past 400.

A longer file passes when it says why, in a comment of its first 40 lines: `size: <reason>`.
Generated files do not count; they say `generated` in their first line.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATTERNS = ("src/*.py", "tools/*.py", "bench/*.py", "libc/*.c", "libc/*.h", "web/src/*.ts")
AIM = 300
LIMIT = 400
HEAD = 40
_REASON = re.compile(r"^\s*(?:#|//|/\*|\*)\s*size: +(\S.*)")


def source_files(root: Path) -> list[Path]:
    """Every source file git knows of or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *PATTERNS]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode()
    return [root / name for name in sorted(set(listed.split("\0"))) if name and (root / name).is_file()]


def reason(lines: list[str]) -> str:
    """Why this file may be long; empty when it does not say."""
    if lines and "generated" in lines[0].lower():
        return "generated"
    for line in lines[:HEAD]:
        if found := _REASON.match(line):
            return found[1].removesuffix("*/").strip()
    return ""


def verdict(name: str, lines: list[str]) -> tuple[str, bool]:
    """The line to print (empty: nothing to say), and whether it is a failure."""
    count = len(lines)
    if count <= AIM:
        return "", False
    why = reason(lines)
    if count <= LIMIT:
        return ("", False) if why == "generated" else (f"{count:5}  {name}", False)
    if why:
        return ("", False) if why == "generated" else (f"{count:5}  {name}  ({why})", False)
    return f"{count:5}  {name}  TOO LONG: find the seam, or say why with a `size:` comment", True


def main() -> int:
    """Print what is long; 1 when a file is too long without a reason."""
    failed = False
    for path in source_files(ROOT):
        text, bad = verdict(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8").splitlines())
        failed |= bad
        if text:
            print(text)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
