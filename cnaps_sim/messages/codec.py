"""All forms in one place: which dataclass belongs to which ISO 20022 id, how it is built and how it is read.

The systems use the functions of a family where they know the message; this table serves where any may come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cnaps_sim.messages import (
    balances,
    credits,
    debits,
    limits,
    liquidity,
    nets,
    queue_orders,
    queue_reports,
    returns,
    statements,
    status,
    system_state,
    technical,
)
from cnaps_sim.messages.xmlread import Element


@dataclass(frozen=True, slots=True)
class Form:
    """One ISO 20022 message: its id, its dataclass, and both ways between that and a document."""

    iso: str
    record: type
    build: Callable[[Any], bytes]
    read: Callable[[Element], Any]


_ALL: Final = (
    Form(credits.PACS_008, credits.CustomerCredit, credits.build_customer_credit, credits.read_customer_credit),
    Form(credits.PACS_009, credits.BankCredit, credits.build_bank_credit, credits.read_bank_credit),
    Form(debits.PACS_003, debits.CustomerDebit, debits.build_customer_debit, debits.read_customer_debit),
    Form(debits.PACS_010, debits.CentralBankDebit, debits.build_central_bank_debit, debits.read_central_bank_debit),
    Form(status.PACS_002, status.PaymentStatus, status.build_payment_status, status.read_payment_status),
    Form(status.PACS_028, status.StatusRequest, status.build_status_request, status.read_status_request),
    Form(returns.PACS_004, returns.PaymentReturn, returns.build_return, returns.read_return),
    Form(returns.CAMT_056, returns.Recall, returns.build_recall, returns.read_recall),
    Form(returns.CAMT_029, returns.RecallAnswer, returns.build_recall_answer, returns.read_recall_answer),
    Form(queue_orders.CAMT_007, queue_orders.QueueMove, queue_orders.build_queue_move, queue_orders.read_queue_move),
    Form(
        queue_orders.CAMT_008,
        queue_orders.QueueCancellation,
        queue_orders.build_queue_cancellation,
        queue_orders.read_queue_cancellation,
    ),
    Form(
        queue_orders.CAMT_025,
        queue_orders.RequestAnswer,
        queue_orders.build_request_answer,
        queue_orders.read_request_answer,
    ),
    Form(
        queue_reports.CAMT_005,
        queue_reports.QueueQuery,
        queue_reports.build_queue_query,
        queue_reports.read_queue_query,
    ),
    Form(
        queue_reports.CAMT_006,
        queue_reports.QueueReport,
        queue_reports.build_queue_report,
        queue_reports.read_queue_report,
    ),
    Form(balances.CAMT_003, balances.BalanceQuery, balances.build_balance_query, balances.read_balance_query),
    Form(balances.CAMT_004, balances.BalanceReport, balances.build_balance_report, balances.read_balance_report),
    Form(limits.CAMT_009, limits.LimitQuery, limits.build_limit_query, limits.read_limit_query),
    Form(limits.CAMT_010, limits.LimitReport, limits.build_limit_report, limits.read_limit_report),
    Form(limits.CAMT_011, limits.LimitSetting, limits.build_limit_setting, limits.read_limit_setting),
    Form(limits.CAMT_012, limits.LimitDeletion, limits.build_limit_deletion, limits.read_limit_deletion),
    Form(limits.CAMT_103, limits.Reservation, limits.build_reservation, limits.read_reservation),
    Form(
        liquidity.CAMT_050,
        liquidity.EarmarkIncrease,
        liquidity.build_earmark_increase,
        liquidity.read_earmark_increase,
    ),
    Form(
        liquidity.CAMT_051,
        liquidity.EarmarkDecrease,
        liquidity.build_earmark_decrease,
        liquidity.read_earmark_decrease,
    ),
    Form(
        statements.CAMT_052,
        statements.IntradayReport,
        statements.build_intraday_report,
        statements.read_intraday_report,
    ),
    Form(statements.CAMT_053, statements.Statement, statements.build_statement, statements.read_statement),
    Form(
        statements.CAMT_054,
        statements.BookingNotice,
        statements.build_booking_notice,
        statements.read_booking_notice,
    ),
    Form(
        statements.CAMT_060,
        statements.ReportRequest,
        statements.build_report_request,
        statements.read_report_request,
    ),
    Form(nets.PACS_029, nets.RoundNets, nets.build_round_nets, nets.read_round_nets),
    Form(nets.CAMT_088, nets.NetNotice, nets.build_net_notice, nets.read_net_notice),
    Form(
        system_state.ADMI_004,
        system_state.SystemEvent,
        system_state.build_system_event,
        system_state.read_system_event,
    ),
    Form(
        system_state.ADMI_011,
        system_state.SystemEventReceipt,
        system_state.build_system_event_receipt,
        system_state.read_system_event_receipt,
    ),
    Form(system_state.CAMT_018, system_state.DayQuery, system_state.build_day_query, system_state.read_day_query),
    Form(system_state.CAMT_019, system_state.DayReport, system_state.build_day_report, system_state.read_day_report),
    Form(
        technical.ADMI_002,
        technical.TechnicalRejection,
        technical.build_technical_rejection,
        technical.read_technical_rejection,
    ),
    Form(technical.ADMI_007, technical.Receipt, technical.build_receipt, technical.read_receipt),
)

#: Every form by its ISO id, and by its dataclass.
FORMS: Final = {form.iso: form for form in _ALL}
_BY_RECORD: Final = {form.record: form for form in _ALL}


def form_of(record: object) -> Form:
    """The form of a message. KeyError if it is none."""
    return _BY_RECORD[type(record)]


def build(record: object) -> bytes:
    """Any message as the bytes of its document."""
    return form_of(record).build(record)


def read(iso: str, root: Element) -> Any:
    """The message of a document that the schema of `iso` has passed."""
    return FORMS[iso].read(root)
