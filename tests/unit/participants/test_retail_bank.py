"""A bank in BEPS and IBPS: what it writes passes every layer and says what it was told."""

from __future__ import annotations

from typing import Any

import pytest

from cnaps_sim.analysis.simulate import read
from cnaps_sim.messages import credits, debits, status
from cnaps_sim.messages.validate import Checked, check
from cnaps_sim.participants import retail_bank
from cnaps_sim.participants.bank import Bank
from cnaps_sim.participants.retail_bank import Unit
from cnaps_sim.run.world import World
from cnaps_sim.systems.retail_terms import read_package
from cnaps_sim.words.bank_code import with_check_digit
from cnaps_sim.words.codes import Refusal, System
from cnaps_sim.words.retail import RetailKind

A, B = (with_check_digit(f"1021000{number:04d}") for number in (1, 2))


class Desk:
    """A bank at the beginning of a run, and what it sends to the centre."""

    def __init__(self) -> None:
        payment = {"payment_id": "P1", "time": "09:00", "debtor": A, "creditor": B, "amount": 1}
        scenario: dict[str, Any] = {
            "name": "desk",
            "accounts": [{"account": A, "balance": 1}, {"account": B}],
            "workload": [{"system": "BEPS", "payments": [payment]}],
            "liquidity": {"from": "accounts"},
            "messages": "all",
        }
        exchange = World(read(scenario)).exchange
        assert exchange is not None
        self.mail = exchange.mail
        self.sent: list[bytes] = []
        self.bank = Bank(A, self.mail, 1, self._receive)

    def _receive(self, data: bytes) -> str:
        self.sent.append(data)
        return "accepted"

    def checked(self) -> list[Checked]:
        self.mail.clock.run(until=int(self.mail.clock.now) + 1)
        return [check(data, self.mail.expected(b"beps")) for data in self.sent]


@pytest.mark.parametrize("kind", RetailKind)
def test_every_kind_is_written_under_its_number_and_its_reply_under_that_of_replies(kind: RetailKind) -> None:
    desk = Desk()
    items = [("X1", 100), ("X2", 250)][: 2 if kind.system is System.BEPS else 1]
    retail_bank.send(desk.bank, Unit(0, kind, B, items))
    (sent,) = desk.checked()
    assert sent.kind.number == f"{kind.messages[0]}.001.01"
    assert sent.kind.iso == (debits.PACS_003 if kind.is_debit else credits.PACS_008)
    package = read_package(sent)
    assert (package.kind, package.starter, package.other, package.items) == (kind, A, B, items)
    assert (b"<CtrlSum>3.50<" in desk.sent[0]) == (len(items) > 1)
    if kind.has_reply:
        retail_bank.reply(desk.bank, retail_bank.asked_by(sent, 0), Refusal.PAYEE_BANK)
        answer = desk.checked()[1]
        assert answer.kind.number == f"{kind.messages[-1]}.001.01"
        told = status.read_payment_status(answer.root).transactions
        assert [(each.transaction_id, each.status) for each in told] == [(number, "RJCT") for number, _ in items]
        assert [reason.code for reason in told[0].reasons] == ["PR09", "RJ95", "AC06"]
        assert told[0].original.business_id == package.business_id


def test_business_ids_of_ibps_begin_with_the_bank_code_and_bear_the_retail_date() -> None:
    """At 16:00 on the evening before, the retail date of the run's first day has begun."""
    desk = Desk()
    assert desk.mail.business_id(A, System.IBPS) == f"{A}2025061700000001"
    assert desk.mail.business_id(A, System.BEPS) == "2025061700000002"
