"""The centre for BEPS and IBPS: what it refuses, at which layer, and that nothing else suffers from it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

import cnaps_sim as cs
from cnaps_sim.analysis.simulate import read
from cnaps_sim.engine.clock import Rank
from cnaps_sim.messages import credits, debits, status
from cnaps_sim.messages.credits import CustomerCredit, CustomerTransfer
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.messages.parts import OriginalMessage
from cnaps_sim.messages.status import PaymentStatus, TransactionStatus
from cnaps_sim.participants.retail_bank import Asked, reply
from cnaps_sim.run.message_log import Record, read_log
from cnaps_sim.run.world import World
from cnaps_sim.systems.mail import Letter, kind
from cnaps_sim.words.bank_code import with_check_digit
from cnaps_sim.words.codes import Act, Refusal
from cnaps_sim.words.retail import RetailKind

A, B, C, STRANGER = (with_check_digit(f"1021000{number:04d}") for number in (1, 2, 3, 4))
NINE = 9 * 3_600_000
UETR = "3f1d0a52-6f0e-4c59-9a3c-0d8f5a1b2c3d"


def pay(payment_id: str, time: str, debtor: str, creditor: str, amount: int, **more: Any) -> dict[str, Any]:
    return {"payment_id": payment_id, "time": time, "debtor": debtor, "creditor": creditor, "amount": amount, **more}


def scenario(payments: list[dict[str, Any]], online: Sequence[dict[str, Any]] = (), **changes: Any) -> dict[str, Any]:
    return {
        "name": "retail",
        "accounts": [{"account": code, "balance": 1000, "credit_line": 500} for code in (A, B, C)],
        "workload": [{"system": "BEPS", "payments": payments}, {"system": "IBPS", "payments": list(online)}],
        "beps": {"refused_share": 0, "unanswered_share": 0, **changes.pop("beps", {})},
        "ibps": {"refused_share": 0, "unanswered_share": 0, **changes.pop("ibps", {})},
        "record": {"BEPS": "payments", "IBPS": "payments"},
        "liquidity": {"from": "accounts"},
        "messages": "all",
        **changes,
    }


class Played:
    """A day into which messages of nobody's instruction are slipped."""

    def __init__(self, told: dict[str, Any], at_ms: int, slip: Callable[[World], list[bytes]]) -> None:
        self.world = World(read(told))
        exchange = self.world.exchange
        assert exchange is not None
        assert exchange.retail is not None
        self.verdicts: list[str] = []

        def act() -> None:
            self.verdicts += [exchange.centre.receive(data) for data in slip(self.world)]

        self.world.clock.call_at(at_ms, Rank.ACTION, act)
        self.verdict = self.world.run()
        exchange.summary()
        self.records = [record for _, record, _ in read_log(exchange.log.folder)]
        self.register = exchange.retail.register
        own = [record for record in self.records if record.sender == CENTRE]
        assert {record.verdict for record in own} == {"accepted"}, "what the centre writes is valid"

    def act(self, payment_id: str) -> Act:
        return Act(int(self.register.acts[self.register.unit_of(payment_id)]))

    def told(self, iso: str, reference: str = "") -> list[tuple[str, ...]]:
        """Receiver and codes of what the centre said."""
        found = [r for r in self.records if r.sender == CENTRE and r.iso == iso and r.reference == reference]
        return [(record.receiver, *codes(record)) for record in found]


def codes(record: Record) -> list[str]:
    pattern = rb"<(?:TxSts|StsCd)>(\w+)<|<StsRsnInf><Rsn><(?:Cd|Prtry)>(\w+)<"
    return list(dict.fromkeys((one or other).decode() for one, other in re.findall(pattern, record.data)))


def transfer(number: str, fen: int = 100_00, **more: Any) -> CustomerTransfer:
    return replace(
        CustomerTransfer(
            transaction_id=number,
            uetr=UETR[:-6] + f"{int.from_bytes(number.encode(), 'big') % 16**6:06x}",
            end_to_end_id=number,
            business_type="A100",
            business_kind="02102",
            amount_fen=fen,
            settlement_date=dt.date(2025, 6, 17),
            priority="NORM",
            debtor_name="甲",
            debtor_account=f"{A}1",
            debtor_agent=A,
            creditor_agent=B,
            creditor_name="乙",
            creditor_account=f"{B}1",
        ),
        **more,
    )


def package(
    world: World, transfers: list[CustomerTransfer], to: str = B, number: str = "beps.121.001.01", **more: Any
) -> bytes:
    assert world.exchange is not None
    mail = world.exchange.mail
    system = kind(number, credits.PACS_008).system
    business_id = mail.business_id(A, system)
    message = CustomerCredit(business_id, mail.now, system, A, to, tuple(transfers))
    document = credits.build_customer_credit(replace(message, **more))
    return mail.wrap(Letter(kind(number, credits.PACS_008), A, CENTRE, business_id, document))


def spoilt(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new)


TWO = [transfer("X1"), transfer("X2")]


