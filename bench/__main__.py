# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""`python -m bench [ROW...]`: the host engine beside native Linux.

Each row is measured natively and in Skerry by turns, ROUNDS times; the table gives medians and
their ratio, and the aim where the project has set one. Latencies are microseconds, bandwidths
MB/s, commands seconds of wall time.
"""
from __future__ import annotations

import statistics
import subprocess
import sys

from bench.commands import COMMANDS, Command, prepare_commands
from bench.programs import SKERRY, build_hbench
from skerry.abi.errors import UserError

ROUNDS = 5

LATENCIES = {  # row -> (unit, aim, the larger the better)
    "getpid": ("us", "<= 5 us"),
    "write_null": ("us", "<= 5 us"),
    "pread": ("us", "<= 5 us"),
    "stat": ("us", "<= 5 us"),
    "open_close": ("us", "<= 10 us, two calls"),
    "create_1k": ("us", "<= 20 us, four calls"),
    "signal": ("us", ""),
    "pipe_pingpong": ("us", "<= 3x"),
    "tcp_pingpong": ("us", ""),
    "fork_exit_wait": ("us", "<= 5000 us with exec"),
    "spawn_exec_wait": ("us", "<= 5000 us"),
    "pipe_bw": ("MB/s", ""),
    "tcp_bw": ("MB/s", ""),
}


def output(argv: list[str]) -> float:
    """Run one hbench row; its only output is a number."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(f"{argv}: {done.stderr.strip() or done.returncode}")
    return float(done.stdout)


def interleave(native: list[str], skerry: list[str]) -> tuple[float, float]:
    """Medians of both, measured by turns."""
    pairs = [(output(native), output(skerry)) for _ in range(ROUNDS)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def interleave_commands(command: Command) -> tuple[float, float]:
    """Medians of wall seconds, measured by turns."""
    pairs = [(command.native(), command.skerry()) for _ in range(ROUNDS)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def line(row: str, unit: str, native: float, skerry: float, aim: str) -> str:
    """One row of the table."""
    return f"{row:<18} {native:>12.3f} {skerry:>12.3f} {unit:<5} {skerry / native:>8.2f}x  {aim}"


def main(wanted: list[str]) -> int:
    """Print the table row by row."""
    known = [*LATENCIES, *COMMANDS]
    unknown = [row for row in wanted if row not in known]
    if unknown:
        print(f"bench: unknown rows {' '.join(unknown)}; known: {' '.join(known)}", file=sys.stderr)
        return 2
    rows = wanted or known
    native, wasm = build_hbench()
    print(f"{'row':<18} {'native':>12} {'skerry':>12} {'unit':<5} {'ratio':>9}  aim", flush=True)
    for row in rows:
        try:
            prepare_commands([row])
            if row in LATENCIES:
                unit, aim = LATENCIES[row]
                pair = interleave([str(native), row], [*SKERRY, "run", str(wasm), row])
            else:
                unit, aim = "s", COMMANDS[row].aim
                pair = interleave_commands(COMMANDS[row])
        except (RuntimeError, OSError, UserError, subprocess.SubprocessError) as error:
            print(f"{row:<18} failed: {error}", flush=True)
            continue
        print(line(row, unit, *pair, aim), flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
