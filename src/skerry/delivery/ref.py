# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Links: the name of an app, parsed strictly and shown in one canonical way.

    https://host[:port]/path/[:tag][@digest]      a folder of static files on a web server
    oci://registry[:port]/repository[:tag][@digest]
    /folder, ./folder, file:///folder             a folder on this machine
    name[:tag][@digest]                           looked up in a configured index

Any of them but a folder may follow `skerry:`, the form other programs hand to us.

Standard:  RFC 3986 for the pieces, URL Standard for numeric hosts, distribution-spec for names.
Errors:    `UserError`, saying what was refused and why.
Invariant: a link carries no authority: no userinfo, query, fragment, or percent-encoding; and
           `parse(str(ref)) == ref`. Hosts are plain ASCII, so what is shown is what is asked.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from skerry.abi.errors import UserError
from skerry.abi.oci import Digest, is_digest, is_repository, is_tag

LINK_LENGTH_MAX = 2048  # characters; longer links do not fit a consent window either
HOST_LENGTH_MAX = 253  # RFC 1035, section 2.3.4
HTTPS_PORT = 443
SCHEME = "skerry"
UNPRIVILEGED_PORT_MIN = 1024

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_PATH_PART = re.compile(r"[A-Za-z0-9_~!$&'()*+,;=-][A-Za-z0-9._~!$&'()*+,;=-]*", re.ASCII)
_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", re.ASCII)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?=//|[^/])", re.ASCII)


