"""Earmarked funds (圈存资金): camt.050 raises them, camt.051 lowers them.

An earmark keeps money of the settlement account for retail netting and widens the net debit cap by as much. No money
moves: both sides are sub-accounts of the same participant.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, TypeVar

from cnaps_sim.messages import parts
from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.xmlread import Element, children
from cnaps_sim.messages.xmltext import Template, document

CAMT_050: Final = "camt.050.001.05"
CAMT_051: Final = "camt.051.001.05"


@dataclass(frozen=True, slots=True)
class _EarmarkChange:
    """What both messages say; the fields are told at `EarmarkIncrease`."""

    business_id: str
    created: dt.datetime
    transfer_id: str
    uetr: str
    end_to_end_id: str
    debtor_account: str
    creditor_account: str
    amount_fen: int
    settlement_date: dt.date
    debtor: str | None = None
    creditor: str | None = None
    instruction_id: str | None = None


@dataclass(frozen=True, slots=True)
class EarmarkIncrease(_EarmarkChange):
    """camt.050, earmark up (圈存资金调增, nets.376): from the settlement account to the earmark.

    business_id:      `MsgHdr/MsgId`, unique per sender
    created:          when it was written, with zone
    transfer_id:      number of the change (TxId)
    uetr:             end-to-end reference, UUID of version 4
    end_to_end_id:    reference of the bank (端到端标识号)
    debtor_account:   account that the money leaves
    creditor_account: account that it goes to
    amount_fen:       by how much, above zero
    settlement_date:  working date
    debtor, creditor: bank codes of the participants of both accounts
    """


@dataclass(frozen=True, slots=True)
class EarmarkDecrease(_EarmarkChange):
    """camt.051, earmark down (圈存资金调减, nets.377): from the earmark to the settlement account.

    Fields as in `EarmarkIncrease`.
    """


Change = TypeVar("Change", EarmarkIncrease, EarmarkDecrease)

_HEADER = "<MsgHdr><MsgId>{business_id}</MsgId><CreDtTm>{created:time}</CreDtTm></MsgHdr>"
_CHANGE = """
    <LqdtyTrfId>
        [<InstrId>{instruction_id}</InstrId>]
        <EndToEndId>{end_to_end_id}</EndToEndId>
        <TxId>{transfer_id}</TxId>
        <UETR>{uetr}</UETR>
    </LqdtyTrfId>
    [<Cdtr>{creditor:agent}</Cdtr>]
    <CdtrAcct>{creditor_account:account}</CdtrAcct>
    <TrfdAmt><AmtWthCcy Ccy="CNY">{amount_fen:fen}</AmtWthCcy></TrfdAmt>
    [<Dbtr>{debtor:agent}</Dbtr>]
    <DbtrAcct>{debtor_account:account}</DbtrAcct>
    <SttlmDt>{settlement_date:date}</SttlmDt>
"""
_INCREASE = Template(
    document(CAMT_050, f"<LqdtyCdtTrf>{_HEADER}<LqdtyCdtTrf>{_CHANGE}</LqdtyCdtTrf></LqdtyCdtTrf>"),
    EarmarkIncrease,
)
_DECREASE = Template(
    document(CAMT_051, f"<LqdtyDbtTrf>{_HEADER}<LqdtyDbtTrf>{_CHANGE}</LqdtyDbtTrf></LqdtyDbtTrf>"),
    EarmarkDecrease,
)

#: A message as the bytes of its document.
build_earmark_increase = _INCREASE.build
build_earmark_decrease = _DECREASE.build


def read_earmark_increase(root: Element) -> EarmarkIncrease:
    """The message of a camt.050 document that its schema has passed."""
    return _change(root, EarmarkIncrease)


def read_earmark_decrease(root: Element) -> EarmarkDecrease:
    """The message of a camt.051 document that its schema has passed."""
    return _change(root, EarmarkDecrease)


def _change(root: Element, kind: type[Change]) -> Change:
    header, transfer = root[0]
    head, fields = children(header), children(transfer)
    ids = children(fields["LqdtyTrfId"])
    return kind(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        transfer_id=read.text(ids["TxId"]),
        uetr=read.text(ids["UETR"]),
        end_to_end_id=read.text(ids["EndToEndId"]),
        debtor_account=read.account(fields["DbtrAcct"]),
        creditor_account=read.account(fields["CdtrAcct"]),
        amount_fen=read.fen(fields["TrfdAmt"][0]),
        settlement_date=read.date(fields["SttlmDt"]),
        debtor=parts.agent_or_none(fields.get("Dbtr")),
        creditor=parts.agent_or_none(fields.get("Cdtr")),
        instruction_id=read.text_or_none(ids.get("InstrId")),
    )
