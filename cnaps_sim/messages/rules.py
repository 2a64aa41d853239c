"""The profile's rules that a schema cannot say: references agree, sums are right, check digits hold.

Each rule looks at one thing, wherever in a message it stands, and refuses with the place and an ISO reason code.
They are asked in the order of `judge`, after the schema has passed header and document.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from cnaps_sim.messages import xmlread as read
from cnaps_sim.messages.app_header import AppHeader
from cnaps_sim.messages.catalogue import Kind, Way, find, kind_of, of_iso
from cnaps_sim.messages.envelope import CENTRE, TO_CENTRE, Header, compact_date
from cnaps_sim.messages.faults import Code, Fault, Layer, Refused
from cnaps_sim.messages.schemas import path_of
from cnaps_sim.messages.sign import Verifier
from cnaps_sim.messages.xmlread import Element, children, local_name
from cnaps_sim.words.bank_code import is_valid
from cnaps_sim.words.codes import System


@dataclass(frozen=True, slots=True)
class Expected:
    """What a receiver knows and a message alone does not say; what is left out is not asked for.

    receiver:          its own bank code, 0000 for the centre: messages for others are refused
    working_date:      the business date that is open: another date is refused
    verifier:          whose signatures must be there and be right
    strict_bank_codes: whether a wrong check digit of a bank code is refused (`bank_codes: strict`)
    """

    receiver: str | None = None
    working_date: dt.date | None = None
    verifier: Verifier | None = None
    strict_bank_codes: bool = True


@dataclass(slots=True)
class Subject:
    """A message whose schema has passed it, on its way through the rules; header and app_header where it has them.

    iso:      ISO id of the document
    root:     its root element
    prefix:   the namespace of the document as lxml writes it before a name
    group:    the children of the element that leads the message (`GrpHdr`, `MsgHdr`, `Assgnmt`…), by name
    ident:    the element with the document's own id; None for admi.002 and admi.004, which have none
    incoming: whether it is on its way to the centre; a plain file counts as such
    members, amounts, dates: its bank codes, the amounts and the settlement dates of its transactions
    """

    iso: str
    root: Element
    prefix: str
    group: dict[str, Element]
    ident: Element | None
    header: Header | None
    app_header: AppHeader | None
    incoming: bool
    members: list[Element]
    amounts: list[Element]
    dates: list[Element]


#: The elements that lead a message, each with the document's id first.
_LEADING: Final = ("GrpHdr", "MsgHdr", "Assgnmt", "NetRptData")
#: Messages whose transactions settle on `IntrBkSttlmDt`; elsewhere that date is an earlier payment's.
_SETTLING: Final = ("pacs.003", "pacs.004", "pacs.008", "pacs.009", "pacs.010")
_ONE_BY_ONE: Final = (System.HVPS, System.IBPS)
_SETTLED_BY: Final = (System.HVPS, System.BEPS, System.IBPS)
_NEEDS_REASON: Final = ("PDNG", "RJCT", "CANC")


def subject(iso: str, root: Element, header: Header | None, app_header: AppHeader | None) -> Subject:
    """A message ready for the rules: what they look at, found in one walk."""
    tag: str = root.tag
    prefix = tag[: tag.index("}") + 1]
    group: dict[str, Element] = {}
    ident: Element | None = None
    if len(root) and len(root[0]):
        leading = root[0][0]
        group = children(leading)
        name = local_name(leading)
        if name in _LEADING:
            ident = leading[0]
        elif name == "MsgId":
            ident = leading[0] if len(leading) else leading
    incoming = header is None or header.direction == TO_CENTRE
    member_tags, amount_tag, date_tag = _looked_at(iso, prefix)
    members = list(root.iter(*member_tags))
    if iso.startswith("pacs.029"):
        members = [element[-1][0][0][0] if local_name(element) == "Ptcpt" else element for element in members]
    amounts = list(root.iter(amount_tag)) if amount_tag else []
    dates = list(root.iter(date_tag)) if date_tag else []
    return Subject(iso, root, prefix, group, ident, header, app_header, incoming, members, amounts, dates)


@lru_cache(maxsize=256)
def _looked_at(iso: str, prefix: str) -> tuple[tuple[str, ...], str, str]:
    """The elements that the rules look at wherever they stand: bank codes, amounts and dates; "" for none."""
    members = (prefix + "MmbId", prefix + "AcctNb")
    if iso.startswith("pacs.029"):
        return (*members, prefix + "Ptcpt"), "", ""
    if not iso.startswith(_SETTLING):
        return members, "", ""
    amount = "RtrdIntrBkSttlmAmt" if iso.startswith("pacs.004") else "IntrBkSttlmAmt"
    return members, prefix + amount, prefix + "IntrBkSttlmDt"


def judge(message: Subject, expected: Expected) -> Kind | None:
    """The kind of the message if every rule holds, None for a file without a transport header whose ISO id serves
    several kinds. Refused at the profile layer at the first rule that does not hold.
    """
    kind = _kind(message)
    _application_header(message)
    _parties(message, expected)
    _business_id(message, kind)
    _system(message, kind)
    if expected.strict_bank_codes:
        _bank_codes(message)
    _transactions(message, kind)
    _dates(message, expected)
    _answers(message)
    return kind


def _kind(message: Subject) -> Kind | None:
    """The CNAPS number and the ISO id belong together, and the message goes the way that this kind goes."""
    header = message.header
    if header is None:
        kinds = of_iso(message.iso)
        return kinds[0] if len(kinds) == 1 else None
    kind = kind_of(header.message_type, message.iso)
    if kind is None:
        forms = [known.iso for known in find(header.message_type)]
        if not forms:
            raise _fault("header/message_type", f"{header.message_type} is not in the catalogue")
        carries = " or ".join(forms)
        raise _fault("header/message_type", f"{header.message_type} carries {carries}, the document is {message.iso}")
    if not kind.way.allows(header.direction):
        raise _fault("header/direction", f"{header.direction} is not the way of {kind.number}, which goes {kind.way}")
    to_centre = header.direction == TO_CENTRE
    if to_centre and header.receiver != CENTRE:
        raise _fault("header/receiver", f"a message to the centre has the receiver {CENTRE}, not {header.receiver}")
    if kind.way is not Way.INSIDE and (header.sender == CENTRE) == to_centre:
        raise _fault("header/sender", f"{header.sender} does not send with the direction {header.direction}")
    return kind


def _application_header(message: Subject) -> None:
    """What the application header says of the document is so."""
    app_header, header = message.app_header, message.header
    if app_header is None:
        return
    if app_header.message_id != message.iso:
        raise _fault("AppHdr/MsgDefIdr", f"says {app_header.message_id}, the document is {message.iso}")
    if header is not None and app_header.number is not None and app_header.number != header.message_type:
        raise _fault("AppHdr/BizSvc", f"says {app_header.number}, the transport header {header.message_type}")
    ident = message.ident
    if ident is not None and app_header.business_id != ident.text:
        raise _fault("AppHdr/BizMsgIdr", f"says {app_header.business_id}, the document has the id {ident.text}")


def _parties(message: Subject, expected: Expected) -> None:
    """Sender and receiver are the same in transport header, application header and document."""
    header, app_header = message.header, message.app_header
    instructing, instructed = _agents(message)
    if header is not None:
        if expected.receiver is not None and header.receiver != expected.receiver:
            raise _fault("header/receiver", f"is for {header.receiver}, not for {expected.receiver}", Code.AGENT)
        if message.incoming and instructing not in (None, header.sender):
            where = path_of(message.group.get("InstgAgt", message.root))
            raise _fault(where, f"{instructing} is not the sender {header.sender}", Code.AGENT)
    if app_header is not None:
        sender, receiver = (None, CENTRE) if header is None else (header.sender, header.receiver)
        _is_party("AppHdr/Fr", app_header.from_member, sender, instructing)
        _is_party("AppHdr/To", app_header.to_member, receiver, instructed)


def _is_party(path: str, member: str, *parties: str | None) -> None:
    """One of the parties that are known; any, where none is."""
    if member not in parties and any(parties):
        raise _fault(path, f"{member} is not {' or '.join(sorted(set(filter(None, parties))))}", Code.AGENT)


def _agents(message: Subject) -> tuple[str | None, str | None]:
    """The bank codes of the instructing and the instructed agent, None where the document names none."""
    group = message.group
    first, second = group.get("InstgAgt"), group.get("InstdAgt")
    if first is None and "Assgnr" in group:
        first, second = group["Assgnr"][0], group["Assgne"][0]
    return _member(first), _member(second)


def _member(agent: Element | None) -> str | None:
    """The member id of an agent; other schemas than the profile know other names for banks."""
    if agent is None:
        return None
    try:
        member = agent[0][0][-1]
    except IndexError:
        return None
    return member.text if local_name(member) == "MmbId" else None


def _business_id(message: Subject, kind: Kind | None) -> None:
    """The ids are dates and sequences (IBPS: bank code before them), and the dates are those of the message."""
    header, app_header = message.header, message.app_header
    if header is None or kind is None:
        return
    day = compact_date(header.date)
    if header.message_id[:8] != day:
        raise _fault("header/message_id", f"{header.message_id} does not begin with the date {day}", Code.DATE)
    if message.ident is not None:
        number = message.ident.text or ""
    elif app_header is not None:
        number = app_header.business_id
    else:
        return
    if not _well_formed(number, kind):
        form = "bank code, date and sequence (28 digits)" if kind.system is System.IBPS else "date and sequence (16)"
        raise _fault(_place_of_id(message), f"{number} is not {form}")
    if message.incoming and number[-16:-8] != day:
        raise _fault(_place_of_id(message), f"{number} is not of the date {day} of the header", Code.DATE)


def _place_of_id(message: Subject) -> str:
    return "AppHdr/BizMsgIdr" if message.ident is None else path_of(message.ident)


def _well_formed(number: str, kind: Kind) -> bool:
    return len(number) == (28 if kind.system is System.IBPS else 16) and number.isascii() and number.isdigit()


def _system(message: Subject, kind: Kind | None) -> None:
    """The clearing system that is to settle it is the one its number belongs to."""
    settlement = message.group.get("SttlmInf")
    if settlement is None or kind is None or kind.system not in _SETTLED_BY:
        return
    system = read.inner_text(settlement[-1])
    if system != kind.system:
        raise _fault(path_of(settlement[-1]), f"{system} does not settle {kind.number}")


def _bank_codes(message: Subject) -> None:
    """Every bank code ends in its check digit."""
    header, app_header = message.header, message.app_header
    if header is not None:
        _check_digit("header/sender", header.sender)
        _check_digit("header/receiver", header.receiver)
    if app_header is not None:
        _check_digit("AppHdr/Fr", app_header.from_member)
        _check_digit("AppHdr/To", app_header.to_member)
    for element in message.members:
        code = element.text or ""
        if not _is_member(code):
            raise _fault(path_of(element), _wrong_digit(code), _code_of(element))


def _check_digit(path: str, code: str) -> None:
    if not _is_member(code):
        raise _fault(path, _wrong_digit(code), Code.AGENT)


def _wrong_digit(code: str) -> str:
    return f"the check digit of the bank code {code} is wrong"


@lru_cache(maxsize=4096)
def _is_member(code: str) -> bool:
    return code == CENTRE or is_valid(code)


def _code_of(element: Element) -> str:
    """RC03 inside a debtor's agent, RC04 inside a creditor's, RC01 elsewhere."""
    for above in element.iterancestors():
        name = local_name(above)
        if name in ("DbtrAgt", "Dbtr"):
            return Code.DEBTOR_AGENT
        if name in ("CdtrAgt", "Cdtr"):
            return Code.CREDITOR_AGENT
    return Code.AGENT


def _transactions(message: Subject, kind: Kind | None) -> None:
    """Count and sums of a package are right, no transaction is in it twice; HVPS and IBPS take one at a time."""
    group = message.group
    if message.iso.startswith("pacs.029"):
        _nets(message)
        return
    stated = group.get("NbOfTxs")
    if stated is None:
        return
    amounts = message.amounts
    if read.whole(stated) != len(amounts):
        raise _fault(path_of(stated), f"says {stated.text}, the message has {len(amounts)}", Code.COUNT)
    if len(amounts) > 1 and kind is not None and kind.system in _ONE_BY_ONE:
        raise _fault(path_of(stated), f"{kind.number} carries one transaction, not {len(amounts)}", Code.COUNT)
    for name in ("CtrlSum", "TtlIntrBkSttlmAmt"):
        total = group.get(name)
        if total is not None and _money(total) != (right := sum(map(_money, amounts))):
            raise _fault(path_of(total), f"says {total.text}, the transactions sum to {right}", Code.SUM)
    if len(amounts) > 1:
        _distinct(message)


def _money(element: Element) -> Decimal:
    """An amount of any currency, exact."""
    return Decimal((element.text or "").strip())


def _distinct(message: Subject) -> None:
    seen: set[str] = set()
    for element in message.root.iter(message.prefix + "TxId", message.prefix + "UETR"):
        value = element.text or ""
        if value in seen:
            raise _fault(path_of(element), f"{value} is in the message twice", Code.DUPLICATE)
        seen.add(value)


def _nets(message: Subject) -> None:
    """A round's nets: as many as are told, debits equal credits, the control sum is over all of them."""
    prefix = message.prefix
    sums = {"CRDT": Decimal(0), "DBIT": Decimal(0)}
    for record in message.root.iter(prefix + "MvmntRcrd"):
        amount = children(record)["Amt"]
        sums[read.text(amount[1])] += _money(amount[0])
    for request in message.root.iter(prefix + "SttlmReq"):
        parts = children(request)
        records = sum(1 for _ in request.iter(prefix + "MvmntRcrd"))
        if read.whole(parts["NbOfMvmntRcrds"]) != records:
            place = path_of(parts["NbOfMvmntRcrds"])
            raise _fault(place, f"says {parts['NbOfMvmntRcrds'].text}, the request has {records}", Code.COUNT)
    total = message.group.get("CtrlSum")
    credits, debits = sums["CRDT"], sums["DBIT"]
    if total is not None and _money(total) != credits + debits:
        raise _fault(path_of(total), f"says {total.text}, the records sum to {credits + debits}", Code.SUM)
    if credits != debits:
        raise _fault(path_of(message.root[0][-1]), f"credits of {credits} are not debits of {debits}", Code.SUM)


