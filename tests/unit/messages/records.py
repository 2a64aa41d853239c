"""Random records of messages, and the way there and back: record, bytes, schemas, record."""

from __future__ import annotations

import dataclasses
import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from lxml import etree

from cnaps_sim.messages import codec
from cnaps_sim.messages.parts import OriginalMessage, Query, Reason
from cnaps_sim.messages.schemas import parse, profile
from cnaps_sim.messages.xmltext import CHINA

OFFICIAL = Path(__file__).resolve().parents[4] / "shared" / "iso20022_official"

few = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

#: Letters of any script, signs that markup gives a meaning, no blanks and nothing that XML cannot carry.
LETTERS = st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co", "Zs", "Zl", "Zp"))
ANY_TEXT = st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co"), include_characters="\n\t\r")


def name(longest: int) -> st.SearchStrategy[str]:
    """Text without blanks at its ends."""
    return st.text(st.one_of(LETTERS, st.sampled_from("&<>\"'%{}[]")), min_size=1, max_size=min(longest, 40))


def line(longest: int) -> st.SearchStrategy[str]:
    """Any text, line ends too."""
    return st.text(ANY_TEXT, min_size=1, max_size=min(longest, 50))


reference = name(35)
bank = st.one_of(st.from_regex(r"[0-9]{12}", fullmatch=True), st.just("0000"))
above_zero = st.integers(1, 10**18 - 1)
zero_or_more = st.integers(0, 10**18 - 1)
date = st.dates(dt.date(1000, 1, 1), dt.date(2999, 12, 31))
time = st.builds(
    lambda moment, ms: moment.replace(microsecond=1000 * ms, tzinfo=CHINA),
    st.datetimes(dt.datetime(1000, 1, 1), dt.datetime(2999, 12, 31)),
    st.integers(0, 999),
)
moment = st.one_of(date, time)
number = st.sampled_from(["hvps.111.001.01", "pacs.008.001.08"])
priority = st.sampled_from(["URGT", "HIGH", "NORM"])
direction = st.sampled_from(["CRDT", "DBIT"])
count = st.integers(0, 999_999_999)
uetr = st.uuids(version=4).map(str)
code = st.from_regex(r"[A-Z0-9]{4}", fullmatch=True)

#: What a field of this name takes, unless a test says otherwise.
BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("created", "compiled", "time"), time),
    **dict.fromkeys(("settlement_date", "collection_date", "mandate_signed", "original_settlement_date"), date),
    **dict.fromkeys(("instructing", "instructed", "creditor", "debtor", "owner", "requester", "participant"), bank),
    **dict.fromkeys(("creditor_agent", "debtor_agent", "counterparty"), bank),
    **dict.fromkeys(("creditor_account", "debtor_account", "account"), name(34)),
    **dict.fromkeys(("creditor_name", "debtor_name"), name(140)),
    **dict.fromkeys(("amount_fen", "control_sum_fen", "original_amount_fen"), above_zero),
    **dict.fromkeys(("business_id", "transaction_id", "end_to_end_id", "instruction_id", "credit_id"), reference),
    **dict.fromkeys(("return_id", "item_id", "request_id", "mandate_id", "original_transaction_id"), reference),
    **dict.fromkeys(("original_end_to_end_id", "transfer_id", "reservation_id", "report_id", "notice_id"), reference),
    **dict.fromkeys(("round_id", "record_id", "obligation_id", "event_id", "reference"), reference),
    **dict.fromkeys(("uetr", "original_uetr"), uetr),
    **dict.fromkeys(("number", "request_number"), number),
    **dict.fromkeys(("at", "since", "start", "booked", "value_date"), moment),
    "business_type": st.from_regex(r"[A-Z][0-9]{3}", fullmatch=True),
    "business_kind": st.from_regex(r"[0-9]{5}", fullmatch=True),
    "priority": priority,
    "direction": direction,
    "system": st.sampled_from(["HVPS", "BEPS", "IBPS"]),
    "remarks": st.lists(line(140), max_size=4).map(tuple),
    "code": code,
    "description": line(140),
    "currency": st.just("CNY"),
}


def records(kind: type, /, **special: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Records of a dataclass; `special` names fields whose name does not say what they take.

    A field that may be None is None in half of them.
    """
    known = {**BY_NAME, **special}
    chosen = {}
    for field in dataclasses.fields(kind):
        chosen[field.name] = known[field.name]
        if field.default is None:
            chosen[field.name] = st.none() | known[field.name]
    return st.builds(kind, **chosen)


def some(one: st.SearchStrategy[Any], least: int = 1, most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(one, min_size=least, max_size=most).map(tuple)


originals = records(OriginalMessage)
queries = records(Query)
BY_NAME |= {
    "original": originals,
    "query": queries,
    "reason": st.builds(
        lambda written, own, notes: Reason(written, own, notes),
        code,
        st.booleans(),
        st.lists(line(105), max_size=2).map(tuple),
    ),
}


@cache
def official(iso: str) -> etree.XMLSchema | None:
    """The official schema; None where it is not on this machine."""
    file = OFFICIAL / f"{iso}.xsd"
    return etree.XMLSchema(etree.parse(file)) if file.is_file() else None


def there_and_back(record: Any) -> None:
    """The record is built, both schemas pass it, and it is read again as it was."""
    form = codec.form_of(record)
    root = parse(form.build(record), "Document")
    profile().judge(form.iso, root)
    schema = official(form.iso)
    assert schema is None or schema.validate(root), schema.error_log
    assert form.read(root) == record


#: For cases told by hand.
AT = dt.datetime(2025, 6, 17, 10, 30, tzinfo=CHINA)
ORIGINAL = OriginalMessage("2025061700000007", "hvps.111.001.01")
UETR = "8a562c67-ca16-48ba-b074-65581be6f001"
