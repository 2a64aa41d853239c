"""The working day that all samples tell of: who, when, which payment.

ICBC (102100099996) pays ABC (103100000026) CNY 1 000 000.00 on 17 June 2025; figures and customers are invented. That
payment is the sample of the first message of the catalogue; every other sample has ids of its own, also where it is a
payment itself, so that all samples together can be the traffic of one day.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from cnaps_sim.messages.catalogue import CATALOGUE, Kind, find
from cnaps_sim.messages.parts import OriginalMessage
from cnaps_sim.messages.xmltext import CHINA

DAY: Final = dt.date(2025, 6, 17)
AT: Final = dt.datetime(2025, 6, 17, 10, 30, tzinfo=CHINA)
PAYER_BANK: Final = "102100099996"
PAYEE_BANK: Final = "103100000026"

_PLACES: Final = {kind: place for place, kind in enumerate(CATALOGUE, 1)}


def number_of(kind: Kind) -> str:
    """The communication, business and transaction id of the sample of a kind: date and place in the catalogue."""
    return f"{DAY:%Y%m%d}{_PLACES[kind]:08d}"


def uetr_of(kind: Kind) -> str:
    """The end-to-end reference of the payment that the sample of a kind makes."""
    return f"8a562c67-ca16-48ba-b074-65581be6f{_PLACES[kind]:03d}"


def asked(number: str) -> str:
    """The id of the sample message with a number (`saps.363`), which another sample answers."""
    return number_of(find(number)[0])


#: The payment: its number, end-to-end references, amount in fen, and the message that carried it.
PAYMENT: Final = number_of(CATALOGUE[0])
UETR: Final = uetr_of(CATALOGUE[0])
END_TO_END: Final = "INVOICE-2025-0617"
FEN: Final = 100_000_000
ORIGINAL: Final = OriginalMessage(PAYMENT, CATALOGUE[0].number, AT - dt.timedelta(minutes=5))


def at(hour: int, minute: int = 0, day: dt.date = DAY) -> dt.datetime:
    """A moment of the day, or of another one."""
    return dt.datetime.combine(day, dt.time(hour, minute), CHINA)
