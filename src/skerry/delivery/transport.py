# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Edge: one HTTP exchange, bounded in bytes, time and redirects. The only HTTP in this room.

urllib3, because python-tuf needs it anyway: one well-kept library, synchronous, thread-safe pools.
It is imported at the first request (60 ms); a start from the store makes none.

Units:     sizes are bytes, times end in `_s`.
Blocking:  every call; at most `Limits` long.
Errors:    `FetchError`, a `UserError`: the network's or the server's fault, another source may do;
           `VerifyError` for an answer larger than what was asked for can be.
Invariant: bodies are never decoded or trusted here; who asked checks them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from skerry.abi.errors import UserError, VerifyError
from skerry.delivery.document import shown
from skerry.delivery.ref import is_loopback, is_private

if TYPE_CHECKING:
    import urllib3

PIECE_SIZE = 64 << 10
ERROR_BODY_SIZE = 1024


class FetchError(UserError):
    """Bytes could not be had; says from where and why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient we are."""

    connect_s: float = 10.0
    silence_s: float = 10.0  # without a single byte
    headers_s: float = 15.0  # until the headers are complete
    grace_s: float = 10.0  # before the rate is looked at
    rate_min: int = 4096  # bytes per second, on average, after the grace
    redirect_count_max: int = 5


class Reply:
    """The answer to one request; `pieces` may be read once."""

    def __init__(self, url: str, response: urllib3.BaseHTTPResponse, limits: Limits, began_s: float) -> None:
        self.url = url
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._limits = limits
        self._began_s = began_s

    def pieces(self, size_max: int) -> Iterator[bytes]:
        """Yield the body.

        Raises:
            VerifyError: more than `size_max` bytes.
            FetchError: too slow, or cut off.
        """
        from urllib3.exceptions import HTTPError

        received_size = 0
        try:
            while piece := self._response.read1(PIECE_SIZE, decode_content=False):
                received_size += len(piece)
                if received_size > size_max:
                    got = f"{received_size} bytes or more"
                    raise VerifyError(
                        f"the answer of {self.url}", wanted=f"at most {size_max} bytes", got=got
                    )
                self._check_rate(received_size)
                yield piece
        except HTTPError as error:
            broken = f"{self.url} broke off after {received_size} bytes"
            raise FetchError(f"{broken}: {_reason(error)}") from None

    def body(self, size_max: int) -> bytes:
        """Return the whole body, at most `size_max` bytes."""
        return b"".join(self.pieces(size_max))

    def _check_rate(self, received_size: int) -> None:
        elapsed_s = time.monotonic() - self._began_s
        if elapsed_s > self._limits.grace_s and received_size < elapsed_s * self._limits.rate_min:
            rate = f"{received_size} bytes in {elapsed_s:.0f} s"
            raise FetchError(f"{self.url} is too slow: {rate}, wanted {self._limits.rate_min} per second")


class Http:
    """A pool of connections; one per process is enough, threads may share it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._lock = threading.Lock()
        self._pools: urllib3.PoolManager | None = None

    @contextmanager
    def request(
        self,
        url: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[bytes] | None = None,
    ) -> Iterator[Reply]:
        """Make one request and follow its redirects.

        Raises:
            FetchError: unreachable, silent, or redirected too often or to where it may not lead.
        """
        sent = {"Accept-Encoding": "identity", "User-Agent": "skerry"} | dict(headers or {})
        for _ in range(self.limits.redirect_count_max + 1):
            response, began_s = self._send(url, method, sent, body)
            target = response.headers.get("Location", "")
            if response.status not in (301, 302, 303, 307, 308) or not target or method != "GET":
                try:
                    yield Reply(url, response, self.limits, began_s)
                finally:
                    _finish(response)
                return
            response.close()
            url, sent = _redirected(url, target, sent)
        raise FetchError(f"{url} redirects on after {self.limits.redirect_count_max} redirects already")

    def _send(
        self, url: str, method: str, headers: Mapping[str, str], body: bytes | Iterable[bytes] | None
    ) -> tuple[urllib3.BaseHTTPResponse, float]:
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        from skerry.delivery.connections import new_pools

        with self._lock:
            pools = self._pools = self._pools or new_pools(self.limits.headers_s)
        timeout = Timeout(connect=self.limits.connect_s, read=self.limits.silence_s)
        began_s = time.monotonic()
        try:
            response = pools.request(
                method,
                url,
                headers=headers,
                body=body,
                timeout=timeout,
                preload_content=False,
                redirect=False,
                decode_content=False,
            )
        except (HTTPError, ValueError) as error:
            raise FetchError(f"{url} cannot be reached: {_reason(error)}") from None
        return response, began_s


def _redirected(url: str, target: str, headers: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Return where a redirect leads, and the headers that may go there."""
    try:
        new = urljoin(url, target)
        old_parts, parts = urlsplit(url), urlsplit(new)
        host, old_host = parts.hostname or "", old_parts.hostname or ""
    except ValueError:
        raise FetchError(f"{url} redirects to {shown(target)}, which is no address") from None
    plain_is_fine = parts.scheme == "http" and is_loopback(host) and is_loopback(old_host)
    if (parts.scheme != "https" and not plain_is_fine) or parts.username is not None:
        raise FetchError(f"{url} redirects to {shown(new)}; only https without a user name is followed")
    if is_private(host) and not is_private(old_host):
        raise FetchError(f"{url} redirects into this machine or its network: {shown(new)}")
    if parts.netloc != old_parts.netloc:
        headers = {name: value for name, value in headers.items() if name != "Authorization"}
    return new, headers


def _finish(response: urllib3.BaseHTTPResponse) -> None:
    """Give the connection back if the body was read to its end; otherwise close it."""
    if response.length_remaining == 0:
        response.drain_conn()  # reads nothing, but tells http.client that the answer is over
    else:
        response.close()


def _reason(error: Exception) -> str:
    text = str(getattr(error, "reason", None) or error)
    return text.rpartition(">: ")[2] or type(error).__name__
