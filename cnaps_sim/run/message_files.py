"""Message files as workload: files of ISO 20022 credit transfers become the payments of a run.

Each file holds one pacs.008 or pacs.009, with or without envelope. The layers of `messages.validate` judge it, then
the business rules of this module: HVPS settles it, it is of a working date of the run, both participants keep an
account, and its ids are new. A file that is refused leaves its fault and nothing else; the rest run.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cnaps_sim.messages import credits, debits
from cnaps_sim.messages.credits import BankCredit, BankTransfer, CustomerCredit, CustomerTransfer
from cnaps_sim.messages.faults import Code, Fault, Layer, Refused
from cnaps_sim.messages.rules import Expected
from cnaps_sim.messages.schemas import path_of
from cnaps_sim.messages.validate import Opened, open_bytes
from cnaps_sim.messages.xmltext import CHINA
from cnaps_sim.run.message_folder import FoundFile, read_files
from cnaps_sim.systems.hvps import Hvps
from cnaps_sim.systems.mail import can_travel
from cnaps_sim.words.bank_code import BANK_CODE_LENGTH, is_valid
from cnaps_sim.words.codes import Cause, System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.timetable import Timetable
from cnaps_sim.words.units import MAX_FEN, MS_PER_DAY, format_fen
from cnaps_sim.workload.flow import Flow
from cnaps_sim.workload.replay import from_rows

#: Key of what the manifest tells about message files: files, payments, rejected.
NOTES: Final = "messages"
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
#: How a message begins: its envelope, or markup.
_BEGINNINGS: Final = (b"{", b"<")
_RESERVED: Final = frozenset(cause.word for cause in Cause if cause.word)
_RESERVED_PREFIX: Final = "matching:"


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """A file that brings no payment: its name in the folder, and why."""

    name: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class Credit:
    """A credit transfer that one file holds.

    name:        of the file
    number:      CNAPS number of the message where the file tells it, else its ISO id
    created:     when the message was written, of its application header, else of its group header
    created_at:  the place of that
    message:     the message; transaction: the only one in it
    body:        the element that holds the message, such as `Document/FICdtTrf`
    """

    name: str
    number: str
    created: dt.datetime
    created_at: str
    message: CustomerCredit | BankCredit
    transaction: CustomerTransfer | BankTransfer
    body: str

    def group(self, name: str) -> str:
        """The place of an element of the group header."""
        return f"{self.body}/GrpHdr/{name}"

    def part(self, name: str) -> str:
        """The place of an element of the transaction."""
        return f"{self.body}/CdtTrfTxInf/{name}"

    @property
    def debtor_agent(self) -> tuple[str, str]:
        """The bank that keeps the payer's account, and the element that names it."""
        paid = self.transaction
        if isinstance(paid, BankTransfer) and paid.debtor_agent is None:
            return paid.debtor, "Dbtr"
        return paid.debtor_agent or "", "DbtrAgt"

    @property
    def creditor_agent(self) -> tuple[str, str]:
        """The bank that keeps the payee's account, and the element that names it."""
        paid = self.transaction
        if isinstance(paid, BankTransfer) and paid.creditor_agent is None:
            return paid.creditor, "Cdtr"
        return paid.creditor_agent or "", "CdtrAgt"

    @property
    def on_behalf_of(self) -> str:
        """The bank behind the instructing participant, "" if that pays for itself or for its own customers."""
        paid = self.transaction
        principal = paid.debtor if isinstance(paid, BankTransfer) else paid.debtor_agent
        return "" if principal == self.message.instructing else principal


def credit_of(file: FoundFile, expected: Expected) -> Credit:
    """The credit transfer in a file. Refused, by whichever layer, if there is none that HVPS can settle."""
    if file.problem:
        raise Refused(Fault(Layer.TRANSPORT, "", file.problem))
    opened = open_bytes(file.data, expected)
    header, app_header, body = opened.header, opened.app_header, path_of(opened.root[0])
    message = _message(opened, body)
    if message.system != System.HVPS:
        reason = f"{message.system} settles it, the run has payments of HVPS"
        raise _business(f"{body}/GrpHdr/SttlmInf/ClrSys/Prtry", reason)
    if len(message.transactions) != 1:
        reason = f"HVPS takes one transaction at a time, not {len(message.transactions)}"
        raise Refused(Fault(Layer.PROFILE, f"{body}/GrpHdr/NbOfTxs", reason, Code.COUNT))
    number = header.message_type if header else app_header.number if app_header else None
    return Credit(
        name=file.name,
        number=number or opened.iso,
        created=message.created if app_header is None else app_header.created,
        created_at=f"{body}/GrpHdr/CreDtTm" if app_header is None else "AppHdr/CreDt",
        message=message,
        transaction=message.transactions[0],
        body=body,
    )


