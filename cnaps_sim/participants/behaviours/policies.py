"""The bundled policies: names, sources, parameters and what each means in a plan.

Parameters: money in fen, times of day in ms since midnight, shares as Decimal. `until` is when a bank gives up waiting
and sends what it has kept: None for half an hour before cut-off, NEVER for not at all. [P] marks defaults without a
public source.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from cnaps_sim.participants.behaviours.plan import (
    ALL_LEVELS,
    Plan,
    Policy,
    held,
    millionths,
    money,
    plan_until,
)
from cnaps_sim.words.codes import Level
from cnaps_sim.words.timetable import BusinessDay
from cnaps_sim.words.units import MS_PER_HOUR, MS_PER_MINUTE

_NORMAL: Final = int(Level.NORMAL)
#: When `hold-until` sends [P].
HOLDS_UNTIL_MS: Final = 10 * MS_PER_HOUR
#: When a free rider stops waiting for others [P].
RIDES_UNTIL_MS: Final = 15 * MS_PER_HOUR
#: What is kept of the opening balance where nobody says how much [P].
RESERVE_SHARE: Final = Decimal("0.2")
#: Guideline of CHAPS: half of the day's value by noon, three quarters by half past two.
THROUGHPUT: Final = ((12 * MS_PER_HOUR, Decimal("0.5")), (14 * MS_PER_HOUR + 30 * MS_PER_MINUTE, Decimal("0.75")))


@dataclass(frozen=True)
class SendAtOnce(Policy):
    """Every payment is sent the moment the bank is told to make it: what a bank without a policy does."""

    name: ClassVar[str] = "send-at-once"
    chinese: ClassVar[str] = "即时发送"
    reference: ClassVar[str] = "real-time gross settlement without strategy: Angelini (1998), the cooperative benchmark"

    def plan(self, day: BusinessDay, opening: int) -> Plan | None:  # noqa: ARG002 - it looks at neither
        """It has none."""
        return None


@dataclass(frozen=True)
class HoldUntil(Policy):
    """Payments of some levels are kept until a time of day, then sent all at once in the order they were told."""

    name: ClassVar[str] = "hold-until"
    chinese: ClassVar[str] = "定时发送"
    reference: ClassVar[str] = "Bech and Garratt (2003), The intraday liquidity management game: pay in the afternoon"
    until: int | None = HOLDS_UNTIL_MS
    levels: tuple[int, ...] = ALL_LEVELS

    def plan(self, day: BusinessDay, opening: int) -> Plan:  # noqa: ARG002
        """Nothing before its time."""
        return held(day, self.until, self.levels)


@dataclass(frozen=True)
class ReceiptReactive(Policy):
    """Receipt-reactive: sends while what it has sent today stays within a budget plus a share of today's receipts."""

    name: ClassVar[str] = "receipt-reactive"
    chinese: ClassVar[str] = "以收定支"
    reference: ClassVar[str] = "Johnson, McAndrews and Soramäki (2004), receipt-reactive gross settlement"
    budget: int | None = None
    share_of_opening: Decimal | None = None
    receipt_share: Decimal = Decimal(1)
    levels: tuple[int, ...] = ALL_LEVELS
    until: int | None = None

    def plan(self, day: BusinessDay, opening: int) -> Plan:
        """Without budget and share it spends receipts alone, as in the source."""
        budget = money(self.budget, self.share_of_opening, opening)
        receipt_ppm = millionths(self.receipt_share)
        return plan_until(day, self.until, self.levels, budget=budget, receipt_ppm=receipt_ppm)


@dataclass(frozen=True)
class KeepReserve(Policy):
    """Payments of some levels are sent while a reserve stays available after each."""

    name: ClassVar[str] = "keep-reserve"
    chinese: ClassVar[str] = "保留备付"
    reference: ClassVar[str] = "liquidity reservations in the bank's own hands: McAndrews and Trundle (2001)"
    reserve: int | None = None
    share_of_opening: Decimal | None = None
    levels: tuple[int, ...] = (_NORMAL,)
    until: int | None = None

    def plan(self, day: BusinessDay, opening: int) -> Plan:
        """Without reserve and share it keeps a fifth of what it opens with [P]."""
        return _keeping(self.reserve, self.share_of_opening, self.levels, self.until, day, opening)


