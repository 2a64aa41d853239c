"""What statements are made of: the account, its balances, its booked entries (记账明细) and their totals.

An amount never has a sign; the direction says whether it is a credit (贷) or a debit (借).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from cnaps_sim.messages import parts
from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.parts import CREDIT, DEBIT
from cnaps_sim.messages.xmlread import Element, children
from cnaps_sim.messages.xmltext import Template, each

#: Kinds of balance: booked at the opening, during and at the close of the day; available during and at the close.
OPENING: Final = "OPBD"  # 日初账面余额
INTERIM: Final = "ITBD"  # 日间账面余额
CLOSING: Final = "CLBD"  # 日终账面余额
INTERIM_AVAILABLE: Final = "ITAV"  # 日间可用余额
CLOSING_AVAILABLE: Final = "CLAV"  # 日终可用余额


@dataclass(frozen=True, slots=True)
class BookBalance:
    """One balance of a statement.

    kind:       OPENING, INTERIM, CLOSING, INTERIM_AVAILABLE or CLOSING_AVAILABLE
    amount_fen: zero or more
    direction:  CREDIT, or DEBIT for a balance below zero
    at:         date or moment it tells of
    """

    kind: str
    amount_fen: int
    direction: str
    at: dt.date | dt.datetime

    @classmethod
    def of(cls, kind: str, fen: int, at: dt.date | dt.datetime) -> BookBalance:
        """A balance from a signed number of fen."""
        return cls(kind, abs(fen), DEBIT if fen < 0 else CREDIT, at)

    @property
    def signed_fen(self) -> int:
        """The amount, below zero for DEBIT."""
        return -self.amount_fen if self.direction == DEBIT else self.amount_fen


@dataclass(frozen=True, slots=True)
class Totals:
    """Count and sum in fen of the credit entries, and of the debit entries (借贷合计)."""

    credits: int
    credits_fen: int
    debits: int
    debits_fen: int


@dataclass(frozen=True, slots=True)
class Agents:
    """Bank codes of the payer's and of the payee's participant."""

    instructing: str
    instructed: str


@dataclass(frozen=True, slots=True)
class EntryDetail:
    """One payment inside an entry.

    transaction_id: number of the payment (支付交易序号)
    business_id:    id of the message that carried it
    uetr, end_to_end_id: its other references
    amount_fen, direction: above zero, CREDIT or DEBIT
    instructing, instructed: bank codes of the payer's and the payee's participant; both or neither
    """

    transaction_id: str
    business_id: str | None = None
    end_to_end_id: str | None = None
    uetr: str | None = None
    amount_fen: int | None = None
    direction: str | None = None
    agents: Agents | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One booked entry (记账明细); its status is always BOOK.

    amount_fen:   above zero
    direction:    CREDIT or DEBIT
    booked:       date or moment of the booking
    kind:         CNAPS number or business type of what was booked (业务类别)
    reference:    number of the entry in the statement (明细号)
    value_date:   date or moment from which interest counts (起息日)
    servicer_reference: number of the transfer in the books (记账机构参考号)
    details:      the payments that it sums up
    information:  up to 350 characters
    """

    amount_fen: int
    direction: str
    booked: dt.date | dt.datetime
    kind: str
    reference: str | None = None
    value_date: dt.date | dt.datetime | None = None
    servicer_reference: str | None = None
    details: tuple[EntryDetail, ...] = ()
    information: str | None = None

    @property
    def signed_fen(self) -> int:
        """The amount, below zero for DEBIT."""
        return -self.amount_fen if self.direction == DEBIT else self.amount_fen


@dataclass(frozen=True, slots=True)
class StatedAccount:
    """The account of a statement: its number, currency and name."""

    number: str
    currency: str | None = None
    name: str | None = None


