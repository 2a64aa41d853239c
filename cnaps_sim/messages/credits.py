"""Credit transfers (贷记业务): pacs.008 of customers, pacs.009 of banks.

Both carry a header and one transaction; in BEPS a package (业务包) of up to 2 000. The markup below shows which field
goes into which element.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.xmlread import Element, children
from cnaps_sim.messages.xmltext import Template, count, document, each, lines

PACS_008: Final = "pacs.008.001.08"
PACS_009: Final = "pacs.009.001.08"


@dataclass(slots=True)
class CustomerTransfer:
    """One transaction of a customer credit transfer (客户汇兑): a customer pays another bank's customer.

    transaction_id:   number of the payment, given by the payer's bank (支付交易序号)
    uetr:             end-to-end reference, UUID of version 4
    end_to_end_id:    reference of the payer (端到端标识号)
    business_type:    业务类型号, such as A100
    business_kind:    业务种类号, such as 02102
    amount_fen:       above zero
    settlement_date:  the working date on which it is to settle
    priority:         URGT, HIGH or NORM
    debtor_agent, creditor_agent: bank codes of the banks that keep the two accounts
    remarks:          up to four lines of 140 characters (附言)
    """

    transaction_id: str
    uetr: str
    end_to_end_id: str
    business_type: str
    business_kind: str
    amount_fen: int
    settlement_date: dt.date
    priority: str
    debtor_name: str
    debtor_account: str
    debtor_agent: str
    creditor_agent: str
    creditor_name: str
    creditor_account: str
    remarks: tuple[str, ...] = ()
    instruction_id: str | None = None


@dataclass(slots=True)
class CustomerCredit:
    """pacs.008, customer credit transfer (客户汇兑, hvps.111, beps.121/123/125, ibps.101).

    business_id:     `GrpHdr/MsgId`, unique per instructing participant
    created:         when it was written, with zone
    system:          HVPS, BEPS or IBPS
    instructing:     bank code of the participant that sends it
    instructed:      bank code of the participant that it is for
    control_sum_fen: sum over the transactions; None leaves it out
    """

    business_id: str
    created: dt.datetime
    system: str
    instructing: str
    instructed: str
    transactions: tuple[CustomerTransfer, ...]
    control_sum_fen: int | None = None


@dataclass(slots=True)
class BankTransfer:
    """One transaction of a bank credit transfer (金融机构汇兑): a bank pays another on its own account.

    debtor, creditor: bank codes of the two banks; the other fields as in `CustomerTransfer`
    debtor_agent, creditor_agent: the banks that keep their accounts, where those are not their own participants
    """

    transaction_id: str
    uetr: str
    end_to_end_id: str
    business_type: str
    amount_fen: int
    settlement_date: dt.date
    priority: str
    debtor: str
    creditor: str
    business_kind: str | None = None
    debtor_account: str | None = None
    debtor_agent: str | None = None
    creditor_agent: str | None = None
    creditor_account: str | None = None
    remarks: tuple[str, ...] = ()
    instruction_id: str | None = None


@dataclass(slots=True)
class BankCredit:
    """pacs.009, bank credit transfer (金融机构汇兑 hvps.112, beps.122; 即时转账 hvps.141).

    The fields are those of `CustomerCredit`.
    """

    business_id: str
    created: dt.datetime
    system: str
    instructing: str
    instructed: str
    transactions: tuple[BankTransfer, ...]
    control_sum_fen: int | None = None


_PAYMENT_ID = """
    <PmtId>
        [<InstrId>{instruction_id}</InstrId>]
        <EndToEndId>{end_to_end_id}</EndToEndId>
        <TxId>{transaction_id}</TxId>
        <UETR>{uetr}</UETR>
    </PmtId>
"""
_SETTLEMENT = """
    <IntrBkSttlmAmt Ccy="CNY">{amount_fen:fen}</IntrBkSttlmAmt>
    <IntrBkSttlmDt>{settlement_date:date}</IntrBkSttlmDt>
    <SttlmPrty>{priority}</SttlmPrty>
"""
_GROUP_HEADER = """
    <GrpHdr>
        <MsgId>{business_id}</MsgId>
        <CreDtTm>{created:time}</CreDtTm>
        <NbOfTxs>{transactions:count}</NbOfTxs>
        [<CtrlSum>{control_sum_fen:fen}</CtrlSum>]
        <SttlmInf><SttlmMtd>CLRG</SttlmMtd><ClrSys><Prtry>{system}</Prtry></ClrSys></SttlmInf>
        <InstgAgt>{instructing:agent}</InstgAgt>
        <InstdAgt>{instructed:agent}</InstdAgt>
    </GrpHdr>
