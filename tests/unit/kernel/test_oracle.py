# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Sockets and pipes beside the machine's own: errnos of bad calls, poll bits after every step."""
from __future__ import annotations

import socket as native
from socket import AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM

import pytest
from tests.unit.kernel.oracle import Scenario, Side, compare

RD, WR, RDWR = 0, 1, 2
PEEK = native.MSG_PEEK
HOST = "127.0.0.1"


def tcp(k: Side, backlog: int = 5) -> None:
    """A listener "l", a client "c" and its accepted end "s"."""
    k.socket("l", AF_INET, SOCK_STREAM)
    k.bind("l", (HOST, 0))
    k.listen("l", backlog)
    k.socket("c", AF_INET, SOCK_STREAM)
    k.connect("c", k.address("l"))
    k.poll("c")
    k.accept("l", "s")


def polls(k: Side, *names: str) -> None:
    for name in names:
        k.poll(name)


def use(k: Side, name: str) -> None:
    """Everything one can do to a socket."""
    k.poll(name)
    k.recv(name, 10)
    k.send(name, b"x")
    k.poll(name)
    k.send(name, b"x")
    k.recv(name, 10)
    k.recv(name, 10)
    k.poll(name)
    k.has_peer(name)
    k.shutdown(name, RDWR)
    k.poll(name)


def fresh(family: int, kind: int) -> Scenario:
    def scenario(k: Side) -> None:
        k.socket("a", family, kind)
        use(k, "a")
        k.accept("a", "b")
        k.listen("a")
        k.getopt("a", 1, native.SO_ERROR)
        k.getopt("a", 1, native.SO_ACCEPTCONN)

    return scenario


@pytest.mark.parametrize("family", [AF_UNIX, AF_INET, AF_INET6])
@pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_DGRAM])
def test_fresh_sockets(family: int, kind: int) -> None:
    compare(fresh(family, kind))


def test_fresh_seqpacket() -> None:
    compare(fresh(AF_UNIX, SOCK_SEQPACKET))


def test_what_cannot_be_made() -> None:
    def scenario(k: Side) -> None:
        for family in (AF_UNIX, AF_INET, AF_INET6, 0, 45, 46):
            for kind in (SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, native.SOCK_RDM, 0, 9, 11):
                for protocol in (0, 1, 6, 17, 300):
                    ping = kind == SOCK_DGRAM and protocol == 1 and family != AF_UNIX
                    if not ping and k.socket("a", family, kind, protocol) == 0:
                        k.close("a")

    compare(scenario)


@pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM])
@pytest.mark.parametrize("how", [RD, WR, RDWR])
def test_pair_shutdown(kind: int, how: int) -> None:
    def scenario(k: Side) -> None:
        k.socketpair("a", "b", kind)
        polls(k, "a", "b")
        k.send("a", b"one")
        k.send("b", b"two")
        polls(k, "a", "b")
        k.shutdown("a", how)
        polls(k, "a", "b")
        use(k, "a")
        use(k, "b")

    compare(scenario)


@pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM])
@pytest.mark.parametrize("unread", [False, True])
@pytest.mark.parametrize("waiting", [False, True])
def test_pair_close(kind: int, unread: bool, waiting: bool) -> None:
    def scenario(k: Side) -> None:
        k.socketpair("a", "b", kind)
        if waiting:
            k.send("a", b"to b")
        if unread:
            k.send("b", b"to a")
        k.close("a")
        k.poll("b")
        k.recv("b", 2)
        use(k, "b")

    compare(scenario)


@pytest.mark.parametrize("how", [RD, WR, RDWR])
def test_tcp_shutdown(how: int) -> None:
    def scenario(k: Side) -> None:
        tcp(k)
        polls(k, "l", "c", "s")
        k.send("c", b"one")
        k.send("s", b"two")
        polls(k, "c", "s")
        k.shutdown("c", how)
        polls(k, "c", "s")
        use(k, "c")
        use(k, "s")
        k.shutdown("l", how)
        k.poll("l")
        k.accept("l", "t")

    compare(scenario)


