"""The envelope: byte-exact, and what is wrong with a broken one."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.messages.envelope import CENTRE, HEADER_LENGTH, Header, read, read_header, write
from cnaps_sim.messages.faults import Layer, Refused
from cnaps_sim.words.codes import System

MEMBERS = st.from_regex(r"[0-9]{12}|0000", fullmatch=True)
IDS = st.from_regex(r"[0-9]{16}", fullmatch=True)
HEADERS = st.builds(
    Header,
    sender=MEMBERS,
    sender_system=st.sampled_from([system.value for system in System]),
    receiver=MEMBERS,
    receiver_system=st.sampled_from([system.value for system in System]),
    date=st.dates(dt.date(1000, 1, 1)),
    time=st.times().map(lambda time: time.replace(microsecond=0)),
    message_type=st.from_regex(r"[a-z]{4}\.[0-9]{3}\.[0-9]{3}\.[0-9]{2}", fullmatch=True),
    message_id=IDS,
    reference_id=st.one_of(st.just(""), IDS),
    priority=st.sampled_from("123"),
    direction=st.sampled_from("UD"),
    reserved=st.from_regex(r"([!-~]{0,8}[!-~])?", fullmatch=True),
)
SIGNATURES = st.binary(max_size=90).map(lambda raw: base64.b64encode(raw).decode())
HEADER = Header(
    "102100099996", "HVPS", CENTRE, "HVPS", dt.date(2025, 6, 17), dt.time(10, 30), "hvps.111.001.01", "2025061700000001"
)
BYTES = write(HEADER, "", b"<AppHdr/>", b"<Document/>")


@given(HEADERS, SIGNATURES, st.binary(), st.binary())
def test_what_is_written_is_read_and_written_again_to_the_byte(
    header: Header, signature: str, inside: bytes, document: bytes
) -> None:
    app_header = b"<h:AppHdr>" + inside.replace(b"</", b"") + b"</h:AppHdr >"
    data = write(header, signature, app_header, document)
    envelope = read(data)
    assert (envelope.header, envelope.signature) == (header, signature)
    assert (envelope.app_header, envelope.document) == (app_header, document)
    assert write(envelope.header, envelope.signature, envelope.app_header, envelope.document) == data


def test_the_header_has_132_characters_and_its_fields_their_places() -> None:
    line = BYTES[:HEADER_LENGTH].decode()
    assert line == (
        "{H:02102100099996  HVPS0000          HVPS20250617103000XMLhvps.111.001.01     "
        "2025061700000001                        3U         }\r\n"
    )


def test_a_message_without_an_application_header_gives_an_empty_one() -> None:
    envelope = read(write(HEADER, "", b"", b"<Document/>"))
    assert (envelope.app_header, envelope.document) == (b"", b"<Document/>")


def test_the_signature_is_over_what_follows_it() -> None:
    envelope = read(write(HEADER, "QUJD", b"<AppHdr></AppHdr>", b"<Document/>"))
    assert envelope.signature == "QUJD"
    assert envelope.signed_bytes == b"<AppHdr></AppHdr><Document/>"


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        (b"{H:", b"{h:", "header"),
        (b"}\r\n{S", b"}\n\r{S", "header"),
        (b"{H:02", b"{H:03", "header/version"),
        (b"102100099996  ", b"  102100099996", "header/sender"),
        (b"102100099996  ", b"10210009999   ", "header/sender"),
        (b"  HVPS0000", b"  HVPX0000", "header/sender_system"),
        (b"0000          HVPS", b"1000          HVPS", "header/receiver"),
        (b"          HVPS2025", b"          hvps2025", "header/receiver_system"),
        (b"HVPS20250617", b"HVPS20250631", "header/date"),
        (b"HVPS20250617", b"HVPS2025 617", "header/date"),
        (b"103000XML", b"240000XML", "header/time"),
        (b"XMLhvps", b"xmlhvps", "header/format"),
        (b"hvps.111.001.01", b"HVPS.111.001.01", "header/message_type"),
        (b"2025061700000001", b"20250617 0000001", "header/message_id"),
        (b"2025061700000001    " + b" " * 20, b"2025061700000001    " + b" 1234" + b" " * 15, "header/reference_id"),
        (b"3U", b"4U", "header/priority"),
        (b"3U", b"3X", "header/direction"),
        (b"U         }", b"U\xe4        }", "header/reserved"),
        (b"{S:}", b"{S:!}", "signature"),
        (b"{S:}", b"{S:QUJ}", "signature"),
        (b"{S:}", b"{S:" + b"QUJD" * 1025 + b"}", "signature"),
        (b"{S:}\r\n", b"{S:}", "signature"),
    ],
)
def test_a_broken_field_is_named(old: bytes, new: bytes, path: str) -> None:
    assert BYTES.count(old) == 1
    with pytest.raises(Refused) as refused:
        read(BYTES.replace(old, new))
    assert (refused.value.fault.layer, refused.value.fault.path) == (Layer.TRANSPORT, path)
    assert refused.value.fault.reason


@pytest.mark.parametrize("length", [0, 1, 3, 50, 131, 132, 134, 137])
def test_a_truncated_envelope_is_refused_at_the_transport_layer(length: int) -> None:
    with pytest.raises(Refused) as refused:
        read(BYTES[:length])
    assert refused.value.fault.layer is Layer.TRANSPORT


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_at_the_transport_layer(data: bytes) -> None:
    for start in (b"", BYTES[:60], BYTES[:HEADER_LENGTH]):
        fault, again = outcome(start + data)
        assert fault is Layer.TRANSPORT or again == start + data


def outcome(data: bytes) -> tuple[Layer | None, bytes | None]:
    """The layer that refuses the bytes, or the same bytes read and written again."""
    try:
        envelope = read(data)
    except Refused as refused:
        return refused.fault.layer, None
    return None, write(envelope.header, envelope.signature, envelope.app_header, envelope.document)


def test_the_header_alone_is_read_from_the_first_132_bytes() -> None:
    assert read_header(BYTES[:HEADER_LENGTH]) == HEADER


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"message_id": "2" * 21}, "message_id .* longer than its 20"),
        ({"reserved": "x" * 10}, "reserved"),
        ({"priority": ""}, "priority"),
        ({"sender": "行"}, "ascii"),
    ],
)
def test_a_value_that_does_not_fit_is_the_callers_mistake(changes: dict[str, str], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        write(dataclasses.replace(HEADER, **changes), "", b"", b"")
