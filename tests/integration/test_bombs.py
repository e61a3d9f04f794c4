# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""G6: programs that take all there is of something get an errno, and the shell beside them lives."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import skerry as skerry_package

from .boxes import SKERRY, compile_c, shell

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

BOMBS = r"""
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *name(int e) {
    return e == EAGAIN ? "EAGAIN" : e == ENOMEM ? "ENOMEM" : e == ENOSPC ? "ENOSPC" : e == EMFILE ? "EMFILE" :
           e == ENFILE ? "ENFILE" : strerror(e);
}
static int end(int n) { int e = errno; printf("%s %d\n", name(e), n); fflush(stdout); return 0; }
static void *idle(void *x) { for (;;) pause(); return x; }
static int deep(int n) { volatile char room[512]; room[n & 511] = n; return deep(n + 1) + room[(n + 1) & 511]; }

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    int n = 0;
    if (!strcmp(what, "fork")) {
        pid_t pids[4096];
        while (n < 4096 && (pids[n] = fork()) >= 0) { if (!pids[n]) idle(0); n++; }
        end(n);
        for (int i = 0; i < n; i++) kill(pids[i], SIGKILL);
        while (wait(0) > 0) ;
    } else if (!strcmp(what, "memory")) {
        while (n < 100000) { char *volatile p = malloc(1 << 20); if (!p) break; memset(p, 1, 1 << 20); n++; }
        end(n);
    } else if (!strcmp(what, "file")) {
        static char block[1 << 16];
        int fd = open("/tmp/big", O_CREAT | O_WRONLY, 0600);
        while (n < 1 << 20 && write(fd, block, sizeof block) > 0) n++;
        end(n);
        unlink("/tmp/big");
    } else if (!strcmp(what, "hole")) {
        int fd = open("/tmp/hole", O_CREAT | O_WRONLY, 0600);
        if (posix_fallocate(fd, 0, 1LL << 50)) errno = ENOSPC;
        end(0);
    } else if (!strcmp(what, "fds")) {
        while (n < 1 << 20 && open("/dev/null", O_RDONLY) >= 0) n++;
        end(n);
    } else if (!strcmp(what, "pipes")) {
        int p[2];
        while (n < 1 << 20 && pipe(p) == 0) n++;
        end(n);
    } else if (!strcmp(what, "threads")) {
        pthread_t t;
        int e = 0;
        while (n < 1 << 16 && !(e = pthread_create(&t, 0, idle, 0))) n++;
        errno = e;
        end(n);
        _exit(0);
    } else if (!strcmp(what, "deep")) {
        return deep(1);
    } else if (!strcmp(what, "loop")) {
        signal(SIGTERM, SIG_IGN);
        puts("looping");
        fflush(stdout);
        for (;;) n++;
    }
    return 0;
}
"""


@pytest.fixture(scope="module")
def bombs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bombs")
    compile_c(BOMBS, folder / "single")
    compile_c(BOMBS, folder / "threaded", "-pthread")
    return folder


@pytest.fixture
def unix(bombs: Path) -> Iterator[skerry_package.Unix]:
    with skerry_package.Unix(mounts=[f"{bombs}:/w:ro"], memory=256 << 20, log=lambda line: None) as unix:
        yield unix


def explode(unix: skerry_package.Unix, what: str, program: str = "single") -> tuple[str, int]:
    """Let a bomb off; returns the errno's name and how far it came. A shell that was there before lives."""
    with unix.Popen(["sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as neighbour:
        assert neighbour.stdin is not None and neighbour.stdout is not None
        done = unix.run([f"/w/{program}", what], capture_output=True, text=True, timeout=60)
        neighbour.stdin.write("echo $((6 * 7)); expr 40 + 3\n")
        neighbour.stdin.close()
        assert neighbour.stdout.read() == "42\n43\n"
    errno, count = done.stdout.split()
    return errno, int(count)


def test_a_fork_bomb_ends_in_eagain(unix: skerry_package.Unix) -> None:
    begin = time.monotonic()
    errno, count = explode(unix, "fork")
    assert errno in ("EAGAIN", "ENOMEM") and count > 50
    assert time.monotonic() - begin < 30


def test_a_fork_bomb_of_the_shell_is_over_when_it_is_killed(unix: skerry_package.Unix) -> None:
    bomb = unix.Popen(["sh", "-c", "bomb() { bomb | bomb & }; bomb; sleep 60"], stderr=subprocess.DEVNULL)
    time.sleep(3)
    assert unix.run(["echo", "alive"], capture_output=True, text=True, timeout=60).stdout == "alive\n"
    bomb.kill()


def test_a_memory_bomb_ends_in_enomem(unix: skerry_package.Unix) -> None:
    errno, count = explode(unix, "memory")
    assert errno == "ENOMEM" and 20 < count < 256


def test_processes_share_the_limit_of_their_box(unix: skerry_package.Unix) -> None:
    line = "for i in 1 2 3; do /w/single memory & done; wait; echo alive"
    done = unix.run(line, shell=True, capture_output=True, text=True, timeout=60)
    words = done.stdout.split()
    assert words[-1] == "alive"
    assert sum(int(word) for word in words if word.isdecimal()) < 3 * 256


def test_a_limit_of_many_processes_is_no_limit_of_one() -> None:
    done = shell("seq 300000 | sort -r | tail -1", "--memory", "200M")
    assert (done.returncode, done.stdout) == (0, "1\n")


def test_a_full_file_system_ends_in_enospc(unix: skerry_package.Unix) -> None:
    errno, count = explode(unix, "file")
    assert errno == "ENOSPC" and count > 100
    assert explode(unix, "hole")[0] == "ENOSPC"
    assert unix.run("echo x >/tmp/new && cat /tmp/new", shell=True, capture_output=True).stdout == b"x\n"


@pytest.mark.parametrize("what", ["fds", "pipes"])
def test_descriptors_end_in_emfile(unix: skerry_package.Unix, what: str) -> None:
    errno, count = explode(unix, what)
    assert errno == "EMFILE" and 400 < count < 100_000


def test_a_thread_bomb_ends_in_eagain(unix: skerry_package.Unix) -> None:
    errno, count = explode(unix, "threads", "threaded")
    assert errno in ("EAGAIN", "ENOMEM") and count > 10


def test_an_endless_loop_can_be_killed(unix: skerry_package.Unix) -> None:
    with unix.Popen(["/w/single", "loop"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "looping\n"
        process.terminate()  # it ignores this one
        assert unix.run(["echo", "alive"], capture_output=True, text=True).stdout == "alive\n"
        assert process.poll() is None
        process.kill()
        assert process.wait(timeout=10) == -9


def test_endless_recursion_is_a_segmentation_fault(bombs: Path) -> None:
    done = shell("/w/single deep; echo status $?; echo alive", "--mount", f"{bombs}:/w:ro")
    assert done.stdout == "status 139\nalive\n"
    assert "egmentation" in done.stderr or "SIGSEGV" in done.stderr


def test_a_flood_of_output_is_held_back() -> None:
    """The flood waits for its reader; neither monitor nor worker piles it up."""
    with subprocess.Popen([*SKERRY, "run", "yes"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1 << 20)
        time.sleep(1)  # nobody reads
        status = Path(f"/proc/{process.pid}/status").read_text()
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        process.kill()
        assert resident < 100 << 10