def _dates(message: Subject, expected: Expected) -> None:
    """The transport header and the transactions are of the working date."""
    header, working_date = message.header, expected.working_date
    if header is not None and working_date is not None and header.date != working_date:
        raise _fault("header/date", f"{header.date} is not the working date {working_date}", Code.DATE)
    if not message.incoming or not message.dates:
        return
    day = working_date if header is None else header.date
    if day is None:
        return
    written = day.isoformat()
    for element in message.dates:
        if (element.text or "").strip() != written:
            raise _fault(path_of(element), f"{element.text} is not the working date {day}", Code.DATE)


def _answers(message: Subject) -> None:
    """A status that waits, refuses or cancels gives its reason, a settled one its date; a status request names one."""
    if message.iso.startswith("pacs.002"):
        for transaction in message.root.iter(message.prefix + "TxInfAndSts"):
            parts = children(transaction)
            status = read.text(parts.get("TxSts"))
            if status in _NEEDS_REASON and "StsRsnInf" not in parts:
                raise _fault(path_of(transaction), f"the status {status} gives no reason (StsRsnInf)")
            if status == "ACSC" and "FctvIntrBkSttlmDt" not in parts:
                raise _fault(path_of(transaction), "the status ACSC gives no settlement date (FctvIntrBkSttlmDt)")
    elif message.iso.startswith("pacs.028"):
        for transaction in message.root.iter(message.prefix + "TxInf"):
            if not {"OrgnlTxId", "OrgnlUETR"} & set(children(transaction)):
                raise _fault(path_of(transaction), "names no transaction (OrgnlTxId or OrgnlUETR)")


def _fault(path: str, reason: str, code: str = Code.FORMAT) -> Refused:
    return Refused(Fault(Layer.PROFILE, path, reason, code))
