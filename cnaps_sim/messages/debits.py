"""Direct debits (借记业务): pacs.003 of customers, pacs.010 of the central bank.

The payee's bank collects with pacs.003 and the payer's bank replies; the central bank debits an account for interest,
fees and repayments with pacs.010 and asks nobody.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from cnaps_sim.messages import parts
from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.xmlread import Element, children
from cnaps_sim.messages.xmltext import Template, count, document, each, lines

PACS_003: Final = "pacs.003.001.08"
PACS_010: Final = "pacs.010.001.03"


@dataclass(frozen=True, slots=True)
class CustomerCollection:
    """One transaction of a customer direct debit (客户借记): a payee collects from another bank's customer.

    transaction_id:  number of the payment, given by the payee's bank (支付交易序号)
    uetr:            end-to-end reference, UUID of version 4
    end_to_end_id:   reference of the payee (端到端标识号)
    business_type:   业务类型号
    business_kind:   业务种类号
    amount_fen:      above zero
    settlement_date: the working date on which it is to settle
    collection_date: the date on which the payer is to be debited (扣款日期)
    mandate_id:      number of the contract that allows it (合同号)
    mandate_signed:  date of that contract
    priority:        URGT, HIGH or NORM
    debtor_agent, creditor_agent: bank codes of the banks that keep the two accounts
    remarks:         up to four lines of 140 characters (附言)
    """

    transaction_id: str
    uetr: str
    end_to_end_id: str
    business_type: str
    business_kind: str
    amount_fen: int
    settlement_date: dt.date
    collection_date: dt.date
    mandate_id: str
    creditor_name: str
    creditor_account: str
    creditor_agent: str
    debtor_name: str
    debtor_account: str
    debtor_agent: str
    mandate_signed: dt.date | None = None
    priority: str | None = None
    remarks: tuple[str, ...] = ()
    instruction_id: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerDebit:
    """pacs.003, customer direct debit (客户借记, beps.127/131/133, ibps.103).

    business_id:     `GrpHdr/MsgId`, unique per instructing participant
    created:         when it was written, with zone
    system:          BEPS or IBPS
    instructing:     bank code of the participant that sends it (收款行)
    instructed:      bank code of the participant that it is for (付款行)
    control_sum_fen: sum over the transactions; None leaves it out
    """

    business_id: str
    created: dt.datetime
    system: str
    instructing: str
    instructed: str
    transactions: tuple[CustomerCollection, ...]
    control_sum_fen: int | None = None


@dataclass(frozen=True, slots=True)
class CentralBankDebit:
    """pacs.010, central-bank debit (单边业务借记, saps.612): one debit of one account.

    business_id:     `GrpHdr/MsgId`
    created:         when it was written, with zone
    instructing:     bank code of the central bank's own participant, or 0000
    instructed:      bank code of the participant that is debited
    credit_id:       number of the credit instruction (贷记指令号)
    transaction_id, uetr, end_to_end_id, instruction_id: as in `CustomerCollection`
    amount_fen:      above zero
    settlement_date: the working date on which it settles
    priority:        URGT, HIGH or NORM
    creditor:        bank code of the central bank's participant whose account is credited
    debtor:          bank code of the participant whose account is debited
    business_type:   业务类型号, one letter and three digits
    remarks:         up to four lines of 140 characters
    """

    business_id: str
    created: dt.datetime
    instructing: str
    instructed: str
    credit_id: str
    transaction_id: str
    uetr: str
    end_to_end_id: str
    amount_fen: int
    settlement_date: dt.date
    priority: str
    creditor: str
    debtor: str
    creditor_account: str | None = None
    debtor_account: str | None = None
    business_type: str | None = None
    business_kind: str | None = None
    remarks: tuple[str, ...] = ()
    instruction_id: str | None = None


_PAYMENT_ID = """
    <PmtId>
        [<InstrId>{instruction_id}</InstrId>]
        <EndToEndId>{end_to_end_id}</EndToEndId>
        <TxId>{transaction_id}</TxId>
        <UETR>{uetr}</UETR>
    </PmtId>
