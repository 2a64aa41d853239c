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
from cnaps_sim.messages.sample_story import AT, DAY, PAYEE_BANK, PAYER_BANK
from cnaps_sim.words.codes import System
from cnaps_sim.words.errors import InputError, nearest

_SAMPLES: Final = {**PAYMENT_SAMPLES, **REPORT_SAMPLES}
#: The ids of all samples: communication id and business id, date and sequence.
_NUMBER: Final = f"{DAY:%Y%m%d}00000001"
#: Forms that the payee's bank sends; the payer's bank sends the others.
_FROM_PAYEE: Final = ("pacs.002.001.10", "pacs.003.001.08", "pacs.004.001.09", "camt.029.001.09")


def sample(number_or_iso: str) -> bytes:
    """A valid message in its envelope, with application header, without signature.

    number_or_iso: CNAPS number or ISO id, in full (`hvps.111.001.01`) or short (`hvps.111`); where that names several
        kinds, the first of the catalogue
    InputError if it is not in the catalogue, or is no ISO 20022 message.
    """
    return sample_of(kind_named(number_or_iso))


def sample_document(number_or_iso: str) -> bytes:
    """The document of `sample` alone."""
    return document_of(kind_named(number_or_iso))


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
        message_id=_NUMBER,
        direction=direction,
    )
    return envelope.write(header, "", build_app_header(app_header), document_of(kind))


def document_of(kind: Kind) -> bytes:
    """The document of the sample of one kind."""
    return FORMS[kind.iso].build(record_of(kind))


def record_of(kind: Kind) -> Any:
    """The sample of one kind as a record of its form."""
    return _SAMPLES[kind.iso](kind, _business_id(kind, _way(kind)[0]))


def kind_named(number_or_iso: str) -> Kind:
    """The first ISO kind of a CNAPS number or ISO id. InputError as in `sample`."""
    kinds = find(number_or_iso) or of_iso(number_or_iso)
    if not kinds:
        known = {kind.number for kind in CATALOGUE} | {kind.iso for kind in CATALOGUE if kind.is_iso}
        raise InputError("ID", "", "not in the catalogue", number_or_iso, nearest(number_or_iso, known))
    if not kinds[0].is_iso:
        raise InputError("ID", "", "no ISO 20022 message, so there is no sample", number_or_iso)
    return kinds[0]


def _way(kind: Kind) -> tuple[str, str, str]:
    """Sender, receiver and direction of the sample in its transport header."""
    bank = PAYEE_BANK if kind.iso in _FROM_PAYEE else PAYER_BANK
    if kind.way is Way.TO_BANK:
        return CENTRE, PAYER_BANK, FROM_CENTRE
    return CENTRE if kind.way is Way.INSIDE else bank, CENTRE, TO_CENTRE


def _business_id(kind: Kind, sender: str) -> str:
    return sender + _NUMBER if kind.system is System.IBPS else _NUMBER
