# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A real HTTP server (busybox httpd) inside a box, reached from Python without any network."""
from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

import skerry
from skerry.abi.errors import UserError

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

CGI = """#!/bin/sh
echo "Content-Type: application/json"; echo
body=$(cat)
echo "{\\"method\\": \\"$REQUEST_METHOD\\", \\"query\\": \\"$QUERY_STRING\\", \\"body\\": \\"$body\\"}"
"""


@pytest.fixture(scope="module")
def unix() -> Iterator[skerry.Unix]:
    with skerry.Unix() as unix:
        www = unix.fs / "home" / "user" / "www"
        (www / "cgi-bin").mkdir(parents=True)
        (www / "index.html").write_text("<h1>island</h1>")
        (www / "large").write_bytes(b"0123456789abcdef" * 65536)
        (www / "cgi-bin" / "echo").write_text(CGI)
        (www / "cgi-bin" / "echo").chmod(0o755)
        heard = threading.Event()
        unix.on_listen(8080, lambda port: heard.set())
        server = unix.Popen(["httpd", "-f", "-p", "127.0.0.1:8080", "-h", "/home/user/www"])
        assert heard.wait(30)
        yield unix
        server.kill()


def test_get(unix: skerry.Unix) -> None:
    with unix.http.get("http://localhost:8080/index.html") as response:
        assert (response.status, response.read()) == (200, b"<h1>island</h1>")


def test_a_megabyte_arrives_whole(unix: skerry.Unix) -> None:
    with unix.http.get("http://localhost:8080/large") as response:
        assert response.read() == b"0123456789abcdef" * 65536


def test_not_found(unix: skerry.Unix) -> None:
    with unix.http.get("http://localhost:8080/nothing") as response:
        assert response.status == 404


def test_post_runs_a_program(unix: skerry.Unix) -> None:
    with unix.http.post("http://localhost:8080/cgi-bin/echo?a=1", "hello") as response:
        assert json.loads(response.read()) == {"method": "POST", "query": "a=1", "body": "hello"}


def test_nobody_listens(unix: skerry.Unix) -> None:
    with pytest.raises(ConnectionRefusedError):
        unix.http.get("http://localhost:9999/")


def test_other_hosts_are_not_inside(unix: skerry.Unix) -> None:
    with pytest.raises(UserError, match="inside the box"):
        unix.http.get("http://example.invalid/")


def test_on_listen_waits_and_gives_up(unix: skerry.Unix) -> None:
    assert unix.on_listen(8080, timeout=5)
    assert not unix.on_listen(9998, timeout=0.05)