@pytest.mark.parametrize(
    ("slip", "layer", "code"),
    [
        (lambda w: spoilt(package(w, TWO), b"<NbOfTxs>2", b"<NbOfTxs>3"), "profile", "AM18"),
        (lambda w: package(w, TWO, control_sum_fen=199_00), "profile", "AM10"),
        (lambda w: package(w, [transfer("X1"), transfer("X1")]), "profile", "AM05"),
        (lambda w: package(w, TWO, number="ibps.101.001.01"), "profile", "AM18"),
        (lambda w: package(w, [transfer(f"X{n}") for n in range(2001)]), "schema", "FF01"),
        (lambda w: spoilt(package(w, TWO), b"</CdtTrfTxInf>", b"</CdtTrfTxInff>"), "xml", "FF01"),
        (
            lambda w: package(w, [transfer("X1", settlement_date=dt.date(2025, 6, 18))]),
            "profile",
            "DT01",
        ),
    ],
)  # fmt: skip
def test_what_the_layers_refuse_is_told_by_admi_002_and_the_rest_goes_on(slip: Any, layer: str, code: str) -> None:
    played = Played(scenario([pay("P1", "09:30", A, B, 60)]), NINE, lambda world: [slip(world)])
    assert played.verdicts[0].startswith(layer)
    assert played.verdicts[0].endswith(f"({code})")
    assert len(played.told("admi.002.001.01")) == 1
    assert played.act("P1") == Act.NETTED
    assert played.verdict.passed
    assert int(played.world.netting.tallies["units"].sum()) == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("slip", "code"),
    [
        (lambda w: package(w, [transfer(f"X{n}") for n in range(4)]), "FF01"),
        (lambda w: package(w, [transfer("X1"), transfer("X2", business_type="A104")]), "FF01"),
        (lambda w: package(w, [transfer("X1"), transfer("X2", creditor_agent=C)]), "FF01"),
        (lambda w: package(w, [transfer("X1", creditor_agent=STRANGER)], to=STRANGER), "RC04"),
        (lambda w: package(w, [transfer("X1", 1_000_001_00)]), "FF01"),
        (lambda w: package(w, [transfer("X1")]), "AM05"),
        (lambda w: package(w, [transfer("P1", 61_00)]), "FF01"),
    ],
)
def test_what_business_refuses_is_told_by_pacs_002_and_nothing_is_booked(slip: Any, code: str) -> None:
    """Too many payments, mixed types, mixed banks, an unknown bank, too large an amount, unknown, other terms."""
    told = scenario([pay("P1", "09:30", A, B, 60)], beps={"package_limit": 3})
    played = Played(told, NINE, lambda world: [slip(world)])
    assert played.verdicts == ["accepted"]
    refused = [entry for record in played.records for entry in [(record.receiver, *codes(record))] if "RJCT" in entry]
    assert refused == [(A, "RJCT", "PR09", "RJ90", code)]
    assert played.act("P1") == Act.NETTED
    assert played.verdict.passed
    assert int(played.world.netting.tallies["units"].sum()) == 1  # type: ignore[union-attr]


def test_a_package_over_the_limit_of_the_scenario_is_refused_and_recorded() -> None:
    items = [pay(f"P{n}", "09:30", A, B, 10, package="K") for n in range(4)]
    played = Played(scenario(items, beps={"package_limit": 3}), NINE, lambda _: [])
    assert played.act("P0") == Act.REFUSED
    assert played.told("pacs.002.001.10", "P0") == [(A, "RJCT", "PR09", "RJ90", "FF01")]


def test_the_same_bytes_are_answered_from_memory_and_other_bytes_under_their_id_are_refused() -> None:
    def slip(world: World) -> list[bytes]:
        assert world.exchange is not None
        data = package(world, TWO)
        return [data, data, spoilt(data, "甲".encode(), "丙".encode())]

    played = Played(scenario([pay("P1", "09:30", A, B, 60)]), NINE, slip)
    assert played.verdicts[:2] == ["accepted", "resent, answered from memory"]
    assert played.verdicts[2].endswith("(AM05)")
    assert len(played.told("pacs.002.001.10", "X1")) == 1


def answer(world: World, payment_id: str, by: str, number: str = "beps.124.001.01", original: str = "") -> bytes:
    """A reply that nobody was asked for."""
    assert world.exchange is not None
    mail = world.exchange.mail
    retail = world.exchange.retail
    assert retail is not None
    unit = retail.register.unit_of(payment_id)
    sent = retail._sent.get(unit)
    message = OriginalMessage(original or (sent.business_id if sent else "2025061700000099"), "beps.123.001.01")
    what = kind(number, status.PACS_002)
    business_id = mail.business_id(by, what.system)
    told = TransactionStatus(message, payment_id, UETR, "ACTC", end_to_end_id=payment_id)
    document = status.build_payment_status(PaymentStatus(business_id, mail.now, by, A, (told,)))
    return mail.wrap(Letter(what, by, CENTRE, business_id, document))


