"""Limits (限额): camt.009 asks, camt.010 reports, camt.011 sets, camt.012 deletes; camt.103 sets a reservation.

Three kinds: the net debit cap of a participant (净借记限额, NELI), which the centre sets, and the bilateral and
multilateral sender limits (双边限额 BILI, 多边限额 MULT) that a bank sets for itself.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from cnaps_sim.messages import parts
from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.parts import NoAnswer, Query
from cnaps_sim.messages.xmlread import Element, children
from cnaps_sim.messages.xmltext import Template, document, each, escape

CAMT_009: Final = "camt.009.001.07"
CAMT_010: Final = "camt.010.001.08"
CAMT_011: Final = "camt.011.001.07"
CAMT_012: Final = "camt.012.001.07"
CAMT_103: Final = "camt.103.001.01"

#: Kinds of limit.
NET_DEBIT_CAP: Final = "NELI"  # 净借记限额
BILATERAL: Final = "BILI"  # 双边限额
MULTILATERAL: Final = "MULT"  # 多边限额
#: Kinds of reservation: money kept for queue levels 0 and 1, for levels 0 to 6.
FOR_URGENT: Final = "HPAR"
FOR_HIGH: Final = "UPAR"


@dataclass(frozen=True, slots=True)
class LimitKey:
    """Which limit: its kind, the bank code of its owner, and the other bank of a bilateral one."""

    kind: str
    owner: str
    counterparty: str | None = None


@dataclass(frozen=True, slots=True)
class LimitCriteria:
    """Which limits are asked for.

    kinds:          one to three of NET_DEBIT_CAP, BILATERAL, MULTILATERAL
    counterparties: bank codes of the other banks of bilateral limits, at most twenty
    owner:          bank code of the owner
    """

    kinds: tuple[str, ...]
    counterparties: tuple[str, ...] = ()
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class LimitQuery:
    """camt.009, limit query (限额查询, nets.350).

    business_id: `MsgHdr/MsgId`, unique per sender
    created:     when it was written, with zone
    criteria:    which limits; None asks for all
    """

    business_id: str
    created: dt.datetime
    criteria: LimitCriteria | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of a camt.010.

    amount_fen:     the limit, zero or more
    status:         ENAB in force, DISA not
    start:          since when it is in force
    used_fen:       what of it is used, zero or more; its sign is `used_direction`
    used_direction: DBIT more sent than received, CRDT the other way round
    remaining_fen:  what is left, zero or more (可用额度)
    """

    key: LimitKey
    amount_fen: int
    status: str | None = None
    start: dt.date | dt.datetime | None = None
    used_fen: int | None = None
    used_direction: str | None = None
    remaining_fen: int | None = None


@dataclass(frozen=True, slots=True)
class UntoldLimit:
    """One limit that a camt.010 says nothing about, and why."""

    key: LimitKey
    refusal: NoAnswer


@dataclass(frozen=True, slots=True)
class LimitReport:
    """camt.010, limit report (限额查询应答, nets.355).

    business_id: `MsgHdr/MsgId`
    created:     when it was written, with zone
    query:       the camt.009 that it answers
    answer:      one or more limits, or why there is nothing to tell
    """

    business_id: str
    created: dt.datetime
    query: Query
    answer: tuple[Limit | UntoldLimit, ...] | NoAnswer


@dataclass(frozen=True, slots=True)
class NewLimit:
    """One limit of a camt.011: its new amount in fen, zero or more, and from when on."""

    key: LimitKey
    amount_fen: int
    start: dt.date | dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class LimitSetting:
    """camt.011, set limits (限额设置, nets.353): NELI from the centre, BILI and MULT from the bank; one to twenty."""

    business_id: str
    created: dt.datetime
    limits: tuple[NewLimit, ...]


@dataclass(frozen=True, slots=True)
class LimitDeletion:
    """camt.012, delete a limit (限额撤销, nets.353)."""

    business_id: str
    created: dt.datetime
    key: LimitKey


@dataclass(frozen=True, slots=True)
class Reservation:
    """camt.103, set a reservation (预留资金设置).

    business_id:    `MsgHdr/MsgId`, unique per sender
    created:        when it was written, with zone
    kind:           FOR_URGENT or FOR_HIGH
    owner:          bank code of the account's owner
    amount_fen:     zero or more; zero ends the reservation
    reservation_id: number that the owner gives it
    account:        its account, where it has several
    start:          from when on
    """

    business_id: str
    created: dt.datetime
    kind: str
    owner: str
    amount_fen: int
    reservation_id: str | None = None
    account: str | None = None
    start: dt.date | dt.datetime | None = None


