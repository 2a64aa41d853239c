"""One valid sample of every ISO message of the catalogue: what `messages build` writes, and where tests begin."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from cnaps_sim.messages import envelope
from cnaps_sim.messages.app_header import AppHeader, build_app_header
from cnaps_sim.messages.catalogue import CATALOGUE, Kind, Way, find, of_iso
from cnaps_sim.messages.codec import FORMS
from cnaps_sim.messages.envelope import CENTRE, FROM_CENTRE, TO_CENTRE, Header
from cnaps_sim.messages.sample_payments import PAYMENT_SAMPLES
from cnaps_sim.messages.sample_reports import REPORT_SAMPLES
from cnaps_sim.messages.sample_story import AT, DAY, PAYEE_BANK, PAYER_BANK, number_of
from cnaps_sim.words.codes import System
from cnaps_sim.words.errors import InputError, nearest

_SAMPLES: Final = {**PAYMENT_SAMPLES, **REPORT_SAMPLES}
#: Length of a short number (`hvps.111`) and of a short ISO id (`pacs.008`).
_SHORT: Final = 8
#: How many names are suggested for one that is not in the catalogue.
_MOST_NAMED: Final = 3
#: Forms that the payee's bank sends; the payer's bank sends the others.
_FROM_PAYEE: Final = ("pacs.002.001.10", "pacs.003.001.08", "pacs.004.001.09", "camt.029.001.09")


def sample(name: str) -> bytes:
    """A valid message in its envelope, with application header, without signature; names as for `kind_named`."""
    return sample_of(kind_named(name))


def sample_document(name: str) -> bytes:
    """The document of `sample` alone."""
    return document_of(kind_named(name))


def sample_of(kind: Kind) -> bytes:
    """The sample of one kind, in its envelope."""
    sender, receiver, direction = _way(kind)
    record = record_of(kind)
    app_header = AppHeader(
        from_member=sender,
        to_member=getattr(record, "instructed", receiver),
        business_id=_business_id(kind, sender),
        message_id=kind.iso,
        created=AT,
        number=kind.number,
    )
    inside = kind.way is Way.INSIDE
    header = Header(
        sender=sender,
        sender_system=System.NETS if inside else kind.system,
        receiver=receiver,
        receiver_system=System.SAPS if inside else kind.system,
        date=DAY,
        time=dt.time(AT.hour, AT.minute, AT.second),
        message_type=kind.number,
        message_id=number_of(kind),
        direction=direction,
    )
    return envelope.write(header, "", build_app_header(app_header), document_of(kind))


def document_of(kind: Kind) -> bytes:
    """The document of the sample of one kind."""
    return FORMS[kind.iso].build(record_of(kind))


def record_of(kind: Kind) -> Any:
    """The sample of one kind as a record of its form."""
    return _SAMPLES[kind.iso](kind, _business_id(kind, _way(kind)[0]))


def kind_named(name: str) -> Kind:
    """The kind of message that a person means, in capitals or not; the first of the catalogue where it has several.

    name: CNAPS number or ISO id, in full (`hvps.111.001.01`) or short (`hvps.111`), or both (`ccms.307/camt.008`)
    InputError if there is none, or if it is no ISO 20022 message.
    """
    told = name.lower()
    number, slash, iso = told.partition("/")
    kinds = [kind for kind in find(number) if kind in of_iso(iso)] if slash else [*find(told), *of_iso(told)]
    if not kinds:
        raise InputError("ID", "", "no such message", name, _close_to(number, iso))
    if not kinds[0].is_iso:
        raise InputError("ID", "", "is not ISO 20022 and has no schema here", name, "see cnaps-sim messages list")
    return kinds[0]


def _close_to(number: str, iso: str) -> str:
    """The names most like one that is not in the catalogue: what it begins, the forms of its number, else its looks."""
    kinds = [kind for kind in CATALOGUE if kind.is_iso]
    if iso and find(number):
        return ", ".join(f"{number}/{kind.iso}" for kind in kinds if kind in find(number))
    names = {name for kind in kinds for name in (kind.number, kind.iso)}
    short = sorted({name[:_SHORT] for name in names})
    begun = [name for name in short if number and name.startswith(number)]
    return ", ".join(begun[:_MOST_NAMED]) or nearest(number, sorted(names) if len(number) > _SHORT else short)


def _way(kind: Kind) -> tuple[str, str, str]:
    """Sender, receiver and direction of the sample in its transport header."""
    bank = PAYEE_BANK if kind.iso in _FROM_PAYEE else PAYER_BANK
    if kind.way is Way.TO_BANK:
        return CENTRE, PAYER_BANK, FROM_CENTRE
    return CENTRE if kind.way is Way.INSIDE else bank, CENTRE, TO_CENTRE


def _business_id(kind: Kind, sender: str) -> str:
    return sender + number_of(kind) if kind.system is System.IBPS else number_of(kind)
