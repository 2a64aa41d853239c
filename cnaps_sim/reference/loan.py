"""One pledge loan (质押融资, G109) and the interest on it.

Source: liquidity tools, automatic pledge financing; its overnight rate is charged by the hour.
"""

from __future__ import annotations

from typing import Final

_MS_PER_HOUR: Final = 3_600_000
#: A yearly rate in millionths, of which an hour is charged on 360 days of 24 hours.
_HOURS_AND_MILLIONTHS: Final = 360 * 24 * 1_000_000


class Loan:
    """What an account owes the central bank for one drawing on its bonds.

    sequence   of the move that paid it out; later moves name the loan by it
    principal  fen
    accrued    interest up to `since_ms`, fen
    since_ms   from then on interest is charged by begun hours
    rate_ppm   yearly, in millionths
    overdue    the rate has been raised because the loan was not repaid in its day
    """

    __slots__ = ("accrued", "overdue", "principal", "rate_ppm", "sequence", "since_ms")

    def __init__(self, sequence: int, principal: int, since_ms: int, rate_ppm: int) -> None:
        self.sequence = sequence
        self.principal = principal
        self.accrued = 0
        self.since_ms = since_ms
        self.rate_ppm = rate_ppm
        self.overdue = False

    def interest(self, time: int) -> int:
        """The interest up to now, fen: begun hours, at least one, rounded half up to the fen."""
        hours = max(1, -((self.since_ms - time) // _MS_PER_HOUR))
        charge = self.principal * self.rate_ppm * hours
        return self.accrued + (2 * charge + _HOURS_AND_MILLIONTHS) // (2 * _HOURS_AND_MILLIONTHS)

    def fall_overdue(self, time: int, extra_ppm: int) -> None:
        """Charge the interest so far and raise the rate; an overdue loan stays as it is."""
        if self.overdue:
            return
        self.accrued = self.interest(time)
        self.since_ms = time
        self.rate_ppm += extra_ppm
        self.overdue = True

    def shown(self) -> tuple[int, int, int, int, int, bool]:
        """(sequence, principal, accrued, since_ms, rate_ppm, overdue)."""
        return self.sequence, self.principal, self.accrued, self.since_ms, self.rate_ppm, self.overdue
