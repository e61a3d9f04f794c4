# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""G5: no connection leaves a box. Listeners of this test wait on the host's loopback; none hears a thing.

The same C program is compiled for both sides: on the host it gets through to each listener.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.boxes import compile_c, compile_native

import skerry

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

KNOCK = r"""
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <netinet/in.h>

int main(int argc, char **argv) {
    int stream = !strcmp(argv[1], "tcp") || !strcmp(argv[1], "tcp6") || !strcmp(argv[1], "unix");
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr *to = (void *)&v4;
    socklen_t size = sizeof v4;
    if (!strncmp(argv[1], "unix", 4)) {
        strcpy(un.sun_path, argv[2]);
        to = (void *)&un; size = sizeof un;
        if (argv[2][0] == '@') { size = 2 + strlen(argv[2]); un.sun_path[0] = 0; }
    } else if (argv[1][strlen(argv[1]) - 1] == '6') {
        inet_pton(AF_INET6, argv[2], &v6.sin6_addr);
        v6.sin6_port = htons(atoi(argv[3]));
        to = (void *)&v6; size = sizeof v6;
    } else {
        inet_pton(AF_INET, argv[2], &v4.sin_addr);
        v4.sin_port = htons(atoi(argv[3]));
    }
    int fd = socket(to->sa_family, stream ? SOCK_STREAM : SOCK_DGRAM, 0);
    if (fd < 0) { printf("refused %d\n", errno); return 0; }
    if (!stream) {
        ssize_t n = sendto(fd, "knock", 5, 0, to, size);
        printf(n == 5 ? "sent\n" : "refused %d\n", errno);
    } else if (connect(fd, to, size) < 0) printf("refused %d\n", errno);
    else { write(fd, "knock", 5); printf("sent\n"); }
    return 0;
}
"""
RAW = r"""
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
int main(void) {
    int kinds[][3] = {{17, 3, 768}, {16, 3, 0}, {2, 3, 1}, {40, 1, 0}, {31, 3, 0}, {38, 5, 0}, {10, 3, 58}, {44, 3, 0}};
    for (int i = 0; i < 8; i++) {
        int fd = socket(kinds[i][0], kinds[i][1], kinds[i][2]);
        if (fd >= 0) printf("family %d works\n", kinds[i][0]);
    }
    puts("end");
    return 0;
}
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("knock")
    compile_c(KNOCK, folder / "knock")
    compile_c(RAW, folder / "raw")
    compile_native(KNOCK, folder / "native")
    return folder


@pytest.fixture(scope="module")
def unix(programs: Path) -> Iterator[skerry.Unix]:
    with skerry.Unix(mounts=[f"{programs}:/w"], log=lambda line: None) as unix:
        yield unix


def knock_outside(programs: Path, *words: str) -> str:
    return subprocess.run([str(programs / "native"), *words], capture_output=True, text=True, timeout=10).stdout


def knock_inside(unix: skerry.Unix, *words: str) -> str:
    return str(unix.run(["/w/knock", *words], capture_output=True, text=True, timeout=20).stdout)


def heard(listener: socket.socket) -> bytes:
    """What arrives in a moment."""
    listener.settimeout(0.3)
    with contextlib.suppress(TimeoutError):
        if listener.type == socket.SOCK_DGRAM:
            return listener.recv(100)
        connection, _ = listener.accept()
        with connection:
            return connection.recv(100)
    return b""


CASES = {
    "tcp": (socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1"),
    "udp": (socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.1"),
    "tcp6": (socket.AF_INET6, socket.SOCK_STREAM, "::1"),
    "udp6": (socket.AF_INET6, socket.SOCK_DGRAM, "::1"),
}


@pytest.mark.parametrize("kind", CASES)
def test_listeners_of_the_host_hear_nothing(kind: str, programs: Path, unix: skerry.Unix) -> None:
    family, socket_kind, host = CASES[kind]
    with socket.socket(family, socket_kind) as listener:
        try:
            listener.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine has no {host}")
        if socket_kind == socket.SOCK_STREAM:
            listener.listen()
        port = str(listener.getsockname()[1])
        assert knock_outside(programs, kind, host, port) == "sent\n"
        assert heard(listener) == b"knock"
        answer = knock_inside(unix, kind, host, port)
        assert heard(listener) == b""
        if socket_kind == socket.SOCK_STREAM:
            assert answer.startswith("refused")


@pytest.mark.parametrize("name", ["path", "@abstract"])
def test_unix_sockets_of_the_host_are_not_there(name: str, programs: Path, unix: skerry.Unix) -> None:
    inside = "@skerry-test-abstract" if name[0] == "@" else "/w/sock"
    outside = inside if name[0] == "@" else str(programs / "sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0" + inside[1:] if name[0] == "@" else outside)
        listener.listen()
        assert knock_outside(programs, "unix", outside) == "sent\n"
        assert heard(listener) == b"knock"
        assert knock_inside(unix, "unix", inside).startswith("refused")
        assert heard(listener) == b""


FAR = ("192.0.2.1", "10.0.0.1", "169.254.169.254", "0.0.0.0", "255.255.255.255", "224.0.0.1")


@pytest.mark.parametrize("host", FAR)
def test_other_addresses_are_refused_at_once(host: str, unix: skerry.Unix) -> None:
    assert knock_inside(unix, "tcp", host, "80").startswith("refused")
    for port in ("9", "53"):
        knock_inside(unix, "udp", host, port)  # a datagram may be lost; it may not wait for ever


def test_the_worker_has_no_socket_but_its_line(unix: skerry.Unix) -> None:
    """Whatever was tried above, the process that tries has one descriptor."""
    worker = unix._owner.call(lambda box: box._worker.pid)
    assert [path.name for path in Path(f"/proc/{worker}/fd").iterdir()] == ["0"]


def test_raw_and_foreign_sockets(unix: skerry.Unix) -> None:
    assert unix.run(["/w/raw"], capture_output=True, text=True).stdout == "end\n"


def test_names_outside_are_not_resolved(unix: skerry.Unix) -> None:
    done = unix.run(["curl", "-sS", "--max-time", "5", "http://example.invalid/"], capture_output=True, text=True)
    assert done.returncode == 6  # could not resolve


def test_a_server_in_a_box_is_not_on_the_host(unix: skerry.Unix) -> None:
    with unix.Popen(["nc", "-l", "-p", "18080"], stdin=subprocess.PIPE) as server:
        assert unix.on_listen(18080, timeout=20)
        with socket.socket() as client, pytest.raises(ConnectionRefusedError):
            client.connect(("127.0.0.1", 18080))
        server.kill()
