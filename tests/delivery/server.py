# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""A web server on loopback that serves a folder, honestly or not.

A `Trick` is asked before each answer; what it returns is sent instead of the honest answer.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Answer:
    """What is sent: `length` is what the header claims, if not the truth."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    drip_s: float = 0.0  # pause after each byte of the body
    drip_headers: bool = False  # never finish the headers


@dataclass
class Asked:
    """One request: path without the leading slash, and the range if one was asked for."""

    path: str
    begin: int | None
    end: int | None  # last byte, as in the header


Trick = Callable[[Asked, Answer], Answer]


@dataclass
class Server:
    """A running server; `tricks` may be changed while it runs."""

    root: Path
    url: str = ""
    trick: Trick | None = None
    asked: list[Asked] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def honest(self, asked: Asked) -> Answer:
        """Return the right answer."""
        path = self.root / asked.path
        if not path.is_file():
            return Answer(404)
        data = path.read_bytes()
        if asked.begin is None or asked.end is None:
            return Answer(200, data)
        if asked.begin >= len(data):
            return Answer(416)
        part = data[asked.begin : asked.end + 1]
        stated = f"bytes {asked.begin}-{asked.begin + len(part) - 1}/{len(data)}"
        return Answer(206, part, {"Content-Range": stated})


@contextlib.contextmanager
def serving(root: Path, trick: Trick | None = None) -> Iterator[Server]:
    """Serve a folder on a free port of loopback."""
    server = Server(root, trick=trick)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            asked = Asked(self.path[1:], int(found[1]) if found else None, int(found[2]) if found else None)
            server.asked.append(asked)
            answer = server.honest(asked)
            if server.trick is not None:
                answer = server.trick(asked, answer)
            with contextlib.suppress(ConnectionError):
                self._send(answer)

        def _send(self, answer: Answer) -> None:
            if answer.drip_headers:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
                while not server.stopping.wait(0.05):
                    self.wfile.write(b"x")
                return
            self.send_response(answer.status)
            length = len(answer.body) if answer.length is None else answer.length
            for name, value in ({"Content-Length": str(length)} | answer.headers).items():
                self.send_header(name, value)
            self.end_headers()
            if not answer.drip_s:
                self.wfile.write(answer.body)
            else:
                for at in range(len(answer.body)):
                    self.wfile.write(answer.body[at : at + 1])
                    if server.stopping.wait(answer.drip_s):
                        return
            if answer.length is not None:
                self.close_connection = True

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name there
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that hangs up is what these tests are about

    httpd = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.url = f"http://127.0.0.1:{httpd.server_address[1]}/"
    try:
        yield server
    finally:
        server.stopping.set()
        httpd.shutdown()
        httpd.server_close()
        thread.join()