def _message(opened: Opened, body: str) -> CustomerCredit | BankCredit:
    if opened.iso == credits.PACS_008:
        return credits.read_customer_credit(opened.root)
    if opened.iso == credits.PACS_009:
        return credits.read_bank_credit(opened.root)
    if opened.iso == debits.PACS_003:
        reason = "a direct debit is business of BEPS and IBPS: name one of them as the system of these messages"
        raise _business(body, reason)
    raise _business(body, f"{opened.iso} is no credit transfer; {credits.PACS_008} and {credits.PACS_009} are")


@dataclass(frozen=True, slots=True)
class _Sound:
    """What is kept of a file until all are read: the payment as a row of a payments file.

    ids: the transaction's; and participant, business id and number of the message
    """

    created: dt.datetime
    name: str
    ids: tuple[str, tuple[str, str, str]]
    body: str
    row: dict[str, object]


class SeenInFiles:
    """Which transactions and messages have been read, and with which file."""

    def __init__(self) -> None:
        self._transactions: dict[str, str] = {}
        self._messages: dict[tuple[str, str, str], str] = {}

    def note(self, name: str, body: str, element: str, numbers: Sequence[str], message: tuple[str, str, str]) -> None:
        """Neither a transaction nor the message of a file has been read before (else Refused); from now on they have.

        body, element: the place of the message and the name of its transactions' element; message: participant,
        business id and number
        """
        for number in numbers:
            if number in self._transactions:
                reason = f"{number} has come with {self._transactions[number]}"
                raise _business(f"{body}/{element}/PmtId/TxId", reason, Code.DUPLICATE)
        if message in self._messages:
            reason = f"{message[1]} of {message[0]} has come with {self._messages[message]}"
            raise _business(f"{body}/GrpHdr/MsgId", reason, Code.DUPLICATE)
        self._transactions.update(dict.fromkeys(numbers, name))
        self._messages[message] = name