"""

_CUSTOMER_TRANSFER = Template(
    f"""
    <CdtTrfTxInf>
        {_PAYMENT_ID}
        <PmtTpInf><CtgyPurp><Prtry>{{business_type}}</Prtry></CtgyPurp></PmtTpInf>
        {_SETTLEMENT}
        <ChrgBr>DEBT</ChrgBr>
        <Dbtr><Nm>{{debtor_name}}</Nm></Dbtr>
        <DbtrAcct>{{debtor_account:account}}</DbtrAcct>
        <DbtrAgt>{{debtor_agent:agent}}</DbtrAgt>
        <CdtrAgt>{{creditor_agent:agent}}</CdtrAgt>
        <Cdtr><Nm>{{creditor_name}}</Nm></Cdtr>
        <CdtrAcct>{{creditor_account:account}}</CdtrAcct>
        <Purp><Prtry>{{business_kind}}</Prtry></Purp>
        [<RmtInf>{{remarks:lines}}</RmtInf>]
    </CdtTrfTxInf>
    """,
    CustomerTransfer,
    lines=lines("Ustrd"),
)
_CUSTOMER_CREDIT = Template(
    document(PACS_008, f"<FIToFICstmrCdtTrf>{_GROUP_HEADER}{{transactions:each}}</FIToFICstmrCdtTrf>"),
    CustomerCredit,
    each=each(_CUSTOMER_TRANSFER),
    count=count,
)

_BANK_TRANSFER = Template(
    f"""
    <CdtTrfTxInf>
        {_PAYMENT_ID}
        <PmtTpInf><SvcLvl><Prtry>{{business_type}}</Prtry></SvcLvl></PmtTpInf>
        {_SETTLEMENT}
        <Dbtr>{{debtor:agent}}</Dbtr>
        [<DbtrAcct>{{debtor_account:account}}</DbtrAcct>]
        [<DbtrAgt>{{debtor_agent:agent}}</DbtrAgt>]
        [<CdtrAgt>{{creditor_agent:agent}}</CdtrAgt>]
        <Cdtr>{{creditor:agent}}</Cdtr>
        [<CdtrAcct>{{creditor_account:account}}</CdtrAcct>]
        [<Purp><Prtry>{{business_kind}}</Prtry></Purp>]
        [<RmtInf>{{remarks:lines}}</RmtInf>]
    </CdtTrfTxInf>
    """,
    BankTransfer,
    lines=lines("Ustrd"),
)
_BANK_CREDIT = Template(
    document(PACS_009, f"<FICdtTrf>{_GROUP_HEADER}{{transactions:each}}</FICdtTrf>"),
    BankCredit,
    each=each(_BANK_TRANSFER),
    count=count,
)

#: A message as the bytes of its document.
build_customer_credit = _CUSTOMER_CREDIT.build
build_bank_credit = _BANK_CREDIT.build


def read_customer_credit(root: Element) -> CustomerCredit:
    """The message of a pacs.008 document that its schema has passed, which also fixes the order of its elements."""
    header, *transfers = root[0]
    business_id, created, _count, *total, settlement, instructing, instructed = header
    return CustomerCredit(
        business_id=read.text(business_id),
        created=read.time(created),
        system=read.inner_text(settlement[1]),
        instructing=read.agent(instructing),
        instructed=read.agent(instructed),
        transactions=tuple([_customer_transfer(transfer) for transfer in transfers]),
        control_sum_fen=read.fen(total[0]) if total else None,
    )


def _customer_transfer(transfer: Element) -> CustomerTransfer:
    (
        ids, type_, amount, date, priority, _charges, debtor, debtor_account, debtor_agent, creditor_agent, creditor,
        creditor_account, purpose, *remarks,
    ) = transfer  # fmt: skip
    *instruction, end_to_end, transaction, uetr = ids
    return CustomerTransfer(
        transaction_id=read.text(transaction),
        uetr=read.text(uetr),
        end_to_end_id=read.text(end_to_end),
        business_type=read.inner_text(type_),
        business_kind=read.inner_text(purpose),
        amount_fen=read.fen(amount),
        settlement_date=read.date(date),
        priority=read.text(priority),
        debtor_name=read.text(debtor[0]),
        debtor_account=read.account(debtor_account),
        debtor_agent=read.agent(debtor_agent),
        creditor_agent=read.agent(creditor_agent),
        creditor_name=read.text(creditor[0]),
        creditor_account=read.account(creditor_account),
        remarks=read.texts(remarks[0] if remarks else None),
        instruction_id=read.text(instruction[0]) if instruction else None,
    )


def read_bank_credit(root: Element) -> BankCredit:
    """The message of a pacs.009 document that its schema has passed."""
    header, *transfers = root[0]
    group = children(header)
    return BankCredit(
        business_id=read.text(group["MsgId"]),
        created=read.time(group["CreDtTm"]),
        system=read.inner_text(group["SttlmInf"][1]),
        instructing=read.agent(group["InstgAgt"]),
        instructed=read.agent(group["InstdAgt"]),
        transactions=tuple([_bank_transfer(transfer) for transfer in transfers]),
        control_sum_fen=read.fen(group["CtrlSum"]) if "CtrlSum" in group else None,
    )


def _bank_transfer(transfer: Element) -> BankTransfer:
    parts = children(transfer)
    ids = children(parts["PmtId"])
    debtor_account, creditor_account = parts.get("DbtrAcct"), parts.get("CdtrAcct")
    debtor_agent, creditor_agent = parts.get("DbtrAgt"), parts.get("CdtrAgt")
    purpose = parts.get("Purp")
    return BankTransfer(
        transaction_id=read.text(ids["TxId"]),
        uetr=read.text(ids["UETR"]),
        end_to_end_id=read.text(ids["EndToEndId"]),
        business_type=read.inner_text(parts["PmtTpInf"]),
        amount_fen=read.fen(parts["IntrBkSttlmAmt"]),
        settlement_date=read.date(parts["IntrBkSttlmDt"]),
        priority=read.text(parts["SttlmPrty"]),
        debtor=read.agent(parts["Dbtr"]),
        creditor=read.agent(parts["Cdtr"]),
        business_kind=None if purpose is None else read.inner_text(purpose),
        debtor_account=None if debtor_account is None else read.account(debtor_account),
        debtor_agent=None if debtor_agent is None else read.agent(debtor_agent),
        creditor_agent=None if creditor_agent is None else read.agent(creditor_agent),
        creditor_account=None if creditor_account is None else read.account(creditor_account),
        remarks=read.texts(parts.get("RmtInf")),
        instruction_id=read.text_or_none(ids.get("InstrId")),
    )