_HEADER = "<MsgHdr><MsgId>{business_id}</MsgId><CreDtTm>{created:time}</CreDtTm></MsgHdr>"
_AMOUNT = '<Amt><AmtWthCcy Ccy="CNY">{amount_fen:fen}</AmtWthCcy></Amt>'

_KEY = Template(
    """
    [<BilLmtCtrPtyId>{counterparty:agent}</BilLmtCtrPtyId>]
    <Tp><Cd>{kind}</Cd></Tp>
    <AcctOwnr>{owner:agent}</AcctOwnr>
    """,
    LimitKey,
)


def _kinds_text(kinds: tuple[str, ...]) -> str:
    return "".join([f"<CurLmtTp><Cd>{escape(kind)}</Cd></CurLmtTp>" for kind in kinds])


_CRITERIA = Template(
    """
    <LmtQryDef><LmtCrit><NewCrit><SchCrit>
        {counterparties:counterparties}
        {kinds:kinds}
        [<AcctOwnr>{owner:agent}</AcctOwnr>]
    </SchCrit></NewCrit></LmtCrit></LmtQryDef>
    """,
    LimitCriteria,
    counterparties=parts.agents("BilLmtCtrPtyId"),
    kinds=_kinds_text,
)
_QUERY = Template(
    document(CAMT_009, f"<GetLmt>{_HEADER}[{{criteria:criteria}}]</GetLmt>"),
    LimitQuery,
    criteria=_CRITERIA.fill,
)
_LIMIT = Template(
    f"""
    <CurLmt>
        <LmtId>{{key:key}}</LmtId>
        <LmtOrErr><Lmt>
            {_AMOUNT}
            [<Sts>{{status}}</Sts>]
            [<StartDtTm>{{start:moment}}</StartDtTm>]
            [<UsdAmt><AmtWthCcy Ccy="CNY">{{used_fen:fen}}</AmtWthCcy></UsdAmt>]
            [<UsdAmtCdtDbtInd>{{used_direction}}</UsdAmtCdtDbtInd>]
            [<RmngAmt><AmtWthCcy Ccy="CNY">{{remaining_fen:fen}}</AmtWthCcy></RmngAmt>]
        </Lmt></LmtOrErr>
    </CurLmt>
    """,
    Limit,
    key=_KEY.fill,
    moment=parts.moment_text,
)
_UNTOLD = Template(
    "<CurLmt><LmtId>{key:key}</LmtId><LmtOrErr><BizErr>{refusal:refusal}</BizErr></LmtOrErr></CurLmt>",
    UntoldLimit,
    key=_KEY.fill,
    refusal=parts.no_answer_text,
)


def _limits_text(limits: tuple[Limit | UntoldLimit, ...]) -> str:
    told = [(_LIMIT if isinstance(one, Limit) else _UNTOLD).fill(one) for one in limits]
    return "<BizRpt>" + "".join(told) + "</BizRpt>"


_REPORT = Template(
    document(
        CAMT_010,
        """
        <RtrLmt>
            <MsgHdr><MsgId>{business_id}</MsgId><CreDtTm>{created:time}</CreDtTm>{query:query}</MsgHdr>
            <RptOrErr>{answer:answer}</RptOrErr>
        </RtrLmt>
        """,
    ),
    LimitReport,
    query=parts.query_text,
    answer=parts.answer_text(_limits_text),
)
_NEW_LIMIT = Template(
    f"""
    <LmtDtls>
        <LmtId><Cur>{{key:key}}</Cur></LmtId>
        <NewLmtValSet>[<StartDtTm>{{start:moment}}</StartDtTm>]{_AMOUNT}</NewLmtValSet>
    </LmtDtls>
    """,
    NewLimit,
    key=_KEY.fill,
    moment=parts.moment_text,
)
_SETTING = Template(
    document(CAMT_011, f"<ModfyLmt>{_HEADER}{{limits:each}}</ModfyLmt>"),
    LimitSetting,
    each=each(_NEW_LIMIT),
)
_DELETION = Template(
    document(CAMT_012, f"<DelLmt>{_HEADER}<LmtDtls><CurLmtId>{{key:key}}</CurLmtId></LmtDtls></DelLmt>"),
    LimitDeletion,
    key=_KEY.fill,
)
_RESERVATION = Template(
    document(
        CAMT_103,
        f"""
        <CretRsvatn>
            {_HEADER}
            <RsvatnId>
                [<RsvatnId>{{reservation_id}}</RsvatnId>]
                <Tp><Cd>{{kind}}</Cd></Tp>
                <AcctOwnr>{{owner:agent}}</AcctOwnr>
                [<AcctId><Othr><Id>{{account}}</Id></Othr></AcctId>]
            </RsvatnId>
            <ValSet>[<StartDtTm>{{start:moment}}</StartDtTm>]{_AMOUNT}</ValSet>
        </CretRsvatn>
        """,
    ),
    Reservation,
    moment=parts.moment_text,
)

