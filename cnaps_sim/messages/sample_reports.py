"""Samples of queries and reports: queue, balances, limits, earmarks, statements, nets, the business day, receipts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from cnaps_sim.messages import balances, entries, limits, nets, statements
from cnaps_sim.messages.balances import AccountBalance, AccountBalances, BalanceQuery, BalanceReport, MultilateralLimit
from cnaps_sim.messages.catalogue import Kind, of_iso
from cnaps_sim.messages.entries import Agents, BookBalance, Entry, EntryDetail, StatedAccount, Totals
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.messages.limits import (
    Limit,
    LimitCriteria,
    LimitDeletion,
    LimitKey,
    LimitQuery,
    LimitReport,
    LimitSetting,
    NewLimit,
    Reservation,
)
from cnaps_sim.messages.liquidity import EarmarkDecrease, EarmarkIncrease
from cnaps_sim.messages.nets import NetNotice, NetRecord, RoundNets
from cnaps_sim.messages.parts import CREDIT, DEBIT, Query
from cnaps_sim.messages.queue_reports import QueueContents, QueuedPayment, QueueQuery, QueueReport, QueueTotal
from cnaps_sim.messages.sample_story import (
    AT,
    DAY,
    END_TO_END,
    FEN,
    PAYEE_BANK,
    PAYER_BANK,
    PAYMENT,
    UETR,
    asked,
    at,
    number_of,
    uetr_of,
)
from cnaps_sim.messages.statements import BookingNotice, IntradayReport, Period, ReportRequest, Statement
from cnaps_sim.messages.system_state import (
    PHASE_CHANGE,
    DayCriteria,
    DayQuery,
    DayReport,
    PhaseTime,
    SystemDay,
    SystemEvent,
    SystemEventReceipt,
)
from cnaps_sim.messages.technical import Receipt, TechnicalRejection
from cnaps_sim.messages.xmltext import CHINA
from cnaps_sim.words.codes import Phase, System

_ACCOUNT: Final = StatedAccount(PAYER_BANK, "CNY", "清算账户")
_PAID: Final = Entry(
    amount_fen=FEN,
    direction=DEBIT,
    booked=at(10, 31),
    kind="hvps.111.001.01",
    reference="1",
    value_date=DAY,
    servicer_reference="T0000000107",
    details=(EntryDetail(PAYMENT, PAYMENT, END_TO_END, UETR, FEN, DEBIT, Agents(PAYER_BANK, PAYEE_BANK)),),
    information="客户汇兑",
)
_NETTED: Final = Entry(
    40_000_000, DEBIT, at(11, 0), "NETS", reference="2", value_date=DAY, servicer_reference="T0000000140"
)


def _queue_query(business_id: str) -> QueueQuery:
    return QueueQuery(business_id, AT, (PAYMENT,))


def _queue_report(business_id: str) -> QueueReport:
    payment = QueuedPayment(
        queue=f"{PAYER_BANK}-7",
        position=1,
        transaction_id=PAYMENT,
        amount_fen=FEN,
        settlement_date=DAY,
        instructing=PAYER_BANK,
        instructed=PAYEE_BANK,
        since=at(10, 25),
        direction=DEBIT,
        business_id=PAYMENT,
        number="hvps.111.001.01",
        priority="NORM",
        end_to_end_id=END_TO_END,
    )
    contents = QueueContents((payment,), QueueTotal(count=1, sum_fen=FEN))
    return QueueReport(business_id, AT, Query(asked("saps.363"), "saps.363.001.01"), contents)


def _balance_query(kind: Kind, business_id: str) -> BalanceQuery:
    basket = kind.number.startswith("saps.368")
    return BalanceQuery(business_id, AT, () if basket else (PAYER_BANK,))


def _balance_report(kind: Kind, business_id: str) -> BalanceReport:
    of = AccountBalance.of
    told = [of(balances.BOOK, 500_000_000, AT), of(balances.AVAILABLE, 80_000_000, AT)]
    told += [
        AccountBalance(balances.QUEUED, FEN, DEBIT, "PDNG", AT, count=1),
        AccountBalance(balances.QUEUED, 30_000_000, CREDIT, "PDNG", AT, count=2),
    ]
    basket = kind.number.startswith("saps.369")
    if basket:
        told += [of(balances.EXPECTED, 10_000_000, AT), of(balances.EARMARKED, 200_000_000, AT)]
        told += [of(balances.CAP, 300_000_000, AT), of(balances.POSITION, -40_000_000, AT)]
        told += [of(balances.HEADROOM, 260_000_000, AT)]
    account = AccountBalances(
        PAYER_BANK, tuple(told), "清算账户", "CNY", MultilateralLimit(900_000_000), "中国工商银行"
    )
    number = "saps.368" if basket else "saps.366"
    query = Query(asked(number), f"{number}.001.01")
    return BalanceReport(business_id, AT, query, (account,))


def _limit_query(business_id: str) -> LimitQuery:
    kinds = (limits.NET_DEBIT_CAP, limits.BILATERAL)
    return LimitQuery(business_id, AT, LimitCriteria(kinds, (PAYEE_BANK,), PAYER_BANK))


def _limit_report(business_id: str) -> LimitReport:
    cap = Limit(
        LimitKey(limits.NET_DEBIT_CAP, PAYER_BANK),
        amount_fen=300_000_000,
        status="ENAB",
        start=DAY,
        used_fen=40_000_000,
        used_direction=DEBIT,
        remaining_fen=260_000_000,
    )
    bilateral = Limit(LimitKey(limits.BILATERAL, PAYER_BANK, PAYEE_BANK), 50_000_000, "ENAB")
    return LimitReport(business_id, AT, Query(asked("nets.350"), "nets.350.001.01"), (cap, bilateral))


def _limit_setting(business_id: str) -> LimitSetting:
    bilateral = NewLimit(LimitKey(limits.BILATERAL, PAYER_BANK, PAYEE_BANK), 60_000_000, at(11))
    return LimitSetting(business_id, AT, (bilateral, NewLimit(LimitKey(limits.MULTILATERAL, PAYER_BANK), 900_000_000)))


def _limit_deletion(business_id: str) -> LimitDeletion:
    return LimitDeletion(business_id, AT, LimitKey(limits.BILATERAL, PAYER_BANK, PAYEE_BANK))


def _reservation(business_id: str) -> Reservation:
    return Reservation(business_id, AT, limits.FOR_URGENT, PAYER_BANK, 20_000_000, "RESERVE-01", PAYER_BANK, DAY)


def _earmark_increase(kind: Kind, business_id: str) -> EarmarkIncrease:
    return EarmarkIncrease(
        business_id,
        AT,
        transfer_id=business_id,
        uetr=uetr_of(kind),
        end_to_end_id="EARMARK-UP-01",
        debtor_account=PAYER_BANK,
        creditor_account=f"{PAYER_BANK}-EARMARK",
        amount_fen=50_000_000,
        settlement_date=DAY,
        debtor=PAYER_BANK,
        creditor=PAYER_BANK,
    )


def _earmark_decrease(kind: Kind, business_id: str) -> EarmarkDecrease:
    return EarmarkDecrease(
        business_id,
        AT,
        transfer_id=business_id,
        uetr=uetr_of(kind),
        end_to_end_id="EARMARK-DOWN-01",
        debtor_account=f"{PAYER_BANK}-EARMARK",
        creditor_account=PAYER_BANK,
        amount_fen=50_000_000,
        settlement_date=DAY,
        debtor=PAYER_BANK,
        creditor=PAYER_BANK,
    )


def _intraday_report(business_id: str) -> IntradayReport:
    told = (BookBalance.of(entries.INTERIM, 400_000_000, AT), BookBalance.of(entries.INTERIM_AVAILABLE, 0, AT))
    return IntradayReport(business_id, AT, "R-20250617-01", AT, _ACCOUNT, told, (_PAID,), Period(at(0), AT))


def _statement(business_id: str) -> Statement:
    told = (BookBalance.of(entries.OPENING, 500_000_000, DAY), BookBalance.of(entries.CLOSING, 360_000_000, DAY))
    return Statement(
        business_id,
        AT,
        report_id="S-20250617",
        compiled=at(17, 35),
        account=_ACCOUNT,
        balances=told,
        entries=(_PAID, _NETTED),
        totals=Totals(credits=0, credits_fen=0, debits=2, debits_fen=140_000_000),
    )


def _booking_notice(business_id: str) -> BookingNotice:
    return BookingNotice(business_id, AT, "N-20250617-01", AT, _ACCOUNT, (_NETTED,))


def _report_request(business_id: str) -> ReportRequest:
    return ReportRequest(business_id, AT, statements.CAMT_053, PAYER_BANK, PAYER_BANK, "ASK-01")


def _round_nets(business_id: str) -> RoundNets:
    records = (
        NetRecord("NET-1", PAYER_BANK, 40_000_000, DEBIT, sequence=1, name="中国工商银行"),
        NetRecord("NET-2", PAYEE_BANK, 40_000_000, CREDIT, sequence=2, name="中国农业银行"),
    )
    return RoundNets(business_id, AT, business_id, "20250617-03", records, "HIGH", control_sum_fen=80_000_000)


def _net_notice(business_id: str) -> NetNotice:
    return NetNotice(
        business_id,
        AT,
        cut_off=dt.time(11, tzinfo=CHINA),
        report_date=DAY,
        value_date=DAY,
        participant=PAYER_BANK,
        obligation_id="NET-1",
        amount_fen=40_000_000,
        round_id="20250617-03",
        direction=nets.PAYS,
        counterparty=CENTRE,
        system=System.BEPS,
        payments=3_456,
    )


def _system_event() -> SystemEvent:
    return SystemEvent(PHASE_CHANGE, AT, (System.HVPS, DAY.isoformat(), "10"), "大额支付系统进入日间处理")


def _system_event_receipt(business_id: str) -> SystemEventReceipt:
    event = number_of(of_iso("admi.004.001.02")[0])
    return SystemEventReceipt(business_id, PHASE_CHANGE, AT, event, (System.HVPS, DAY.isoformat(), "10"))


def _day_query(business_id: str) -> DayQuery:
    return DayQuery(business_id, AT, DayCriteria(DAY, (System.HVPS,)))


def _day_report(business_id: str) -> DayReport:
    opening = at(20, 30, DAY - dt.timedelta(days=1))
    times = (
        PhaseTime(Phase.DAYTIME, opening, effective=opening, start=opening, end=at(17, 15)),
        PhaseTime(Phase.CUT_OFF, at(17, 15)),
        PhaseTime(Phase.CLEARING_WINDOW, at(17, 15)),
        PhaseTime(Phase.END_OF_DAY, at(17, 30)),
    )
    return DayReport(business_id, AT, (SystemDay(System.HVPS, DAY, Phase.DAYTIME, times, "CNY"),))


def _technical_rejection() -> TechnicalRejection:
    place = "Document/FIToFICstmrCdtTrf/CdtTrfTxInf/IntrBkSttlmAmt"
    return TechnicalRejection(PAYMENT, "FF01", AT, place, "schema: '1.005' has more than two decimals")


def _receipt(business_id: str) -> Receipt:
    return Receipt(business_id, AT, PAYMENT, "RCVD", number="hvps.111.001.01", received=AT)


#: For every ISO id of this file the function from a kind and a business id to its record.
REPORT_SAMPLES: Final[dict[str, Callable[[Kind, str], Any]]] = {
    "pacs.029.001.01": lambda _kind, business_id: _round_nets(business_id),
    "camt.003.001.07": _balance_query,
    "camt.004.001.08": _balance_report,
    "camt.005.001.08": lambda _kind, business_id: _queue_query(business_id),
    "camt.006.001.08": lambda _kind, business_id: _queue_report(business_id),
    "camt.009.001.07": lambda _kind, business_id: _limit_query(business_id),
    "camt.010.001.08": lambda _kind, business_id: _limit_report(business_id),
    "camt.011.001.07": lambda _kind, business_id: _limit_setting(business_id),
    "camt.012.001.07": lambda _kind, business_id: _limit_deletion(business_id),
    "camt.018.001.05": lambda _kind, business_id: _day_query(business_id),
    "camt.019.001.07": lambda _kind, business_id: _day_report(business_id),
    "camt.050.001.05": _earmark_increase,
    "camt.051.001.05": _earmark_decrease,
    "camt.052.001.08": lambda _kind, business_id: _intraday_report(business_id),
    "camt.053.001.08": lambda _kind, business_id: _statement(business_id),
    "camt.054.001.08": lambda _kind, business_id: _booking_notice(business_id),
    "camt.060.001.05": lambda _kind, business_id: _report_request(business_id),
    "camt.088.001.01": lambda _kind, business_id: _net_notice(business_id),
    "camt.103.001.01": lambda _kind, business_id: _reservation(business_id),
    "admi.002.001.01": lambda _kind, _id: _technical_rejection(),
    "admi.004.001.02": lambda _kind, _id: _system_event(),
    "admi.007.001.01": lambda _kind, business_id: _receipt(business_id),
    "admi.011.001.01": lambda _kind, business_id: _system_event_receipt(business_id),
}
