# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""G1 with real WebAssembly: a program makes random raw system calls; the box and a shell beside it live.

It forks children that call whatever the generator says, with pointers into and out of their memory,
and kills each after a moment: some wait for ever, some have ruined themselves.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from tests.integration.boxes import compile_c

import skerry

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SEEDS = 3
PROGRAM = r"""
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long long state;
static char room[1 << 16];
static unsigned rnd(void) {
    state ^= state << 13; state ^= state >> 7; state ^= state << 17;
    return state >> 11;
}
static long word(void) {
    static const long wild[] = {0, 1, -1, -100, 4095, 4096, 0x7fffffff, -0x7fffffff - 1, -4096, -2, 1 << 20, 1 << 30};
    switch (rnd() % 6) {
    case 0: return wild[rnd() % (sizeof wild / sizeof *wild)];
    case 1: return rnd() % 40;
    case 2: return 1L << rnd() % 32;
    case 3: return rnd();
    case 4: return __builtin_wasm_memory_size(0) * 65536L - rnd() % 64;
    default: return (long)(room + rnd() % sizeof room);
    }
}
/* signals to others and the end of the box are its own business, not a break of it */
static int spared(long n) {
    return n == 93 || n == 94 || n == 129 || n == 130 || n == 131 || n == 138 || n == 142 || n == 240 || n == 424;
}
int main(int argc, char **argv) {
    long long calls = 0;
    int rounds = atoi(argv[2]);
    for (int round = 0; round < rounds; round++) {
        int ends[2];
        pipe(ends);
        pid_t pid = fork();
        if (!pid) {
            state = 88172645463325252ULL ^ (atoi(argv[1]) * 1000003ULL + round) * 0x9E3779B97F4A7C15ULL;
            for (int i = 0; i < 20; i++) rnd();
            for (unsigned i = 0; i < sizeof room; i += 4) { long w = word(); memcpy(room + i, &w, 4); }
            for (int i = 0; i < 300; i++) {
                long n = rnd() % 460;
                if (spared(n)) continue;
                write(ends[1], "c", 1);
                syscall(n, word(), word(), word(), word(), word(), word());
            }
            _exit(0);
        }
        close(ends[1]);
        for (int i = 0; i < 8 && waitpid(pid, 0, WNOHANG) == 0; i++) usleep(5000);
        kill(pid, SIGKILL);
        waitpid(pid, 0, 0);
        static char made[4096];
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        ssize_t n = read(ends[0], made, sizeof made);
        if (n > 0) calls += n;
        close(ends[0]);
    }
    printf("%lld\n", calls);
    return 0;
}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("hostile")
    compile_c(PROGRAM, found / "hostile")
    return found


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_calls_of_a_real_program(seed: int, folder: Path) -> None:
    with skerry.Unix(mounts=[f"{folder}:/w:ro"], memory=512 << 20, log=lambda line: None) as unix:
        pipe, words = subprocess.PIPE, ["/w/hostile", str(seed), "30"]
        with (
            unix.Popen(["sh"], stdin=pipe, stdout=pipe, text=True) as shell,
            unix.Popen(words, stdout=pipe, text=True) as hostile,
        ):
            assert shell.stdin is not None and shell.stdout is not None and hostile.stdout is not None
            while hostile.poll() is None:
                begin = time.monotonic()
                shell.stdin.write("echo $((6 * 7))\n")
                shell.stdin.flush()
                assert shell.stdout.readline() == "42\n"
                assert time.monotonic() - begin < 5, "the shell beside it was held up"
                time.sleep(0.1)
            assert int(hostile.stdout.read()) > 300, "too few calls to mean anything"
            shell.stdin.close()
            assert shell.wait(timeout=10) == 0
