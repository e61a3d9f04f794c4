# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""An HTTP client for servers that run inside a box.

The standard library's client over a connection of the box's own loopback: nothing touches the
host's network. `localhost` and 127.0.0.1 are the only hosts there are.
"""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from skerry.abi.errors import UserError

_HOSTS = ("localhost", "127.0.0.1", "::1")


class GuestConnection(http.client.HTTPConnection):
    """An HTTPConnection whose socket leads into a box."""

    def __init__(self, connect: Callable[[int], socket.socket], port: int) -> None:
        super().__init__("localhost", port)
        self._connect = connect

    def connect(self) -> None:
        """Open the connection. Raises: ConnectionRefusedError."""
        self.sock = self._connect(self.port)


class HttpClient:
    """Requests to servers in one box."""

    def __init__(self, connect: Callable[[int], socket.socket]) -> None:
        self._connect = connect

    def connection(self, port: int) -> GuestConnection:
        """A connection to keep, with the whole interface of http.client."""
        return GuestConnection(self._connect, port)

    def request(
        self, method: str, url: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """One request; the response is read by the caller, like a file.

        Raises: ConnectionRefusedError when nobody listens; UserError for a URL that leads elsewhere.
        """
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname not in _HOSTS:
            raise UserError(f"{url}: only http://localhost:PORT/ is inside the box")
        connection = self.connection(parts.port or 80)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # The response then owns the socket and closes it when it has been read.
        connection.request(method, target, body, {"Connection": "close", **(headers or {})})
        response = connection.getresponse()
        connection.close()
        return response

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> http.client.HTTPResponse:
        """GET."""
        return self.request("GET", url, headers=headers)

    def post(
        self, url: str, body: bytes | str, headers: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """POST."""
        return self.request("POST", url, body, headers)