@pytest.mark.parametrize("unread", [False, True])
@pytest.mark.parametrize("waiting", [False, True])
@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize("linger", [False, True])
def test_tcp_close(unread: bool, waiting: bool, finished: bool, linger: bool) -> None:
    def scenario(k: Side) -> None:
        tcp(k)
        if waiting:
            k.send("c", b"to s")
        if unread:
            k.send("s", b"to c")
        if finished:
            k.shutdown("c", WR)
        if linger:
            k.setopt("c", 1, native.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        k.close("c")
        k.poll("s")
        k.recv("s", 2)
        use(k, "s")
        k.getopt("s", 1, native.SO_ERROR)

    compare(scenario)


def test_tcp_connect_states() -> None:
    def scenario(k: Side) -> None:
        k.socket("l", AF_INET, SOCK_STREAM)
        k.bind("l", (HOST, 0))
        nobody = k.address("l")
        k.socket("c", AF_INET, SOCK_STREAM)
        k.connect("c", nobody)
        polls(k, "c")
        k.connect("c", nobody)
        polls(k, "c")
        k.connect("c", nobody)
        k.getopt("c", 1, native.SO_ERROR)
        k.getopt("c", 1, native.SO_ERROR)
        polls(k, "c")
        k.connect("c", nobody)
        k.listen("l")
        k.connect("l", nobody)
        k.connect("c", nobody)
        k.connect("c", nobody)
        k.connect("c", nobody)
        polls(k, "c", "l")
        k.listen("c")
        k.accept("c", "x")
        k.bind("c", (HOST, 0))
        k.accept("l", "s")
        k.close("l")
        k.socket("d", AF_INET, SOCK_STREAM)
        k.connect("d", nobody)
        k.connect("d", nobody)

    compare(scenario)


def test_closing_a_listener_resets_who_was_not_accepted() -> None:
    def scenario(k: Side) -> None:
        k.socket("l", AF_INET, SOCK_STREAM)
        k.bind("l", (HOST, 0))
        k.listen("l")
        k.socket("c", AF_INET, SOCK_STREAM)
        k.connect("c", k.address("l"))
        k.close("l")
        use(k, "c")

    compare(scenario)


def test_binding() -> None:
    def scenario(k: Side) -> None:
        for name in "abcd":
            k.socket(name, AF_INET, SOCK_STREAM)
        k.bind("a", (HOST, 0))
        taken = k.address("a")
        port = taken[1]
        assert isinstance(port, int)
        k.bind("a", (HOST, 0))
        k.bind("b", taken)
        k.bind("b", ("0.0.0.0", port))
        k.bind("b", ("127.0.0.2", port))
        k.bind("c", ("8.8.8.8", 0))
        k.setopt("a", 1, native.SO_REUSEADDR, 1)
        k.setopt("c", 1, native.SO_REUSEADDR, 1)
        k.bind("c", taken)
        k.listen("a")
        k.listen("c")
        k.setopt("d", 1, native.SO_REUSEADDR, 1)
        k.bind("d", taken)
        k.socket("u", AF_INET, SOCK_DGRAM)
        k.bind("u", taken)  # UDP has ports of its own
        for name in "vw":
            k.socket(name, AF_INET, SOCK_DGRAM)
            k.bind(name, taken)
            k.setopt(name, 1, native.SO_REUSEPORT, 1)
            k.bind(name, taken)

    compare(scenario)


def test_binding_ipv6() -> None:
    def scenario(k: Side) -> None:
        k.socket("a", AF_INET6, SOCK_STREAM)
        k.bind("a", ("::", 0))
        port = k.address("a")[1]
        assert isinstance(port, int)
        k.socket("b", AF_INET, SOCK_STREAM)
        k.bind("b", ("0.0.0.0", port))
        k.bind("b", (HOST, port))
        k.socket("c", AF_INET6, SOCK_STREAM)
        k.bind("c", ("::1", port))
        k.bind("c", ("::2", 0))
        k.setopt("c", 41, native.IPV6_V6ONLY, 1)
        k.bind("c", ("::ffff:127.0.0.1", 0))
        k.socket("d", AF_INET6, SOCK_STREAM)
        k.setopt("d", 41, native.IPV6_V6ONLY, 1)
        k.bind("d", ("::", 0))
        k.setopt("d", 41, native.IPV6_V6ONLY, 0)
        k.listen("d")
        only = k.address("d")[1]
        assert isinstance(only, int)
        k.listen("a")
        for target, number in ((HOST, port), (HOST, only)):
            k.socket("e", AF_INET, SOCK_STREAM)
            k.connect("e", (target, number))
            k.connect("e", (target, number))
            k.close("e")
        for target, number in (("::1", port), ("::1", only), ("::ffff:127.0.0.1", port), ("::", only)):
            k.socket("e", AF_INET6, SOCK_STREAM)
            k.connect("e", (target, number))
            k.connect("e", (target, number))
            k.close("e")

    compare(scenario)


def test_udp() -> None:
    def scenario(k: Side) -> None:
        k.socket("a", AF_INET, SOCK_DGRAM)
        k.socket("b", AF_INET, SOCK_DGRAM)
        k.bind("a", (HOST, 0))
        where = k.address("a")
        k.sendto("b", b"hello", where)
        k.sendto("b", b"", where)
        k.sendto("b", b"no port", (HOST, 0))
        k.sendto("b", bytes(65508), where)
        polls(k, "a", "b")
        k.recv("a", 2, PEEK)
        k.recv("a", 2)
        k.recv("a", 2)
        k.recv("a", 2)
        k.connect("b", where)
        k.has_peer("b")
        k.send("b", b"one")
        k.close("a")
        k.send("b", b"into the void")
        polls(k, "b")
        k.send("b", b"an error now")
        k.send("b", b"fine")
        k.recv("b", 10)
        k.recv("b", 10)
        k.listen("b")
        k.accept("b", "x")
        use(k, "b")

    compare(scenario)


def test_connected_udp_hears_its_peer_only() -> None:
    def scenario(k: Side) -> None:
        for name in "abc":
            k.socket(name, AF_INET, SOCK_DGRAM)
            k.bind(name, (HOST, 0))
        k.connect("a", k.address("b"))
        k.sendto("c", b"stranger", k.address("a"))
        k.sendto("b", b"friend", k.address("a"))
        k.recv("a", 20)
        k.recv("a", 20)

    compare(scenario)


@pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_SEQPACKET])
def test_unix_connections(kind: int) -> None:
    def scenario(k: Side) -> None:
        name = b"\0skerry oracle %d" % kind
        k.socket("l", AF_UNIX, kind)
        k.socket("c", AF_UNIX, kind)
        k.connect("c", name)
        k.listen("l")
        k.bind("l", name)
        k.bind("l", name)
        k.bind("c", name)
        k.connect("c", name)
        k.listen("l", 0)
        k.socket("d", AF_UNIX, SOCK_DGRAM)
        k.connect("d", name)
        k.sendto("d", b"x", name)
        k.accept("l", "s")
        k.connect("c", name)
        polls(k, "c", "l")
        k.connect("c", name)
        k.socket("e", AF_UNIX, kind)
        k.connect("e", name)
        k.accept("l", "s")
        k.connect("e", name)
        polls(k, "c", "s", "e")
        k.connect("c", name)
        k.send("c", b"x")
        k.recv("s", 10)
        k.has_peer("s")
        k.close("l")
        use(k, "e")
        use(k, "c")

    compare(scenario)


