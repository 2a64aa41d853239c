"""What a bank asks or orders about its own account: balances, queue, day, earmark, reservations, limits."""

from __future__ import annotations

from typing import Final

from cnaps_sim.messages import balances, limits, liquidity, queue_reports, statements, status, system_state
from cnaps_sim.messages.balances import BalanceQuery
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.messages.limits import (
    LimitCriteria,
    LimitDeletion,
    LimitKey,
    LimitQuery,
    LimitSetting,
    NewLimit,
    Reservation,
)
from cnaps_sim.messages.liquidity import EarmarkDecrease, EarmarkIncrease
from cnaps_sim.messages.parts import OriginalMessage
from cnaps_sim.messages.queue_reports import QueueQuery
from cnaps_sim.messages.statements import ReportRequest
from cnaps_sim.messages.status import StatusRequest
from cnaps_sim.messages.system_state import DayQuery
from cnaps_sim.participants.bank import Bank
from cnaps_sim.systems.mail import Letter, kind

#: Terms of its account that a participant sets itself, and the reservation each stands for.
OWN_TERMS: Final = {"earmark": "", "reserved_high": limits.FOR_URGENT, "reserved_urgent": limits.FOR_HIGH}
#: What a participant can ask about.
BALANCE, QUEUE, DAY, ACCOUNT, LIMITS = "balance", "queue", "day", "account", "limits"


def ask(bank: Bank, about: str) -> str:
    """A question to the centre: balances, own queue, day, account so far, own limits; returns its business id."""
    business_id, now = bank.mail.business_id(bank.member), bank.mail.now
    if about == BALANCE:
        document = balances.build_balance_query(BalanceQuery(business_id, now))
        return _send(bank, "saps.368.001.01", balances.CAMT_003, business_id, document)
    if about == QUEUE:
        document = queue_reports.build_queue_query(QueueQuery(business_id, now))
        return _send(bank, "saps.363.001.01", queue_reports.CAMT_005, business_id, document)
    if about == ACCOUNT:
        wanted = ReportRequest(business_id, now, statements.CAMT_052, bank.member, bank.member)
        document = statements.build_report_request(wanted)
        return _send(bank, statements.CAMT_060, statements.CAMT_060, business_id, document)
    if about == LIMITS:
        kinds = (limits.BILATERAL, limits.MULTILATERAL, limits.NET_DEBIT_CAP)
        query = LimitQuery(business_id, now, LimitCriteria(kinds, owner=bank.member))
        return _send(bank, "nets.350.001.01", limits.CAMT_009, business_id, limits.build_limit_query(query))
    assert about == DAY
    document = system_state.build_day_query(DayQuery(business_id, now))
    return _send(bank, "ccms.801.001.01", system_state.CAMT_018, business_id, document)


def ask_status(bank: Bank, payment_id: str, original: OriginalMessage | None) -> str:
    """pacs.028: where one of its payments stands; `original` is the message that carried it."""
    business_id = bank.mail.business_id(bank.member)
    asked = StatusRequest(
        business_id, bank.mail.now, bank.member, CENTRE, payment_id, bank.uetr(payment_id), original
    )  # fmt: skip
    return _send(bank, "ccms.316.001.01", status.PACS_028, business_id, status.build_status_request(asked))


def set_term(bank: Bank, field: str, now_fen: int, fen: int) -> str:
    """Set one of OWN_TERMS to `fen`, from what it is now; returns the business id of the order."""
    business_id = bank.mail.business_id(bank.member)
    if field != "earmark":
        order = Reservation(business_id, bank.mail.now, OWN_TERMS[field], bank.member, fen)
        return _send(bank, limits.CAMT_103, limits.CAMT_103, business_id, limits.build_reservation(order))
    reference = f"EARM{business_id}"
    uetr = bank.uetr(reference)
    account, earmark = bank.member, f"{bank.member}-E"
    date = bank.mail.working_date
    if fen > now_fen:
        change = EarmarkIncrease(
            business_id, bank.mail.now, reference, uetr, reference, account, earmark, fen - now_fen, date
        )
        document = liquidity.build_earmark_increase(change)
        return _send(bank, "nets.376.001.01", liquidity.CAMT_050, business_id, document)
    lowered = EarmarkDecrease(
        business_id, bank.mail.now, reference, uetr, reference, earmark, account, now_fen - fen, date
    )
    document = liquidity.build_earmark_decrease(lowered)
    return _send(bank, "nets.377.001.01", liquidity.CAMT_051, business_id, document)


def set_limit(bank: Bank, towards: str | None, fen: int | None) -> str:
    """Set a limit to `fen`, or remove it (None); returns the order's business id.

    towards: another bank (双边限额), or None for all others together (多边限额)
    """
    business_id, now = bank.mail.business_id(bank.member), bank.mail.now
    kind_of_limit = limits.MULTILATERAL if towards is None else limits.BILATERAL
    key = LimitKey(kind_of_limit, bank.member, towards)
    if fen is None:
        document = limits.build_limit_deletion(LimitDeletion(business_id, now, key))
        return _send(bank, "nets.353.001.01", limits.CAMT_012, business_id, document)
    document = limits.build_limit_setting(LimitSetting(business_id, now, (NewLimit(key, fen),)))
    return _send(bank, "nets.353.001.01", limits.CAMT_011, business_id, document)


def _send(bank: Bank, number: str, iso: str, business_id: str, document: bytes) -> str:
    bank.mail.send(Letter(kind(number, iso), bank.member, CENTRE, business_id, document), bank.receive_at_centre)
    return business_id