@dataclass(frozen=True)
class UrgentFirst(Policy):
    """URGT and HIGH go at once; NORM goes only while the reserve kept for those two stays available."""

    name: ClassVar[str] = "urgent-first"
    chinese: ClassVar[str] = "紧急优先"
    reference: ClassVar[str] = "prioritising by urgency: Becher, Galbiati and Tudela (2008)"
    reserve: int | None = None
    share_of_opening: Decimal | None = None
    until: int | None = None

    def plan(self, day: BusinessDay, opening: int) -> Plan:
        """Without reserve and share it keeps a fifth of what it opens with [P]."""
        return _keeping(self.reserve, self.share_of_opening, (_NORMAL,), self.until, day, opening)


@dataclass(frozen=True)
class Throughput(Policy):
    """Throughput guideline: payments are kept, and by given times a share of the value told so far has been sent."""

    name: ClassVar[str] = "throughput"
    chinese: ClassVar[str] = "吞吐量指引"
    reference: ClassVar[str] = "CHAPS throughput guidelines: Becher, Galbiati and Tudela (2008)"
    shares: tuple[tuple[int, Decimal], ...] = THROUGHPUT
    until: int | None = None

    def plan(self, day: BusinessDay, opening: int) -> Plan:  # noqa: ARG002
        """Heads of the outbox go at each instant until the share is reached; the rest when it gives up."""
        bare = held(day, self.until)
        shares = tuple((day.midnight_ms + clock, share) for clock, share in self.shares)
        return Plan(bare.until_ms, bare.levels, bare.hold_ms, gives_up=bare.gives_up, shares=shares)


@dataclass(frozen=True)
class Split(Policy):
    """Payments above an amount are told as several smaller ones, each settling by itself; all are sent at once.

    pieces: how many; or max_piece: the largest piece. Pieces differ by a fen at most.
    """

    name: ClassVar[str] = "split"
    chinese: ClassVar[str] = "拆分大额"
    reference: ClassVar[str] = "Denbee and Norman (2010), The impact of payment splitting on liquidity requirements"
    above: int
    pieces: int | None = None
    max_piece: int | None = None

    def plan(self, day: BusinessDay, opening: int) -> Plan | None:  # noqa: ARG002
        """What it splits is split before the day begins."""
        return None

    def count(self, amount: int) -> int:
        """In how many pieces a payment of `amount` fen is told; 1 if it is left whole."""
        if amount <= self.above:
            return 1
        return min(self.pieces, amount) if self.pieces is not None else -(-amount // (self.max_piece or amount))


@dataclass(frozen=True)
class FreeRider(Policy):
    """Free rider: sends only what it has received, net, and waits for others to pay first."""

    name: ClassVar[str] = "free-rider"
    chinese: ClassVar[str] = "搭便车"
    reference: ClassVar[str] = "Angelini (1998); Denbee, Garratt and Zimmerman (2012), free riding on liquidity"
    until: int | None = RIDES_UNTIL_MS

    def plan(self, day: BusinessDay, opening: int) -> Plan:  # noqa: ARG002
        """No money of its own before its time."""
        return plan_until(day, self.until, ALL_LEVELS, budget=0, receipt_ppm=millionths(Decimal(1)))


def _keeping(
    reserve: int | None,
    share: Decimal | None,
    levels: tuple[int, ...],
    until: int | None,
    day: BusinessDay,
    opening: int,
) -> Plan:
    if reserve is None and share is None:
        share = RESERVE_SHARE
    return plan_until(day, until, levels, reserve=money(reserve, share, opening))