_BALANCE = Template(
    """
    <Bal>
        <Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>
        <Amt Ccy="CNY">{amount_fen:fen}</Amt>
        <CdtDbtInd>{direction}</CdtDbtInd>
        <Dt>{at:moment}</Dt>
    </Bal>
    """,
    BookBalance,
    moment=parts.moment_text,
)
_TOTALS = Template(
    """
    <TxsSummry>
        <TtlCdtNtries><NbOfNtries>{credits:int}</NbOfNtries><Sum>{credits_fen:fen}</Sum></TtlCdtNtries>
        <TtlDbtNtries><NbOfNtries>{debits:int}</NbOfNtries><Sum>{debits_fen:fen}</Sum></TtlDbtNtries>
    </TxsSummry>
    """,
    Totals,
)
_AGENTS = Template(
    "<RltdAgts><InstgAgt>{instructing:agent}</InstgAgt><InstdAgt>{instructed:agent}</InstdAgt></RltdAgts>",
    Agents,
)
_DETAIL = Template(
    """
    <TxDtls>
        <Refs>
            [<MsgId>{business_id}</MsgId>]
            [<EndToEndId>{end_to_end_id}</EndToEndId>]
            [<UETR>{uetr}</UETR>]
            <TxId>{transaction_id}</TxId>
        </Refs>
        [<Amt Ccy="CNY">{amount_fen:fen}</Amt>]
        [<CdtDbtInd>{direction}</CdtDbtInd>]
        [{agents:agents}]
    </TxDtls>
    """,
    EntryDetail,
    agents=_AGENTS.fill,
)
_ENTRY = Template(
    """
    <Ntry>
        [<NtryRef>{reference}</NtryRef>]
        <Amt Ccy="CNY">{amount_fen:fen}</Amt>
        <CdtDbtInd>{direction}</CdtDbtInd>
        <Sts><Cd>BOOK</Cd></Sts>
        <BookgDt>{booked:moment}</BookgDt>
        [<ValDt>{value_date:moment}</ValDt>]
        [<AcctSvcrRef>{servicer_reference}</AcctSvcrRef>]
        <BkTxCd><Prtry><Cd>{kind}</Cd></Prtry></BkTxCd>
        [<NtryDtls>{details:each}</NtryDtls>]
        [<AddtlNtryInf>{information}</AddtlNtryInf>]
    </Ntry>
    """,
    Entry,
    moment=parts.moment_text,
    each=each(_DETAIL),
)
_ACCOUNT = Template(
    "<Acct><Id><Othr><Id>{number}</Id></Othr></Id>[<Ccy>{currency}</Ccy>][<Nm>{name}</Nm>]</Acct>",
    StatedAccount,
)
#: The elements of a statement as text: `Acct`, every `Bal`, `TxsSummry`, every `Ntry`.
account_text = _ACCOUNT.fill
balances_text = each(_BALANCE)
totals_text = _TOTALS.fill
entries_text = each(_ENTRY)


def account(element: Element) -> StatedAccount:
    fields = children(element)
    return StatedAccount(
        number=read.inner_text(fields["Id"]),
        currency=read.text_or_none(fields.get("Ccy")),
        name=read.text_or_none(fields.get("Nm")),
    )


def balance(element: Element) -> BookBalance:
    fields = children(element)
    return BookBalance(
        kind=read.inner_text(fields["Tp"]),
        amount_fen=read.fen(fields["Amt"]),
        direction=read.text(fields["CdtDbtInd"]),
        at=parts.moment(fields["Dt"]),
    )


def totals(element: Element) -> Totals:
    (credits, credits_sum), (debits, debits_sum) = element
    return Totals(
        credits=read.whole(credits),
        credits_fen=read.fen(credits_sum),
        debits=read.whole(debits),
        debits_fen=read.fen(debits_sum),
    )


def entry(element: Element) -> Entry:
    fields = children(element)
    details = fields.get("NtryDtls")
    return Entry(
        amount_fen=read.fen(fields["Amt"]),
        direction=read.text(fields["CdtDbtInd"]),
        booked=parts.moment(fields["BookgDt"]),
        kind=read.inner_text(fields["BkTxCd"]),
        reference=read.text_or_none(fields.get("NtryRef")),
        value_date=parts.moment_or_none(fields.get("ValDt")),
        servicer_reference=read.text_or_none(fields.get("AcctSvcrRef")),
        details=() if details is None else tuple([_detail(detail) for detail in details]),
        information=read.text_or_none(fields.get("AddtlNtryInf")),
    )


def _detail(element: Element) -> EntryDetail:
    fields = children(element)
    references, agents = children(fields["Refs"]), fields.get("RltdAgts")
    return EntryDetail(
        transaction_id=read.text(references["TxId"]),
        business_id=read.text_or_none(references.get("MsgId")),
        end_to_end_id=read.text_or_none(references.get("EndToEndId")),
        uetr=read.text_or_none(references.get("UETR")),
        amount_fen=parts.fen_or_none(fields.get("Amt")),
        direction=read.text_or_none(fields.get("CdtDbtInd")),
        agents=None if agents is None else Agents(read.agent(agents[0]), read.agent(agents[1])),
    )
