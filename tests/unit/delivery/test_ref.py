# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Links: what is accepted, how it is shown, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.abi.errors import UserError
from skerry.delivery.ref import Kind, parse, resolve

HEX = "0123456789abcdef" * 4
PIN = f"@sha256:{HEX}"

SHOWN = {
    "a web folder gets its slash": ("https://Example.ORG/apps/hello", "https://example.org/apps/hello/"),
    "the scheme's own port is left out": ("https://example.org:443/a/", "https://example.org/a/"),
    "an unusual port is shown": ("https://example.org:8443/a/", "https://example.org:8443/a/"),
    "a bare host is its root": ("https://example.org", "https://example.org/"),
    "a tag stands behind a colon": ("https://example.org/hello:1.2", "https://example.org/hello:1.2"),
    "a tag at the root": ("https://example.org/:1.2", "https://example.org/:1.2"),
    "a pinned web folder": (f"https://example.org/hello/{PIN}", f"https://example.org/hello/{PIN}"),
    "plain http to this machine": ("http://127.0.0.1:8080/x/", "http://127.0.0.1:8080/x/"),
    "a registry": ("oci://registry.example/team/app:1.0", "oci://registry.example/team/app:1.0"),
    "a registry on this machine": ("oci://localhost:5000/app", "oci://localhost:5000/app"),
    "a pinned registry image": (f"oci://r.example/app:1{PIN}", f"oci://r.example/app:1{PIN}"),
    "a punycode host stays punycode": ("https://xn--80ak6aa92e.com/", "https://xn--80ak6aa92e.com/"),
    "an IPv6 host": ("https://[2001:DB8::1]:8443/a/", "https://[2001:db8::1]:8443/a/"),
    "an absolute folder": ("/srv/images/hello/", "/srv/images/hello"),
    "a relative folder with a tag": ("./hello:2", "./hello:2"),
    "a file link": ("file:///srv/hello", "/srv/hello"),
    "a short name": ("gimp", "gimp"),
    "a pinned short name": (f"skerry:gimp:3{PIN}", f"gimp:3{PIN}"),
    "a link another program handed over": ("skerry:https://example.org/a", "https://example.org/a/"),
}

REFUSED = {
    "an empty link": ("", "is empty"),
    "a link as long as a book": ("https://example.org/" + "a" * 3000, "longer than"),
    "plain http to another machine": ("http://example.org/", "plain http"),
    "a user name before the host": ("https://apple.com@evil.example/", "'@'"),
    "a user name and a pin": (f"https://u@evil.example/x{PIN}", "user name"),
    "a password": ("https://u:p@evil.example/", "'@'"),
    "Cyrillic letters that look Latin": ("https://аpple.com/", "xn--"),
    "a full-width dot": ("https://example\uff0eorg/", "outside ASCII"),
    "a right-to-left override": ("https://example.org/\u202egpj", "invisible"),
    "a zero-width space": ("https://exam\u200bple.org/", "invisible"),
    "a new line": ("https://example.org/\n", "invisible"),
    "a query": ("https://example.org/a?token=1", "path part"),
    "a fragment": ("https://example.org/a#b", "path part"),
    "percent-encoding": ("https://example.org/%2e%2e/", "path part"),
    "dots that climb": ("https://example.org/a/../b/", "path part"),
    "an empty path part": ("https://example.org/a//b/", "path part"),
    "a backslash": ("https://example.org\\@evil.example/", "'@'"),
    "port 22": ("https://example.org:22/", "odd port 22"),
    "port 0": ("https://example.org:0/", "port"),
    "port 99999": ("https://example.org:99999/", "odd port"),
    "an octal address": ("https://0177.0.0.1/", "numeric host"),
    "an address as one number": ("https://2130706433/", "numeric host"),
    "a hexadecimal address": ("https://0x7f.1/", "numeric host"),
    "a host with a trailing dot": ("https://example.org./", "not a host name"),
    "a host with an underscore": ("https://ex_ample.org/", "not a host name"),
    "an IPv6 zone": ("https://[fe80::1%25eth0]/", "IPv6"),
    "a short digest": ("https://example.org/a@sha256:1234", "sha256"),
    "a digest in capitals": (f"https://example.org/a@sha256:{HEX.upper()}", "sha256"),
    "an unknown digest": (f"https://example.org/a@md5:{HEX[:32]}", "sha256"),
    "a bad tag": ("oci://r.example/app:not a tag", "tag"),
    "capitals in a repository": ("oci://r.example/App", "repository"),
    "no repository": ("oci://r.example/", "repository"),
    "another scheme": ("ftp://example.org/a", "begins with 'ftp'"),
    "javascript": ("javascript:alert(1)", "tag"),
    "a folder in a link another program handed over": ("skerry:/etc", "folder of this machine"),
    "another machine's files": ("file://server/share", "another machine"),
    "the scheme as a name": ("skerry:skerry:1", "read like the beginning"),
    "a name in capitals": ("GIMP", "short name"),
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.values(), ids=SHOWN.keys())
def test_shown(text: str, shown: str) -> None:
    assert str(parse(text)) == shown
    assert parse(shown) == parse(text)


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(UserError, match=reason) as refusal:
        parse(text)
    assert str(refusal.value).isprintable()


def test_short_names_come_from_the_index() -> None:
    index = {"gimp": "https://apps.example/gimp/:2", "loop": "gimp"}
    assert str(resolve(parse("gimp"), index)) == "https://apps.example/gimp:2"
    assert str(resolve(parse(f"gimp:3{PIN}"), index)) == f"https://apps.example/gimp:3{PIN}"
    assert resolve(parse("./x"), index) == parse("./x")
    with pytest.raises(UserError, match="no app is called 'tex'"):
        resolve(parse("tex"), index)
    with pytest.raises(UserError, match="another short name"):
        resolve(parse("loop"), index)


def test_origin_leaves_out_what_changes_from_version_to_version() -> None:
    assert parse(f"https://example.org/a:1{PIN}").origin == "https://example.org/a/"
    assert parse("https://example.org/a:1").scheme == "https"
    assert parse("http://[::1]:8080/").scheme == "http"


def assert_parse_is_total(text: str) -> None:
    """Any text is refused in words, or has a canonical form that means the same."""
    try:
        ref = parse(text)
    except UserError:
        return
    assert parse(str(ref)) == ref
    if ref.kind is not Kind.FOLDER:
        assert str(ref).isascii()


LINKISH = st.lists(
    st.sampled_from(
        [
            "https://",
            "http://",
            "oci://",
            "file://",
            "skerry:",
            "a",
            "example.org",
            ":",
            "@",
            "/",
            ".",
            "..",
            "[",
            "]",
            "::1",
            "127.0.0.1",
            "sha256:",
            HEX,
            "%2e",
            "?",
            "#",
            "\\",
            "é",
            "xn--",
            "0x7f",
            "443",
            "8443",
            "1.0",
            "-",
            "_",
            " ",
        ]
    ),
    max_size=10,
).map("".join)


@given(st.one_of(st.text(max_size=60), LINKISH))
def test_any_text_is_refused_or_has_a_canonical_form(text: str) -> None:
    assert_parse_is_total(text)
