"""Message files of BEPS and IBPS as workload: each file is one package (包) or one online payment.

A file holds one pacs.008, pacs.009 or pacs.003, with or without envelope. The layers of `messages.validate` judge it,
then the business rules of this module: its system clears it, it is of a retail date of the run, its payments are of
one type between two participants that keep an account, and its ids are new. A file that is refused leaves its fault
and nothing else. Limits of packages and amounts are for the run: what breaks them is refused there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cnaps_sim.messages import credits, debits
from cnaps_sim.messages.faults import Code, Fault, Layer, Refused
from cnaps_sim.messages.rules import Expected
from cnaps_sim.messages.schemas import path_of
from cnaps_sim.messages.validate import open_bytes
from cnaps_sim.messages.xmltext import CHINA
from cnaps_sim.run.message_files import RejectedFile, SeenInFiles
from cnaps_sim.run.message_folder import FoundFile, read_files
from cnaps_sim.systems.mail import can_travel
from cnaps_sim.systems.retail_terms import KIND_OF, Package, package_of
from cnaps_sim.words.codes import Cause, System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.retail_days import RetailDay
from cnaps_sim.words.units import MAX_FEN, format_fen
from cnaps_sim.workload.retail_items import RetailItems, items_from_rows

_MILLISECOND: Final = dt.timedelta(milliseconds=1)
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BEGINNINGS: Final = (b"{", b"<")
#: The kind of a document that no header numbers, by system and whether it is a debit: the most usual one.
_USUAL: Final = {
    (System.BEPS, False): RetailKind.ORDINARY_CREDIT,
    (System.BEPS, True): RetailKind.ORDINARY_DEBIT,
    (System.IBPS, False): RetailKind.IBPS_CREDIT,
    (System.IBPS, True): RetailKind.IBPS_DEBIT,
}
_PAYMENTS: Final = (credits.PACS_008, credits.PACS_009, debits.PACS_003)
_RESERVED: Final = frozenset(cause.word for cause in Cause if cause.word)


@dataclass(frozen=True, slots=True)
class Filed:
    """A package or payment that one file holds.

    number:  CNAPS number where the file tells it, else the ISO id
    created: when it was written, of its application header, else of its group header; created_at: the place of that
    body, element: the place of the message, and the name of its transactions' element
    """

    name: str
    number: str
    created: dt.datetime
    created_at: str
    body: str
    element: str
    package: Package


class RetailMessageFiles:
    """Reads the message files of BEPS and IBPS of one run.

    index: row of each account; days: the retail dates of the run; midnight: of its first date
    expected, seen: what is asked of a file, and what has been read, both as for the files of HVPS
    travelling: whether payments travel on as messages, so that their ids must fit into those

    rejected: the files that brought nothing, so far; counts: files, payments and rejected ones, for the manifest
    """

    def __init__(
        self,
        index: Mapping[str, int],
        days: Sequence[RetailDay],
        first_date: dt.date,
        expected: Expected,
        seen: SeenInFiles,
        travelling: bool,
    ) -> None:
        self._index = index
        self._days = days
        self._first_date = first_date
        self._midnight = dt.datetime.combine(first_date, dt.time(), CHINA)
        self._expected = expected
        self._seen = seen
        self._travelling = travelling
        self.rejected: list[RejectedFile] = []
        self.counts = {"files": 0, "payments": 0, "rejected": 0}

    def read(self, path: Path, system: System, name: str) -> RetailItems:
        """The items of a folder or zip file, by time, at equal times by file name; the other files join `rejected`.

        name: names the source. InputError if the folder or zip file is of no use, or no file in it is a message.
        """
        sound: list[Filed] = []
        rejected: list[RejectedFile] = []
        files, messages = 0, 0
        for file in read_files(path):
            files += 1
            messages += file.data.removeprefix(_BYTE_ORDER_MARK).lstrip().startswith(_BEGINNINGS)
            try:
                sound.append(self._sound(_filed(file, system, self._expected)))
            except Refused as refused:
                rejected.append(RejectedFile(file.name, refused.fault))
        if not messages:
            allowed = f"files of {', '.join(_PAYMENTS)}"
            raise InputError(str(path), "", "holds no message", f"files: {files}", allowed)
        rows: list[dict[str, object]] = []
        places: list[str] = []
        for each in sorted(sound, key=lambda each: (each.created, each.name)):
            try:
                rows += self._rows(each)
                places += [f"{path}/{each.name}"] * len(each.package.items)
            except Refused as refused:
                rejected.append(RejectedFile(each.name, refused.fault))
        self.rejected += sorted(rejected, key=lambda file: file.name)
        for counted, count in zip(self.counts, (files, len(rows), len(rejected)), strict=True):
            self.counts[counted] += count
        return items_from_rows(rows, self._index, self._first_date, system, name, places.__getitem__)

    def _rows(self, filed: Filed) -> list[dict[str, object]]:
        """The payments as rows of a payments file. Refused if one of its ids has come before."""
        package = filed.package
        numbers = [number for number, _ in package.items]
        message = (package.starter, package.business_id, filed.number)
        self._seen.note(filed.name, filed.body, filed.element, numbers, message)
        parties = (package.other, package.starter) if package.kind.is_debit else (package.starter, package.other)
        ((payer, _),) = package.agents
        return [
            {
                "payment_id": number,
                "time": filed.created.astimezone(CHINA).replace(tzinfo=None).isoformat(timespec="milliseconds"),
                "debtor": parties[0],
                "creditor": parties[1],
                "amount": format_fen(fen),
                "type": package.kind.code,
                "on_behalf_of": "" if payer == parties[0] else payer,
                **({"package": filed.name} if package.kind.system is System.BEPS else {}),
            }
            for number, fen in package.items
        ]

    def _sound(self, filed: Filed) -> Filed:
        """A file that the run can take. Refused otherwise."""
        self._check_date(filed)
        self._check_parties(filed)
        for number, fen in filed.package.items:
            place = f"{filed.body}/{filed.element}"
            if fen > MAX_FEN:
                reason = f"{format_fen(fen)} is more than {format_fen(MAX_FEN)}, the largest amount of a run"
                raise _business(f"{place}/IntrBkSttlmAmt", reason)
            if number in _RESERVED or number.startswith("matching:"):
                raise _business(f"{place}/PmtId/TxId", f"{number} is a word of its own in results")
            if self._travelling and not can_travel(number):
                reason = f"{number} has blanks, and messages of a run cannot carry it"
                raise _business(f"{place}/PmtId/TxId", reason)
        return filed

    def _check_date(self, filed: Filed) -> None:
        """It is to be netted on the retail date on which it was written."""
        created_ms = (filed.created - self._midnight) // _MILLISECOND
        day = next((day for day in self._days if day.begins_ms <= created_ms < day.ends_ms), None)
        if day is None:
            reason = f"{filed.created.isoformat()} is not within the retail dates of the run"
            raise Refused(Fault(Layer.PROFILE, filed.created_at, reason, Code.DATE))
        wrong = next((date for date in sorted(filed.package.dates) if date != day.date), None)
        if wrong is not None:
            place = f"{filed.body}/{filed.element}/IntrBkSttlmDt"
            raise Refused(Fault(Layer.PROFILE, place, f"{wrong} is not the retail date {day.date}", Code.DATE))

    def _check_parties(self, filed: Filed) -> None:
        """One type, two participants that keep an account, and neither stands in for another one that does."""
        package = filed.package
        if len(package.types) > 1:
            raise _business(f"{filed.body}/{filed.element}/PmtTpInf", "a package holds payments of one business type")
        if len(package.agents) > 1:
            raise _business(f"{filed.body}/{filed.element}", "a package goes between two banks", Code.AGENT)
        ((payer, payee),) = package.agents
        started, asked = (payee, payer) if package.kind.is_debit else (payer, payee)
        for participant, name, agent in ((package.starter, "InstgAgt", started), (package.other, "InstdAgt", asked)):
            if participant not in self._index:
                place = f"{filed.body}/GrpHdr/{name}"
                raise _business(place, f"{participant} keeps no account in this run", Code.AGENT)
            if agent != participant and agent in self._index:
                reason = f"{agent} keeps an account of its own and does not settle by way of {participant}"
                raise _business(f"{filed.body}/{filed.element}", reason, Code.AGENT)


def _filed(file: FoundFile, system: System, expected: Expected) -> Filed:
    """What a file holds. Refused, by whichever layer, if it is nothing that the system clears."""
    if file.problem:
        raise Refused(Fault(Layer.TRANSPORT, "", file.problem))
    opened = open_bytes(file.data, expected)
    body = path_of(opened.root[0])
    if opened.iso not in _PAYMENTS:
        raise _business(body, f"{opened.iso} brings no payment; {', '.join(_PAYMENTS)} do")
    header, app_header = opened.header, opened.app_header
    number = header.message_type if header else app_header.number if app_header else None
    is_debit = opened.iso == debits.PACS_003
    kind = KIND_OF.get(number) if number else _USUAL[system, is_debit]
    package = package_of(opened.iso, opened.root, kind or _USUAL[system, is_debit])
    if package.system != system:
        reason = f"{package.system} settles it, these messages are of {system.value}"
        raise _business(f"{body}/GrpHdr/SttlmInf/ClrSys/Prtry", reason)
    if kind is None or kind.system is not system or kind.is_debit != is_debit:
        raise _business("AppHdr/BizSvc", f"{number} is no business of {system.value} in this form")
    if system is System.IBPS and len(package.items) != 1:
        reason = f"{system.value} takes one transaction at a time, not {len(package.items)}"
        raise Refused(Fault(Layer.PROFILE, f"{body}/GrpHdr/NbOfTxs", reason, Code.COUNT))
    return Filed(
        name=file.name,
        number=number or opened.iso,
        created=package.created if app_header is None else app_header.created,
        created_at=f"{body}/GrpHdr/CreDtTm" if app_header is None else "AppHdr/CreDt",
        body=body,
        element="DrctDbtTxInf" if is_debit else "CdtTrfTxInf",
        package=package,
    )


def _business(path: str, reason: str, code: str = Code.FORMAT) -> Refused:
    return Refused(Fault(Layer.BUSINESS, path, reason, code))
