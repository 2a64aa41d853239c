"""Signatures: the same seed signs the same, and only the sender's own signature passes."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import pytest

from cnaps_sim.messages import envelope
from cnaps_sim.messages.faults import Code, Layer, Refused
from cnaps_sim.messages.rules import Expected
from cnaps_sim.messages.sign import Keys, check_signature, signature_block
from cnaps_sim.messages.validate import check

ICBC = "102100099996"


def test_the_same_seed_gives_the_same_signature_and_another_seed_another() -> None:
    first, second = signature_block(Keys(1), ICBC, b"a", b"b"), signature_block(Keys(1), ICBC, b"a", b"b")
    assert first == second
    assert len(base64.b64decode(first)) == 64
    assert signature_block(Keys(2), ICBC, b"a", b"b") != first


def test_a_signed_message_passes_and_is_the_same_message(document: bytes, wrap: Any) -> None:
    keys = Keys(7)
    signed = wrap(document, keys=keys)
    assert check(signed, Expected(verifier=keys)).root is not None
    assert check(signed).envelope.document == document


@pytest.mark.parametrize("what", ["unsigned", "another seed", "another member", "changed", "short", "not base64"])
def test_anything_else_is_refused_at_the_transport_layer_with_a_code_of_its_own(
    what: str, document: bytes, wrap: Any
) -> None:
    keys = Keys(7)
    signed = wrap(document, keys=keys)
    parts = envelope.read(signed)
    if what == "unsigned":
        data = envelope.write(parts.header, "", parts.app_header, parts.document)
    elif what == "another seed":
        data = wrap(document, keys=Keys(8))
    elif what == "another member":
        other = signature_block(keys, "105100000017", parts.app_header, parts.document)
        data = envelope.write(parts.header, other, parts.app_header, parts.document)
    elif what == "changed":
        data = signed.replace(b"1000.50", b"1000.51")
    elif what == "short":
        data = envelope.write(parts.header, "QUJD", parts.app_header, parts.document)
    else:
        data = envelope.write(parts.header, "A===", parts.app_header, parts.document)
    with pytest.raises(Refused) as refused:
        check(data, Expected(verifier=keys))
    assert refused.value.fault.layer is Layer.TRANSPORT
    assert refused.value.fault.path == "signature"
    if what != "not base64":
        assert refused.value.fault.code == Code.SIGNATURE


def test_broken_base64_in_an_envelope_is_refused() -> None:
    parts = envelope.Envelope(envelope.read_header(_header()), "A=A=", b"", b"")
    with pytest.raises(Refused, match="base64"):
        check_signature(Keys(1), parts)


def _header() -> bytes:
    header = envelope.Header(ICBC, "HVPS", "0000", "HVPS", dt.date(2025, 6, 17), dt.time(), "hvps.111.001.01", "1" * 16)
    return envelope.write(header, "", b"", b"")
