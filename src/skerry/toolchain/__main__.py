# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`python -m skerry.toolchain setup`: fetch and build what the toolchain needs before its first use."""

from __future__ import annotations

import sys

from skerry.abi.errors import EXIT_USAGE, UserError


def setup() -> None:
    """Install binaryen and build the sysroot; quick when both are there."""
    from skerry.toolchain.binaryen import binaryen_dir
    from skerry.toolchain.wrappers import bin_dir

    binaryen_dir()
    bin_dir()


def main(argv: list[str]) -> int:
    """Do what the one argument says; return the exit status."""
    if argv != ["setup"]:
        print("usage: python -m skerry.toolchain setup", file=sys.stderr)
        return EXIT_USAGE
    try:
        setup()
    except UserError as error:
        print(f"skerry: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
