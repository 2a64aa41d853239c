"""Bench of messages: what a payment costs when it travels as real XML.

*Path*: one core, one payment after the other, nothing left out and nothing else: the payer's bank writes the message,
the centre judges and reads it, the books settle it, the centre writes the status, both banks judge and read what they
are sent. *Run*: a whole day in which all payments travel, with clock, network, receipts, broadcasts and message log.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any, Final

from cnaps_sim.core import Books
from cnaps_sim.messages import credits, envelope, status
from cnaps_sim.messages.app_header import AppHeader, build_app_header
from cnaps_sim.messages.catalogue import Kind
from cnaps_sim.messages.credits import CustomerCredit, CustomerTransfer
from cnaps_sim.messages.envelope import CENTRE, FROM_CENTRE, TO_CENTRE, Header
from cnaps_sim.messages.parts import OriginalMessage, Reason
from cnaps_sim.messages.status import PaymentStatus, TransactionStatus
from cnaps_sim.messages.validate import check
from cnaps_sim.messages.xmltext import CHINA
from cnaps_sim.systems.mail import kind
from cnaps_sim.words.codes import Phase, Priority, System

_PAYER, _PAYEE = "102100099996", "103100000026"
_DATE: Final = dt.date(2025, 6, 17)
_NOW: Final = dt.datetime(2025, 6, 17, 10, 0, tzinfo=CHINA)
_UETR: Final = "3f2504e0-4f89-4d3a-9a0c-0305e82c3301"


def message_bench(payments: int, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Payments per second along the path, and in a whole run."""
    _path(50)
    tell(f"messages: the path of {payments:,} payments")
    path = min(_path(payments) for _ in range(3))
    tell(f"messages: a day of {payments:,} payments")
    return {"payments": payments, "path_per_s": round(payments / path), "run_per_s": round(payments / _run(payments))}


def _path(payments: int) -> float:
    """Seconds for the whole path of so many payments."""
    books = Books([{"balance": payments * 100}, {}])
    books.set_phase(Phase.DAYTIME)
    transfer, told = kind("hvps.111.001.01", credits.PACS_008), kind("ccms.900.001.01", status.PACS_002)
    start = time.perf_counter()
    for number in range(payments):
        business_id = f"{_DATE:%Y%m%d}{number + 1:08d}"
        sent = _wrap(transfer, _PAYER, CENTRE, business_id, credits.build_customer_credit(_credit(business_id)))
        checked = check(sent)
        received = credits.read_customer_credit(checked.root)
        paid = received.transactions[0]
        level = int(Priority(paid.priority).level)
        act = books.submit(number, number, 0, 1, paid.amount_fen, level)
        document = status.build_payment_status(_status(business_id, received, act.name))
        confirmed = check(_wrap(told, CENTRE, _PAYER, business_id, document))
        assert status.read_payment_status(confirmed.root).transactions[0].status == "ACSC"
        forwarded = check(_wrap(transfer, CENTRE, _PAYEE, business_id, checked.envelope.document))
        assert credits.read_customer_credit(forwarded.root).transactions[0].amount_fen == 100
    return time.perf_counter() - start


def _wrap(what: Kind, sender: str, receiver: str, business_id: str, document: bytes) -> bytes:
    app_header = build_app_header(AppHeader(sender, receiver, business_id, what.iso, _NOW, what.number))
    header = Header(
        sender=sender,
        sender_system=what.system,
        receiver=receiver,
        receiver_system=what.system,
        date=_DATE,
        time=_NOW.time(),
        message_type=what.number,
        message_id=business_id,
        direction=FROM_CENTRE if sender == CENTRE else TO_CENTRE,
    )
    return envelope.write(header, "", app_header, document)


def _credit(business_id: str) -> CustomerCredit:
    transfer = CustomerTransfer(
        transaction_id=business_id,
        uetr=_UETR,
        end_to_end_id=business_id,
        business_type="A100",
        business_kind="02102",
        amount_fen=100,
        settlement_date=_DATE,
        priority=Priority.NORM,
        debtor_name="付款人",
        debtor_account="1021000999960000001",
        debtor_agent=_PAYER,
        creditor_agent=_PAYEE,
        creditor_name="收款人",
        creditor_account="1031000000260000001",
    )
    return CustomerCredit(business_id, _NOW, System.HVPS, _PAYER, _PAYEE, (transfer,))


def _status(business_id: str, received: CustomerCredit, act: str) -> PaymentStatus:
    paid = received.transactions[0]
    transaction = TransactionStatus(
        original=OriginalMessage(received.business_id, "hvps.111.001.01", received.created),
        transaction_id=paid.transaction_id,
        uetr=paid.uetr,
        status={"SETTLED": "ACSC"}[act],
        reasons=(Reason("PR04", proprietary=True),),
        end_to_end_id=paid.end_to_end_id,
        settled=_NOW,
    )
    return PaymentStatus(business_id, _NOW, CENTRE, received.instructing, (transaction,))


def _run(payments: int) -> float:
    """Seconds in the clock, the systems and the banks of a day in which all payments travel and nothing is scarce."""
    from cnaps_sim.run.world import World
    from cnaps_sim.scenario.load import from_dict

    scenario = {
        "name": "bench",
        "accounts": {"generate": "national", "count": 40},
        "workload": [
            {"system": "HVPS", "generator": "national", "count": payments, "value": str(payments * 22_191_000)}
        ],
        "liquidity": {"share_of_outflow": ["2", "3"]},
        "messages": "all",
        "series_step": "60 min",
    }
    world = World(from_dict(scenario))
    start = time.perf_counter()
    world.run()
    return time.perf_counter() - start