"""

_COLLECTION = Template(
    f"""
    <DrctDbtTxInf>
        {_PAYMENT_ID}
        <PmtTpInf><CtgyPurp><Prtry>{{business_type}}</Prtry></CtgyPurp></PmtTpInf>
        <IntrBkSttlmAmt Ccy="CNY">{{amount_fen:fen}}</IntrBkSttlmAmt>
        <IntrBkSttlmDt>{{settlement_date:date}}</IntrBkSttlmDt>
        [<SttlmPrty>{{priority}}</SttlmPrty>]
        <ChrgBr>DEBT</ChrgBr>
        <ReqdColltnDt>{{collection_date:date}}</ReqdColltnDt>
        <DrctDbtTx>
            <MndtRltdInf>
                <MndtId>{{mandate_id}}</MndtId>
                [<DtOfSgntr>{{mandate_signed:date}}</DtOfSgntr>]
            </MndtRltdInf>
        </DrctDbtTx>
        <Cdtr><Nm>{{creditor_name}}</Nm></Cdtr>
        <CdtrAcct>{{creditor_account:account}}</CdtrAcct>
        <CdtrAgt>{{creditor_agent:agent}}</CdtrAgt>
        <Dbtr><Nm>{{debtor_name}}</Nm></Dbtr>
        <DbtrAcct>{{debtor_account:account}}</DbtrAcct>
        <DbtrAgt>{{debtor_agent:agent}}</DbtrAgt>
        <Purp><Prtry>{{business_kind}}</Prtry></Purp>
        [<RmtInf>{{remarks:lines}}</RmtInf>]
    </DrctDbtTxInf>
    """,
    CustomerCollection,
    lines=lines("Ustrd"),
)
_CUSTOMER_DEBIT = Template(
    document(
        PACS_003,
        """
        <FIToFICstmrDrctDbt>
            <GrpHdr>
                <MsgId>{business_id}</MsgId>
                <CreDtTm>{created:time}</CreDtTm>
                <NbOfTxs>{transactions:count}</NbOfTxs>
                [<CtrlSum>{control_sum_fen:fen}</CtrlSum>]
                <SttlmInf><SttlmMtd>CLRG</SttlmMtd><ClrSys><Prtry>{system}</Prtry></ClrSys></SttlmInf>
                <InstgAgt>{instructing:agent}</InstgAgt>
                <InstdAgt>{instructed:agent}</InstdAgt>
            </GrpHdr>
            {transactions:each}
        </FIToFICstmrDrctDbt>
        """,
    ),
    CustomerDebit,
    each=each(_COLLECTION),
    count=count,
)
_CENTRAL_BANK_DEBIT = Template(
    document(
        PACS_010,
        f"""
        <FIDrctDbt>
            <GrpHdr>
                <MsgId>{{business_id}}</MsgId>
                <CreDtTm>{{created:time}}</CreDtTm>
                <NbOfTxs>1</NbOfTxs>
                <InstgAgt>{{instructing:agent}}</InstgAgt>
                <InstdAgt>{{instructed:agent}}</InstdAgt>
            </GrpHdr>
            <CdtInstr>
                <CdtId>{{credit_id}}</CdtId>
                <Cdtr>{{creditor:agent}}</Cdtr>
                [<CdtrAcct>{{creditor_account:account}}</CdtrAcct>]
                <DrctDbtTxInf>
                    {_PAYMENT_ID}
                    [<PmtTpInf><SvcLvl><Prtry>{{business_type}}</Prtry></SvcLvl></PmtTpInf>]
                    <IntrBkSttlmAmt Ccy="CNY">{{amount_fen:fen}}</IntrBkSttlmAmt>
                    <IntrBkSttlmDt>{{settlement_date:date}}</IntrBkSttlmDt>
                    <SttlmPrty>{{priority}}</SttlmPrty>
                    <Dbtr>{{debtor:agent}}</Dbtr>
                    [<DbtrAcct>{{debtor_account:account}}</DbtrAcct>]
                    [<Purp><Prtry>{{business_kind}}</Prtry></Purp>]
                    [<RmtInf>{{remarks:lines}}</RmtInf>]
                </DrctDbtTxInf>
            </CdtInstr>
        </FIDrctDbt>
        """,
    ),
    CentralBankDebit,
    lines=lines("Ustrd"),
)

#: A message as the bytes of its document.
build_customer_debit = _CUSTOMER_DEBIT.build
build_central_bank_debit = _CENTRAL_BANK_DEBIT.build


def read_customer_debit(root: Element) -> CustomerDebit:
    """The message of a pacs.003 document that its schema has passed."""
    header, *collections = root[0]
    group = children(header)
    return CustomerDebit(
        business_id=read.text(group["MsgId"]),
        created=read.time(group["CreDtTm"]),
        system=read.inner_text(group["SttlmInf"][1]),
        instructing=read.agent(group["InstgAgt"]),
        instructed=read.agent(group["InstdAgt"]),
        transactions=tuple([_collection(collection) for collection in collections]),
        control_sum_fen=parts.fen_or_none(group.get("CtrlSum")),
    )


def _collection(element: Element) -> CustomerCollection:
    fields = children(element)
    ids = children(fields["PmtId"])
    mandate = children(fields["DrctDbtTx"][0])
    return CustomerCollection(
        transaction_id=read.text(ids["TxId"]),
        uetr=read.text(ids["UETR"]),
        end_to_end_id=read.text(ids["EndToEndId"]),
        business_type=read.inner_text(fields["PmtTpInf"]),
        business_kind=read.inner_text(fields["Purp"]),
        amount_fen=read.fen(fields["IntrBkSttlmAmt"]),
        settlement_date=read.date(fields["IntrBkSttlmDt"]),
        collection_date=read.date(fields["ReqdColltnDt"]),
        mandate_id=read.text(mandate["MndtId"]),
        creditor_name=read.text(fields["Cdtr"][0]),
        creditor_account=read.account(fields["CdtrAcct"]),
        creditor_agent=read.agent(fields["CdtrAgt"]),
        debtor_name=read.text(fields["Dbtr"][0]),
        debtor_account=read.account(fields["DbtrAcct"]),
        debtor_agent=read.agent(fields["DbtrAgt"]),
        mandate_signed=parts.date_or_none(mandate.get("DtOfSgntr")),
        priority=read.text_or_none(fields.get("SttlmPrty")),
        remarks=read.texts(fields.get("RmtInf")),
        instruction_id=read.text_or_none(ids.get("InstrId")),
    )


def read_central_bank_debit(root: Element) -> CentralBankDebit:
    """The message of a pacs.010 document that its schema has passed."""
    message = children(root[0])
    group, credit = children(message["GrpHdr"]), children(message["CdtInstr"])
    debit = children(credit["DrctDbtTxInf"])
    ids = children(debit["PmtId"])
    return CentralBankDebit(
        business_id=read.text(group["MsgId"]),
        created=read.time(group["CreDtTm"]),
        instructing=read.agent(group["InstgAgt"]),
        instructed=read.agent(group["InstdAgt"]),
        credit_id=read.text(credit["CdtId"]),
        transaction_id=read.text(ids["TxId"]),
        uetr=read.text(ids["UETR"]),
        end_to_end_id=read.text(ids["EndToEndId"]),
        amount_fen=read.fen(debit["IntrBkSttlmAmt"]),
        settlement_date=read.date(debit["IntrBkSttlmDt"]),
        priority=read.text(debit["SttlmPrty"]),
        creditor=read.agent(credit["Cdtr"]),
        debtor=read.agent(debit["Dbtr"]),
        creditor_account=parts.account_or_none(credit.get("CdtrAcct")),
        debtor_account=parts.account_or_none(debit.get("DbtrAcct")),
        business_type=parts.inner_or_none(debit.get("PmtTpInf")),
        business_kind=parts.inner_or_none(debit.get("Purp")),
        remarks=read.texts(debit.get("RmtInf")),
        instruction_id=read.text_or_none(ids.get("InstrId")),
    )
