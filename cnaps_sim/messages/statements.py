"""Statements (对账): camt.053 of a day, camt.052 during the day, camt.054 of single bookings, camt.060 asks.

All three tell of one account in the same terms, see `entries`: balances, booked entries, and inside an entry the
payments that it sums up.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, TypeVar

from cnaps_sim.messages import entries as booked
from cnaps_sim.messages import parts
from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.entries import BookBalance, Entry, StatedAccount, Totals
from cnaps_sim.messages.xmlread import Element, children
from cnaps_sim.messages.xmltext import Template, document

CAMT_052: Final = "camt.052.001.08"
CAMT_053: Final = "camt.053.001.08"
CAMT_054: Final = "camt.054.001.08"
CAMT_060: Final = "camt.060.001.05"


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when a statement tells."""

    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, slots=True)
class _Report:
    """What camt.052 and camt.053 say.

    business_id: `GrpHdr/MsgId`
    created:     when the message was written, with zone
    report_id:   number of the report or statement
    compiled:    when the report was made
    account:     whose
    balances:    see `BookBalance`
    entries:     in the order of booking
    period:      from when to when
    totals:      counts and sums of the entries
    """

    business_id: str
    created: dt.datetime
    report_id: str
    compiled: dt.datetime
    account: StatedAccount
    balances: tuple[BookBalance, ...]
    entries: tuple[Entry, ...] = ()
    period: Period | None = None
    totals: Totals | None = None

    def balance(self, kind: str) -> BookBalance | None:
        """The first balance of a kind, None if there is none."""
        return next((balance for balance in self.balances if balance.kind == kind), None)


@dataclass(frozen=True, slots=True)
class IntradayReport(_Report):
    """camt.052, intraday account report (日间账户报告, saps.360); one to five balances. Fields: see `Statement`."""


@dataclass(frozen=True, slots=True)
class Statement(_Report):
    """camt.053, end-of-day statement (清算账户对账单, saps.603); OPENING, CLOSING and at most two more balances.

    business_id, created: id and time of the message
    report_id, compiled:  number and time of the statement
    account, balances, entries (in the order of booking), period, totals: what it tells
    """


Report = TypeVar("Report", IntradayReport, Statement)


@dataclass(frozen=True, slots=True)
class BookingNotice:
    """camt.054, debit and credit notice (借贷记通知, saps.601).

    business_id, created: id and time of the message
    notice_id, compiled:  number and time of the notice
    account, entries:     one or more bookings
    """

    business_id: str
    created: dt.datetime
    notice_id: str
    compiled: dt.datetime
    account: StatedAccount
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class DatePeriod:
    """From which to which date a report is wanted; an open end is today."""

    start: dt.date
    end: dt.date | None = None


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """camt.060, request for an account report (账户报告申请).

    business_id: `GrpHdr/MsgId`, unique per sender
    created:     when it was written, with zone
    wanted:      CAMT_052 or CAMT_053
    account:     number of the account
    owner:       bank code of its owner
    request_id:  number of the request
    period:      which days; None means the present one
    """

    business_id: str
    created: dt.datetime
    wanted: str
    account: str
    owner: str
    request_id: str | None = None
    period: DatePeriod | None = None


