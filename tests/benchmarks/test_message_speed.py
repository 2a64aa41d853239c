"""Benchmarks of messages, off by default: `pytest tests/benchmarks --benchmark-only` (never a timed assert).

One customer transfer (hvps.111, pacs.008, about 2 KB with its envelope). What a user may expect on one core:
building 10 µs, judging the parsed document 50 µs, everything from bytes 125 µs, reading 30 µs.
"""

from __future__ import annotations

from typing import Any

import pytest

from cnaps_sim.messages import envelope
from cnaps_sim.messages.catalogue import Kind, find
from cnaps_sim.messages.credits import CustomerCredit, build_customer_credit, read_customer_credit
from cnaps_sim.messages.rules import Expected
from cnaps_sim.messages.samples import record_of, sample_of
from cnaps_sim.messages.schemas import parse, profile
from cnaps_sim.messages.sign import Keys, signature_block
from cnaps_sim.messages.validate import check


@pytest.fixture(scope="module")
def kind() -> Kind:
    return find("hvps.111")[0]


@pytest.fixture(scope="module")
def data(kind: Kind) -> bytes:
    return sample_of(kind)


def test_build_a_customer_transfer(benchmark: Any, kind: Kind) -> None:
    credit = record_of(kind)
    assert isinstance(credit, CustomerCredit)
    assert benchmark(build_customer_credit, credit).startswith(b"<Document")


def test_judge_a_parsed_customer_transfer(benchmark: Any, kind: Kind, data: bytes) -> None:
    root = parse(envelope.read(data).document, "Document")
    benchmark(profile().judge, kind.iso, root)


def test_check_a_customer_transfer_from_bytes(benchmark: Any, data: bytes, kind: Kind) -> None:
    assert benchmark(check, data).kind == kind


def test_check_a_signed_customer_transfer_from_bytes(benchmark: Any, data: bytes, kind: Kind) -> None:
    keys, parts = Keys(1), envelope.read(data)
    signature = signature_block(keys, parts.header.sender, parts.app_header, parts.document)
    signed = envelope.write(parts.header, signature, parts.app_header, parts.document)
    assert benchmark(check, signed, Expected(verifier=keys)).kind == kind


def test_read_a_customer_transfer(benchmark: Any, data: bytes, kind: Kind) -> None:
    root = parse(envelope.read(data).document, "Document")
    assert benchmark(read_customer_credit, root) == record_of(kind)


def test_write_and_read_an_envelope(benchmark: Any, data: bytes) -> None:
    def there_and_back() -> bytes:
        parts = envelope.read(data)
        return envelope.write(parts.header, parts.signature, parts.app_header, parts.document)

    assert benchmark(there_and_back) == data


def test_explain_a_refused_customer_transfer(benchmark: Any, data: bytes, kind: Kind) -> None:
    broken = envelope.read(data).document.replace(b"<SttlmPrty>NORM", b"<SttlmPrty>LOWW")
    root = parse(broken, "Document")
    assert benchmark(lambda: next(profile().errors(kind.iso, root))) is not None
