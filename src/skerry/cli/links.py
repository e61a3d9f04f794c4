# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Options and words shared by the verbs that take links: where bytes come from, whom to believe.

Errors: `refusals` is the door of `VerifyError`: it becomes a `UserError` with its own exit code.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.abi.errors import UserError, VerifyError

if TYPE_CHECKING:
    from skerry.delivery import Delivery, Ref, Store
    from skerry.delivery.trust import Publisher
    from skerry.delivery.trust_store import TrustStore

EXIT_REFUSED = 65  # EX_DATAERR of sysexits(3): the bytes are not what was promised


def add_link_options(found: argparse.ArgumentParser) -> None:
    """Add the options that say where an image comes from and whom to believe."""
    found.add_argument(
        "--cache",
        metavar="PLACE",
        action="append",
        default=[],
        help="ask this folder or https:// address first; it need not be trusted",
    )
    found.add_argument("--offline", action="store_true", help="use only what is on this machine")
    found.add_argument(
        "--accept",
        metavar="PRINT",
        default="",
        help="at first use, accept the publisher whose key has this fingerprint",
    )


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a refusal into one line for a person."""
    try:
        yield
    except VerifyError as error:
        raise UserError(f"refused: {error}", EXIT_REFUSED) from None


def data_dir() -> Path:
    """Return where lasting state lives: $XDG_DATA_HOME/skerry or ~/.local/share/skerry."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "skerry"


def open_store() -> Store:
    """Open this person's store of verified bytes."""
    from skerry.delivery import Store
    from skerry.toolchain.cache import cache_dir

    return Store(cache_dir() / "store")


def open_trust(accepted: str = "") -> TrustStore:
    """Open this person's trust store, which asks on the terminal at first use."""
    from skerry.delivery.trust_store import TrustStore

    wanted = accepted.replace(" ", "").lower()
    return TrustStore(data_dir() / "trust", lambda ref, app, publisher: _ask(ref, app, publisher, wanted))


def delivery_of(arguments: argparse.Namespace) -> Delivery:
    """Return how the images of this command are to be had."""
    from skerry.delivery import Delivery, Http, parse, source_of

    http = Http()
    caches = [source_of(parse(place), http) for place in arguments.cache]
    trust = open_trust(arguments.accept)
    return Delivery(open_store(), http, trust, caches, is_offline=arguments.offline)


def link_of(text: str) -> Ref:
    """Parse a link, looking short names up in the person's index; a folder becomes a full path.

    Trust is remembered by place, and "./out" is another place in every folder.
    """
    from dataclasses import replace

    from skerry.delivery import parse, resolve
    from skerry.delivery.ref import Kind

    ref = resolve(parse(text), _index())
    return replace(ref, path=os.path.abspath(ref.path)) if ref.kind is Kind.FOLDER else ref


def _index() -> dict[str, str]:
    import tomllib

    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "skerry"
    path = folder / "index.toml"
    if not path.exists():
        return {}
    try:
        return {name: str(link) for name, link in tomllib.loads(path.read_text()).items()}
    except ValueError as error:
        raise UserError(f"{path}: {error}") from None


def _ask(ref: Ref, app: str, publisher: Publisher, accepted: str) -> bool:
    """Ask a person whether these keys may speak for this place."""
    if accepted:
        return len(accepted) >= 32 and any(each.startswith(accepted) for each in publisher.fingerprints)
    print(f"\n{ref.origin} was never opened on this machine.", file=sys.stderr)
    print(f"  app        {ascii(app)[1:-1]}\n  publisher  {publisher}", file=sys.stderr)
    if not sys.stdin.isatty():
        print("  Nobody is here to ask; say --accept FINGERPRINT if that is the right one.", file=sys.stderr)
        return False
    print("  Compare the fingerprint with what the publisher says elsewhere.", file=sys.stderr)
    print("Trust this publisher for this place from now on? [yes/no] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() == "yes"


def size_text(size: int) -> str:
    """Return bytes as people read them."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError("the loop returns")