_PERIOD = Template(
    "<FrToDt><FrDtTm>{start:time}</FrDtTm><ToDtTm>{end:time}</ToDtTm></FrToDt>",
    Period,
)
_HEADER = "<GrpHdr><MsgId>{business_id}</MsgId><CreDtTm>{created:time}</CreDtTm></GrpHdr>"
_REPORT = """
    <Id>{report_id}</Id>
    <CreDtTm>{compiled:time}</CreDtTm>
    [{period:period}]
    {account:whose}
    {balances:balances}
    [{totals:totals}]
    {entries:entries}
"""
_INTRADAY = Template(
    document(CAMT_052, f"<BkToCstmrAcctRpt>{_HEADER}<Rpt>{_REPORT}</Rpt></BkToCstmrAcctRpt>"),
    IntradayReport,
    period=_PERIOD.fill,
    whose=booked.account_text,
    balances=booked.balances_text,
    totals=booked.totals_text,
    entries=booked.entries_text,
)
_STATEMENT = Template(
    document(CAMT_053, f"<BkToCstmrStmt>{_HEADER}<Stmt>{_REPORT}</Stmt></BkToCstmrStmt>"),
    Statement,
    period=_PERIOD.fill,
    whose=booked.account_text,
    balances=booked.balances_text,
    totals=booked.totals_text,
    entries=booked.entries_text,
)
_NOTICE = Template(
    document(
        CAMT_054,
        f"""
        <BkToCstmrDbtCdtNtfctn>
            {_HEADER}
            <Ntfctn>
                <Id>{{notice_id}}</Id>
                <CreDtTm>{{compiled:time}}</CreDtTm>
                {{account:whose}}
                {{entries:entries}}
            </Ntfctn>
        </BkToCstmrDbtCdtNtfctn>
        """,
    ),
    BookingNotice,
    whose=booked.account_text,
    entries=booked.entries_text,
)
_DATES = Template(
    """
    <RptgPrd>
        <FrToDt><FrDt>{start:date}</FrDt>[<ToDt>{end:date}</ToDt>]</FrToDt>
        <Tp>ALLL</Tp>
    </RptgPrd>
    """,
    DatePeriod,
)
_REQUEST = Template(
    document(
        CAMT_060,
        f"""
        <AcctRptgReq>
            {_HEADER}
            <RptgReq>
                [<Id>{{request_id}}</Id>]
                <ReqdMsgNmId>{{wanted}}</ReqdMsgNmId>
                <Acct>{{account:account}}</Acct>
                <AcctOwnr><Agt>{{owner:agent}}</Agt></AcctOwnr>
                [{{period:dates}}]
            </RptgReq>
        </AcctRptgReq>
        """,
    ),
    ReportRequest,
    dates=_DATES.fill,
)

#: A message as the bytes of its document.
build_intraday_report = _INTRADAY.build
build_statement = _STATEMENT.build
build_booking_notice = _NOTICE.build
build_report_request = _REQUEST.build


def read_intraday_report(root: Element) -> IntradayReport:
    """The message of a camt.052 document that its schema has passed."""
    return _report(root, IntradayReport)


def read_statement(root: Element) -> Statement:
    """The message of a camt.053 document that its schema has passed."""
    return _report(root, Statement)


def _report(root: Element, kind: type[Report]) -> Report:
    header, report = root[0]
    head, fields = children(header), children(report)
    period, totals = fields.get("FrToDt"), fields.get("TxsSummry")
    return kind(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        report_id=read.text(fields["Id"]),
        compiled=read.time(fields["CreDtTm"]),
        account=booked.account(fields["Acct"]),
        balances=tuple([booked.balance(balance) for balance in parts.repeated(report, "Bal")]),
        entries=tuple([booked.entry(entry) for entry in parts.repeated(report, "Ntry")]),
        period=None if period is None else Period(read.time(period[0]), read.time(period[1])),
        totals=None if totals is None else booked.totals(totals),
    )


def read_booking_notice(root: Element) -> BookingNotice:
    """The message of a camt.054 document that its schema has passed."""
    header, notice = root[0]
    head, fields = children(header), children(notice)
    return BookingNotice(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        notice_id=read.text(fields["Id"]),
        compiled=read.time(fields["CreDtTm"]),
        account=booked.account(fields["Acct"]),
        entries=tuple([booked.entry(entry) for entry in parts.repeated(notice, "Ntry")]),
    )


def read_report_request(root: Element) -> ReportRequest:
    """The message of a camt.060 document that its schema has passed."""
    header, request = root[0]
    head, fields = children(header), children(request)
    period = fields.get("RptgPrd")
    return ReportRequest(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        wanted=read.text(fields["ReqdMsgNmId"]),
        account=read.account(fields["Acct"]),
        owner=read.agent(fields["AcctOwnr"][0]),
        request_id=read.text_or_none(fields.get("Id")),
        period=None if period is None else _dates(children(period[0])),
    )


def _dates(fields: dict[str, Element]) -> DatePeriod:
    return DatePeriod(start=read.date(fields["FrDt"]), end=parts.date_or_none(fields.get("ToDt")))
