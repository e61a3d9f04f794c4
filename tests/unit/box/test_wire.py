# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Skerry authors
"""Messages survive the wire; anything else is a ProtocolError, never another exception."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.abi import hostfs
from skerry.abi.errors import ProtocolError
from skerry.box import messages as m
from skerry.box import wire

STAT = hostfs.Stat(0o100644, 5, 1, 2, 1, 0, 0, 8, 10, 20, -30)
SAMPLES: dict[str, Any] = {
    "int": -(1 << 40),
    "bool": True,
    "bytes": b"\0data",
    "str": "text \N{SNOWMAN} \udcff",
    "int | None": None,
    "tuple[str, str, str]": ("console", "", "stream:7"),
    "Path": (b"usr", b"bin"),
    "tuple[bytes, ...]": (b"a", b""),
    "tuple[Place, ...]": (m.Place(1, b"/work", True, STAT),),
    "tuple[Stat, ...]": (STAT, STAT),
    "tuple[Entry, ...]": (hostfs.Entry(b"name", STAT),),
    "Stat": STAT,
    "hostfs.Request | hostnet.Connect | hostnet.Resolve": hostfs.Setattr(1, (b"f",), 0, None, 7, 1, None),
    "hostfs.Reply": hostfs.Walked((STAT,), 2),
}
BOTH = {**m.TO_WORKER, **m.TO_MONITOR}


def sample(kind: Any) -> Any:
    return kind(*(SAMPLES[annotation] for _, annotation in kind.FIELDS))


@pytest.mark.parametrize("number", BOTH)
def test_round_trip(number: int) -> None:
    kind, _ = BOTH[number]
    message = sample(kind)
    frame = wire.encode(message)
    table = m.TO_WORKER if number in m.TO_WORKER else m.TO_MONITOR
    assert wire.Frames(table).feed(frame) == [message]


@pytest.mark.parametrize("code", m.PAYLOADS)
def test_payloads_round_trip(code: int) -> None:
    payload = sample(m.PAYLOADS[code])
    message = m.Answered(1, payload)
    assert wire.Frames(m.TO_WORKER).feed(wire.encode(message)) == [message]


def test_frames_are_cut_where_they_end() -> None:
    one, two = m.WasmWanted(1), m.WasmWanted(2)
    stream = wire.encode(one) + wire.encode(two)
    frames = wire.Frames(m.TO_WORKER)
    got: list[object] = []
    for at in range(len(stream)):
        got += frames.feed(stream[at : at + 1])
    assert got == [one, two]


def test_no_message_goes_the_wrong_way() -> None:
    with pytest.raises(ProtocolError):
        wire.Frames(m.TO_MONITOR).feed(wire.encode(m.WasmWanted(1)))


def test_too_big_is_refused_from_the_header_alone() -> None:
    number = next(number for number, (kind, _) in m.TO_MONITOR.items() if kind is m.Sealed)
    with pytest.raises(ProtocolError):
        wire.Frames(m.TO_MONITOR).feed(wire.HEADER.pack(1 << 30, number))
    with pytest.raises(ProtocolError):
        wire.encode(m.Sealed(False, "x" * 5000))


def test_a_byte_too_many_is_refused() -> None:
    frame = bytearray(wire.encode(m.CodeWanted(1, bytes(32), False)))
    frame[0] += 1
    with pytest.raises(ProtocolError):
        wire.Frames(m.TO_MONITOR).feed(bytes(frame) + b"x")


@given(st.sampled_from(sorted(m.TO_MONITOR)), st.binary(max_size=200))
def test_garbage_is_a_protocol_error(number: int, untrusted: bytes) -> None:
    try:
        wire.decode(m.TO_MONITOR, number, untrusted)
    except ProtocolError:
        pass


@given(st.data())
def test_a_flipped_byte_is_a_message_or_an_error(data: st.DataObject) -> None:
    number = data.draw(st.sampled_from(sorted(m.TO_MONITOR)))
    frame = bytearray(wire.encode(sample(m.TO_MONITOR[number][0])))
    at = data.draw(st.integers(0, len(frame) - 1))
    frame[at] ^= data.draw(st.integers(1, 255))
    try:
        wire.Frames(m.TO_MONITOR).feed(bytes(frame))
    except ProtocolError:
        pass