@pytest.mark.parametrize(
    ("slip", "why"),
    [
        (lambda w: answer(w, "NOBODY", B), ("RJ91", "FF01")),
        (lambda w: answer(w, "P1", C), ("RJ91", "FF01")),
        (lambda w: answer(w, "P1", B, original="2025061700000099"), ("RJ91", "FF01")),
        (lambda w: answer(w, "P1", B, number="beps.128.001.01"), ("RJ91", "FF01")),
        (lambda w: answer(w, "P2", B), ("RJ91", "AM05")),
        (lambda w: answer(w, "P3", B), ("RJ90", "AB05")),
    ],
)
def test_replies_without_original_given_before_or_too_late_are_refused(slip: Any, why: tuple[str, str]) -> None:
    payments = [
        pay("P1", "09:00", A, B, 60, type="BRTC"),
        pay("P2", "08:50", A, B, 50, type="BRTC"),
    ]  # fmt: skip
    told = scenario(payments, beps={"realtime_median": "10 s"})
    at_ms = NINE + 1
    if why == ("RJ90", "AB05"):
        told = scenario([pay("P3", "08:50", A, B, 60, type="BRTC")], beps={"unanswered_share": 1})
    played = Played(told, at_ms, lambda world: [slip(world)])
    refused = [r for r in played.records if r.sender == CENTRE and b"RJCT" in r.data and r.sent_ms == at_ms]
    assert [codes(record) for record in refused] == [["RJCT", "PR09", *why]]
    assert played.verdict.passed
    if why != ("RJ90", "AB05"):
        assert (played.act("P1"), played.act("P2")) == (Act.NETTED, Act.NETTED)
    else:
        assert played.act("P3") == Act.EXPIRED


def test_a_reply_must_answer_all_payments_alike() -> None:
    def slip(world: World) -> list[bytes]:
        assert world.exchange is not None
        retail = world.exchange.retail
        assert retail is not None
        bank = world.exchange.banks[A]
        original = retail.register.originals[0]
        some = Asked(0, RetailKind.ORDINARY_DEBIT, B, original.message, original.transactions[:1])
        reply(bank, some, Refusal.NONE)
        return []

    debits_ = [pay(f"D{n}", "09:00", A, B, 10, package="K", type="BDBT") for n in range(2)]
    played = Played(scenario(debits_, beps={"reply_median": "2 h"}), NINE + 1, slip)
    assert played.told("pacs.002.001.10", "D0")[0] == (A, "RJCT", "PR09", "RJ90", "FF01")
    assert played.act("D0") == Act.NETTED


def test_both_banks_are_told_and_the_payee_gets_the_original_with_the_money() -> None:
    """The first credit has to wait until the money of the second has come."""
    payments = [pay("P1", "09:00", A, B, 600), pay("P2", "09:30", C, A, 200), pay("P3", "10:00", A, B, 700)]
    played = Played(scenario(payments), NINE, lambda _: [])
    told = played.told("pacs.002.001.10", "P1")
    assert told == [(A, "PDNG", "PR11"), (A, "ACSP", "PR03"), (B, "ACSP", "PR03")]
    assert [record.receiver for record in played.records if record.iso == credits.PACS_008][:1] == [CENTRE]
    assert [r.sent_ms for r in played.records if r.iso == credits.PACS_008 and r.receiver == B] == [NINE + 1_800_000]
    cancelled = [entry for entry in played.told("pacs.002.001.10", "P3") if entry[1] == "CANC"]
    assert cancelled == [(A, "CANC", "PR08", "RJ94", "AM23")]


def test_a_debit_is_netted_when_the_payers_bank_agrees_and_refused_when_it_does_not() -> None:
    online = [pay("I1", "09:00", A, B, 5, type="IDBT")]
    agreed = Played(scenario([], online), NINE, lambda _: [])
    assert agreed.told("pacs.002.001.10", "I1") == [(B, "ACSP", "PR03"), (A, "ACSP", "PR03")]
    refused = Played(scenario([], online, ibps={"refused_share": 1}), NINE, lambda _: [])
    assert refused.told("pacs.002.001.10", "I1") == [
        (B, "RJCT", "PR09", "RJ92", "AM04"), (A, "RJCT", "PR09", "RJ92", "AM04"),
    ]  # fmt: skip
    silent = Played(scenario([], online, ibps={"unanswered_share": 1}), NINE, lambda _: [])
    assert silent.told("pacs.002.001.10", "I1")[0] == (B, "RJCT", "PR32", "RJ90", "AB05")
    assert [r.iso for r in silent.records if r.reference == "I1"].count(debits.PACS_003) == 2


def test_a_reply_that_comes_after_its_limit_nets_nothing() -> None:
    network = {"latency": "15 s"}
    late = cs.simulate(scenario([], [pay("I1", "09:00", A, B, 5)], network=network)).payments
    assert late[["status", "reason_iso"]].to_numpy().tolist() == [["PR32", "AB05"]]
    kept = cs.simulate(scenario([], [pay("I1", "09:00", A, B, 5)], network={"latency": "5 s"})).payments
    kept = kept[kept["system"] == "IBPS"]
    assert kept["status"].tolist() == ["PR03"]
    assert kept["submitted_ms"].tolist() == [NINE + 5000]
