"""Balances: camt.003 asks, camt.004 reports (余额查询 saps.366/367, 一揽子流动性实时查询 saps.368/369).

A balance query names accounts; the basket query (一揽子) names none and is answered for every account of the entity,
with what waits in its queues and its retail position.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from cnaps_sim.messages import parts
from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.parts import CREDIT, DEBIT, NoAnswer, Query
from cnaps_sim.messages.xmlread import Element, children
from cnaps_sim.messages.xmltext import Template, document, each, escape

CAMT_003: Final = "camt.003.001.07"
CAMT_004: Final = "camt.004.001.08"

#: Kinds of balance that ISO 20022 has a code for.
BOOK: Final = "BOOK"  # 账面余额
AVAILABLE: Final = "AVLB"  # 可用余额
QUEUED: Final = "PDNG"  # 排队: DBIT what waits to leave, CRDT what waits to come
EXPECTED: Final = "XPCD"  # 预计余额: available + queued in − queued out
#: Kinds of CNAPS.
EARMARKED: Final = "EARM"  # 圈存资金
CAP: Final = "NCAP"  # 净借记限额
POSITION: Final = "NPOS"  # 轧差净额
HEADROOM: Final = "HEAD"  # 可用额度
_ISO_KINDS: Final = (BOOK, AVAILABLE, QUEUED, EXPECTED)


@dataclass(frozen=True, slots=True)
class BalanceQuery:
    """camt.003, balance query (账户余额查询, saps.366), basket query (一揽子流动性实时查询, saps.368).

    business_id: `MsgHdr/MsgId`, unique per sender
    created:     when it was written, with zone
    accounts:    up to twenty accounts asked for; none asks for all
    """

    business_id: str
    created: dt.datetime
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """One balance of an account.

    kind:       BOOK, AVAILABLE, QUEUED, EXPECTED, EARMARKED, CAP, POSITION or HEADROOM
    amount_fen: zero or more; the sign is the direction
    direction:  CREDIT or DEBIT
    status:     STLD settled, PDNG not yet
    at:         the moment it tells of
    count:      how many payments it sums up
    """

    kind: str
    amount_fen: int
    direction: str = CREDIT
    status: str | None = None
    at: dt.date | dt.datetime | None = None
    count: int | None = None

    @classmethod
    def of(cls, kind: str, fen: int, at: dt.datetime | None = None) -> AccountBalance:
        """A balance from a signed number of fen."""
        return cls(kind, abs(fen), DEBIT if fen < 0 else CREDIT, at=at)

    @property
    def signed_fen(self) -> int:
        """The amount, below zero for DEBIT."""
        return -self.amount_fen if self.direction == DEBIT else self.amount_fen


@dataclass(frozen=True, slots=True)
class MultilateralLimit:
    """The multilateral sender limit in force (多边限额): an amount of zero or more in fen, and its direction."""

    amount_fen: int
    direction: str = DEBIT


@dataclass(frozen=True, slots=True)
class AccountBalances:
    """What a camt.004 tells of one account.

    account:  its number
    balances: one to twelve
    name:     name of the account (户名)
    currency: CNY
    limit:    multilateral sender limit in force
    owner:    name of the account's owner
    """

    account: str
    balances: tuple[AccountBalance, ...]
    name: str | None = None
    currency: str | None = None
    limit: MultilateralLimit | None = None
    owner: str | None = None

    def find(self, kind: str, direction: str | None = None) -> AccountBalance | None:
        """The first balance of a kind, and of a direction where one is given; None if there is none."""
        for balance in self.balances:
            if balance.kind == kind and direction in (None, balance.direction):
                return balance
        return None


@dataclass(frozen=True, slots=True)
class UntoldAccount:
    """One account that a camt.004 says nothing about, and why."""

    account: str
    refusal: NoAnswer


@dataclass(frozen=True, slots=True)
class BalanceReport:
    """camt.004, balance report (账户余额查询应答 saps.367, 一揽子流动性实时查询应答 saps.369).

    business_id: `MsgHdr/MsgId`
    created:     when it was written, with zone
    query:       the camt.003 that it answers
    answer:      one or more accounts, or why there is nothing to tell
    """

    business_id: str
    created: dt.datetime
    query: Query
    answer: tuple[AccountBalances | UntoldAccount, ...] | NoAnswer


_HEADER = "<MsgId>{business_id}</MsgId><CreDtTm>{created:time}</CreDtTm>"


def _accounts_text(numbers: tuple[str, ...]) -> str:
    return "".join([f"<AcctId><EQ><Othr><Id>{escape(number)}</Id></Othr></EQ></AcctId>" for number in numbers])


_QUERY = Template(
    document(
        CAMT_003,
        f"""
        <GetAcct>
            <MsgHdr>{_HEADER}</MsgHdr>
            [<AcctQryDef><AcctCrit><NewCrit>
                <SchCrit>{{accounts:accounts}}</SchCrit>
            </NewCrit></AcctCrit></AcctQryDef>]
        </GetAcct>
        """,
    ),
    BalanceQuery,
    accounts=_accounts_text,
)


def _kind_text(kind: str) -> str:
    return f"<Cd>{kind}</Cd>" if kind in _ISO_KINDS else f"<Prtry>{escape(kind)}</Prtry>"


_BALANCE = Template(
    """
    <MulBal>
        <Amt>{amount_fen:fen}</Amt>
        <CdtDbtInd>{direction}</CdtDbtInd>
        <Tp>{kind:kind}</Tp>
        [<Sts>{status}</Sts>]
        [<PrcgDt>{at:moment}</PrcgDt>]
        [<NbOfPmts>{count:int}</NbOfPmts>]
    </MulBal>
    """,
    AccountBalance,
    kind=_kind_text,
    moment=parts.moment_text,
)
_LIMIT = Template(
    """
    <CurMulLmt>
        <Amt><AmtWthCcy Ccy="CNY">{amount_fen:fen}</AmtWthCcy></Amt>
        <CdtDbtInd>{direction}</CdtDbtInd>
    </CurMulLmt>
    """,
    MultilateralLimit,
)
_ACCOUNT = Template(
    """
    <AcctRpt>
        <AcctId><Othr><Id>{account}</Id></Othr></AcctId>
        <AcctOrErr><Acct>
            [<Nm>{name}</Nm>]
            [<Ccy>{currency}</Ccy>]
            [{limit:limit}]
            [<Ownr><Nm>{owner}</Nm></Ownr>]
            {balances:each}
        </Acct></AcctOrErr>
    </AcctRpt>
    """,
    AccountBalances,
    limit=_LIMIT.fill,
    each=each(_BALANCE),
)
_UNTOLD = Template(
    """
    <AcctRpt>
        <AcctId><Othr><Id>{account}</Id></Othr></AcctId>
        <AcctOrErr><BizErr>{refusal:refusal}</BizErr></AcctOrErr>
    </AcctRpt>
    """,
    UntoldAccount,
    refusal=parts.no_answer_text,
)


def _report_text(accounts: tuple[AccountBalances | UntoldAccount, ...]) -> str:
    return "".join([(_ACCOUNT if isinstance(one, AccountBalances) else _UNTOLD).fill(one) for one in accounts])


_REPORT = Template(
    document(
        CAMT_004,
        f"""
        <RtrAcct>
            <MsgHdr>{_HEADER}{{query:query}}</MsgHdr>
            <RptOrErr>{{answer:answer}}</RptOrErr>
        </RtrAcct>
        """,
    ),
    BalanceReport,
    query=parts.query_text,
    answer=parts.answer_text(_report_text),
)

#: A message as the bytes of its document.
build_balance_query = _QUERY.build
build_balance_report = _REPORT.build


def read_balance_query(root: Element) -> BalanceQuery:
    """The message of a camt.003 document that its schema has passed."""
    header, *definition = root[0]
    head = children(header)
    return BalanceQuery(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        accounts=tuple([read.inner_text(one) for one in definition[0][0][0][0]]) if definition else (),
    )


def read_balance_report(root: Element) -> BalanceReport:
    """The message of a camt.004 document that its schema has passed."""
    header, outcome = root[0]
    head = children(header)
    refused = read.local_name(outcome[0]) == "OprlErr"
    return BalanceReport(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        query=parts.query(head["OrgnlBizQry"]),
        answer=parts.no_answer(outcome[0]) if refused else tuple([_account(one) for one in outcome]),
    )


def _account(element: Element) -> AccountBalances | UntoldAccount:
    number, outcome = element
    told = outcome[0]
    if read.local_name(told) == "BizErr":
        return UntoldAccount(read.inner_text(number), parts.no_answer(told))
    fields = children(told)
    limit, owner = fields.get("CurMulLmt"), fields.get("Ownr")
    return AccountBalances(
        account=read.inner_text(number),
        balances=tuple([_balance(children(one)) for one in parts.repeated(told, "MulBal")]),
        name=read.text_or_none(fields.get("Nm")),
        currency=read.text_or_none(fields.get("Ccy")),
        limit=None if limit is None else MultilateralLimit(read.fen(limit[0][0]), read.text(limit[1])),
        owner=None if owner is None else read.text(owner[0]),
    )


def _balance(fields: dict[str, Element]) -> AccountBalance:
    return AccountBalance(
        kind=read.inner_text(fields["Tp"]),
        amount_fen=read.fen(fields["Amt"]),
        direction=read.text(fields["CdtDbtInd"]),
        status=read.text_or_none(fields.get("Sts")),
        at=parts.moment_or_none(fields.get("PrcgDt")),
        count=parts.whole_or_none(fields.get("NbOfPmts")),
    )