class Kind(Enum):
    """Where a link points."""

    WEB = "https"
    REGISTRY = "oci"
    FOLDER = "file"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Ref:
    """A parsed link."""

    kind: Kind
    host: str = ""  # lower-case ASCII; an IPv6 address without brackets; empty for FOLDER and NAME
    port: int = 0  # 0: the scheme's own
    path: str = ""  # WEB: begins and ends with "/"; REGISTRY: repository; FOLDER: folder; NAME: name
    tag: str = ""
    digest: Digest | None = None

    def __str__(self) -> str:
        pin = (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")
        if self.kind is Kind.WEB:
            path = self.path if not self.tag or self.path == "/" else self.path.rstrip("/")
            return f"{self.scheme}://{self.authority}{path}{pin}"
        if self.kind is Kind.REGISTRY:
            return f"oci://{self.authority}/{self.path}{pin}"
        return f"{self.path}{pin}"

    @property
    def authority(self) -> str:
        """Host and port as a URL shows them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host

    @property
    def scheme(self) -> str:
        """`http` only for this machine itself; everything else is `https`."""
        return "http" if is_loopback(self.host) else "https"

    @property
    def origin(self) -> str:
        """The link without tag and digest: what trust is remembered for."""
        return str(replace(self, tag="", digest=None))


def parse(untrusted_text: str) -> Ref:
    """Parse a link.

    Raises:
        UserError: the text is not a link, or has a part that links may not have.
    """
    text = untrusted_text
    if not text or len(text) > LINK_LENGTH_MAX:
        raise _refuse(text, "is empty" if not text else f"is longer than {LINK_LENGTH_MAX} characters")
    _refuse_invisible(text)
    handed_over = text.startswith(f"{SCHEME}:")
    if handed_over:
        text = text.removeprefix(f"{SCHEME}:")
    body, digest = _split_digest(text)
    lowered = body.lower()
    if lowered.startswith(("https://", "http://")):
        return _parse_web(body, digest)
    if lowered.startswith("oci://"):
        return _parse_registry(body, digest)
    if lowered.startswith("file://") or body.startswith(("/", "./", "../")) or body in (".", ".."):
        if handed_over:
            raise _refuse(text, "names a folder of this machine; only a person may do that")
        return _parse_folder(body, digest)
    return _parse_name(body, digest)


def resolve(ref: Ref, index: Mapping[str, str]) -> Ref:
    """Replace a short name by the link an index gives for it; other links pass unchanged.

    A tag or digest of the short link wins over the index entry's own.
    """
    if ref.kind is not Kind.NAME:
        return ref
    if ref.path not in index:
        raise UserError(f"no app is called {ref.path!r} in the configured index")
    found = parse(index[ref.path])
    if found.kind is Kind.NAME:
        raise UserError(f"the index sends {ref.path!r} on to another short name, {found.path!r}")
    return replace(found, tag=ref.tag or found.tag, digest=ref.digest or found.digest)


def is_loopback(host: str) -> bool:
    """Tell whether a host can only be this machine, for which plain HTTP is allowed."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse(text: str, why: str) -> UserError:
    shown = ascii(text[:80])[1:-1]
    return UserError(f"the link {shown!r} {why}")


def _refuse_invisible(text: str) -> None:
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            raise _refuse(text, f"has an invisible character, U+{ord(character):04X}")


def _split_digest(text: str) -> tuple[str, Digest | None]:
    body, at, untrusted_digest = text.rpartition("@")
    if not at:
        return text, None
    if is_digest(untrusted_digest):
        return body, untrusted_digest
    # Not a digest: userinfo ("https://user@host/") or a damaged pin. Neither may pass unnoticed.
    raise _refuse(text, "has '@' but no 'sha256:' and 64 hexadecimal digits after it; a link names no user")


def _split_tag(text: str, whole: str) -> tuple[str, str]:
    body, colon, untrusted_tag = text.rpartition(":")
    if not colon:
        return text, ""
    if not is_tag(untrusted_tag):
        raise _refuse(whole, f"has the tag {untrusted_tag[:40]!r}; tags are letters, digits, '.', '_', '-'")
    return body, untrusted_tag


def _parse_web(body: str, digest: Digest | None) -> Ref:
    scheme, _, rest = body.partition("://")
    authority, _, path = rest.partition("/")
    host, port = _parse_authority(authority, body)
    if scheme.lower() == "http" and not is_loopback(host):
        raise _refuse(body, "uses plain http; only https is followed outside this machine")
    path, tag = _split_tag(path, body)
    parts = path.rstrip("/").split("/") if path.rstrip("/") else []
    for part in parts:
        if not _PATH_PART.fullmatch(part):
            raise _refuse(body, f"has the path part {ascii(part)[1:-1]!r}; no '%', '?', '#', '..' there")
    clean = "/" + "".join(f"{part}/" for part in parts)
    return Ref(Kind.WEB, host, _shown_port(port, is_loopback(host)), clean, tag, digest)


def _parse_registry(body: str, digest: Digest | None) -> Ref:
    rest = body.partition("://")[2]
    authority, _, path = rest.partition("/")
    host, port = _parse_authority(authority, body)
    repository, tag = _split_tag(path, body)
    if not is_repository(repository):
        shown = ascii(repository)[1:-1]
        raise _refuse(body, f"has the repository {shown!r}, not lower-case letters, digits and . _ - /")
    return Ref(Kind.REGISTRY, host, _shown_port(port, is_loopback(host)), repository, tag, digest)


def _shown_port(port: int, loopback: bool) -> int:
    default = 80 if loopback else HTTPS_PORT
    return 0 if port == default else port


def _parse_folder(body: str, digest: Digest | None) -> Ref:
    if body.lower().startswith("file://"):
        body = body[len("file://") :]
        if not body.startswith("/"):
            raise _refuse(body, "names another machine's files; write file:/// and a full path")
    last_slash = body.rfind("/") + 1
    last, tag = _split_tag(body[last_slash:], body)
    folder = body[:last_slash] + last
    while len(folder) > 1 and folder.endswith("/"):
        folder = folder[:-1]
    if "@" in folder or ":" in folder.rpartition("/")[2]:
        raise _refuse(body, "has '@' or ':' in the folder's name")
    if not folder.startswith(("/", "./", "../")) and folder not in (".", ".."):
        raise _refuse(body, "does not begin with '/', './' or '../'")
    return Ref(Kind.FOLDER, "", 0, folder, tag, digest)


def _parse_name(body: str, digest: Digest | None) -> Ref:
    scheme = _SCHEME.match(body)
    if scheme and body[scheme.end() :].startswith("//"):
        raise _refuse(body, f"begins with {scheme[1]!r}; links begin with https, oci, a folder or a name")
    name, tag = _split_tag(body, body)
    if name == SCHEME:
        raise _refuse(body, f"has the short name {SCHEME!r}, which would read like the beginning of a link")
    if not _NAME.fullmatch(name) or len(name) > HOST_LENGTH_MAX:
        raise _refuse(body, "is neither https://…, oci://…, a folder (./… or /…) nor a lower-case short name")
    return Ref(Kind.NAME, "", 0, name, tag, digest)


def _parse_authority(untrusted: str, whole: str) -> tuple[str, int]:
    if "@" in untrusted:
        raise _refuse(whole, "has a user name before the host; links carry no authority")
    if untrusted.startswith("["):
        bracketed, _, tail = untrusted[1:].partition("]")
        return _ipv6(bracketed, whole), _parse_port(tail, whole)
    host, colon, port = untrusted.partition(":")
    return _parse_host(host, whole), _parse_port(colon + port, whole)


def _parse_port(untrusted: str, whole: str) -> int:
    if not untrusted:
        return 0
    digits = untrusted[1:]
    if untrusted[0] != ":" or not re.fullmatch(r"[1-9][0-9]{0,4}", digits, re.ASCII):
        raise _refuse(whole, f"has the port {ascii(untrusted)[1:-1]!r}, which is not a plain number")
    port = int(digits)
    if port > 65535 or (port < UNPRIVILEGED_PORT_MIN and port not in (80, HTTPS_PORT)):
        raise _refuse(whole, f"has the odd port {port}; 443 and ports from {UNPRIVILEGED_PORT_MIN} are usual")
    return port


def _parse_host(untrusted: str, whole: str) -> str:
    if not untrusted.isascii():
        meant = _punycode(untrusted)
        raise _refuse(whole, f"has letters outside ASCII in its host; if you mean it, write {meant!r}")
    host = untrusted.lower()
    labels = host.split(".")
    if len(host) > HOST_LENGTH_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refuse(whole, f"has the host {ascii(untrusted)[1:-1]!r}, which is not a host name")
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        return _ipv4(host, whole)
    return host


def _punycode(host: str) -> str:
    labels = unicodedata.normalize("NFKC", host).lower().split(".")
    return ".".join(each if each.isascii() else f"xn--{each.encode('punycode').decode()}" for each in labels)


def _ipv4(host: str, whole: str) -> str:
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        raise _refuse(whole, f"has the numeric host {host!r}, which is not four decimal numbers") from None


def _ipv6(untrusted: str, whole: str) -> str:
    try:
        if "%" in untrusted:
            raise ValueError
        return str(ipaddress.IPv6Address(untrusted))
    except ValueError:
        shown = ascii(untrusted)[1:-1]
        raise _refuse(whole, f"has {shown!r} in brackets, which is not an IPv6 address") from None


def is_private(host: str) -> bool:
    """Tell whether a host is, as written, this machine or an address of a private network."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
