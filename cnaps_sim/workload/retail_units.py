"""Retail units: recorded items formed into packages (包), and when and how each unit's cap check comes.

A unit that its own terms refuse is refused when it is sent; one that needs a reply stands at the reply, or where its
limit runs out; one of which neither lies within the run stands at its end, open. Source: rule sections "BEPS" and
"IBPS".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cnaps_sim.words.codes import Refusal, System
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.retail_days import RetailDay
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.units import MS_PER_DAY
from cnaps_sim.workload.retail_amounts import lag_at, lag_table
from cnaps_sim.workload.retail_counts import SLOW, refusal_of_other_bank
from cnaps_sim.workload.retail_items import ALONE, RetailItems
from cnaps_sim.workload.retail_limits import date_index, working_days_ms
from cnaps_sim.workload.retail_terms import BepsTerms, IbpsTerms, RetailTerms

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: Draws are numbers below this one.
_DRAW: Final = 2**32

_IS_DEBIT: Final = np.array([kind.is_debit for kind in RetailKind])
_HAS_REPLY: Final = np.array([kind.has_reply for kind in RetailKind])
_IS_SLOW: Final = np.array([kind in SLOW for kind in RetailKind])
_BANK_SAYS_NO: Final = np.array([refusal_of_other_bank(kind) for kind in RetailKind], np.int8)


@dataclass(eq=False)
class Units:
    """Units of one source, in the order of their first items.

    unit_of:  the unit of each item
    first:    the first item of each unit; time, parties and kind of a unit are those of its first item
    items:    items of each unit
    amount:   fen of all of them
    sent_ms:  when the unit was sent, as given
    time_ms:  instant of its cap check, within the retail dates of the run
    kind:     int8, RetailKind
    refusal:  int8, Refusal that is known without the netting server
    """

    unit_of: Integers
    first: Integers
    items: Integers
    amount: Integers
    sent_ms: Integers
    time_ms: Integers
    kind: npt.NDArray[np.int8]
    refusal: npt.NDArray[np.int8]


def formed_units(items: RetailItems, dates: Sequence[RetailDay], terms: RetailTerms) -> Units:
    """The items formed into packages, with the refusals that need no other bank.

    Items of one package go between the same two participants, at one time, and are of one kind; else each of them
    becomes a unit of its own, refused FORMAT. A package of more items than the limit is refused FORMAT, one with an
    item in a currency without a book NO_BOOK, one with a credit over the limit of its retail date AMOUNT. A unit sent
    outside the retail dates of the run is refused OUT_OF_HOURS; it stands at the nearest instant inside, and keeps the
    time at which it was sent.
    """
    unit_of, is_broken = _packages(items)
    _, first, unit_of, counts = np.unique(unit_of, return_index=True, return_inverse=True, return_counts=True)
    # In the order of their first items, which is that of the source.
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    unit_of, first, counts = rank[unit_of], first[order], counts[order]
    sent_ms = items.time_ms[first]
    kind = items.kind[first]
    amount = np.zeros(len(first), np.int64)
    np.add.at(amount, unit_of, items.amount)
    refusal = np.zeros(len(first), np.int8)
    outside = (sent_ms < dates[0].begins_ms) | (sent_ms >= dates[-1].ends_ms)
    _refuse(refusal, outside, Refusal.OUT_OF_HOURS)
    _refuse(refusal, _any_item(unit_of, _over_limit(items, dates, terms), len(first)), Refusal.AMOUNT)
    _refuse(refusal, _any_item(unit_of, items.refusal == Refusal.NO_BOOK, len(first)), Refusal.NO_BOOK)
    too_many = counts > (terms.beps.package_limit if items.system is System.BEPS else 1)
    _refuse(refusal, too_many | is_broken[first], Refusal.FORMAT)
    inside = np.clip(sent_ms, dates[0].begins_ms, dates[-1].ends_ms - 1)
    return Units(unit_of, first, counts.astype(np.int64), amount, sent_ms, inside, kind, refusal)


def draw_replies(
    units: Units, items: RetailItems, dates: Sequence[RetailDay], terms: RetailTerms, streams: Streams
) -> None:
    """Let the other bank answer the units that need it: sets the instants of their cap checks, and refusals.

    streams: uses `retail.replies.NAME` of the source from its beginning, two draws for each unit, whether it needs
             them or not, so that one unit does not disturb another

    A unit that is refused when it is sent, or goes from an account to itself, waits for no reply. A unit whose reply
    or limit lies past the last retail date of the run is open when the run ends (UNANSWERED): it stands in the last
    millisecond.
    """
    stream = streams.fresh(f"retail.replies.{items.name}")
    count = len(units.first)
    chances, draws = stream.integers(_DRAW, size=(count, 2)).T
    of_system = terms.of(items.system)
    refused = chances < int(of_system.refused_share * _DRAW)
    silent = ~refused & (chances < int((of_system.refused_share + of_system.unanswered_share) * _DRAW))
    is_own = items.debtor[units.first] == items.creditor[units.first]
    waits = _HAS_REPLY[units.kind] & (units.refusal == Refusal.NONE) & ~is_own
    lag_ms = np.zeros(count, np.int64)
    for way in _ways_to_answer(units, of_system):
        table = lag_table(way.median_ms, way.sigma, way.limit_ms)
        lag_ms[way.chosen] = lag_at(table, draws[way.chosen])
        lag_ms[way.chosen & silent] = way.limit_ms
    slow = silent & _IS_SLOW[units.kind]
    if isinstance(of_system, BepsTerms):
        lag_ms[slow] = working_days_ms(units.sent_ms[slow], dates, of_system.reply_days)
    units.time_ms[waits] += lag_ms[waits]
    units.refusal[waits & refused] = _BANK_SAYS_NO[units.kind[waits & refused]]
    units.refusal[waits & silent] = Refusal.TIMED_OUT
    late = waits & (units.time_ms >= dates[-1].ends_ms)
    units.time_ms[late] = dates[-1].ends_ms - 1
    units.refusal[late] = Refusal.UNANSWERED


class _Way(NamedTuple):
    """How some units are answered."""

    chosen: Flags
    median_ms: int
    sigma: Decimal
    limit_ms: int


def _ways_to_answer(units: Units, terms: BepsTerms | IbpsTerms) -> tuple[_Way, ...]:
    slow = _IS_SLOW[units.kind]
    if isinstance(terms, BepsTerms):
        # So many natural days are never more than so many working days.
        days_ms = terms.reply_days * MS_PER_DAY
        return (
            _Way(~slow, terms.realtime_median, terms.realtime_sigma, terms.realtime_limit),
            _Way(slow, terms.reply_median, terms.reply_sigma, days_ms),
        )
    return (_Way(~slow, terms.reply_median, terms.reply_sigma, terms.reply_limit),)


def _packages(items: RetailItems) -> tuple[Integers, Flags]:
    """A number for the unit of each item, and whether the item's package is none because its items differ."""
    count = len(items)
    rows = np.arange(count, dtype=np.int64)
    named = items.package != ALONE
    first = np.full(int(items.package.max(initial=ALONE)) + 1, count, np.int64)
    np.minimum.at(first, items.package[named], rows[named])
    first_of = rows.copy()
    first_of[named] = first[items.package[named]]
    differs = np.zeros(count, np.bool_)
    for column in (items.time_ms, items.debtor, items.creditor, items.kind):
        differs |= column != column[first_of]
    is_broken = _any_item(first_of, differs, count)[first_of]
    return np.where(is_broken, rows, first_of), is_broken


def _over_limit(items: RetailItems, dates: Sequence[RetailDay], terms: RetailTerms) -> Flags:
    """Which items are credits over the limit of the retail date on which they were sent."""
    limits = np.array([terms.item_limit(items.system, date.date) for date in dates], np.int64)
    over: Flags = ~_IS_DEBIT[items.kind] & (items.amount > limits[date_index(items.time_ms, dates)])
    return over


def _any_item(unit_of: Integers, wanted: Flags, units: int) -> Flags:
    """Which units have an item that is wanted."""
    found = np.zeros(units, np.bool_)
    found[unit_of[wanted]] = True
    return found


def _refuse(refusal: npt.NDArray[np.int8], wanted: Flags, why: Refusal) -> None:
    """Refuse units for a reason that goes before those they have so far."""
    refusal[wanted] = why