def test_unix_datagrams() -> None:
    def scenario(k: Side) -> None:
        name = b"\0skerry oracle dgram"
        for one in "abc":
            k.socket(one, AF_UNIX, SOCK_DGRAM)
        k.sendto("a", b"x", name)
        k.send("a", b"x")
        k.bind("b", name)
        k.sendto("a", b"one", name)
        k.connect("a", name)
        k.send("a", b"two")
        polls(k, "a", "b")
        k.recv("b", 1)
        k.recv("b", 10)
        k.recv("b", 10)
        for _ in range(13):
            k.send("a", b"fill")
        polls(k, "a", "b")
        k.recv("b", 10)
        polls(k, "a", "b")
        k.bind("a", b"\0skerry oracle other")
        k.connect("b", b"\0skerry oracle other")
        k.sendto("c", b"x", name)
        k.connect("c", name)
        k.shutdown("b", RD)
        k.send("a", b"x")
        polls(k, "a", "b")
        k.close("b")
        polls(k, "a")
        k.send("a", b"x")
        k.send("a", b"x")
        k.send("c", bytes(240_000))

    compare(scenario)


def test_pipe_ends() -> None:
    def scenario(k: Side) -> None:
        k.pipe("r", "w")
        polls(k, "r", "w")
        k.recv("r", 10)
        k.send("w", b"hello")
        polls(k, "r", "w")
        k.recv("r", 2)
        while k.send("w", bytes(4096)) == 4096:
            pass
        polls(k, "r", "w")
        k.send("w", bytes(4097))
        k.recv("r", 4096)
        polls(k, "r", "w")
        k.send("w", bytes(4096))
        polls(k, "r", "w")
        k.close("w")
        polls(k, "r")

    compare(scenario)


def test_pipe_without_a_reader() -> None:
    def scenario(k: Side) -> None:
        k.pipe("r", "w")
        k.close("r")
        polls(k, "w")
        k.send("w", b"x")
        k.pipe("r", "v")
        k.close("v")
        polls(k, "r")
        k.recv("r", 1)

    compare(scenario)


@pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET])
def test_options(kind: int) -> None:
    def scenario(k: Side) -> None:
        families = (AF_UNIX,) if kind == SOCK_SEQPACKET else (AF_UNIX, AF_INET, AF_INET6)
        for family in families:
            k.socket("a", family, kind)
            for option in (2, 3, 4, 5, 6, 9, 10, 12, 15, 16, 18, 19, 30, 38, 39, 200):
                k.getopt("a", 1, option)
            for option in (2, 5, 6, 9, 10, 15, 18, 30, 38, 39, 200):
                k.setopt("a", 1, option, 1)
                k.getopt("a", 1, option)
            k.setopt("a", 1, 7, 10_000)
            k.getopt("a", 1, 7)
            k.setopt("a", 1, 8, 1)
            k.getopt("a", 1, 8)
            k.setopt("a", 1, 2, b"\1\0")
            for level, option in ((6, 1), (6, 3), (6, 200), (0, 1), (0, 2), (41, 26), (41, 16), (77, 1)):
                k.setopt("a", level, option, 1)
                k.getopt("a", level, option)
            k.close("a")

    compare(scenario)


IN, OUT, ET, ONESHOT, EXCLUSIVE = 1, 4, 1 << 31, 1 << 30, 1 << 28
ADD, DEL, MOD = 1, 2, 3


@pytest.mark.parametrize("extra", [0, ET, ONESHOT])
def test_epoll_of_a_pipe(extra: int) -> None:
    def scenario(k: Side) -> None:
        k.epoll("e")
        k.pipe("r", "w")
        k.ctl("e", ADD, "r", IN | extra)
        k.ctl("e", ADD, "r", IN)
        k.ctl("e", MOD, "w", IN)
        k.ctl("e", DEL, "w")
        k.events("e")
        for _ in range(2):
            k.send("w", b"x")
            k.events("e")
            k.events("e")
        k.recv("r", 1)
        k.events("e")
        k.ctl("e", MOD, "r", IN | extra)
        k.events("e")
        k.events("e")
        k.ctl("e", MOD, "r", OUT | extra)
        k.events("e")
        k.ctl("e", ADD, "w", OUT | extra)
        k.events("e")
        k.events("e")
        k.close("w")
        k.events("e")
        k.events("e")
        k.ctl("e", DEL, "r")
        k.events("e")

    compare(scenario)


@pytest.mark.parametrize("extra", [0, ET])
def test_epoll_of_sockets(extra: int) -> None:
    def scenario(k: Side) -> None:
        k.epoll("e")
        k.socket("l", AF_INET, SOCK_STREAM)
        k.ctl("e", ADD, "l", IN | extra)
        k.bind("l", (HOST, 0))
        k.listen("l")
        k.events("e")
        k.socket("c", AF_INET, SOCK_STREAM)
        k.connect("c", k.address("l"))
        k.events("e")
        k.ctl("e", ADD, "c", IN | OUT | extra)
        k.events("e")
        k.accept("l", "s")
        k.events("e")
        k.send("s", b"hello")
        k.events("e")
        k.events("e")
        k.recv("c", 2)
        k.events("e")
        k.shutdown("s", WR)
        k.events("e")
        k.close("s")
        k.events("e")
        k.close("c")
        k.events("e")

    compare(scenario)


def test_epoll_limits_and_order() -> None:
    def scenario(k: Side) -> None:
        k.epoll("e")
        for i in range(4):
            k.pipe(f"r{i}", f"w{i}")
            k.ctl("e", ADD, f"r{i}", IN)
        for i in (2, 0, 3):
            k.send(f"w{i}", b"x")
        for _ in range(4):
            k.events("e", 2)
        k.close("r0")
        k.events("e")

    compare(scenario)


def test_epoll_in_epoll() -> None:
    def scenario(k: Side) -> None:
        for i in range(8):
            k.epoll(f"e{i}")
        k.ctl("e0", ADD, "e0", IN)
        for i in range(7):
            k.ctl(f"e{i}", ADD, f"e{i + 1}", IN)
        k.ctl("e3", ADD, "e0", IN)
        k.pipe("r", "w")
        k.ctl("e3", ADD, "r", IN)
        k.events("e0")
        k.send("w", b"x")
        polls(k, "e0", "e3")
        k.events("e0")
        k.events("e3")
        k.recv("r", 1)
        k.events("e0")
        k.ctl("e0", MOD, "e1", EXCLUSIVE | IN)
        k.ctl("e4", ADD, "e7", EXCLUSIVE | IN)
        k.ctl("e4", ADD, "r", EXCLUSIVE | ONESHOT | IN)
        k.ctl("e4", ADD, "r", EXCLUSIVE | IN)
        k.ctl("e4", MOD, "r", IN)

    compare(scenario)
