"""Thousands of broken messages: each is refused at the right layer with place and reason, and nothing else happens."""

from __future__ import annotations

import os
import random
import re
import resource
import socket
import threading
from collections import Counter
from copy import deepcopy
from typing import Any

import pytest
from lxml import etree

from cnaps_sim.messages import codec, envelope
from cnaps_sim.messages.catalogue import CATALOGUE, Kind
from cnaps_sim.messages.faults import Fault, Layer, Refused
from cnaps_sim.messages.samples import sample_of
from cnaps_sim.messages.schemas import parse, profile
from cnaps_sim.messages.validate import check, open_bytes

SLOW = os.environ.get("CNAPS_SIM_TESTS") == "slow"
KINDS = [kind for kind in CATALOGUE if kind.is_iso]
FORMS = {kind.iso: kind for kind in reversed(KINDS)}
FORMS_BY_NUMBER = {kind.number[:8]: kind for kind in KINDS}
OTHER = "{urn:other}"


def outcome(data: bytes) -> Fault | None:
    """Why a message is refused; None if it passes, and then its reader takes it too."""
    try:
        checked = check(data)
    except Refused as refused:
        fault = refused.fault
        assert fault.layer is not Layer.BUSINESS
        assert fault.reason.strip()
        assert len(fault.reason) < 1000
        assert fault.code
        assert fault.path or fault.layer is Layer.XML
        return fault
    codec.read(checked.kind.iso, checked.root)
    return None


def second_opinion(data: bytes, kind: Kind) -> bool:
    """Whether xmlschema finds header and document in order."""
    parts = envelope.read(data)
    found = profile().errors("head.001.001.02", etree.fromstring(parts.app_header))
    return not any(found) and not any(profile().errors(kind.iso, etree.fromstring(parts.document)))


def drop(spot: Any) -> None:
    spot.getparent().remove(spot)


def double(spot: Any) -> None:
    spot.addnext(deepcopy(spot))


def swap(spot: Any) -> None:
    if spot.getnext() is None:
        spot.set("swapped", "no")
    else:
        spot.addprevious(spot.getnext())


def rename(spot: Any) -> None:
    spot.tag += "X"


def leave_the_namespace(spot: Any) -> None:
    spot.tag = OTHER + etree.QName(spot).localname


def overflow(spot: Any) -> None:
    spot.text = (spot.text or "") + "字" * 20_001


def wrong_code(spot: Any) -> None:
    spot.text = "\u3000?"


DAMAGES = (drop, double, swap, rename, leave_the_namespace, overflow, wrong_code)


def damaged(data: bytes, part: str, place: int, damage: Any) -> bytes | None:
    """The message with one damage at the element number `place` of a part; None where there is no such place."""
    parts = envelope.read(data)
    root = etree.fromstring(getattr(parts, part))
    spots = list(root.iter())[1:]
    if place >= len(spots):
        return None
    damage(spots[place])
    other = {"app_header": parts.app_header, "document": parts.document, part: etree.tostring(root, encoding="UTF-8")}
    return envelope.write(parts.header, parts.signature, other["app_header"], other["document"])


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("iso", FORMS)
def test_a_damaged_element_is_refused_where_it_stands(iso: str, damage: Any) -> None:
    """Every element of a sample in turn (every seventh in the fast tier); what xmlschema refuses, lxml refuses."""
    kind, data = FORMS[iso], sample_of(FORMS[iso])
    start = DAMAGES.index(damage)
    for part in ("document", "app_header"):
        for place in range(start if not SLOW else 0, 400, 1 if SLOW else len(DAMAGES)):
            broken = damaged(data, part, place, damage)
            if broken is None:
                break
            fault = outcome(broken)
            in_order = second_opinion(broken, kind)
            assert in_order == (fault is None or fault.layer is Layer.PROFILE), (fault, broken)
            if fault is not None and not in_order:
                assert fault.path.split("/")[0] == ("Document" if part == "document" else "AppHdr")


def misspelt(data: bytes, chance: random.Random) -> bytes:
    """A message in which one value has another letter, one more or one less; it stays well-formed."""
    start, end = chance.choice([found.span(1) for found in re.finditer(rb">([^<>]+)<", data)])
    place = chance.randrange(start, end)
    while data[place] & 0xC0 == 0x80:
        place -= 1
    letters = [b"", b" ", b"0", b"9", b"1", b"A", b"z", b"-", b".", "字".encode(), data[place : place + 1]]
    instead = chance.randrange(2) if data[place] < 0x80 else 0
    return data[:place] + chance.choice(letters) + data[place + instead :]


def scrambled(data: bytes, chance: random.Random) -> bytes:
    """A message with a few bytes changed, put in, taken out, or another end."""
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        place = chance.randrange(len(data) + 1)
        how = chance.randrange(5)
        if how == 0:
            data = data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
        elif how == 1:
            data = (
                data[:place] + chance.choice([b"<", b"&", b"]]>", b"\x00", b"\xff", b"<x/>", b"9", b" "]) + data[place:]
            )
        elif how == 2:
            data = data[:place] + data[place + chance.randrange(1, 30) :]
        elif how == 3 and chance.random() < 0.2:
            data = data[:place]
        else:
            end = min(len(data), place + chance.randrange(1, 60))
            data = data[:place] + data[place:end] * 2 + data[end:]
    return data