class MessageFiles:
    """Reads the message files of one run. Of several messages with one id, the first of all that it reads counts.

    account_index: row of each account of the run
    travelling:    whether payments travel on as messages, so that their ids must fit into those

    expected: what is asked of every file
    seen:     what has been read
    rejected: the files that brought no payment, so far
    """

    def __init__(self, account_index: Mapping[str, int], timetable: Timetable, travelling: bool) -> None:
        self.rejected: list[RejectedFile] = []
        self._index = account_index
        self._timetable = timetable
        self._travelling = travelling
        self._midnight = dt.datetime.combine(timetable.first_date, dt.time(), CHINA)
        days = timetable.business_days
        self._begins_ms = Hvps.begins_ms(days[0]) // MS_PER_DAY * MS_PER_DAY
        self._ends_ms = days[-1].midnight_ms + MS_PER_DAY
        self._dates = frozenset(day.date for day in days)
        # Accounts without the right check digit could not be named by messages that are asked for it.
        codes = [account for account in account_index if len(account) == BANK_CODE_LENGTH and account.isdigit()]
        self.expected = Expected(strict_bank_codes=all(map(is_valid, codes)))
        self.seen = SeenInFiles()

    def read(self, path: Path) -> Flow:
        """The payments of a folder or zip file, by time, at equal times by file name; the other files join `rejected`.

        InputError if the folder or zip file as a whole is of no use (see `read_files`), if no file in it is a message,
        or if the payments add up to more than the books can count.
        """
        sound: list[_Sound] = []
        rejected: list[RejectedFile] = []
        rows: list[dict[str, object]] = []
        for name, credit in _credits(path, self.expected):
            try:
                sound.append(self._sound(credit))
            except Refused as refused:
                rejected.append(RejectedFile(name, refused.fault))
        files = len(sound) + len(rejected)
        for each in sorted(sound, key=lambda each: (each.created, each.name)):
            try:
                number, message = each.ids
                self.seen.note(each.name, each.body, "CdtTrfTxInf", [number], message)
                rows.append(each.row)
            except Refused as refused:
                rejected.append(RejectedFile(each.name, refused.fault))
        self.rejected += sorted(rejected, key=lambda file: file.name)
        flow = from_rows(rows, self._index, self._timetable.first_date, str(path))
        flow.notes[NOTES] = {"files": files, "payments": len(rows), "rejected": len(rejected)}
        return flow

    def _sound(self, credit: Credit | Fault) -> _Sound:
        """The payment of a credit transfer. Refused if the run cannot take it."""
        if isinstance(credit, Fault):
            raise Refused(credit)
        self._check_dates(credit)
        self._check_accounts(credit)
        self._check_values(credit)
        message, paid = credit.message, credit.transaction
        row: dict[str, object] = {
            "payment_id": paid.transaction_id,
            "time": credit.created.astimezone(CHINA).replace(tzinfo=None).isoformat(timespec="milliseconds"),
            "debtor": message.instructing,
            "creditor": message.instructed,
            "amount": format_fen(paid.amount_fen),
            "priority": paid.priority,
            "type": paid.business_type,
            "on_behalf_of": credit.on_behalf_of,
        }
        ids = (paid.transaction_id, (message.instructing, message.business_id, credit.number))
        return _Sound(credit.created, credit.name, ids, credit.body, row)

    def _check_dates(self, credit: Credit) -> None:
        """It is to settle on the working date (工作日期) on which it was written."""
        place, date = credit.part("IntrBkSttlmDt"), credit.transaction.settlement_date
        if date not in self._dates:
            raise _date(place, f"{date} is no business date of the run")
        created_ms = (credit.created - self._midnight) // _MILLISECOND
        if not self._begins_ms <= created_ms < self._ends_ms:
            raise _date(credit.created_at, f"{credit.created.isoformat()} is not within the days of the run")
        working_date = self._timetable.business_days[self._timetable.day_index(created_ms)].date
        if date != working_date:
            raise _date(place, f"{date} is not the working date {working_date}")

    def _check_accounts(self, credit: Credit) -> None:
        """Both participants keep an account, and neither stands in for another one that does."""
        message = credit.message
        for participant, name, (agent, agent_name), code in (
            (message.instructing, "InstgAgt", credit.debtor_agent, Code.DEBTOR_AGENT),
            (message.instructed, "InstdAgt", credit.creditor_agent, Code.CREDITOR_AGENT),
        ):
            if participant not in self._index:
                raise _business(credit.group(name), f"{participant} keeps no account in this run", code)
            if agent != participant and agent in self._index:
                reason = f"{agent} keeps an account of its own and does not settle by way of {participant}"
                raise _business(credit.part(agent_name), reason, code)

    def _check_values(self, credit: Credit) -> None:
        """The books can count the amount; results, and messages, can carry the id."""
        paid, place = credit.transaction, credit.part("PmtId/TxId")
        if paid.amount_fen > MAX_FEN:
            reason = f"{format_fen(paid.amount_fen)} is more than {format_fen(MAX_FEN)}, the largest amount of a run"
            raise _business(credit.part("IntrBkSttlmAmt"), reason)
        number = paid.transaction_id
        if number in _RESERVED or number.startswith(_RESERVED_PREFIX):
            raise _business(place, f"{number} is a word of its own in results")
        if self._travelling and not can_travel(number):
            raise _business(place, f"{number} has blanks, and messages of a run cannot carry it")


def usual_date(path: Path) -> dt.date | None:
    """The date on which most messages of a folder or zip file are to settle, the earliest of equals; None if none is.

    InputError as in `MessageFiles.read`.
    """
    lenient = Expected(strict_bank_codes=False)
    read = (credit for _, credit in _credits(path, lenient))
    dates = Counter(credit.transaction.settlement_date for credit in read if isinstance(credit, Credit))
    return min(dates, key=lambda date: (-dates[date], date), default=None)


def _credits(path: Path, expected: Expected) -> Iterator[tuple[str, Credit | Fault]]:
    """The name of every file with its credit transfer, or with why there is none.

    InputError at the end if not one looks like a message.
    """
    files, messages = 0, 0
    for file in read_files(path):
        files += 1
        messages += file.data.removeprefix(_BYTE_ORDER_MARK).lstrip().startswith(_BEGINNINGS)
        try:
            yield file.name, credit_of(file, expected)
        except Refused as refused:
            yield file.name, refused.fault
    if not messages:
        allowed = f"files of {credits.PACS_008} or {credits.PACS_009}"
        raise InputError(str(path), "", "holds no message", f"files: {files}", allowed)


def _date(path: str, reason: str) -> Refused:
    return Refused(Fault(Layer.PROFILE, path, reason, Code.DATE))


def _business(path: str, reason: str, code: str = Code.FORMAT) -> Refused:
    return Refused(Fault(Layer.BUSINESS, path, reason, code))
