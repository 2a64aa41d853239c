"""The working day that all samples tell of: who, when, which payment.

ICBC (102100099996) pays ABC (103100000026) CNY 1 000 000.00 on 17 June 2025; figures and customers are invented.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from cnaps_sim.messages.parts import OriginalMessage
from cnaps_sim.messages.xmltext import CHINA

DAY: Final = dt.date(2025, 6, 17)
AT: Final = dt.datetime(2025, 6, 17, 10, 30, tzinfo=CHINA)
PAYER_BANK: Final = "102100099996"
PAYEE_BANK: Final = "103100000026"

#: The payment: its number, end-to-end references, amount in fen, and the message that carried it.
PAYMENT: Final = "2025061700000007"
UETR: Final = "8a562c67-ca16-48ba-b074-65581be6f001"
END_TO_END: Final = "INVOICE-2025-0617"
FEN: Final = 100_000_000
ORIGINAL: Final = OriginalMessage("2025061700000007", "hvps.111.001.01", AT - dt.timedelta(minutes=5))


def at(hour: int, minute: int = 0, day: dt.date = DAY) -> dt.datetime:
    """A moment of the day, or of another one."""
    return dt.datetime.combine(day, dt.time(hour, minute), CHINA)
