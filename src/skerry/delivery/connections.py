# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Edge: urllib3's connections, made to hang up when a server's headers drip in without end.

Only `transport` uses this file. urllib3's read timeout alone does not help: it is per byte.

Units:     times end in `_s`.
Errors:    urllib3's own, and TimeoutError, which urllib3 turns into one of its own.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

HOST_COUNT_MAX = 8
CONNECTION_COUNT_MAX = 8  # for each host


def new_pools(headers_s: float) -> urllib3.PoolManager:
    """Return pools that follow no redirect, retry nothing, and wait so long for headers."""
    pools = urllib3.PoolManager(num_pools=HOST_COUNT_MAX, maxsize=CONNECTION_COUNT_MAX, retries=False)
    pools.pool_classes_by_scheme = {
        "http": _pool_class(HTTPConnectionPool, HTTPConnection, headers_s),
        "https": _pool_class(HTTPSConnectionPool, HTTPSConnection, headers_s),
    }
    return pools


def _hang_up(connected: socket.socket, is_late: threading.Event) -> None:
    is_late.set()
    with suppress(OSError):  # already gone
        connected.shutdown(socket.SHUT_RDWR)


def _pool_class(
    pool: type[HTTPConnectionPool], connection: type[HTTPConnection], headers_s: float
) -> type[HTTPConnectionPool]:
    """Return a pool whose connections hang up when headers take too long."""

    class Watched(connection):  # type: ignore[misc,valid-type]
        def getresponse(self) -> urllib3.response.HTTPResponse:
            is_late = threading.Event()
            watch = threading.Timer(headers_s, _hang_up, [self.sock, is_late])
            watch.daemon = True
            watch.start()
            try:
                response: urllib3.response.HTTPResponse = super().getresponse()
            finally:
                watch.cancel()
            if is_late.is_set():  # headers cut off by us look like complete ones
                response.close()
                self.close()
                raise TimeoutError(f"the headers took longer than {headers_s} s")
            return response

    return type("WatchedPool", (pool,), {"ConnectionCls": Watched})