#: A message as the bytes of its document.
build_limit_query = _QUERY.build
build_limit_report = _REPORT.build
build_limit_setting = _SETTING.build
build_limit_deletion = _DELETION.build
build_reservation = _RESERVATION.build


def read_limit_query(root: Element) -> LimitQuery:
    """The message of a camt.009 document that its schema has passed."""
    header, *definition = root[0]
    head = children(header)
    return LimitQuery(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        criteria=_criteria(definition[0][0][0][0]) if definition else None,
    )


def _criteria(element: Element) -> LimitCriteria:
    return LimitCriteria(
        kinds=tuple([read.inner_text(kind) for kind in parts.repeated(element, "CurLmtTp")]),
        counterparties=tuple([read.agent(member) for member in parts.repeated(element, "BilLmtCtrPtyId")]),
        owner=parts.agent_or_none(children(element).get("AcctOwnr")),
    )


def read_limit_report(root: Element) -> LimitReport:
    """The message of a camt.010 document that its schema has passed."""
    header, outcome = root[0]
    head, answer = children(header), outcome[0]
    refused = read.local_name(answer) == "OprlErr"
    return LimitReport(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        query=parts.query(head["OrgnlBizQry"]),
        answer=parts.no_answer(answer) if refused else tuple([_limit(one) for one in answer]),
    )


def _key(element: Element) -> LimitKey:
    fields = children(element)
    return LimitKey(
        kind=read.inner_text(fields["Tp"]),
        owner=read.agent(fields["AcctOwnr"]),
        counterparty=parts.agent_or_none(fields.get("BilLmtCtrPtyId")),
    )


def _limit(element: Element) -> Limit | UntoldLimit:
    key, outcome = element
    told = outcome[0]
    if read.local_name(told) == "BizErr":
        return UntoldLimit(_key(key), parts.no_answer(told))
    fields = children(told)
    used, remaining = fields.get("UsdAmt"), fields.get("RmngAmt")
    return Limit(
        key=_key(key),
        amount_fen=read.fen(fields["Amt"][0]),
        status=read.text_or_none(fields.get("Sts")),
        start=parts.moment_or_none(fields.get("StartDtTm")),
        used_fen=None if used is None else read.fen(used[0]),
        used_direction=read.text_or_none(fields.get("UsdAmtCdtDbtInd")),
        remaining_fen=None if remaining is None else read.fen(remaining[0]),
    )


def read_limit_setting(root: Element) -> LimitSetting:
    """The message of a camt.011 document that its schema has passed."""
    header, *limits = root[0]
    head = children(header)
    return LimitSetting(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        limits=tuple([_new_limit(limit) for limit in limits]),
    )


def _new_limit(element: Element) -> NewLimit:
    key, values = element
    fields = children(values)
    return NewLimit(
        key=_key(key[0]),
        amount_fen=read.fen(fields["Amt"][0]),
        start=parts.moment_or_none(fields.get("StartDtTm")),
    )


def read_limit_deletion(root: Element) -> LimitDeletion:
    """The message of a camt.012 document that its schema has passed."""
    header, limit = root[0]
    head = children(header)
    return LimitDeletion(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        key=_key(limit[0]),
    )


def read_reservation(root: Element) -> Reservation:
    """The message of a camt.103 document that its schema has passed."""
    message = children(root[0])
    head, identity, values = (children(message[name]) for name in ("MsgHdr", "RsvatnId", "ValSet"))
    return Reservation(
        business_id=read.text(head["MsgId"]),
        created=read.time(head["CreDtTm"]),
        kind=read.inner_text(identity["Tp"]),
        owner=read.agent(identity["AcctOwnr"]),
        amount_fen=read.fen(values["Amt"][0]),
        reservation_id=read.text_or_none(identity.get("RsvatnId")),
        account=parts.inner_or_none(identity.get("AcctId")),
        start=parts.moment_or_none(values.get("StartDtTm")),
    )