def test_thousands_of_scrambled_messages_are_refused_without_a_crash() -> None:
    chance = random.Random(20250617)
    layers: Counter[str] = Counter()
    samples = [(kind, sample_of(kind)) for kind in KINDS]
    for _ in range(60_000 if SLOW else 6_000):
        kind, data = chance.choice(samples)
        broken = chance.choice([scrambled, misspelt, misspelt])(data, chance)
        fault = outcome(broken)
        layers["passed" if fault is None else fault.layer.value] += 1
        if chance.random() < 0.05 and fault is not None and fault.layer is Layer.SCHEMA and kind.iso.encode() in broken:
            assert_second_opinion_agrees(broken)
    assert set(layers) == {"passed", "transport", "xml", "schema", "profile"}
    assert min(layers.values()) > layers.total() / 100


def assert_second_opinion_agrees(broken: bytes) -> None:
    parts = envelope.read(broken)
    for iso, data in (("head.001.001.02", parts.app_header), (None, parts.document)):
        root = parse(data, "Document")
        known = iso or etree.QName(root).namespace.rpartition(":")[2]
        if profile().knows(known):
            judged = any(profile().errors(known, root))
            assert judged == (not lxml_passes(known, root))


def lxml_passes(iso: str, root: Any) -> bool:
    try:
        profile().judge(iso, root)
    except Refused:
        return False
    return True


def test_every_truncation_of_a_message_is_refused() -> None:
    data = sample_of(KINDS[0])
    for length in range(0, len(data), 1 if SLOW else 5):
        fault = outcome(data[:length])
        assert fault is not None
        assert fault.layer is (Layer.TRANSPORT if length < 138 else Layer.XML)


def test_header_and_body_of_two_messages_do_not_pass_together() -> None:
    for kind in KINDS:
        for other in KINDS[::7]:
            if kind.iso == other.iso:
                continue
            first, second = envelope.read(sample_of(kind)), envelope.read(sample_of(other))
            mixed = envelope.write(first.header, "", first.app_header, second.document)
            fault = outcome(mixed)
            assert fault is not None
            assert fault.layer is Layer.PROFILE


def test_nothing_is_fetched_and_no_file_is_read(tmp_path: Any) -> None:
    """A document may name schemas, types and includes elsewhere; nobody goes there."""
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        data = sample_of(KINDS[0])
        instance = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        for start, text in (
            (f'<!DOCTYPE Document SYSTEM "{url}"><Document', ""),
            (f'<!DOCTYPE Document [<!ENTITY % a SYSTEM "{url}"> %a;]><Document', ""),
            (f'<!DOCTYPE Document [<!ENTITY a SYSTEM "file://{secret}">]><Document', "&a;"),
            (f'<?xml-stylesheet href="{url}"?><Document', ""),
            (f'<Document {instance} xsi:schemaLocation="urn:a {url}"', ""),
            (f'<Document {instance} xsi:noNamespaceSchemaLocation="{url}"', ""),
            ("<Document", f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{url}"/>'),
        ):
            hostile = data.replace(b"<Document", start.encode()).replace(b"<MsgId>", b"<MsgId>" + text.encode())
            fault = outcome(hostile)
            assert fault is None or "SECRET" not in fault.sentence()
        with pytest.raises(BlockingIOError):
            server.accept()


def test_memory_stays_bounded_whatever_the_size() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    data = sample_of(KINDS[0])
    large = data.replace(b"<MsgId>", b"<MsgId>" + b"x" * 50_000_000)
    sized = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for hostile in (large, b"<Document>" + large):
        with pytest.raises(Refused, match="larger than"):
            open_bytes(hostile)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - max(before, sized) < 60_000
    nested = data.replace(b"<MsgId>", b"<MsgId>" + b"<a>" * 100_000)
    fault = outcome(nested)
    assert fault is not None
    assert fault.layer is Layer.XML


def test_large_and_hostile_documents_are_refused_in_bounded_memory() -> None:
    """What a message of ten megabytes can hold at worst, each told by its place all the same."""
    data = sample_of(KINDS[0])
    package = sample_of(FORMS_BY_NUMBER["beps.121"])
    start, end = package.index(b"<CdtTrfTxInf>"), package.index(b"</CdtTrfTxInf>") + len("</CdtTrfTxInf>")
    one, group = package[start:end], "Document/FIToFICstmrCdtTrf/GrpHdr"
    attributes = b" ".join(b'a%d="1"' % number for number in range(200_000))
    few = b" ".join(b'a%d="1"' % number for number in range(50))
    cases = [
        (data.replace(b"<GrpHdr>", b"<GrpHdr>" + b"<a/>" * 450_000), f"{group}/a[1]"),
        (data.replace(b"<MsgId>", b"<MsgId>" + b"x " * 4_500_000), f"{group}/MsgId"),
        (data.replace(b"<MsgId>", b"<MsgId " + attributes + b">"), f"{group}/MsgId"),
        (data.replace(b"<MsgId>", b"<MsgId " + few + b">"), f"{group}/MsgId"),
        (package[:start] + one * 2001 + package[end:], "Document/FIToFICstmrCdtTrf/CdtTrfTxInf[2001]"),
        (
            package[:start] + one * 1999 + one.replace(b"<SttlmPrty>", b"<SttlmPrty>X") + package[end:],
            "Document/FIToFICstmrCdtTrf/CdtTrfTxInf[2000]/SttlmPrty",
        ),
    ]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for broken, path in cases:
        fault = outcome(broken)
        assert fault is not None
        assert (fault.layer, fault.path) == (Layer.SCHEMA, path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000


def test_threads_judge_side_by_side() -> None:
    """Compiled schemas are one per thread; every thread gets the verdicts that one alone gives."""
    good, bad = sample_of(KINDS[0]), sample_of(KINDS[0]).replace(b"<SttlmPrty>NORM", b"<SttlmPrty>LOWW")
    expected = [outcome(good), outcome(bad)] * 50
    found: list[list[Fault | None]] = []
    threads = [
        threading.Thread(target=lambda: found.append([outcome(data) for _ in range(50) for data in (good, bad)]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
